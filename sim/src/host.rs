//! One node of the world with the machine it runs on: what its driver would keep.

use crate::clock::Clock;
use crate::dice::derive;
use crate::machine::Machine;
use crate::scenario::Scenario;
use market::Supply;
use proto::message::market::Platform;
use proto::message::service::Offer;
use proto::{Bundle, Bytes, ContractId, Hash, KeyPair, Peer, PublicKey, Rate, Time};
use service::Note;
use service::policy::Work;
use service::{Node, Terms};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};

/// The port that every node listens at.
const PORT: u16 = 7_740;
/// Memory and disk of every machine.
const ROOM: Bytes = Bytes::gib(8);

/// How a node stands.
pub(crate) enum Phase {
    /// It has not been started, or has ended; a machine that is gone does not even refuse connections.
    Down { is_silent: bool },
    /// It asks the bootstrap server for its place.
    Entering,
    /// It runs.
    Up(Box<Node>),
}

pub(crate) struct Host {
    pub(crate) number: usize,
    pub(crate) keys: KeyPair,
    pub(crate) peer: Peer,
    /// What it is told of the time.
    pub(crate) clock: Clock,
    pub(crate) phase: Phase,
    pub(crate) machine: Machine,
    /// Hashes of the contents in its store, which outlives it.
    pub(crate) store: BTreeSet<Hash>,
    /// Those of them that contracts need.
    pub(crate) pins: BTreeSet<(Hash, ContractId)>,
    /// Those that executions have left, and that are shown only to whom they are given.
    pub(crate) withheld: BTreeSet<Hash>,
    /// To whom they are.
    pub(crate) given: BTreeSet<(Hash, PublicKey)>,
    /// What the offers it got take of the machine.
    pub(crate) offers: BTreeMap<ContractId, Bundle>,
    /// Grows with every end, so that what was meant for a former life is recognised.
    pub(crate) life: u32,
    /// When it is to be woken.
    pub(crate) wake: Option<Time>,
    /// It is not to come back.
    pub(crate) has_left: bool,
    /// What its owner's policy says on the work of others.
    pub(crate) decision: Work,
    /// Whether it has ever said that they are not to go on: what was reserved then is not kept.
    pub(crate) has_closed: bool,
    /// When the grace of that is over.
    pub(crate) vacate_by: Option<Time>,
    /// Whether its owner shares it.
    pub(crate) shares: bool,
    /// Whom its owner denies.
    pub(crate) denied: BTreeSet<PublicKey>,
    /// What its driver has written down, which outlives the process.
    pub(crate) journal: Vec<Note>,
    /// How many notes it has ever written.
    pub(crate) written: u32,
    /// When its user submitted, by its own clock.
    pub(crate) submitted: Option<Time>,
    /// At which notes it ends, and whether these are durable.
    pub(crate) ends_writing: BTreeMap<u32, bool>,
    ask: Rate,
    /// What its owner asks for room on its disk, if it sells any.
    disk_ask: Option<Rate>,
}

impl Host {
    pub(crate) fn new(number: usize, scenario: &Scenario, seed: u64) -> Self {
        let wide = u64::try_from(number).unwrap_or(u64::MAX);
        let keys = KeyPair::from_secret(derive(seed, "key", wide));
        let (addr, slot) = place(number, scenario.is_one_machine);
        let (cores, per_core, ask) = scenario.machine(number, seed);
        Self {
            number,
            peer: Peer::new(addr, slot, keys.public()),
            keys,
            clock: scenario.clocks.of(wide, seed),
            phase: Phase::Down { is_silent: true },
            machine: Machine::new(cores, per_core),
            store: BTreeSet::new(),
            pins: BTreeSet::new(),
            withheld: BTreeSet::new(),
            given: BTreeSet::new(),
            offers: BTreeMap::new(),
            life: 0,
            wake: None,
            has_left: false,
            decision: Work::Run { throttle_pct: 100 },
            vacate_by: None,
            has_closed: false,
            journal: Vec::new(),
            written: 0,
            submitted: None,
            ends_writing: BTreeMap::new(),
            ask,
            disk_ask: scenario.saving.and_then(|saving| saving.ask),
            shares: scenario.sells(number),
            denied: BTreeSet::new(),
        }
    }

    pub(crate) fn node(&self) -> Option<&Node> {
        match &self.phase {
            Phase::Up(node) => Some(node),
            _ => None,
        }
    }

    pub(crate) const fn node_mut(&mut self) -> Option<&mut Node> {
        match &mut self.phase {
            Phase::Up(node) => Some(node),
            _ => None,
        }
    }

    pub(crate) const fn is_down(&self) -> bool {
        matches!(self.phase, Phase::Down { .. })
    }

    pub(crate) const fn is_silent(&self) -> bool {
        matches!(self.phase, Phase::Down { is_silent: true })
    }

    /// Ends the process: memory is gone, key and store stay.
    pub(crate) fn go_down(&mut self, is_silent: bool) {
        self.phase = Phase::Down { is_silent };
        self.machine.stop_all();
        self.offers.clear();
        self.pins.clear();
        self.life += 1;
        self.wake = None;
    }

    /// What was on its disk is gone.
    pub(crate) fn lose_disk(&mut self) {
        self.journal.clear();
        self.store.clear();
        self.withheld.clear();
        self.given.clear();
        self.submitted = None;
    }

    /// Writes to its journal; whether the process goes on.
    pub(crate) fn write(&mut self, change: impl FnOnce(&mut Vec<Note>)) -> bool {
        self.written += 1;
        let ends = self.ends_writing.remove(&self.written);
        if ends != Some(false) {
            change(&mut self.journal);
        }
        ends.is_none()
    }

    /// Puts what the notes come to in their place, as a driver does with a journal that has grown.
    pub(crate) fn tidy(&mut self, change: impl FnOnce(Vec<Note>) -> Vec<Note>) {
        if let Phase::Up(node) = &self.phase {
            self.journal = change(node.notes());
        }
    }

    /// A content was fetched, and is shown as the driver of a node shows it: what is somebody else's to `source`, from whom
    /// it is, and anything else to everybody.
    pub(crate) fn keep(&mut self, hash: Hash, is_others: bool, source: Option<PublicKey>) {
        let is_new = self.store.insert(hash);
        if !is_others {
            self.withheld.remove(&hash);
        } else if let Some(source) = source {
            self.withheld.extend(is_new.then_some(hash));
            self.given.insert((hash, source));
        }
    }

    /// Whether it has a content, and sends it to whoever holds `key`.
    pub(crate) fn shows(&self, hash: &Hash, key: PublicKey) -> bool {
        let is_shown = !self.withheld.contains(hash) || self.given.contains(&(*hash, key));
        is_shown && self.store.contains(hash)
    }

    /// All that there is of the machine.
    pub(crate) const fn whole(&self) -> Bundle {
        Bundle { cores: self.machine.cores, memory: ROOM, disk: ROOM }
    }

    /// What there is to sell.
    pub(crate) fn supply(&self) -> Option<Supply> {
        let platform = Platform { os: "linux".into(), arch: "x86_64".into(), ..Platform::default() };
        let Machine { cores, per_core, .. } = self.machine;
        let longest = proto::Span::secs(24 * 3_600);
        let supply = Supply {
            cores,
            per_core,
            asks: market::Tariff { disk: self.disk_ask, ..market::Tariff::of_compute(self.ask) },
            memory: ROOM,
            disk: ROOM,
            most_memory: ROOM,
            platform,
            longest,
        };
        (self.shares && matches!(self.decision, Work::Run { .. })).then_some(supply)
    }

    /// What the policy of its owner allows.
    pub(crate) fn terms(&self) -> Terms {
        let deny = self.denied.iter().copied().collect();
        Terms { deny, save_every: proto::Span::millis(500), ..Terms::default() }
    }

    /// Notes what an offer asks for, as the executor will be told nothing of it.
    pub(crate) fn note_offer(&mut self, offer: &Offer) {
        let part = market::requirement::slice(&offer.ticket.body.requirement);
        self.offers.insert(offer.contract, part);
    }
}

/// Where a node listens, and its slot there.
fn place(number: usize, is_one_machine: bool) -> (SocketAddr, u16) {
    let [.., a, b, c] = u64::try_from(number).unwrap_or(u64::MAX).to_be_bytes();
    if is_one_machine {
        let slot = u16::from_be_bytes([b, c]);
        (SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT.saturating_add(slot)), slot)
    } else {
        (SocketAddr::new(Ipv4Addr::new(10, a, b, c).into(), PORT), 0)
    }
}
