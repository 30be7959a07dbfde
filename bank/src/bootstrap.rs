//! The bootstrap registry: who is there, at which place, and some of them for a newcomer.
//!
//! Soft state: it is not journalled. A node renews its entry by entering again, and lapses when it does not.
//! A key has one place at a time: entering elsewhere gives up the former. The registry believes the channel
//! more than words: a node that is seen at the ip address which it claims goes before one that only names it,
//! so that nobody can keep others out of their own address.
//!
//! Contacts for newcomers are members of the ring. When there is none, whoever asks first is told nobody, makes
//! the ring, and is the contact from then on: nodes that only wait for a ring are never sent to each other. A
//! bank that starts with the journal of a network makes nobody the founder of a second ring before its members
//! had the time to report ([`FOUNDING_GRACE`]).

use proto::message::bank::{Enter, Entered};
use proto::{Hash, Peer, PublicKey, Refusal, RefusalCode, Rules, Span, Time};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

/// How long a node counts as alive after it has entered.
pub const ALIVE_FOR: Span = Span::secs(90);
/// How many other nodes a newcomer is told at most.
pub const PEERS_GIVEN: usize = 16;
/// How many nodes the registry knows at most. A node that enters beyond it is refused as long as it is full.
pub const MAX_NODES: usize = 1 << 22;

/// How long a bank that starts anew for an old network waits for members before it lets somebody make a ring.
///
/// Longer than members take to report at the latest (`service` does so every ten seconds, and at once when its
/// connection to the bank breaks): a second ring would never meet the first.
pub const FOUNDING_GRACE: Span = Span::secs(12);

/// A node that is alive.
#[derive(Clone, Copy, Debug)]
struct Entry {
    peer: Peer,
    /// Whether the channel came from the ip address it claims.
    is_seen: bool,
    /// From this moment on it is gone.
    lapses: Time,
    /// Where it stands in the roster; `None` for a node that is not in the ring.
    index: Option<usize>,
}

/// The nodes that are alive, found by key, by place, by address, by lapse, and at random.
#[derive(Debug)]
pub(crate) struct Registry {
    entries: BTreeMap<PublicKey, Entry>,
    places: BTreeMap<(IpAddr, u16), PublicKey>,
    addresses: BTreeMap<SocketAddr, PublicKey>,
    lapses: BTreeSet<(Time, PublicKey)>,
    /// The members of the ring.
    roster: Vec<PublicKey>,
    may_found: Time,
    rng: ChaCha8Rng,
}

impl Registry {
    /// A registry that knows nobody, and lets nobody make a ring before `may_found`.
    pub(crate) fn new(seed: [u8; 32], may_found: Time) -> Self {
        Self {
            entries: BTreeMap::new(),
            places: BTreeMap::new(),
            addresses: BTreeMap::new(),
            lapses: BTreeSet::new(),
            roster: Vec::new(),
            may_found,
            rng: ChaCha8Rng::from_seed(seed),
        }
    }

    /// Enters a node, or renews its entry.
    pub(crate) fn enter(
        &mut self,
        from: Peer,
        enter: Enter,
        rules: &Rules,
        now: Time,
    ) -> Result<Entered, Refusal> {
        let seen = from.addr.ip().to_canonical();
        let claimed = enter.listen.ip().to_canonical();
        let ip = if claimed.is_unspecified() { seen } else { claimed };
        if ip.is_unspecified() || ip.is_multicast() || enter.listen.port() == 0 {
            let message = format!("{} is not an address that a node listens at", enter.listen);
            return Err(Refusal::new(RefusalCode::Malformed, message, ""));
        }
        let (address, is_seen) = (SocketAddr::new(ip, enter.listen.port()), ip == seen);
        let rival = self.addresses.get(&address).copied().filter(|key| *key != from.key);
        if rival.is_some_and(|key| !self.gives_way(key, is_seen)) {
            let message = format!("another node listens at {address}");
            let hint = "choose another port, or wait until the other node has lapsed";
            return Err(Refusal::new(RefusalCode::NotYours, message, hint));
        }
        let is_founder = !enter.is_member && self.roster.iter().all(|key| *key == from.key);
        if is_founder && now < self.may_found {
            let message = "the bank has just started and waits for the members of its network to report";
            return Err(Refusal::new(RefusalCode::Busy, message, "ask again in a few seconds"));
        }
        let slot = self.choose_slot(ip, from.key, enter.slot, is_seen, rules)?;
        let holder = self.places.get(&(ip, slot)).copied().filter(|key| *key != from.key);
        let is_full = self.entries.len() >= MAX_NODES;
        if is_full && rival.or(holder).is_none() && !self.entries.contains_key(&from.key) {
            let message = format!("the registry knows {} nodes and takes no more", self.entries.len());
            return Err(Refusal::new(RefusalCode::Busy, message, ""));
        }
        for key in rival.into_iter().chain(holder).chain([from.key]) {
            self.depart(key);
        }
        let you = Peer::new(address, slot, from.key);
        let index = (enter.is_member || is_founder).then_some(self.roster.len());
        self.insert(Entry { peer: you, is_seen, lapses: now.after(ALIVE_FOR), index });
        Ok(Entered { request: enter.request, you, peers: self.sample(from.key), rules: *rules })
    }

    /// Removes a node.
    pub(crate) fn depart(&mut self, key: PublicKey) {
        let Some(entry) = self.entries.remove(&key) else { return };
        self.places.remove(&(entry.peer.addr.ip(), entry.peer.slot));
        self.addresses.remove(&entry.peer.addr);
        self.lapses.remove(&(entry.lapses, key));
        let Some(index) = entry.index.filter(|index| *index < self.roster.len()) else { return };
        self.roster.swap_remove(index);
        let moved = self.roster.get(index).and_then(|key| self.entries.get_mut(key));
        if let Some(moved) = moved {
            moved.index = Some(index);
        }
    }

    /// Removes the nodes whose time is over.
    pub(crate) fn lapse(&mut self, now: Time) {
        while let Some((_, key)) = self.lapses.first().copied().filter(|(time, _)| *time <= now) {
            self.depart(key);
        }
    }

    /// When the first node lapses.
    pub(crate) fn first_lapse(&self) -> Option<Time> {
        self.lapses.first().map(|(time, _)| *time)
    }

    /// The nodes that are alive, by key.
    pub(crate) fn live_nodes(&self) -> impl Iterator<Item = Peer> {
        self.entries.values().map(|entry| entry.peer)
    }

    /// Whether the members of an old network have had the time to report.
    pub(crate) fn knows_its_members(&self, now: Time) -> bool {
        now >= self.may_found
    }

    /// The node of `key`, if it is alive.
    pub(crate) fn find(&self, key: PublicKey) -> Option<Peer> {
        self.entries.get(&key).map(|entry| entry.peer)
    }

    /// Up to `count` members of the ring, from the place on that `number` comes to.
    pub(crate) fn members_from(&self, number: u64, count: usize) -> impl Iterator<Item = Peer> {
        let length = self.roster.len();
        let start = u64::try_from(length).ok().and_then(|length| number.checked_rem(length));
        let start = start.and_then(|start| usize::try_from(start).ok()).unwrap_or(0);
        let members = self.roster.iter().cycle().skip(start).take(count.min(length));
        members.filter_map(|key| self.find(*key))
    }

    fn insert(&mut self, entry: Entry) {
        let key = entry.peer.key;
        self.places.insert((entry.peer.addr.ip(), entry.peer.slot), key);
        self.addresses.insert(entry.peer.addr, key);
        self.lapses.insert((entry.lapses, key));
        if entry.index.is_some() {
            self.roster.push(key);
        }
        self.entries.insert(key, entry);
    }

    /// The slot at `ip` for `key`: the one it wishes, else the one it has, else the first free one from
    /// BLAKE3(key) mod limit on; what an unseen node holds is free for a seen one, but taken last.
    fn choose_slot(
        &self,
        ip: IpAddr,
        key: PublicKey,
        wish: Option<u16>,
        is_seen: bool,
        rules: &Rules,
    ) -> Result<u16, Refusal> {
        let limit = rules.slot_limit;
        let holder = |slot: u16| self.places.get(&(ip, slot)).copied().filter(|other| *other != key);
        let is_vacant = |slot: &u16| holder(*slot).is_none();
        let is_free = |slot: &u16| holder(*slot).is_none_or(|other| self.gives_way(other, is_seen));
        let has = self.entries.get(&key).filter(|entry| entry.peer.addr.ip() == ip).map(|e| e.peer.slot);
        if let Some(slot) = wish.filter(|slot| *slot < limit && is_free(slot)) {
            return Ok(slot);
        }
        if let Some(slot) = has.filter(|slot| *slot < limit) {
            return Ok(slot);
        }
        let [low, high, ..] = Hash::of(&key.0).0;
        let start = u16::from_le_bytes([low, high]).checked_rem(limit).unwrap_or(0);
        let mut vacant = (start..limit).chain(0..start).filter(is_vacant);
        let mut free = (start..limit).chain(0..start).filter(is_free);
        vacant.next().or_else(|| free.next()).ok_or_else(|| {
            let message = format!("all {limit} places behind {ip} are taken");
            let hint = "stop a node there, or let the network's founder raise the slot limit";
            Refusal::new(RefusalCode::NoSlot, message, hint)
        })
    }

    /// Whether the node of `key` leaves its place and address to a rival that is, or is not, seen there.
    fn gives_way(&self, key: PublicKey, rival_is_seen: bool) -> bool {
        rival_is_seen && self.entries.get(&key).is_some_and(|entry| !entry.is_seen)
    }

    /// Up to [`PEERS_GIVEN`] members without `asker`, each equally likely, in random order: the first steps of a
    /// Fisher–Yates shuffle whose moved entries are kept aside.
    fn sample(&mut self, asker: PublicKey) -> Vec<Peer> {
        let count = self.roster.len();
        let mut moved: BTreeMap<usize, usize> = BTreeMap::new();
        let mut peers = Vec::new();
        for step in 0..count.min(PEERS_GIVEN + 1) {
            let pick = step + self.below(count - step);
            let at = moved.get(&pick).copied().unwrap_or(pick);
            moved.insert(pick, moved.get(&step).copied().unwrap_or(step));
            let entry = self.roster.get(at).and_then(|key| self.entries.get(key));
            peers.extend(entry.map(|entry| entry.peer).filter(|peer| peer.key != asker));
        }
        peers.truncate(PEERS_GIVEN);
        peers
    }

    /// A random number below `bound`, by multiplication; the bias is below `bound` / 2^64.
    fn below(&mut self, bound: usize) -> usize {
        let product = u128::from(self.rng.next_u64()) * u128::try_from(bound).unwrap_or(0);
        usize::try_from(product >> 64).unwrap_or(0)
    }
}
