//! A node that begins as a member, for simulations of large rings.

use super::{Config, Node};
use chord::{Chord, Neighbours};
use proto::{KeyPair, Peer, Time};
use rand_chacha::rand_core::Rng;

impl Node {
    /// A member of a ring that has been repaired long ago. It opens its account, and says to the bank that it is there
    /// when that is next due.
    #[must_use]
    pub fn settled(
        config: Config,
        me: Peer,
        keys: KeyPair,
        seed: [u8; 32],
        neighbours: Neighbours<'_>,
        now: Time,
    ) -> Self {
        let ring = config.chord.clone();
        let mut node = Self::new(config, me, keys, seed, now);
        let mut seed = [0; 32];
        node.rng.fill_bytes(&mut seed);
        node.chord = Chord::settled(ring, me, seed, neighbours, now);
        if let Some(range) = node.chord.range() {
            node.overlay.range_changed(range, now);
            node.market.handle(market::Input::RangeChanged { range, heir: None, donor: None }, now);
        }
        node.open_account(now);
        node.route(now);
        node
    }
}
