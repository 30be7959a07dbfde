//! What all three roles share: who we are, the rules, numbers and chance, and the way out.

use crate::{Config, Output};
use proto::message::market::{MarketMessage, RefusedRequest};
use proto::{KeyPair, Peer, PublicKey, Refusal, RequestId, Rules, Span, Time};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::VecDeque;

/// The longest doubling of a back-off: 2^6 times the first pause.
const MAX_DOUBLINGS: u32 = 6;

/// The shared part of a marketplace.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) me: Peer,
    pub(crate) keys: KeyPair,
    pub(crate) rules: Rules,
    pub(crate) bank: Option<PublicKey>,
    rng: ChaCha8Rng,
    last_number: u64,
    outputs: VecDeque<Output>,
    own: VecDeque<MarketMessage>,
}

impl Post {
    pub(crate) fn new(config: Config, me: Peer, keys: KeyPair, seed: [u8; 32]) -> Self {
        let mut rng = ChaCha8Rng::from_seed(seed);
        // Numbers start anywhere, so that an answer to an earlier life of this node fits nothing; and below 2^62, so that a
        // driver can mark them.
        let last_number = rng.next_u64() >> 2;
        let Config { rules, bank } = config;
        Self { me, keys, rules, bank, rng, last_number, outputs: VecDeque::new(), own: VecDeque::new() }
    }

    /// A number that was not used before.
    pub(crate) fn number(&mut self) -> u64 {
        self.last_number = self.last_number.wrapping_add(1);
        self.last_number
    }

    /// A request number that was not used before.
    pub(crate) fn request(&mut self) -> RequestId {
        RequestId(self.number())
    }

    /// Sends `message`; what goes to this node itself does not leave it.
    pub(crate) fn send(&mut self, to: Peer, message: MarketMessage) {
        if to == self.me {
            self.own.push_back(message);
        } else {
            self.outputs.push_back(Output::Send { to, message });
        }
    }

    /// Refuses the request `request` of `to`.
    pub(crate) fn refuse(&mut self, to: Peer, request: RequestId, refusal: Refusal) {
        self.send(to, MarketMessage::Refused(RefusedRequest { request, refusal }));
    }

    /// Hands `output` to the driver.
    pub(crate) fn put(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// The next message of this node to itself.
    pub(crate) fn own(&mut self) -> Option<MarketMessage> {
        self.own.pop_front()
    }

    /// The next thing for the driver to do.
    pub(crate) fn output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// `span`, shortened by up to a tenth, so that nodes that started together do not stay together.
    pub(crate) fn jittered(&mut self, span: Span) -> Span {
        let tenth = (span.0 / 10).max(1);
        Span(span.0.saturating_sub(self.rng.next_u64() % tenth))
    }

    /// When to try again after `failures` in a row: `first` doubled each time, at most `most`, jittered.
    pub(crate) fn again(&mut self, first: Span, failures: u32, most: Span, now: Time) -> Time {
        let pause = first.times(1 << failures.min(MAX_DOUBLINGS)).0.min(most.0.max(first.0));
        now.after(self.jittered(Span(pause)))
    }
}
