//! One source of a content: what it offers, what it was asked for, what it sends.

use super::hub::{Ended, Hub};
use crate::net::dial::Window;
use crate::net::rpc::node_client::NodeClient;
use crate::net::store::{Arrival, Pieces};
use crate::net::{Inner, KEEP_ALIVE_INTERVAL, KEEP_ALIVE_TIMEOUT, MAX_PIECE};
use proto::message::contents::Pass;
use proto::wire::Wire as _;
use proto::wire::v1::{self, fetch_said, fetch_told};
use proto::{Peer, PublicKey, Signed};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Status, Streaming};

/// The longest wait for the next part of a piece that was asked for, and for the first word.
const PART_TIMEOUT: Duration = KEEP_ALIVE_INTERVAL.saturating_add(KEEP_ALIVE_TIMEOUT);
/// Pieces that one source is asked for at a time: enough to keep the line busy while the first one is checked.
const AHEAD: usize = 3;
/// How long a source that offers nothing new is waited for before it is told.
const STUCK_AFTER: Duration = Duration::from_secs(2);
/// How long a source may let a piece wait that others offer as well.
const SLOW_AFTER: Duration = Duration::from_secs(30);
/// What may be on its way on a connection for contents.
const WINDOW: Window = Window { stream: 2 << 20, connection: 2 << 20 };
/// The largest message: a part, or the hashes of all pieces.
const MAX_TOLD: usize = MAX_PIECE + (4 << 10);
/// Nodes that one message introduces us to.
const MAX_OTHERS: usize = 32;

/// A source that was reached.
struct Source<'a> {
    hub: &'a Hub,
    arrival: Arc<Arrival>,
    said: mpsc::Sender<v1::FetchSaid>,
    offered: Pieces,
    /// Pieces that were asked for, in order.
    asked: Vec<u32>,
    /// Since when the first of them is waited for.
    since: Instant,
    part: Vec<u8>,
}

impl Drop for Source<'_> {
    fn drop(&mut self) {
        self.hub.free(&self.asked);
        let (of, none) = (self.arrival.outline().pieces(), Pieces::default());
        self.hub.offer(&self.offered, &none, of);
    }
}

/// Has a peer bring pieces until it ends or the caller has enough.
pub(super) async fn run(net: &Arc<Inner>, hub: &Hub, peer: Peer) -> Ended {
    match talk(net, hub, peer).await {
        Ok(()) => Ended::Cut("it ended too early".into()),
        Err(ended) => ended,
    }
}

fn refused(status: &Status) -> Ended {
    match status.code() {
        Code::NotFound => Ended::Absent,
        code => Ended::Cut(format!("{code:?}: {}", status.message())),
    }
}

fn silent<T>(_: T) -> Ended {
    Ended::Cut("it fell silent".into())
}

async fn talk(net: &Arc<Inner>, hub: &Hub, peer: Peer) -> Result<(), Ended> {
    let connected = net.dialler.connect(peer.addr, peer.key, WINDOW).await;
    let (client, driver) = connected.map_err(|error| Ended::Cut(error.to_string()))?;
    net.spawn(driver);
    let mut client: NodeClient<_> = client.max_decoding_message_size(MAX_TOLD);
    let (said, saying) = mpsc::channel(2 * AHEAD + 2);
    let blob = hub.blob();
    let open = v1::FetchOpen {
        hash: blob.hash.0.to_vec(),
        size: blob.size.0,
        sender: Some(net.me.borrow().to_pb()),
        pass: hub.pass().map(|pass| pass.to_pb()),
    };
    say(&said, fetch_said::Body::Open(open)).await?;
    let answer = timeout(PART_TIMEOUT, client.fetch(Request::new(ReceiverStream::new(saying)))).await;
    let mut told = answer.map_err(silent)?.map_err(|status| refused(&status))?.into_inner();
    let first = timeout(PART_TIMEOUT, told.message()).await.map_err(silent)?;
    let Some(fetch_told::Body::Welcome(welcome)) = body(first)? else {
        return Err(Ended::Cut("it did not say first which pieces there are".into()));
    };
    let arrival = hub.open(&net.store, &welcome.hashes).await?;
    take_pass(net, hub, peer.key, &welcome);
    if welcome.is_public {
        hub.set_public();
    }
    if arrival.have().count() > 0 {
        // What is here already need not be offered.
        let pieces = arrival.have().bits();
        say(&said, fetch_said::Body::Stuck(v1::FetchOffer { pieces })).await?;
    }
    let offered = Pieces::none(arrival.outline().pieces());
    let (asked, part, since) = (Vec::new(), Vec::new(), Instant::now());
    let mut source = Source { hub, arrival, said, offered, asked, since, part };
    source.serve(net, &mut told).await
}

fn body(message: Result<Option<v1::FetchTold>, Status>) -> Result<Option<fetch_told::Body>, Ended> {
    Ok(message.map_err(|status| refused(&status))?.and_then(|told| told.body))
}

async fn say(said: &mpsc::Sender<v1::FetchSaid>, body: fetch_said::Body) -> Result<(), Ended> {
    let message = v1::FetchSaid { body: Some(body) };
    said.send(message).await.map_err(|_| Ended::Cut("the connection broke".into()))
}

/// Keeps the pass that the source gives, if it is its own and for us.
fn take_pass(net: &Inner, hub: &Hub, from: PublicKey, welcome: &v1::FetchWelcome) {
    let pass = welcome.pass.clone().and_then(|pass| Signed::<Pass>::from_pb(pass).ok());
    let Some(pass) = pass else { return };
    if pass.body.bearer == net.key && pass.body.content == hub.blob().hash && pass.is_genuine_by(from) {
        hub.set_pass(pass);
    }
}

impl Source<'_> {
    async fn serve(&mut self, net: &Arc<Inner>, told: &mut Streaming<v1::FetchTold>) -> Result<(), Ended> {
        let mut heard = Instant::now();
        loop {
            let changed = self.hub.changed.notified();
            self.ask(net).await?;
            let is_waiting = !self.asked.is_empty();
            let deadline =
                if is_waiting { heard.max(self.since) + PART_TIMEOUT } else { heard + STUCK_AFTER };
            let message = tokio::select! {
                message = told.message() => message,
                () = changed => {
                    continue;
                }
                () = sleep_until(deadline) => {
                    if is_waiting {
                        return Err(silent(()));
                    }
                    heard = Instant::now();
                    let pieces = self.arrival.have().bits();
                    say(&self.said, fetch_said::Body::Stuck(v1::FetchOffer { pieces })).await?;
                    continue;
                }
            };
            heard = Instant::now();
            match body(message)? {
                Some(fetch_told::Body::Offer(offer)) => {
                    let now = Pieces::read(self.arrival.outline().pieces(), &offer.pieces);
                    self.hub.offer(&self.offered, &now, self.arrival.outline().pieces());
                    self.offered = now;
                }
                Some(fetch_told::Body::Others(others)) => {
                    let peers = others.peers.into_iter().take(MAX_OTHERS);
                    let peers = peers.filter_map(|peer| Peer::from_pb(peer).ok());
                    self.hub.introduce(peers.filter(|peer| peer.key != net.key));
                }
                Some(fetch_told::Body::Part(part)) => self.take(net, part).await?,
                Some(fetch_told::Body::Welcome(_)) => {}
                None => return Ok(()),
            }
        }
    }

    /// Asks for as much as may be on its way.
    async fn ask(&mut self, net: &Inner) -> Result<(), Ended> {
        net.is_open_for(self.hub).await;
        while self.asked.len() < AHEAD
            && let Some(piece) = self.hub.choose(&self.arrival, &self.offered, &self.asked)
        {
            if self.asked.is_empty() {
                self.since = Instant::now();
            }
            self.asked.push(piece);
            say(&self.said, fetch_said::Body::Want(piece)).await?;
        }
        Ok(())
    }

    /// A part of the piece that is due.
    async fn take(&mut self, net: &Inner, part: v1::FetchPart) -> Result<(), Ended> {
        let Some(piece) = self.asked.first().copied().filter(|piece| *piece == part.piece) else {
            return Err(Ended::Wrong);
        };
        let length = self.arrival.outline().length(piece);
        let size = part.bytes.len() as u64;
        if size == 0 || self.part.len() as u64 + size > length {
            return Err(Ended::Wrong);
        }
        self.hub.came(size);
        // The other side sends on as far as the connection's window reaches, and then feels it.
        net.down.pass(size).await;
        self.part.extend_from_slice(&part.bytes);
        if (self.part.len() as u64) < length {
            return self.check_pace(piece);
        }
        let bytes = std::mem::take(&mut self.part);
        self.arrival.write(piece, bytes).await?;
        self.asked.remove(0);
        self.since = Instant::now();
        self.hub.free(&[piece]);
        // Whoever waits for the last piece hears of it.
        self.hub.came(0);
        Ok(())
    }

    /// Who lets a piece wait that others have is left alone.
    fn check_pace(&self, piece: u32) -> Result<(), Ended> {
        let is_slow = self.since.elapsed() >= SLOW_AFTER && self.hub.is_offered_by_others(piece);
        if is_slow {
            return Err(Ended::Cut(format!("it took more than {} s for a piece", SLOW_AFTER.as_secs())));
        }
        Ok(())
    }
}
