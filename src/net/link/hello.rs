//! The greeting: who speaks, and what of it is believed.

use super::super::VERSION;
use super::super::dial::DialError;
use proto::wire::v1::{self, frame};
use proto::wire::{Wire as _, WireError};
use proto::{Peer, PublicKey};
use std::fmt;
use std::net::SocketAddr;
use tonic::{Status, Streaming};

/// Why a stream ended out of order.
#[derive(Debug)]
pub(in super::super) struct Broken(String);

impl Broken {
    pub(in super::super) fn new(reason: &str) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl From<WireError> for Broken {
    fn from(error: WireError) -> Self {
        Self(format!("it sent what is not a message: {error}"))
    }
}

impl From<Status> for Broken {
    fn from(status: Status) -> Self {
        Self(format!("the stream broke: {:?}: {}", status.code(), status.message()))
    }
}

impl From<DialError> for Broken {
    fn from(error: DialError) -> Self {
        Self(error.to_string())
    }
}

/// How the channel to somebody came about. The key is the channel's, and so proven.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Origin {
    /// We have reached it at this address.
    Dialled { key: PublicKey, addr: SocketAddr },
    /// It has come from this address.
    Accepted { key: PublicKey, addr: SocketAddr },
}

/// Who has greeted.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Greeting {
    pub(in super::super) from: Peer,
    pub(in super::super) origin: Origin,
    /// Whether it is at the address that it claims, so that an answer on this stream goes where it should.
    pub(in super::super) is_proven: bool,
}

impl Origin {
    /// The first frame of a stream.
    pub(in super::super) async fn read_greeting(
        &self,
        inbound: &mut Streaming<v1::Frame>,
        slot_limit: u16,
    ) -> Result<Greeting, Broken> {
        match inbound.message().await?.and_then(|frame| frame.body) {
            Some(frame::Body::Hello(hello)) => self.check(hello, slot_limit),
            _ => Err(Broken::new("it did not greet first")),
        }
    }

    /// Who is there, by its own words and by what we know of the channel.
    ///
    /// We dialled: it is where we reached it, and only its slot is its own word. It dialled: its port and slot
    /// are its own words, and its ip address counts as proven if it is the one that we see. A place in the ring
    /// follows from ip address and slot, so whoever claims another ip address gets no answers on its own
    /// stream: they go to the claimed address and arrive only if the same key is reached there. A client
    /// listens nowhere, so it is where it has come from. A slot that the network's rules do not have would be one of
    /// 65,536 places to choose from behind one ip address, and is refused.
    pub(in super::super) fn check(&self, hello: v1::Hello, slot_limit: u16) -> Result<Greeting, Broken> {
        if hello.version != VERSION {
            let version = hello.version;
            return Err(Broken(format!("it speaks version {version} of the protocol, this node {VERSION}")));
        }
        let sender = hello.sender.ok_or(Broken::new("its greeting names nobody"))?;
        let claim = Peer::from_pb(sender).map_err(|error| Broken::from(error.inside("sender")))?;
        let (Self::Dialled { key, addr: seen } | Self::Accepted { key, addr: seen }) = *self;
        if claim.key != key {
            return Err(Broken(format!("it claims the key {:#}, the channel's is {key:#}", claim.key)));
        }
        if claim.slot >= slot_limit {
            let slot = claim.slot;
            return Err(Broken(format!("it claims the slot {slot}, an address has {slot_limit} from 0 on")));
        }
        let ip = seen.ip().to_canonical();
        let addr = match self {
            Self::Dialled { .. } => seen,
            Self::Accepted { .. } if hello.is_client => SocketAddr::new(ip, seen.port()),
            Self::Accepted { .. } if claim.addr.ip().is_unspecified() => {
                SocketAddr::new(ip, claim.addr.port())
            }
            Self::Accepted { .. } => claim.addr,
        };
        let is_proven = addr.ip().to_canonical() == ip;
        Ok(Greeting { from: Peer::new(addr, claim.slot, key), origin: *self, is_proven })
    }
}

/// Our own greeting.
pub(super) fn hello(me: Peer) -> v1::Frame {
    let hello = v1::Hello { sender: Some(me.to_pb()), version: VERSION, is_client: false };
    v1::Frame { body: Some(frame::Body::Hello(hello)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: PublicKey = PublicKey([5; 32]);

    #[track_caller]
    fn check(claim: &str, is_client: bool, origin: fn(SocketAddr) -> Origin, expected: Option<(&str, bool)>) {
        let claim = Peer::new(claim.parse().unwrap(), 3, KEY);
        let hello = v1::Hello { sender: Some(claim.to_pb()), version: VERSION, is_client };
        let greeting = origin("10.0.0.1:50000".parse().unwrap()).check(hello, 4).ok();
        let found = greeting.map(|greeting| (greeting.from, greeting.is_proven));
        assert_eq!(found, expected.map(|(addr, proven)| (Peer::new(addr.parse().unwrap(), 3, KEY), proven)));
    }

    fn accepted(addr: SocketAddr) -> Origin {
        Origin::Accepted { key: KEY, addr }
    }

    fn dialled(addr: SocketAddr) -> Origin {
        Origin::Dialled { key: KEY, addr }
    }

    #[test]
    fn an_address_is_believed_as_far_as_it_is_seen() {
        check("10.0.0.1:7740", false, accepted, Some(("10.0.0.1:7740", true)));
        check("0.0.0.0:7740", false, accepted, Some(("10.0.0.1:7740", true)));
        check("10.0.0.2:7740", false, accepted, Some(("10.0.0.2:7740", false)));
        check("10.0.0.2:7740", true, accepted, Some(("10.0.0.1:50000", true)));
        check("10.0.0.2:7740", false, dialled, Some(("10.0.0.1:50000", true)));
    }

    #[test]
    fn another_key_than_the_channels_is_refused() {
        check("10.0.0.1:7740", false, |addr| Origin::Accepted { key: PublicKey([6; 32]), addr }, None);
    }

    #[test]
    fn another_version_is_refused_with_both_numbers() {
        let error = accepted("10.0.0.1:1".parse().unwrap())
            .check(v1::Hello { sender: None, version: 2, is_client: false }, 4)
            .unwrap_err();
        assert_eq!(error.to_string(), "it speaks version 2 of the protocol, this node 1");
    }
    #[test]
    fn a_slot_that_the_rules_do_not_have_is_refused_with_the_limit() {
        let claim = Peer::new("10.0.0.1:1".parse().unwrap(), 3, KEY);
        for origin in [accepted, dialled] {
            let hello = v1::Hello { sender: Some(claim.to_pb()), version: VERSION, is_client: false };
            let error = origin("10.0.0.1:1".parse().unwrap()).check(hello, 3).unwrap_err();
            assert_eq!(error.to_string(), "it claims the slot 3, an address has 3 from 0 on");
        }
    }
}
