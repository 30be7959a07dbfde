//! People and papers for the tests.

use market::{Config, Input, Marketplace, Output, Supply, Tariff, requirement};
use proto::message::market::{List, Listing, MarketMessage, Platform, Requirement};
use proto::{
    Bytes, Capacity, CommandId, KeyPair, Peer, PublicKey, Range, Rate, RequestId, RingId, Rules, Signed,
    Span, Time,
};

/// The bank's number.
pub(crate) const BANK: u16 = 999;

/// Renewals of 4 s, so that listings live for 12.
pub(crate) fn rules() -> Rules {
    Rules { renewal: Span::secs(4), ..Rules::PUBLIC }
}

pub(crate) fn keys(n: u16) -> KeyPair {
    let mut secret = [7; 32];
    secret[..2].copy_from_slice(&n.to_be_bytes());
    KeyPair::from_secret(secret)
}

pub(crate) fn key(n: u16) -> PublicKey {
    keys(n).public()
}

pub(crate) fn peer(n: u16) -> Peer {
    let [high, low] = n.to_be_bytes();
    Peer::new(format!("10.1.{high}.{low}:7740").parse().unwrap(), 0, key(n))
}

pub(crate) fn ticket_id(n: u16) -> CommandId {
    let mut id = [0; 16];
    id[..2].copy_from_slice(&n.to_be_bytes());
    CommandId(id)
}

pub(crate) fn whole_circle() -> Range {
    Range { after: RingId([1; 20]), until: RingId([1; 20]) }
}

pub(crate) fn at(secs: u64) -> Time {
    Time(0).after(Span::secs(secs))
}

pub(crate) fn linux() -> Platform {
    Platform { os: "linux".into(), arch: "x86_64".into(), native: true, ..Platform::default() }
}

pub(crate) fn supply(cores: u32, per_core: u64, ask: u64) -> Supply {
    let (memory, disk) = (Bytes::gib(8), Bytes::gib(64));
    Supply {
        cores,
        per_core: Capacity(per_core),
        asks: Tariff::of_compute(Rate(ask)),
        memory,
        disk,
        most_memory: memory,
        platform: linux(),
        longest: Span::secs(60),
    }
}

/// A slice of so many cores, with a MiB of memory for each.
pub(crate) fn need(cores: u32, power: u64) -> Requirement {
    Requirement {
        cores,
        power: Capacity(power),
        memory: Bytes::mib(u64::from(cores)),
        ..Requirement::default()
    }
}

/// A listing of node `n`, in its right market, for three renewals from the start of the world.
pub(crate) fn listing(n: u16, version: u64, cores: u32, per_core: u64, ask: u64) -> Listing {
    let Supply { per_core, asks, memory, disk, platform, longest, .. } = supply(cores, per_core, ask);
    let ask = asks.compute.unwrap();
    let market = requirement::market_of_power(cores, per_core);
    Listing {
        seller: peer(n),
        version,
        market,
        cores,
        per_core,
        ask,
        memory,
        disk,
        platform,
        longest,
        standing: None,
        whole: proto::Bundle { cores, memory, disk },
        expires: at(0).after(rules().renewal.times(3)),
    }
}

pub(crate) fn signed(n: u16, listing: Listing) -> Signed<Listing> {
    Signed::new(listing, &keys(n))
}

pub(crate) fn list(n: u16, request: u64, listing: Listing) -> MarketMessage {
    MarketMessage::List(Box::new(List { request: RequestId(request), listing: signed(n, listing) }))
}

/// Node `n`, which owns the whole circle.
pub(crate) fn node(n: u16) -> Marketplace {
    node_under(rules(), n)
}

/// The same, in a network with these rules.
pub(crate) fn node_under(rules: Rules, n: u16) -> Marketplace {
    let mut node =
        Marketplace::new(Config { rules, bank: Some(key(BANK)) }, peer(n), keys(n), [3; 32], at(0));
    node.handle(Input::RangeChanged { range: whole_circle(), heir: None, donor: None }, at(0));
    node
}

/// Hands `message` from node `from` over and returns what comes out; the invariants hold after it.
pub(crate) fn tell(node: &mut Marketplace, from: u16, message: MarketMessage, now: Time) -> Vec<Output> {
    give(node, Input::Receive { from: peer(from), message }, now)
}

pub(crate) fn give(node: &mut Marketplace, input: Input, now: Time) -> Vec<Output> {
    node.handle(input, now);
    assert_eq!(node.check(), Ok(()));
    std::iter::from_fn(|| node.poll_output()).collect()
}

/// The messages among `outputs`, with the number of the node they go to.
pub(crate) fn sent(outputs: &[Output]) -> Vec<(u16, MarketMessage)> {
    let number = |to: &Peer| (0..1_000).find(|n| peer(*n) == *to).unwrap();
    let message = |output: &Output| match output {
        Output::Send { to, message } => Some((number(to), message.clone())),
        _ => None,
    };
    outputs.iter().filter_map(message).collect()
}

/// What [`need`] takes of a machine.
pub(crate) fn cores(cores: u32) -> proto::Bundle {
    proto::Bundle { cores, memory: Bytes::mib(cores.into()), disk: Bytes(0) }
}
