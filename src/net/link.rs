//! One stream between two nodes: a queue on its way out, messages on their way in, and how it ends.
//!
//! Each side greets first and then says what it has to say. An orderly end is symmetric: a side that wants to
//! end (silence, too many streams, shutdown) takes its queue out of the pool, sends what is in it and closes
//! its half; the other side hears that, does the same, and nothing is lost. Any other end is a break: whoever
//! was talked to is reported as unreachable.

mod hello;
mod line;

pub(super) use hello::{Broken, Greeting, Origin};
pub(super) use line::{Line, Link, Outgoing};

use super::dial::{Sender, Window};
use super::pool::Address;
use super::rpc::node_client::NodeClient;
use super::{
    ACCEPTED_IDLE, CLOSE_TIMEOUT, CONNECT_TIMEOUT, Event, IDLE, Inner, KEEP_ALIVE_INTERVAL,
    KEEP_ALIVE_TIMEOUT,
};
use prost::Message as _;
use proto::wire::v1::{self, frame};
use proto::wire::{MAX_MESSAGE, Wire as _};
use proto::{Message, Peer};
use std::collections::BTreeSet;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{sleep_until, timeout};
use tokio_stream::Stream;
use tonic::Streaming;

/// Frames between a link and its connection. Few, so that what waits does so in the link's queue.
const FRAMES: usize = 32;
/// Messages taken out of the queue at once.
const BATCH: usize = 32;
/// Peers behind one address that are remembered; they differ by their slot only.
const MAX_PEERS: usize = 16;
/// How long a peer may leave a message unread before it counts as gone.
const WRITE_TIMEOUT: Duration = KEEP_ALIVE_INTERVAL.saturating_add(KEEP_ALIVE_TIMEOUT);
/// The largest frame, in bytes: the largest message and what goes around it.
pub(super) const MAX_FRAME: usize = MAX_MESSAGE + 64;
/// What may be on its way on a connection for messages.
pub(super) const WINDOW: Window = Window { stream: 128 << 10, connection: 256 << 10 };

/// What both directions of a stream have in common.
struct Talk {
    net: Arc<Inner>,
    link: Link,
    address: Address,
    /// Everybody who was talked to.
    peers: Mutex<BTreeSet<Peer>>,
}

/// The two directions, and who is there.
struct Wires {
    frames: mpsc::Sender<v1::Frame>,
    inbound: Streaming<v1::Frame>,
    me: watch::Receiver<Peer>,
    origin: Origin,
    from: Peer,
    /// Keeps a connection open that was opened here.
    client: Option<NodeClient<Sender>>,
}

/// Dials a peer and works the stream until it ends.
pub(super) async fn dial(net: Arc<Inner>, to: Peer, link: Link, mut waiting: mpsc::Receiver<Outgoing>) {
    let talk = Talk { net, link, address: (to.key, to.addr), peers: Mutex::new(BTreeSet::from([to])) };
    let ended = tokio::select! {
        ended = async { talk.work(&mut waiting, talk.open_unless_displaced().await?).await } => ended,
        () = talk.link.line.broken() => Err(Broken::new("too many messages wait for it")),
    };
    talk.net.pool.detach(&talk.address, &talk.link);
    if let Err(broken) = ended {
        talk.link.line.give_up();
        talk.net.pool.note_failure(talk.address);
        talk.report(&broken, waiting).await;
    }
}

/// What goes out on a stream. It ends when the link has ended in order. After a break it only stops: no half is
/// closed as if all had been said, and the other side sees the connection cut.
pub(super) struct Outbound {
    frames: mpsc::Receiver<v1::Frame>,
    line: Arc<Line>,
}

impl Stream for Outbound {
    type Item = v1::Frame;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<v1::Frame>> {
        match self.frames.poll_recv(context) {
            Poll::Ready(None) if self.line.is_broken() => Poll::Pending,
            next => next,
        }
    }
}

/// Works a stream that somebody else has opened; gives what is to be sent on it.
///
/// Answers go back on the stream if whoever opened it is where it says it is and there is no stream to it yet.
pub(super) fn accept(
    net: &Arc<Inner>,
    line: &Arc<Line>,
    greeting: Greeting,
    inbound: Streaming<v1::Frame>,
) -> Outbound {
    let Greeting { from, origin, is_proven } = greeting;
    let (link, mut waiting) = Link::new(Arc::clone(line));
    let (frames, outbound) = link.frames();
    let talk = Talk {
        net: Arc::clone(net),
        link,
        address: (from.key, from.addr),
        peers: Mutex::new(BTreeSet::from([from])),
    };
    let me = net.me.subscribe();
    net.spawn(async move {
        let is_attached = is_proven && talk.net.pool.attach(talk.address, &talk.link);
        let wires = Wires { frames, inbound, me, origin, from, client: None };
        let ended = tokio::select! {
            ended = async { wires.greet().await?; talk.work(&mut waiting, wires).await } => ended,
            () = talk.link.line.broken() => Err(Broken::new("the connection was given up")),
        };
        talk.net.pool.detach(&talk.address, &talk.link);
        if let Err(broken) = ended {
            talk.link.line.give_up();
            if is_attached {
                talk.report(&broken, waiting).await;
            }
        }
    });
    outbound
}

/// Hands messages to oneself over to the inbox.
pub(super) async fn deliver_own(net: Arc<Inner>, mut waiting: mpsc::UnboundedReceiver<Message>) {
    let mut closing = pin!(net.closing());
    loop {
        let message = tokio::select! {
            biased;
            message = waiting.recv() => message,
            () = &mut closing => None,
        };
        let Some(message) = message else { return };
        let from = *net.me.borrow();
        if net.inbox.send(Event::Received { from, message }).await.is_err() {
            return;
        }
    }
}

impl Link {
    /// The way from the link to its connection.
    fn frames(&self) -> (mpsc::Sender<v1::Frame>, Outbound) {
        let (sender, frames) = mpsc::channel(FRAMES);
        (sender, Outbound { frames, line: Arc::clone(&self.line) })
    }
}

impl Wires {
    /// Says who we are.
    async fn greet(&self) -> Result<(), Broken> {
        let hello = hello::hello(*self.me.borrow());
        self.frames.send(hello).await.map_err(|_| Broken::new("the stream was cut"))
    }
}

impl Talk {
    /// Opens the stream, unless others take its place before it stands.
    async fn open_unless_displaced(&self) -> Result<Wires, Broken> {
        tokio::select! {
            biased;
            wires = self.open() => wires,
            () = self.link.line.closing() => Err(Broken::new("too many connections are being opened")),
        }
    }

    /// Dials, greets, and waits for the other side's greeting.
    async fn open(&self) -> Result<Wires, Broken> {
        if let Some(at) = self.net.pool.earliest_dial(&self.address) {
            sleep_until(at.into()).await;
        }
        let (key, addr) = self.address;
        let (mut client, driver) = self.net.dialler.connect(addr, key, WINDOW).await?;
        let line = Arc::clone(&self.link.line);
        self.net.spawn(async move {
            tokio::select! {
                () = driver => {}
                () = line.broken() => {}
            }
        });
        client = client.max_decoding_message_size(MAX_FRAME);
        let (frames, outbound) = self.link.frames();
        let mut me = self.net.me.subscribe();
        let hello = hello::hello(*me.borrow_and_update());
        frames.send(hello).await.map_err(|_| Broken::new("the stream was cut"))?;
        let origin = Origin::Dialled { key, addr };
        let opening = async {
            let mut inbound = client.exchange(outbound).await?.into_inner();
            let greeting = origin.read_greeting(&mut inbound, self.net.slot_limit()).await?;
            Ok((inbound, greeting.from))
        };
        let opened = timeout(CONNECT_TIMEOUT, opening).await;
        let (inbound, from) = opened.unwrap_or(Err(Broken::new("it did not greet in time")))?;
        Ok(Wires { frames, inbound, me, origin, from, client: Some(client) })
    }

    /// Works both directions until both have ended. After a break the line is given up before anything that
    /// went over it is let go.
    async fn work(&self, waiting: &mut mpsc::Receiver<Outgoing>, wires: Wires) -> Result<(), Broken> {
        let Wires { frames, inbound, me, origin, from, client } = wires;
        let idle = if client.is_some() { IDLE } else { ACCEPTED_IDLE };
        let heard_end = Notify::new();
        let mut reading = pin!(self.read(inbound, origin, from));
        let mut writing = pin!(self.write(waiting, frames, me, self.end(&heard_end, idle)));
        let mut is_heard = false;
        loop {
            tokio::select! {
                heard = &mut reading, if !is_heard => {
                    self.watch(heard)?;
                    is_heard = true;
                    heard_end.notify_one();
                }
                written = &mut writing => {
                    self.watch(written)?;
                    break;
                }
            }
        }
        if !is_heard {
            self.watch(timeout(CLOSE_TIMEOUT, reading).await.unwrap_or(Ok(())))?;
        }
        Ok(())
    }

    fn watch(&self, ended: Result<(), Broken>) -> Result<(), Broken> {
        ended.inspect_err(|_| self.link.line.give_up())
    }

    /// Resolves when there is a reason to end in order.
    async fn end(&self, heard_end: &Notify, idle: Duration) {
        tokio::select! {
            () = heard_end.notified() => {}
            () = self.link.line.closing() => {}
            () = self.net.closing() => {}
            () = self.link.line.idle(idle) => {}
        }
    }

    /// Sends what waits until `end`, and then what still waits.
    async fn write(
        &self,
        waiting: &mut mpsc::Receiver<Outgoing>,
        frames: mpsc::Sender<v1::Frame>,
        mut me: watch::Receiver<Peer>,
        end: impl Future<Output = ()>,
    ) -> Result<(), Broken> {
        let mut end = pin!(end);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let count = tokio::select! {
                count = waiting.recv_many(&mut batch, BATCH) => count,
                () = &mut end => break,
            };
            if count == 0 {
                break;
            }
            self.send(batch.drain(..), &frames, &mut me).await?;
        }
        self.net.pool.detach(&self.address, &self.link);
        waiting.close();
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            self.send(batch.drain(..), &frames, &mut me).await?;
        }
        Ok(())
    }

    async fn send(
        &self,
        messages: impl Iterator<Item = Outgoing>,
        frames: &mpsc::Sender<v1::Frame>,
        me: &mut watch::Receiver<Peer>,
    ) -> Result<(), Broken> {
        let mut last = None;
        for Outgoing { to, message } in messages {
            if last.replace(to) != Some(to) {
                self.note(to);
            }
            if me.has_changed().unwrap_or(false) {
                let hello = hello::hello(*me.borrow_and_update());
                put(frames, hello).await?;
            }
            let frame = v1::Frame { body: Some(frame::Body::Message(message.to_pb())) };
            if frame.encoded_len() > MAX_FRAME {
                tracing::error!(peer = %to, "a message is longer than {MAX_MESSAGE} bytes and is not sent");
                self.net.tell(Event::Unreachable { peer: to }).await?;
                continue;
            }
            put(frames, frame).await?;
            tracing::trace!(peer = %to, "a message is sent");
            self.link.line.touch();
        }
        Ok(())
    }

    /// Hands over what is heard until the other side ends.
    async fn read(
        &self,
        mut inbound: Streaming<v1::Frame>,
        origin: Origin,
        mut from: Peer,
    ) -> Result<(), Broken> {
        while let Some(frame) = inbound.message().await? {
            self.link.line.touch();
            match frame.body {
                Some(frame::Body::Message(pb)) => {
                    let message = Message::from_pb(pb)?;
                    self.net.tell(Event::Received { from, message }).await?;
                }
                // Who is there has been given a new place.
                Some(frame::Body::Hello(hello)) => {
                    from = origin.check(hello, self.net.slot_limit())?.from;
                    self.note(from);
                }
                None => return Err(Broken::new("it sent an empty frame")),
            }
        }
        Ok(())
    }

    fn note(&self, peer: Peer) {
        let mut peers = self.peers();
        if peers.len() < MAX_PEERS {
            peers.insert(peer);
        }
    }

    fn peers(&self) -> MutexGuard<'_, BTreeSet<Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the inbox, once for each peer, that a stream broke.
    async fn report(&self, broken: &Broken, mut waiting: mpsc::Receiver<Outgoing>) {
        waiting.close();
        while let Ok(outgoing) = waiting.try_recv() {
            self.note(outgoing.to);
        }
        let peers = std::mem::take(&mut *self.peers());
        for peer in peers {
            tracing::info!(%peer, reason = %broken, "a peer is unreachable");
            if self.net.tell(Event::Unreachable { peer }).await.is_err() {
                return;
            }
        }
    }
}

impl Inner {
    async fn tell(&self, event: Event) -> Result<(), Broken> {
        self.inbox.send(event).await.map_err(|_| Broken::new("nobody reads the inbox"))
    }
}

/// Hands a frame to the connection.
async fn put(frames: &mpsc::Sender<v1::Frame>, frame: v1::Frame) -> Result<(), Broken> {
    match frames.try_send(frame) {
        Ok(()) => Ok(()),
        Err(TrySendError::Closed(_)) => Err(Broken::new("the stream was cut")),
        Err(TrySendError::Full(frame)) => match timeout(WRITE_TIMEOUT, frames.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Broken::new("the stream was cut")),
            Err(_) => Err(Broken::new("it does not read what it is sent")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[track_caller]
    fn check(finish: fn(&Line), expected: Poll<Option<v1::Frame>>) {
        let (link, _waiting) = Link::new(Line::new());
        let (frames, mut outbound) = link.frames();
        finish(&link.line);
        drop(frames);
        let next = Pin::new(&mut outbound).poll_next(&mut Context::from_waker(Waker::noop()));
        assert_eq!(next, expected);
    }

    #[test]
    fn a_half_is_closed_after_an_orderly_end_only() {
        check(Line::close, Poll::Ready(None));
        check(Line::give_up, Poll::Pending);
    }
}
