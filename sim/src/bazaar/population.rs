//! The hosts, and who of them is there.

use super::node::Node;
use super::script::{Machine, Script};
use crate::dice::{Dice, derive};
use market::Supply;
use proto::message::market::Platform;
use proto::{Bytes, Capacity, CommandId, KeyPair, Peer, Rate, Span, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The port that every node listens at.
const PORT: u16 = 7_740;
/// Memory and disk of every machine.
const ROOM: Bytes = Bytes::gib(8);
/// The longest run that a machine takes on.
const LONGEST: Span = Span::secs(24 * 3_600);
/// Tries to draw a member before the first one is taken.
const DRAWS: usize = 64;

/// A host, there or not.
pub(super) struct Host {
    pub(super) keys: KeyPair,
    pub(super) peer: Peer,
    /// What it offers; none if it only buys.
    pub(super) supply: Option<Supply>,
    pub(super) node: Option<Box<Node>>,
    pub(super) is_member: bool,
    /// Grows with every end, so that what was meant for a former life is recognised.
    pub(super) life: u32,
    /// When it is to be woken.
    pub(super) wake: Option<Time>,
    /// Tickets that it has accepted in this life.
    pub(super) contracts: BTreeSet<CommandId>,
    /// Those of them that it works at: since when, and for which request.
    pub(super) running: BTreeMap<CommandId, (Time, u64)>,
    /// Since when it is there.
    pub(super) since: Time,
}

/// All hosts.
pub(super) struct Population {
    pub(super) hosts: Vec<Host>,
    pub(super) members: u32,
}

impl Population {
    pub(super) fn new(count: usize, seed: u64, script: Option<&Script>) -> Self {
        Self { hosts: (0..count).map(|number| Host::new(number, seed, script)).collect(), members: 0 }
    }

    /// The number of the host at the address of `peer`.
    pub(super) fn number(peer: Peer) -> usize {
        let IpAddr::V4(ip) = peer.addr.ip() else { return usize::MAX };
        let [_, a, b, c] = ip.octets();
        usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(usize::MAX)
    }

    pub(super) fn node(&self, number: usize) -> Option<&Node> {
        self.hosts.get(number)?.node.as_deref()
    }

    pub(super) fn node_mut(&mut self, number: usize) -> Option<&mut Node> {
        self.hosts.get_mut(number)?.node.as_deref_mut()
    }

    pub(super) fn is_there(&self, number: usize) -> bool {
        self.node(number).is_some()
    }

    pub(super) fn life(&self, number: usize) -> Option<u32> {
        self.hosts.get(number).map(|host| host.life)
    }

    /// Notes whether a host is a member of the ring.
    pub(super) fn set_member(&mut self, number: usize, is_member: bool) {
        let Some(host) = self.hosts.get_mut(number) else { return };
        match (host.is_member, is_member) {
            (false, true) => self.members += 1,
            (true, false) => self.members = self.members.saturating_sub(1),
            _ => {}
        }
        host.is_member = is_member;
    }

    /// A host is gone, and everything in its memory.
    pub(super) fn remove(&mut self, number: usize) {
        self.set_member(number, false);
        if let Some(host) = self.hosts.get_mut(number) {
            host.node = None;
            host.life += 1;
            host.wake = None;
            host.contracts.clear();
            host.running.clear();
        }
    }

    /// A random member.
    pub(super) fn anybody(&self, dice: &mut Dice) -> Option<usize> {
        let count = u64::try_from(self.hosts.len()).unwrap_or(0);
        let is_member = |number: &usize| self.hosts.get(*number).is_some_and(|host| host.is_member);
        let mut draw = || usize::try_from(dice.below(count)).unwrap_or(0);
        (0..DRAWS).map(|_| draw()).find(is_member).or_else(|| (0..self.hosts.len()).find(is_member))
    }
}

impl Host {
    fn new(number: usize, seed: u64, script: Option<&Script>) -> Self {
        let wide = u64::try_from(number).unwrap_or(u64::MAX);
        let keys = KeyPair::from_secret(derive(seed, "key", wide));
        let [.., a, b, c] = wide.to_be_bytes();
        let addr = SocketAddr::new(Ipv4Addr::new(10, a, b, c).into(), PORT);
        let machine = match script {
            Some(script) => script.machine(number),
            None => Some(drawn(&mut Dice::new(seed, "machine", wide))),
        };
        Self {
            peer: Peer::new(addr, 0, keys.public()),
            keys,
            supply: machine.map(supply),
            node: None,
            is_member: false,
            life: 0,
            wake: None,
            contracts: BTreeSet::new(),
            running: BTreeMap::new(),
            since: Time(0),
        }
    }
}

/// A machine of one to eight cores of different speeds.
fn drawn(dice: &mut Dice) -> Machine {
    Machine {
        cores: u32::try_from(dice.between(1, 8)).unwrap_or(1),
        per_core: Capacity(dice.between(1_000, 4_000)),
        ask: Rate(dice.between(20_000, 80_000)),
        memory: ROOM,
        disk: ROOM,
    }
}

fn supply(machine: Machine) -> Supply {
    Supply {
        cores: machine.cores,
        per_core: machine.per_core,
        asks: market::Tariff::of_compute(machine.ask),
        memory: machine.memory,
        disk: machine.disk,
        most_memory: machine.memory,
        platform: Platform { os: "linux".into(), arch: "x86_64".into(), ..Platform::default() },
        longest: LONGEST,
    }
}
