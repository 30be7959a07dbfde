//! The channel between a bank and a standby of it: the journal goes one way, what has become durable the other.
//!
//! Both have the bank's own key, so neither says anything to anybody else; what is said is the bank's matter
//! (`node/bank/follow.rs`).

use super::dial::{Dialler, Window};
use super::link::Line;
use super::server::{Sent, Visitor};
use super::{NetError, tls};
use proto::wire::v1::{self, follow_heard, follow_said};
use proto::{KeyPair, PublicKey};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

/// Followers that wait to be looked at.
pub(super) const WAITING: usize = 4;
/// Messages between either side and its connection.
const MESSAGES: usize = 8;
/// The largest message of the bank, in bytes: a batch of records, and the largest record.
const MAX_HEARD: usize = 4 << 20;
/// What may be on its way to a standby.
const WINDOW: Window = Window { stream: 4 << 20, connection: 4 << 20 };

/// A standby, seen from the bank.
#[derive(Debug)]
pub(crate) struct Following {
    /// From where it comes.
    pub(crate) from: SocketAddr,
    said: Streaming<v1::FollowSaid>,
    heard: mpsc::Sender<Result<v1::FollowHeard, Status>>,
    line: Arc<Line>,
}

/// What a bank says to a standby.
#[derive(Clone, Debug)]
pub(crate) struct Voice(mpsc::Sender<Result<v1::FollowHeard, Status>>);

impl Following {
    /// What it says next; none when it has gone.
    pub(crate) async fn next(&mut self) -> Option<follow_said::Body> {
        let said = self.said.message().await.ok().flatten()?;
        self.line.touch();
        said.body
    }

    /// The way to speak to it while it is listened to.
    pub(crate) fn voice(&self) -> Voice {
        Voice(self.heard.clone())
    }
}

impl Voice {
    /// Says something, as fast as it is heard. Whether there is anybody to hear it.
    pub(crate) async fn say(&self, body: follow_heard::Body) -> bool {
        self.0.send(Ok(v1::FollowHeard { body: Some(body) })).await.is_ok()
    }
}

impl Visitor {
    /// Hands whoever follows the journal to the bank.
    pub(super) fn lead(&self, said: Streaming<v1::FollowSaid>) -> Result<Sent<v1::FollowHeard>, Status> {
        if self.key != self.net.key {
            return Err(Status::permission_denied("only the bank's own key may follow its journal"));
        }
        let Some(followers) = self.net.followers.get() else {
            return Err(Status::unimplemented("this is no bank"));
        };
        let (heard, sent) = mpsc::channel(MESSAGES);
        let following = Following { from: self.addr, said, heard, line: Arc::clone(&self.line) };
        let busy = |_| Status::resource_exhausted("too many follow at once");
        followers.try_send(following).map_err(busy)?;
        Ok(Box::pin(ReceiverStream::new(sent)))
    }
}

/// The bank, seen from a standby.
#[derive(Debug)]
pub(crate) struct Leading {
    said: mpsc::Sender<v1::FollowSaid>,
    heard: Streaming<v1::FollowHeard>,
}

impl Leading {
    /// Opens the channel to the bank at `addr`, whose key is `keys` as well, and says hello.
    ///
    /// # Errors
    /// Nobody there, somebody else, or somebody that nobody may follow.
    pub(crate) async fn open(
        keys: &KeyPair,
        addr: SocketAddr,
        hello: v1::FollowHello,
    ) -> Result<Self, NetError> {
        let dialler = Dialler { channel: tls::Channel::new(keys)?, source: None };
        let expected: PublicKey = keys.public();
        let (client, driver) = dialler.connect(addr, expected, WINDOW).await?;
        tokio::spawn(driver);
        let mut client = client.max_decoding_message_size(MAX_HEARD);
        let (said, outbound) = mpsc::channel(MESSAGES);
        let hello = v1::FollowSaid { body: Some(follow_said::Body::Hello(hello)) };
        // The channel is new and empty.
        let _is_sent = said.try_send(hello).is_ok();
        let answer = client.follow(ReceiverStream::new(outbound)).await;
        let answer =
            answer.map_err(|status| NetError::NotFollowed { addr, reason: status.message().into() })?;
        Ok(Self { said, heard: answer.into_inner() })
    }

    /// What the bank says next; none when it has gone.
    pub(crate) async fn next(&mut self) -> Option<follow_heard::Body> {
        self.heard.next().await?.ok()?.body
    }

    /// Tells how many records are durable here. Whether there is anybody to hear it.
    pub(crate) async fn tell_durable(&self, records: u64) -> bool {
        self.said.send(v1::FollowSaid { body: Some(follow_said::Body::Durable(records)) }).await.is_ok()
    }
}
