//! Random values of everything that is said on the wire, for tests of any room:
//! `#[path = ".../proto/tests/common/generate.rs"] mod generate;`.
//!
//! Values are valid: they can be encoded, and fit where they stand. Addresses are of the networks that are
//! reserved for documentation, so that a node that believes one of them reaches nobody.

use proptest::collection::vec;
use proptest::prelude::*;
use proto::admission::Admission;
use proto::message::bank::*;
use proto::message::chord::*;
use proto::message::contents::*;
use proto::message::market::*;
use proto::message::overlay::*;
use proto::message::service::*;
use proto::message::survey::*;
use proto::rules::{Placement, PricingRule, PricingTerms};
use proto::signed::Paper;
use proto::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

type StandFound = FoundNode<Stand>;
type StandCloser = CloserNodes<Stand>;
type StandState = StateReply<Stand>;
type StandNearer = Nearer<Stand>;
type StandLeaving = Leaving<Stand>;
type StandArc = ArcReply<Stand>;
type StandRoute = Route<Stand>;
type StandRouted = Routed<Stand>;
type StandPlace = Place<Stand>;
type StandAnnounce = Announce<Stand>;
type StandCompared = Compared<Stand>;
type StandMessage = ChordMessage<Stand>;

/// The longest list and the longest text that are made, in entries and in characters.
const MAX_LENGTH: usize = 6;

/// A type with random values.
pub(crate) trait Generate: Sized + Clone + std::fmt::Debug + 'static {
    fn strategy() -> BoxedStrategy<Self>;
}

/// Structures, field by field.
macro_rules! structures {
    ($($type:ident { $($field:ident),* })*) => {$(
        impl Generate for $type {
            fn strategy() -> BoxedStrategy<Self> {
                nested!(one; $type; $($field)*)
                    .prop_map(|nested!(names; $($field)*)| $type { $($field),* })
                    .boxed()
            }
        }
    )*};
}

/// Pairs in pairs: a tuple of strategies takes twelve, a structure may have more fields.
macro_rules! nested {
    (one; $type:ident;) => { Just(()) };
    (one; $type:ident; $first:ident $($rest:ident)*) => {
        (one(|value: &$type| &value.$first), nested!(one; $type; $($rest)*))
    };
    (names;) => { () };
    (names; $first:ident $($rest:ident)*) => { ($first, nested!(names; $($rest)*)) };
}

/// Numbers and byte strings in a wrapping.
macro_rules! wrapped {
    ($($type:ident),*) => {$(
        impl Generate for $type {
            fn strategy() -> BoxedStrategy<Self> {
                Generate::strategy().prop_map($type).boxed()
            }
        }
    )*};
}

/// Enumerations whose variants hold one value each. The match makes sure that none is forgotten.
macro_rules! choices {
    ($($type:ident { $($variant:ident),* })*) => {$(
        impl Generate for $type {
            fn strategy() -> BoxedStrategy<Self> {
                const fn _is_complete(value: &$type) {
                    match value { $($type::$variant(_) => {})* }
                }
                prop_oneof![$(Generate::strategy().prop_map($type::$variant)),*].boxed()
            }
        }
    )*};
}

/// A value of the type of a field.
fn one<S, T: Generate>(_field: fn(&S) -> &T) -> BoxedStrategy<T> {
    T::strategy()
}

impl Generate for u64 {
    fn strategy() -> BoxedStrategy<Self> {
        prop_oneof![0_u64..4, any::<u64>(), Just(Self::MAX)].boxed()
    }
}

impl Generate for i64 {
    fn strategy() -> BoxedStrategy<Self> {
        prop_oneof![-4_i64..4, any::<i64>()].boxed()
    }
}

impl Generate for How {
    fn strategy() -> BoxedStrategy<Self> {
        prop::sample::select(&Self::ALL[..]).boxed()
    }
}

impl Generate for Reason {
    fn strategy() -> BoxedStrategy<Self> {
        let plain = [
            Self::Opened,
            Self::Granted,
            Self::Transferred,
            Self::HoldPlaced,
            Self::BondPlaced,
            Self::Disputed,
            Self::Frozen,
            Self::Freed,
        ];
        prop_oneof![prop::sample::select(plain.to_vec()), How::strategy().prop_map(Self::Ended)].boxed()
    }
}

impl Generate for u32 {
    fn strategy() -> BoxedStrategy<Self> {
        prop_oneof![0_u32..4, any::<u32>(), Just(Self::MAX)].boxed()
    }
}

impl Generate for u8 {
    fn strategy() -> BoxedStrategy<Self> {
        any::<Self>().boxed()
    }
}

impl Generate for Runtime {
    fn strategy() -> BoxedStrategy<Self> {
        prop::sample::select(vec![Self::WebAssembly, Self::Native, Self::Container]).boxed()
    }
}

impl Generate for CheckpointMethod {
    fn strategy() -> BoxedStrategy<Self> {
        let by_self = (1_u8.., Vec::<String>::strategy());
        let by_self = by_self.prop_map(|(exit_code, files)| Self::BySelf { exit_code, files });
        prop_oneof![Just(Self::Transparent), by_self].boxed()
    }
}

impl Generate for u16 {
    fn strategy() -> BoxedStrategy<Self> {
        prop_oneof![0_u16..4, any::<u16>()].boxed()
    }
}

impl Generate for bool {
    fn strategy() -> BoxedStrategy<Self> {
        any::<bool>().boxed()
    }
}

impl Generate for String {
    fn strategy() -> BoxedStrategy<Self> {
        vec(any::<char>(), 0..MAX_LENGTH).prop_map(Self::from_iter).boxed()
    }
}

impl<const N: usize> Generate for [u8; N] {
    fn strategy() -> BoxedStrategy<Self> {
        proptest::array::uniform(any::<u8>()).boxed()
    }
}

impl<T: Generate> Generate for Vec<T> {
    fn strategy() -> BoxedStrategy<Self> {
        vec(T::strategy(), 0..MAX_LENGTH).boxed()
    }
}

impl<T: Generate> Generate for Option<T> {
    fn strategy() -> BoxedStrategy<Self> {
        prop::option::of(T::strategy()).boxed()
    }
}

impl<T: Generate> Generate for Box<T> {
    fn strategy() -> BoxedStrategy<Self> {
        T::strategy().prop_map(Self::new).boxed()
    }
}

/// Half of the papers are genuine.
impl<T: Paper + Generate> Generate for Signed<T> {
    fn strategy() -> BoxedStrategy<Self> {
        // Made once: papers hold papers, and twice at each depth would be for ever.
        let body = T::strategy();
        let genuine = (body.clone(), 0_u8..4)
            .prop_map(|(body, number)| Self::new(body, &KeyPair::from_secret([number; 32])));
        let forged = (body, Generate::strategy(), Generate::strategy())
            .prop_map(|(body, signer, signature)| Self { body, signer, signature });
        prop_oneof![genuine, forged].boxed()
    }
}

wrapped!(
    RingId,
    Hash,
    PublicKey,
    Signature,
    CommandId,
    RequestId,
    Money,
    Rate,
    Time,
    Span,
    Cycles,
    Capacity,
    Release,
    Bytes,
    CheckpointKey
);

impl Generate for SocketAddr {
    fn strategy() -> BoxedStrategy<Self> {
        let four = any::<u8>().prop_map(|last| IpAddr::V4(Ipv4Addr::new(198, 51, 100, last)));
        let six = any::<u16>().prop_map(|last| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).into());
        (prop_oneof![3 => four, 1 => six], any::<u16>()).prop_map(Self::from).boxed()
    }
}

impl Generate for Peer {
    fn strategy() -> BoxedStrategy<Self> {
        (Generate::strategy(), Generate::strategy(), Generate::strategy())
            .prop_map(|(addr, slot, key)| Self::new(addr, slot, key))
            .boxed()
    }
}

impl Generate for Market {
    fn strategy() -> BoxedStrategy<Self> {
        let of =
            |commodity: Commodity| (0..commodity.classes()).prop_map(move |class| Self { commodity, class });
        prop_oneof![of(Commodity::Compute), of(Commodity::Memory), of(Commodity::Disk)].boxed()
    }
}

impl Generate for Placement {
    fn strategy() -> BoxedStrategy<Self> {
        prop::sample::select(&[Self::Single, Self::Processor][..]).boxed()
    }
}

macro_rules! one_of_all {
    ($($name:ident)*) => { $(impl Generate for $name {
        fn strategy() -> BoxedStrategy<Self> { prop::sample::select(&Self::ALL[..]).boxed() }
    })* };
}

one_of_all!(PricingRule Commodity RefusalCode);

impl Generate for Layers {
    fn strategy() -> BoxedStrategy<Self> {
        any::<u8>().prop_filter_map("there are five", |bits| Self::of_bits(bits % 32)).boxed()
    }
}

impl Generate for Reputation {
    fn strategy() -> BoxedStrategy<Self> {
        (0_u32..=1_000).prop_map(Self).boxed()
    }
}

impl Generate for Stream {
    fn strategy() -> BoxedStrategy<Self> {
        prop::sample::select(vec![Self::Output, Self::Error]).boxed()
    }
}

impl Generate for Phase {
    fn strategy() -> BoxedStrategy<Self> {
        prop_oneof![Just(Self::Staging), Just(Self::Running), Just(Self::Suspended)].boxed()
    }
}

/// Limits go over the wire as signed numbers: those beyond the largest of them are not made.
impl Generate for Outcome {
    fn strategy() -> BoxedStrategy<Self> {
        let text = String::strategy;
        let amount = || u64::strategy().prop_map(|amount| amount >> 1);
        prop_oneof![
            Just(Self::Succeeded),
            any::<i32>().prop_map(Self::Exited),
            text().prop_map(Self::Trapped),
            amount().prop_map(|limit| Self::WallLimit(Span(limit))),
            amount().prop_map(|limit| Self::MemoryLimit(Bytes(limit))),
            amount().prop_map(|limit| Self::DiskLimit(Bytes(limit))),
            amount().prop_map(|limit| Self::OutputLimit(Bytes(limit))),
            amount().prop_map(|limit| Self::CycleLimit(Cycles(limit))),
            text().prop_map(Self::OutputMissing),
            text().prop_map(Self::NotRunnable),
            text().prop_map(Self::NotFetched),
            Just(Self::Cancelled),
            text().prop_map(Self::Abandoned),
            Generate::strategy().prop_map(Self::Migrated),
            text().prop_map(Self::NotResumed),
        ]
        .boxed()
    }
}

impl Generate for Lack {
    fn strategy() -> BoxedStrategy<Self> {
        prop_oneof![
            Generate::strategy().prop_map(Self::Price),
            Generate::strategy().prop_map(Self::Cores),
            Generate::strategy().prop_map(Self::Power),
            Generate::strategy().prop_map(Self::Memory),
            Generate::strategy().prop_map(Self::Disk),
            Generate::strategy().prop_map(Self::Os),
            Generate::strategy().prop_map(Self::Arch),
            Just(Self::Native),
            Generate::strategy().prop_map(Self::RunTime),
            Generate::strategy().prop_map(Self::Reputation),
            Generate::strategy().prop_map(Self::Release),
            Generate::strategy().prop_map(Self::Layers),
        ]
        .boxed()
    }
}

structures! {
    FindNext { request, key }
    FoundNode { request, owner }
    CloserNodes { request, peers }
    StateQuery { request }
    StateReply { request, predecessor, successors }
    Busy { request }  Notify {}  Ping { request }  Pong { request }
    Leaving { predecessor, successors }
    Nearer { node }
    ArcQuery { request }
    ArcReply { request, predecessor, after }
    Route { request, origin, errand, key, hops, timeouts }
    Routed { errand, owner, hops, timeouts }
    Place { node, after }
    Announce { place, until }
    Compare { request, start, digits, digests }
    Compared { request, differing, places }

    Stand { market, owner }
    StandFound { request, owner }
    StandCloser { request, peers }
    StandState { request, predecessor, successors }
    StandLeaving { predecessor, successors }
    StandNearer { node }
    StandArc { request, predecessor, after }
    StandRoute { request, origin, errand, key, hops, timeouts }
    StandRouted { errand, owner, hops, timeouts }
    StandPlace { node, after }
    StandAnnounce { place, until }
    StandCompared { request, differing, places }
    Talk { from, to, message }
    Gone { market }
    Seek { request, at_least }
    Sought { request, market }
    Unsure { request }
    Enrol { request, market }
    AskMembers { request, commodity }
    Members { request, members, is_sure }

    Platform { os, arch, native, release, layers }
    Listing { seller, version, market, cores, per_core, ask, memory, disk, platform, longest, standing, whole, expires }
    Requirement { commodity, power, cores, memory, disk, os, arch, native, run_time, reputation, release, layers }
    Standing { account, kept, broken, expires }
    Bundle { cores, memory, disk }
    Ticket { id, buyer, owner, requirement, rule, bid, clearing, fee, asks_seen, winner, runner_up, expires, owner_rate, draw }
    List { request, listing }
    Listed { request, version }
    Delist { commodity, version }
    FindSeller { request, tickets, from, requirement, bid, avoid }
    Matched { request, tickets, missing }
    NoSeller { request, next, listings, too_dear, too_small, lowest_ask }
    RefusedRequest { request, refusal }
    Reserve { request, tickets, commodity, version, slice, buyer }
    Reserved { request, kept }
    Unavailable { request }
    Handed { listing, sold }
    HandOver { request, listings, is_last }
    HandedOver { request }
    Refusal { code, message, hint, is_retryable }

    Survey { request, from, to, ask, inquiries, show }
    Inquiry { requirement, bid, slices }
    Surveyed { request, markets, is_settling, listings }
    MarketState { market, sellers, amount, asks, cheaper, matches, last, fits }
    Asks { lowest, median, highest }
    LastMatch { clearing, at }
    Fit { sellers, slices, offers, highest, too_dear, lowest_ask, could, compared, closest, closest_ever }
    Offered { ask, slices }
    Nearest { seller, lacks }

    Rules { slot_limit, successors, rule, owner_fee, initial_grant, renewal, lease, nominal_run, cost_model, replicas, placement, pricing, admission, bond_percent, dispute }
    Admission { per_address, work_bits, is_by_invitation }
    PricingTerms { posted, weight, bonus, fixed, floor }
    Enter { request, listen, slot, is_member }
    Entered { request, you, peers, rules }
    Departed {}
    OpenAccount { invitation, nonce }
    Invitation { bank, account, expires }
    Payment { to, amount }
    Transfer { payments, memo }
    Grant { to, amount, reason }
    Freeze { account, is_frozen, reason }
    AcceptHold { hold }
    Claim { hold, ticket, report, taken }
    Dispute { hold, offer, reason }
    Judge { hold, finding }
    Finding { contract, report, outcome, cycles, outputs, stdout, stderr, more }
    Appointment { bank, contract, offer, report, arbiter, fee, until }
    Appointed { appointment, offer }
    BondReceipt { hold, bank, seller, bond }
    ClaimReceipt { hold, report, is_taken, until }
    DisputeReceipt { hold, deposit, stake }
    RecordedReceipt { sequence, time }
    Shares { buyer_held, seller_held, buyer, seller, owner, arbiter, pool }
    Ending { hold, how, buyer, seller, owner, arbiter, shares }  Ended { ending }
    StatementQuery { request, before, limit }  Statement { request, entries, is_complete }
    Entry { sequence, time, reason, contract, other, available, held, memo, fee }
    ReceiptQuery { request, contract }
    DealReceipt { bank, ending, sequence, time, chain, placed, papers, claim }
    ReceiptReply { request, receipt }  BankCommand { id, bank, order }
    PlaceHold { seller, ticket, amount, expires_in }
    ReleaseHold { hold, declined, report }  Settle { hold, ticket, report, verdict }
    HoldReceipt { hold, bank, buyer, seller, ticket, amount, expires }
    SettledReceipt { hold, seller_paid, owner_paid, returned }  ReleasedReceipt { hold, returned }
    Balance { account, available, held }  BankRequest { command }  BankReply { command, outcome }  BalanceQuery { request }  BalanceReply { request, balance, standing }

    Checkpoint { blob, base }  Blob { hash, size }  NamedBlob { name, blob }  Variable { name, value }  Checkpointing { method, interval, size, copies, key }
    Limits { wall, memory, disk, output, cycles, processes, cores }
    Job { program, arguments, environment, inputs, outputs, stdin, limits, resume, runtime, success, progress, checkpoint, repeats }  Repeat { arguments, environment, inputs, outputs, stdin }
    Product { cycles, outputs, stdout, stderr }  Offer { contract, task, sub_task, attempt, buyer, seller, job, hold, ticket }
    Acceptance { contract, offer, bond }  Taken { contract, report }  Declined { contract, refusal }
    Report { contract, offer, outcome, cycles, outputs, stdout, stderr, more }
    Verdict { contract, report, is_accepted, reason }  Progress { contract, phase, cycles, done }
    Saved { contract, version, cycles, checkpoint }  NotSaved { contract, why }  Cancel { contract }  Recall { contract }
    Keep { contract, ticket, hold, blobs, sources }  Kept { contract, hashes }
    Pass { content, bearer, until }  Holding { point, size, holder }  Naming { name, content, serial }  Advertise { request, holdings, namings }  Advertised { request, is_kept }
    SearchContent { request, point }  FoundContent { request, holdings, namings }  WatchOutput { contract, stream, from }  OutputTail { contract, stream, from, bytes }
}

choices! {
    ChordMessage {
        FindNext, FoundNode, CloserNodes, StateQuery, StateReply, Busy, Notify, Ping, Pong, Leaving, ArcQuery, ArcReply, Route,
        Routed, Announce, Compare, Compared, Nearer
    }
    StandMessage {
        FindNext, FoundNode, CloserNodes, StateQuery, StateReply, Busy, Notify, Ping, Pong, Leaving, ArcQuery, ArcReply, Route,
        Routed, Announce, Compare, Compared, Nearer
    }
    OverlayMessage { Talk, Gone, Seek, Sought, Unsure, Enrol, AskMembers, Members }
    MarketMessage {
        List, Listed, Delist, FindSeller, Matched, NoSeller, Refused, Reserve, Reserved, Unavailable,
        HandOver, HandedOver, Survey, Surveyed
    }
    Order { OpenAccount, PlaceHold, ReleaseHold, Settle, Transfer, Grant, Freeze, AcceptHold, Claim, Dispute, Judge }
    BankOutcome { Opened, Held, Released, Settled, Accepted, Claimed, Disputed, Recorded, Refused }
    BankMessage {
        Enter, Entered, Departed, Request, Reply, BalanceQuery, BalanceReply, Refused, StatementQuery, Statement,
        ReceiptQuery, Receipt, Claimed, Appointed, Ended
    }
    ServiceMessage { Offer, Accept, Decline, Progress, Cancel, Report, Verdict, Taken, Saved, NotSaved, Keep, Kept, WatchOutput, OutputTail, Recall }
    ContentsMessage { Advertise, Advertised, Search, Found }
    Message { Chord, Market, Bank, Service, Overlay, Contents }
}

/// An encoding with a few bytes changed, left out, doubled or cut off.
pub(crate) fn damaged(encoding: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let damage = (any::<prop::sample::Index>(), 0_usize..9, any::<u8>(), 0_u8..4);
    (encoding, vec(damage, 1..5)).prop_map(|(mut bytes, damages)| {
        for (at, length, byte, kind) in damages {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            let end = bytes.len().min(at + length);
            match kind {
                0 => bytes[at] = byte,
                1 => drop(bytes.drain(at..end)),
                2 => bytes.extend_from_within(at..end),
                _ => bytes.truncate(at),
            }
        }
        bytes
    })
}
