//! Whom we have a stream with, and the queues towards them.

use super::link::{self, Line, Link, Outgoing};
use super::{Inner, MAX_CONNECTIONS, MAX_QUEUE, REDIAL_PAUSE};
use proto::{Message, Peer, PublicKey};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// By what a connection is told from others.
pub(super) type Address = (PublicKey, SocketAddr);

/// Failures that are remembered, for the pause before the next attempt.
const MAX_FAILURES: usize = 1_024;

/// The streams of a node.
#[derive(Debug, Default)]
pub(super) struct Pool {
    links: Mutex<Links>,
    /// The queue of the messages to oneself. Unbounded: only our own cores fill it.
    own: OnceLock<mpsc::UnboundedSender<Message>>,
}

#[derive(Debug, Default)]
struct Links {
    by_address: HashMap<Address, Link>,
    failures: HashMap<Address, Instant>,
}

impl Pool {
    fn links(&self) -> MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up a stream that somebody else has opened, unless there is one already.
    pub(super) fn attach(&self, address: Address, link: &Link) -> bool {
        let mut links = self.links();
        let is_new = !links.by_address.contains_key(&address);
        if is_new {
            links.insert(address, link.clone());
        }
        is_new
    }

    /// No more messages are to be given to this link.
    pub(super) fn detach(&self, address: &Address, link: &Link) {
        let mut links = self.links();
        if links.by_address.get(address).is_some_and(|found| found.is(link)) {
            links.by_address.remove(address);
        }
    }

    /// Remembers that a peer could not be reached just now.
    pub(super) fn note_failure(&self, address: Address) {
        let mut links = self.links();
        if links.failures.len() >= MAX_FAILURES {
            links.failures.retain(|_, at| at.elapsed() < REDIAL_PAUSE);
        }
        if links.failures.len() < MAX_FAILURES {
            links.failures.insert(address, Instant::now());
        }
    }

    /// How many streams there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.links().by_address.len()
    }

    /// Has all streams end in order.
    #[cfg(test)]
    pub(super) fn close_all(&self) {
        self.links().by_address.values().for_each(|link| link.line.close());
    }

    /// When the next attempt to reach a peer may begin.
    pub(super) fn earliest_dial(&self, address: &Address) -> Option<Instant> {
        self.links().failures.remove(address).map(|at| at + REDIAL_PAUSE)
    }
}

impl Links {
    /// Adds a link; beyond the limit, the least used one has to end and gets no more messages.
    fn insert(&mut self, address: Address, link: Link) {
        if self.by_address.len() >= MAX_CONNECTIONS {
            let least = self.by_address.iter().min_by_key(|(_, link)| link.line.rank());
            let least = least.map(|(address, _)| *address);
            if let Some(least) = least.and_then(|least| self.by_address.remove(&least)) {
                least.line.close();
            }
        }
        self.by_address.insert(address, link);
    }
}

impl Inner {
    pub(super) fn send(self: &Arc<Self>, to: Peer, message: Message) {
        if self.is_closing() {
            return;
        }
        if to.key == self.key && (to.addr == self.address || to.addr == self.me.borrow().addr) {
            self.send_to_self(message);
            return;
        }
        let address = (to.key, to.addr);
        let mut outgoing = Outgoing { to, message };
        let mut links = self.pool.links();
        if let Some(link) = links.by_address.get(&address) {
            match link.queue.try_send(outgoing) {
                Ok(()) => return,
                Err(TrySendError::Full(_)) => {
                    tracing::warn!(peer = %to, "{MAX_QUEUE} messages wait for this peer: giving up on it");
                    link.line.give_up();
                    links.by_address.remove(&address);
                    return;
                }
                Err(TrySendError::Closed(back)) => outgoing = back,
            }
        }
        let (link, waiting) = Link::new(Line::new());
        if link.queue.try_send(outgoing).is_ok() {
            links.insert(address, link.clone());
            drop(links);
            self.spawn(link::dial(Arc::clone(self), to, link, waiting));
        }
    }

    fn send_to_self(self: &Arc<Self>, message: Message) {
        let queue = self.pool.own.get_or_init(|| {
            let (queue, waiting) = mpsc::unbounded_channel();
            self.spawn(link::deliver_own(Arc::clone(self), waiting));
            queue
        });
        if queue.send(message).is_err() {
            tracing::debug!("nobody reads the inbox any more");
        }
    }
}
