//! The node's network: who it is, whom it talks to, and the contents it keeps and fetches.
//!
//! One port serves everything: gRPC over HTTP/2 in TLS 1.3, with a certificate from both sides (`tls`).
//! Messages travel on one stream per pair of nodes, opened by whoever speaks first (`pool`, `link`); bulk data
//! on connections of its own (`fetch`), so that it does not hold messages up. Nothing here decides anything:
//! what is heard goes to the inbox, in order for each peer, and what is not delivered is reported there once.

mod dial;
mod far;
mod fetch;
mod follow;
pub(crate) mod identity;
mod link;
mod meter;
mod pool;
mod serve;
mod server;
pub(crate) mod store;
#[cfg(test)]
mod tests;
mod tls;
mod web;

pub(crate) use dial::DialError;
pub(crate) use fetch::{FetchError, Gather};
pub(crate) use follow::{Following, Leading, Voice};
pub(crate) use meter::Caps;
pub(crate) use web::{Url, download};

use dial::Dialler;
use meter::Direction;
use pool::Pool;
use proto::message::service::Blob;
use proto::{Hash, KeyPair, Message, Peer, PublicKey};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use store::Store;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;

/// The generated gRPC stubs.
#[expect(unreachable_pub, clippy::allow_attributes, clippy::too_many_lines, reason = "generated code")]
mod rpc {
    tonic::include_proto!("compup2p.v1");
}

/// The version of the protocol that this node speaks.
pub(crate) const VERSION: u32 = 1;
/// The longest wait for a connection, from the first packet to gRPC.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Messages that wait for one peer; one more, and the peer counts as unreachable.
pub(crate) const MAX_QUEUE: usize = 1_024;
/// Connections that others may hold to this node, and as many that it holds itself. Beyond it one that was never
/// used is closed, or else the one that was silent for the longest time.
pub(crate) const MAX_CONNECTIONS: usize = 512;
/// The largest piece of a content in one message, in bytes.
pub(crate) const MAX_PIECE: usize = 1 << 20;
/// The silence after which whoever opened a connection closes it.
pub(crate) const IDLE: Duration = Duration::from_secs(60);
/// The silence after which the other side closes it.
pub(crate) const ACCEPTED_IDLE: Duration = Duration::from_secs(90);
/// How often a connection is asked whether it lives.
pub(crate) const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// How long it may take to answer. A peer that fell silent is noticed after both together.
pub(crate) const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause between a failed connection and the next attempt to the same peer.
pub(crate) const REDIAL_PAUSE: Duration = Duration::from_millis(250);
/// How long an orderly end may take: of one connection, and of the whole network.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// What the network has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Somebody said something. The key of `from` is proven; its address is the one from which it was reached,
    /// or a claim that is proven when an answer to it arrives.
    Received {
        /// Who.
        from: Peer,
        /// What.
        message: Message,
    },
    /// Messages could not be delivered, or the connection broke; what was on its way may be lost.
    Unreachable {
        /// Who.
        peer: Peer,
    },
}

/// Why the network does not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetError {
    /// The port cannot be had.
    #[error("cannot listen on {addr}: {source}; is another process using the port?")]
    CannotListen {
        /// Where.
        addr: SocketAddr,
        /// The system's words.
        source: io::Error,
    },
    /// The key does not make a certificate.
    #[error("cannot make the channel's certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refuses its configuration.
    #[error("cannot set up the channel: {0}")]
    Channel(#[from] rustls::Error),
    /// Nobody there.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The bank there lets nobody follow.
    #[error("the bank at {addr} cannot be followed: {reason}")]
    NotFollowed {
        /// Where.
        addr: SocketAddr,
        /// Its words.
        reason: String,
    },
}

/// The network of one node; a handle that is cheap to clone. It lives until [`Net::shutdown`].
#[derive(Clone, Debug)]
pub(crate) struct Net {
    inner: Arc<Inner>,
}

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Open,
    /// Nothing new; what waits is still sent.
    Closing,
    /// Every task ends where it stands.
    Closed,
}

#[derive(Debug)]
struct Inner {
    address: SocketAddr,
    key: PublicKey,
    keys: KeyPair,
    /// Who we say that we are.
    me: watch::Sender<Peer>,
    /// How many places the network's rules give an ip address; as many as there are before they are known.
    slot_limit: AtomicU16,
    inbox: mpsc::Sender<Event>,
    store: Arc<Store>,
    dialler: Dialler,
    pool: Pool,
    fetching: fetch::Fetching,
    /// Places for further sources of contents that are fetched.
    extra: Arc<Semaphore>,
    /// Contents that are given to several.
    swarms: serve::Swarms,
    /// The owner of the machine lets nothing come for the work of others.
    suspended: watch::Sender<bool>,
    /// Where whoever follows the journal is handed to; only a bank has it.
    followers: OnceLock<mpsc::Sender<Following>>,
    /// Contents that are sent.
    up: Arc<Direction>,
    /// Contents that are fetched.
    down: Arc<Direction>,
    phase: watch::Sender<Phase>,
    /// Each task holds a receiver, so that the end of all of them can be waited for.
    tasks: watch::Sender<()>,
    runtime: Handle,
}

impl Net {
    /// Listens on `listen` (port 0: any free one) and reports to `inbox`.
    ///
    /// # Errors
    /// A port that cannot be had, or a key that makes no certificate.
    pub(crate) async fn start(
        listen: SocketAddr,
        keys: KeyPair,
        store: Arc<Store>,
        inbox: mpsc::Sender<Event>,
    ) -> Result<Self, NetError> {
        let cannot_listen = |source| NetError::CannotListen { addr: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;
        let channel = tls::Channel::new(&keys)?;
        let acceptor = Arc::new(channel.server()?).into();
        // 127.0.0.1 is what the system takes by itself.
        let source = Some(listen.ip()).filter(|ip| !ip.is_unspecified() && *ip != Ipv4Addr::LOCALHOST);
        let inner = Arc::new(Inner {
            address,
            key: keys.public(),
            keys: keys.clone(),
            me: watch::Sender::new(Peer::new(address, 0, keys.public())),
            slot_limit: AtomicU16::new(u16::MAX),
            inbox,
            store,
            dialler: Dialler { channel, source },
            pool: Pool::default(),
            fetching: fetch::Fetching::default(),
            extra: Arc::new(Semaphore::new(fetch::MAX_EXTRA)),
            swarms: serve::Swarms::default(),
            suspended: watch::Sender::new(false),
            followers: OnceLock::new(),
            up: Arc::new(Direction::new()),
            down: Arc::new(Direction::new()),
            phase: watch::Sender::new(Phase::Open),
            tasks: watch::Sender::new(()),
            runtime: Handle::current(),
        });
        inner.spawn(server::accept(Arc::clone(&inner), listener, acceptor));
        Ok(Self { inner })
    }

    /// Where it listens.
    #[must_use]
    pub(crate) fn address(&self) -> SocketAddr {
        self.inner.address
    }

    /// The peer that we say to be from now on; before the first call the address that we listen on, slot 0. An
    /// unspecified ip address (0.0.0.0) is replaced by others with the one they see.
    pub(crate) fn set_me(&self, me: Peer) {
        self.inner.me.send_replace(me);
    }

    /// Refuses from now on whoever claims a slot that the network's rules do not have.
    pub(crate) fn set_slot_limit(&self, limit: u16) {
        self.inner.slot_limit.store(limit, Ordering::Relaxed);
    }

    /// Sends a message, at once and in order for each peer. What cannot be delivered is reported as
    /// [`Event::Unreachable`].
    pub(crate) fn send(&self, to: Peer, message: Message) {
        self.inner.send(to, message);
    }

    /// Which key answers at `addr`: the first contact to somebody of whom only the address is known.
    ///
    /// # Errors
    /// Nobody there, or nobody who speaks this protocol.
    pub(crate) async fn identify(&self, addr: SocketAddr) -> Result<PublicKey, NetError> {
        Ok(self.inner.dialler.identify(addr).await?)
    }

    /// Fetches a content from a peer into the store; at once if it is there. A fetch that was cut goes on where
    /// it was, also in a later call and from another peer.
    ///
    /// # Errors
    /// The peer does not have it, sends something else, is not reached, or the store refuses.
    #[cfg(test)]
    pub(crate) async fn fetch(&self, from: Peer, blob: Blob) -> Result<(), FetchError> {
        self.gather(Gather::open(from, blob)).await
    }

    /// Fetches a content from one peer, and from others that have it.
    ///
    /// # Errors
    /// Nobody has it, or sends what it stands for, or in time; or the store refuses.
    pub(crate) async fn gather(&self, gather: Gather) -> Result<(), FetchError> {
        self.inner.gather(gather).await
    }

    /// Lets nothing more come for the work of others, or lets it come again.
    pub(crate) fn suspend(&self, is_suspended: bool) {
        self.inner.suspended.send_if_modified(|now| std::mem::replace(now, is_suspended) != is_suspended);
    }

    /// Contents that this node gives to whoever asks, and that others are told of.
    pub(crate) fn public(&self) -> Vec<Blob> {
        self.inner.swarms.public()
    }

    /// Lets others know of a content no more; whoever names it still gets it.
    pub(crate) fn unpublish(&self, hash: &Hash) {
        self.inner.swarms.forget_public(hash);
    }

    /// Gives a content that is in the store to whoever asks, and lets others know of it.
    pub(crate) fn publish(&self, blob: Blob) {
        self.inner.note_public(blob);
    }

    /// Whoever follows the journal of this bank from now on; the first call only.
    pub(crate) fn followers(&self) -> mpsc::Receiver<Following> {
        let (sender, followers) = mpsc::channel(follow::WAITING);
        // A second receiver would hear nobody, as its caller would notice at once.
        let _is_first = self.inner.followers.set(sender).is_ok();
        followers
    }

    /// Keeps contents to these caps from now on, those that are under way too.
    pub(crate) fn set_caps(&self, caps: Caps) {
        self.inner.up.set(caps.up, caps.transfers);
        self.inner.down.set(caps.down, caps.transfers);
    }

    /// Bytes of contents that this node has sent and fetched since it runs.
    pub(crate) fn volume(&self) -> (u64, u64) {
        (self.inner.up.total(), self.inner.down.total())
    }

    /// Ends in order: nothing new is accepted, what waits to be sent is sent, in bounded time.
    pub(crate) async fn shutdown(&self) {
        self.inner.phase.send_replace(Phase::Closing);
        if timeout(CLOSE_TIMEOUT, self.inner.tasks.closed()).await.is_err() {
            tracing::debug!("some connections did not end in time");
        }
        self.inner.phase.send_replace(Phase::Closed);
        self.inner.tasks.closed().await;
    }
}

impl Inner {
    /// Runs a task until the network has closed.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let alive = self.tasks.subscribe();
        let mut phase = self.phase.subscribe();
        self.runtime.spawn(async move {
            tokio::select! {
                () = task => {}
                _ = phase.wait_for(|phase| *phase == Phase::Closed) => {}
            }
            drop(alive);
        });
    }

    fn is_suspended(&self) -> bool {
        *self.suspended.borrow()
    }

    /// Waits until a content may come.
    async fn is_open_for(&self, hub: &fetch::Hub) {
        if hub.is_for_others() {
            // An error means that the network is gone.
            let _gone = self.suspended.subscribe().wait_for(|is_suspended| !is_suspended).await.is_err();
        }
    }

    fn note_public(&self, blob: Blob) {
        self.swarms.note_public(blob);
    }

    fn slot_limit(&self) -> u16 {
        self.slot_limit.load(Ordering::Relaxed)
    }

    /// Resolves when the end has begun.
    fn closing(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut phase = self.phase.subscribe();
        async move {
            // An error means that the network is gone, which is an end as well.
            let _gone = phase.wait_for(|phase| *phase >= Phase::Closing).await.is_err();
        }
    }

    fn is_closing(&self) -> bool {
        *self.phase.borrow() >= Phase::Closing
    }
}
