//! Contents, given to others in pieces, also while they still come.
//!
//! Who may have what:
//!
//! * a content of this node's own (programs and inputs of its tasks, results, public files) is given to whoever names its
//!   hash, as hashes of 256 bits are not guessed: who must not read a content must not be told its hash;
//! * what was fetched for a contract is given to the owner of the content, and to who shows the owner's [`Pass`];
//! * what an execution has left is given to who has signed for it.
//!
//! The owner gives its pass to everybody to whom it gives the content, and introduces them to each other, so that they
//! give each other what one of them has. It offers each piece to one of them only, as long as the others can have it
//! there (after BitTorrent's super-seeding, BEP 16); `swarm` decides.

mod swarm;

pub(super) use swarm::Swarms;

use super::server::{Sent, Visitor};
use super::store::{Access, Arrival, Outline, PIECE, Pieces, Store, StoreError};
use super::{CONNECT_TIMEOUT, Inner, KEEP_ALIVE_INTERVAL, KEEP_ALIVE_TIMEOUT, MAX_PIECE};
use proto::message::contents::Pass;
use proto::wire::Wire as _;
use proto::wire::v1::{self, fetch_said, fetch_told};
use proto::{Hash, Peer, PublicKey, Signed};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use swarm::Seat;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

/// The longest wait for the other side to take a part.
const PART_TIMEOUT: Duration = KEEP_ALIVE_INTERVAL.saturating_add(KEEP_ALIVE_TIMEOUT);
/// How long a piece waits for its turn when many contents are being sent, and a content for its first word.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);
/// Parts between the disk and the connection.
const PARTS: usize = 2;
/// Pieces that one visitor may have asked for at a time.
const MAX_WANTS: usize = 16;
/// How often it is looked whether more can be offered.
const TICK: Duration = Duration::from_millis(500);
/// How long a pass is good.
const PASS_FOR: Duration = Duration::from_secs(6 * 3_600);
/// How far clocks may be apart.
const SKEW: Duration = Duration::from_secs(300);

/// What there is of a content, which may still come.
struct There {
    store: Arc<Store>,
    outline: Outline,
    /// While it comes; whoever brings it decides when that is over, and it is in the store then, or was cut.
    arrival: Weak<Arrival>,
}

impl There {
    fn whole(store: &Arc<Store>, outline: Outline) -> Self {
        store.pin(outline.blob().hash);
        Self { store: Arc::clone(store), outline, arrival: Weak::new() }
    }

    fn coming(store: &Arc<Store>, arrival: &Arc<Arrival>) -> Self {
        let mut there = Self::whole(store, arrival.outline().clone());
        there.arrival = Arc::downgrade(arrival);
        there
    }

    fn have(&self) -> Pieces {
        match self.arrival.upgrade() {
            Some(arrival) => arrival.have(),
            None if self.store.holds(&self.outline.blob().hash) => Pieces::all(self.outline.pieces()),
            None => Pieces::none(self.outline.pieces()),
        }
    }

    async fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, StoreError> {
        match self.arrival.upgrade() {
            Some(arrival) => arrival.read(offset, length).await,
            None => self.store.read(self.outline.blob().hash, offset, length).await,
        }
    }

    /// How many pieces there are, as that changes.
    fn watch(&self) -> Option<watch::Receiver<u32>> {
        self.arrival.upgrade().map(|arrival| arrival.watch())
    }
}

impl Drop for There {
    fn drop(&mut self) {
        self.store.unpin(&self.outline.blob().hash);
    }
}

impl Visitor {
    /// Gives a content in pieces.
    pub(super) async fn send_content(
        &self,
        mut said: Streaming<v1::FetchSaid>,
    ) -> Result<Sent<v1::FetchTold>, Status> {
        let open = timeout(CONNECT_TIMEOUT, said.message()).await;
        let open = open.map_err(|_| Status::deadline_exceeded("nothing was asked for"))??;
        let Some(fetch_said::Body::Open(open)) = open.and_then(|said| said.body) else {
            return Err(Status::invalid_argument("it has to be said first which content is wanted"));
        };
        let hash = Hash(open.hash.try_into().map_err(|_| Status::invalid_argument("a hash has 32 bytes"))?);
        let owner = open.pass.and_then(|pass| Signed::from_pb(pass).ok());
        let owner = owner.and_then(|pass: Signed<Pass>| owner_by(&pass, &hash, self.key));
        let (there, is_own) = self.find(hash, owner).await?;
        let is_public = self.net.swarms.is_public(&hash);
        let pass = (is_own && !is_public).then(|| self.pass(hash).to_pb());
        let hashes = there.outline.told();
        let visitor = open.sender.and_then(|sender| self.place_of(sender));
        let seat = self.net.swarms.enter(hash, there.outline.pieces(), is_own, visitor, self.key);
        let (told, telling) = mpsc::channel(PARTS);
        let giving = Giving {
            net: Arc::clone(&self.net),
            line: Arc::clone(&self.line),
            there,
            seat,
            told,
            wants: VecDeque::new(),
            offered: Pieces::default(),
        };
        let welcome = v1::FetchWelcome { hashes, pass, is_public };
        self.net.spawn(giving.run(said, welcome));
        Ok(Box::pin(ReceiverStream::new(telling)))
    }

    /// What there is of a content for this visitor, and whether it is this node's own.
    async fn find(&self, hash: Hash, owner: Option<PublicKey>) -> Result<(There, bool), Status> {
        let store = &self.net.store;
        if store.size(&hash).is_some() {
            if !store.is_shown(&hash, self.key, owner) {
                return Err(Status::failed_precondition("this content is shown to who has signed for it"));
            }
            let outline = store.outline(hash).await;
            let outline = outline.map_err(|error| Status::not_found(error.to_string()))?;
            return Ok((There::whole(store, outline), store.is_open(&hash)));
        }
        let hub =
            self.net.fetching.hub(&hash).ok_or_else(|| Status::not_found("this content is not here"))?;
        let is_shown = match hub.access() {
            Access::Everybody => true,
            Access::Passed(owners) => {
                hub.is_public()
                    || owners.contains(&self.key)
                    || owner.is_some_and(|owner| owners.contains(&owner))
            }
            Access::Only(keys) => keys.contains(&self.key),
        };
        if !is_shown {
            return Err(Status::failed_precondition("this content is shown to who has its owner's pass"));
        }
        let arrival = timeout(TURN_TIMEOUT, hub.arrived()).await;
        let arrival = arrival.map_err(|_| Status::unavailable("nothing of this content is here yet"))?;
        Ok((There::coming(store, &arrival), false))
    }

    fn pass(&self, content: Hash) -> Signed<Pass> {
        let until = seconds_now().saturating_add(PASS_FOR.as_secs());
        Signed::new(Pass { content, bearer: self.key, until }, &self.net.keys)
    }

    /// Where others can reach the visitor, if it says so and comes from there.
    fn place_of(&self, sender: v1::Peer) -> Option<Peer> {
        let claim = Peer::from_pb(sender).ok()?;
        let ip = self.addr.ip().to_canonical();
        let is_there = claim.addr.ip().is_unspecified() || claim.addr.ip().to_canonical() == ip;
        let addr = SocketAddr::new(ip, claim.addr.port());
        (is_there && claim.key == self.key && claim.addr.port() != 0)
            .then(|| Peer::new(addr, claim.slot, self.key))
    }
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Whose pass this is, if it is good for this content and this bearer.
fn owner_by(pass: &Signed<Pass>, content: &Hash, bearer: PublicKey) -> Option<PublicKey> {
    let Pass { content: of, bearer: by, until } = pass.body;
    let is_good = of == *content
        && by == bearer
        && until.saturating_add(SKEW.as_secs()) >= seconds_now()
        && pass.is_genuine();
    is_good.then_some(pass.signer)
}

/// One content on its way to one visitor.
struct Giving {
    net: Arc<Inner>,
    line: Arc<super::link::Line>,
    there: There,
    seat: Seat,
    told: mpsc::Sender<Result<v1::FetchTold, Status>>,
    wants: VecDeque<u32>,
    /// What the visitor was told last.
    offered: Pieces,
}

/// The visitor is gone, or is not worth more.
struct Over;

impl Giving {
    async fn run(mut self, mut said: Streaming<v1::FetchSaid>, welcome: v1::FetchWelcome) {
        // Whatever ends it, the visitor notices by the end of the stream.
        let _over = self.give(&mut said, welcome).await;
    }

    async fn give(
        &mut self,
        said: &mut Streaming<v1::FetchSaid>,
        welcome: v1::FetchWelcome,
    ) -> Result<(), Over> {
        self.tell(fetch_told::Body::Welcome(welcome)).await?;
        let mut more = self.there.watch();
        let mut others = self.seat.watch();
        others.mark_changed();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            self.offer().await?;
            while let Some(piece) = self.wants.pop_front() {
                self.send(piece).await?;
                self.seat.sent(piece, Instant::now());
                self.offer().await?;
            }
            tokio::select! {
                message = said.message() => match message.ok().flatten().and_then(|said| said.body) {
                    Some(fetch_said::Body::Want(piece)) if self.wants.len() < MAX_WANTS => {
                        self.line.touch();
                        self.wants.push_back(piece);
                    }
                    Some(fetch_said::Body::Stuck(has)) => {
                        self.line.touch();
                        let of = self.there.outline.pieces();
                        self.seat.stuck(Pieces::read(of, &has.pieces), Instant::now());
                    }
                    _ => return Ok(()),
                },
                () = changed(&mut more) => {}
                Ok(()) = others.changed() => {
                    let peers = self.seat.others();
                    if !peers.is_empty() {
                        let peers = peers.iter().map(proto::wire::Wire::to_pb).collect();
                        self.tell(fetch_told::Body::Others(v1::FetchOthers { peers })).await?;
                    }
                }
                _ = tick.tick() => {}
            }
        }
    }

    /// Tells the visitor what it may ask for, if that is news.
    async fn offer(&mut self) -> Result<(), Over> {
        let offered = self.seat.offer(&self.there.have(), Instant::now());
        if offered == self.offered {
            return Ok(());
        }
        let pieces = offered.bits();
        self.offered = offered;
        self.tell(fetch_told::Body::Offer(v1::FetchOffer { pieces })).await
    }

    async fn send(&self, piece: u32) -> Result<(), Over> {
        if !self.there.have().has(piece) {
            return self.refuse(Status::out_of_range("this piece is not here")).await;
        }
        let up = &self.net.up;
        let Ok(turn) = timeout(TURN_TIMEOUT, up.turn()).await else {
            return self.refuse(Status::resource_exhausted("too many contents are being sent")).await;
        };
        let start = u64::from(piece) * PIECE;
        let end = start + self.there.outline.length(piece);
        let mut offset = start;
        while offset < end {
            let left = usize::try_from(end - offset).unwrap_or(MAX_PIECE);
            let bytes = match self.there.read(offset, up.piece(MAX_PIECE).min(left)).await {
                Ok(bytes) if !bytes.is_empty() => bytes,
                Ok(_) => return self.refuse(Status::unavailable("the content has become shorter")).await,
                Err(error) => return self.refuse(Status::unavailable(error.to_string())).await,
            };
            let length = bytes.len() as u64;
            up.pass(length).await;
            offset += length;
            self.tell(fetch_told::Body::Part(v1::FetchPart { piece, bytes })).await?;
            self.line.touch();
        }
        drop(turn);
        Ok(())
    }

    async fn tell(&self, body: fetch_told::Body) -> Result<(), Over> {
        let message = Ok(v1::FetchTold { body: Some(body) });
        match timeout(PART_TIMEOUT, self.told.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Over),
        }
    }

    async fn refuse(&self, status: Status) -> Result<(), Over> {
        // Who is gone does not hear it.
        let _heard = timeout(PART_TIMEOUT, self.told.send(Err(status))).await.is_ok();
        Err(Over)
    }
}

async fn changed(more: &mut Option<watch::Receiver<u32>>) {
    let is_over = match more {
        Some(more) => more.changed().await.is_err(),
        None => std::future::pending().await,
    };
    if is_over {
        *more = None;
    }
}
