//! Whether somebody with many ids can own a market of their choice (E14).
//!
//! Ids and keys are the shipping ones: an id is SHA-1(ip ‖ slot) ([`Peer::id`]), a key that of [`market::placement`].
//! Several owners whose answers are compared, and keys that change with an epoch, are not what the node does: they are
//! here to say what they would be worth.

use crate::dice::Dice;
use crate::experiment::{Metric, Model, Outcome, Parameter, RunError, Setting, SettingError};
use market::placement;
use proto::{Commodity, Market, Peer, Placement, PublicKey, RingId};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};

/// An attacker with many ids.
#[derive(Clone, Copy, Debug)]
pub struct Capture;

/// The most ids of one attacker, and of a run: what a check before the start holds.
const MAX_IDS: u64 = 1 << 22;

const NODES: Parameter =
    Parameter::integer("network.nodes", 1_000, 1, 1 << 20, "honest nodes, one at an address");
const ADDRESSES: Parameter =
    Parameter::integer("population.attacker_addresses", 1, 0, 1 << 20, "addresses that the attacker has");
const SLOTS: Parameter = Parameter::integer(
    "rule.slots",
    16,
    1,
    65_536,
    "ids that the rules allow at one address, all of which the attacker takes (65,536: every port makes an id)",
);
const OWNERS: Parameter = Parameter::integer(
    "rule.owners",
    1,
    1,
    16,
    "owners of a market whose answers a buyer compares; the attacker needs all of them",
);
const EPOCHS: Parameter = Parameter::integer(
    "rule.epochs",
    1,
    1,
    64,
    "times that the key of the market changes while the attacker waits",
);
const TRIALS: Parameter = Parameter::integer("work.trials", 200, 1, 100_000, "rings that are drawn in a run");

const METRICS: &[Metric] = &[
    Metric {
        name: "owned_share",
        unit: "share",
        about: "of the rings, in which the attacker owns the given market",
    },
    Metric {
        name: "closed_owned_share",
        unit: "share",
        about: "(A / (N + A))^q for A ids among N others and q owners (reference §5.7, E14)",
    },
    Metric { name: "ever_share", unit: "share", about: "of the rings, in which that is so in some epoch" },
    Metric { name: "closed_ever_share", unit: "share", about: "1 - (1 - p)^e for p of one epoch" },
    Metric {
        name: "epochs_share",
        unit: "share",
        about: "of the epochs, in which the attacker owns the market",
    },
    Metric { name: "ids_count", unit: "count", about: "ids of the attacker" },
];

impl Model for Capture {
    fn name(&self) -> &'static str {
        "capture"
    }

    fn about(&self) -> &'static str {
        "How often an attacker with many addresses and slots owns a given market."
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![NODES, ADDRESSES, SLOTS, OWNERS, EPOCHS, TRIALS]
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn check(&self, setting: &Setting) -> Result<(), SettingError> {
        let ids = setting.count(&ADDRESSES).saturating_mul(setting.count(&SLOTS));
        let why = format!("expected at most {MAX_IDS} ids of the attacker, and not {ids}");
        if ids <= MAX_IDS { Ok(()) } else { Err(SettingError::new(ADDRESSES.key, why)) }
    }

    fn run(&self, setting: &Setting, seed: u64) -> Result<Outcome, RunError> {
        let (nodes, addresses, slots) =
            (setting.count(&NODES), setting.count(&ADDRESSES), setting.count(&SLOTS));
        let (owners, epochs, trials) =
            (setting.count(&OWNERS), setting.count(&EPOCHS), setting.count(&TRIALS));
        let mut dice = Dice::new(seed, "capture", 0);
        let mut trace = blake3::Hasher::new();
        let (mut first, mut ever, mut all) = (0, 0, 0);
        for _ in 0..trials {
            let ring = Ring::new(nodes, addresses, slots, &mut dice);
            let classes = u64::from(Commodity::Compute.classes());
            let class = u32::try_from(dice.below(classes)).unwrap_or(0);
            let key = placement::key(Placement::Processor, Market { commodity: Commodity::Compute, class });
            let owned = |epoch: u64| (0..owners).all(|owner| ring.is_owned(nth(key, epoch * owners + owner)));
            let count = (0..epochs).map(|epoch| u64::from(owned(epoch))).sum::<u64>();
            first += u64::from(owned(0));
            ever += u64::from(count > 0);
            all += count;
            trace.update(&key.0).update(&count.to_le_bytes());
        }
        let ids = addresses * slots;
        let share = real(ids) / real(nodes + ids);
        let closed = libm::pow(share, real(owners));
        Ok(Outcome::new(*trace.finalize().as_bytes())
            .with("owned_share", real(first) / real(trials))
            .with("closed_owned_share", closed)
            .with("ever_share", real(ever) / real(trials))
            .with("closed_ever_share", 1.0 - libm::pow(1.0 - closed, real(epochs)))
            .with("epochs_share", real(all) / real(trials * epochs))
            .with("ids_count", real(ids)))
    }
}

/// All ids, and whose they are.
struct Ring {
    honest: BTreeSet<RingId>,
    attacker: BTreeSet<RingId>,
}

impl Ring {
    /// Honest nodes and the attacker at different addresses, drawn anew; honest nodes have the first slot.
    fn new(nodes: u64, addresses: u64, slots: u64, dice: &mut Dice) -> Self {
        let mut taken = BTreeSet::new();
        let mut address = || loop {
            let drawn = u32::try_from(dice.below(1 << 32)).unwrap_or(0);
            if taken.insert(drawn) {
                return Ipv4Addr::from(drawn);
            }
        };
        let honest = (0..nodes).map(|_| id(address(), 0)).collect();
        let theirs: Vec<Ipv4Addr> = (0..addresses).map(|_| address()).collect();
        let slots =
            |ip: Ipv4Addr| (0..slots).map(move |slot| id(ip, u16::try_from(slot).unwrap_or(u16::MAX)));
        Self { honest, attacker: theirs.into_iter().flat_map(slots).collect() }
    }

    /// Whether the first id at or after `key` is the attacker's.
    fn is_owned(&self, key: RingId) -> bool {
        let next = |ids: &BTreeSet<RingId>| ids.range(key..).next().copied();
        match (next(&self.attacker), next(&self.honest)) {
            (Some(theirs), Some(other)) => theirs < other,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => match (self.attacker.first(), self.honest.first()) {
                (Some(theirs), Some(other)) => theirs < other,
                (theirs, _) => theirs.is_some(),
            },
        }
    }
}

/// The id of a node at this address and slot. The key does not enter into it.
fn id(ip: Ipv4Addr, slot: u16) -> RingId {
    Peer::new(SocketAddr::new(ip.into(), 1), slot, PublicKey([0; 32])).id()
}

/// The key of the market for another owner, or in another epoch: the first is the network's own.
fn nth(key: RingId, number: u64) -> RingId {
    if number == 0 {
        return key;
    }
    let mut text = key.0.to_vec();
    text.extend(number.to_be_bytes());
    RingId::hash(&text)
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
const fn real(count: u64) -> f64 {
    count as f64
}
