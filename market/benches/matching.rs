//! What a search in the books of a market owner costs, beside the plain scan, and what the books weigh.
//!
//! `cargo bench -p market --bench matching`. The books are the crate's own files, since they are not public.

#![expect(clippy::print_stdout, clippy::panic, reason = "a benchmark prints, and ends where it cannot go on")]

use market::{pricing, requirement};

#[expect(dead_code, unused_imports, unreachable_pub, reason = "the benchmark uses a part")]
#[path = "../src"]
mod source {
    pub(crate) mod matching;
}

use proto::message::market::{FindSeller, Listing, Platform, Requirement};
use proto::rules::PricingRule;
use proto::{
    Bytes, Capacity, CommandId, Commodity, Hash, Market, Peer, PublicKey, Rate, RequestId, Signature, Signed,
    Time,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use source::matching::scan::Scan;
use source::matching::{self, Books, Entry, Order, Seen};
use std::hint::black_box;
use std::time::{Duration, Instant};

const MARKET: Market = Market { commodity: Commodity::Compute, class: 60 };
const BUYER: PublicKey = PublicKey([0; 32]);
/// At least so long is each figure measured.
const LONG: Duration = Duration::from_millis(200);
/// Listings in the books that are built to be weighed.
const WEIGHED: usize = 100_000;

fn main() {
    // First of all: later, what was freed is used again.
    let weighed: Vec<Vec<Books>> = [100, 1_000, 10_000].into_iter().map(weigh).collect();
    drop(weighed);
    println!();
    for count in [100, 1_000, 10_000] {
        let books = filled(count, false);
        println!("{count} listings, different asks");
        searches(&books, count, &cases());
        let equal = filled(count, true);
        println!("{count} listings, all with the same ask and memory");
        let more = Requirement { memory: Bytes(Bytes::gib(64).0 + 1), ..Default::default() };
        let everybody = ("match: a lot for each that counts", find(Requirement::default(), 500));
        searches(&equal, count, &[everybody, ("failed: everywhere a byte too little", find(more, 500))]);
        changes(count);
        println!();
    }
}

/// What is searched for: by name, whether somebody is to be found is left to the books.
fn cases() -> Vec<(&'static str, FindSeller)> {
    let linux = Requirement { os: "linux".into(), arch: "x86_64".into(), native: true, ..Default::default() };
    let middling = Requirement {
        power: Capacity(16_000),
        cores: 4,
        memory: Bytes::gib(16),
        disk: Bytes::gib(64),
        ..linux.clone()
    };
    // Each size alone is there in most blocks, all together nowhere.
    let rare = Requirement {
        power: Capacity(8 * 7_900),
        cores: 8,
        memory: Bytes::gib(64),
        disk: Bytes::gib(512),
        ..linux.clone()
    };
    let huge = Requirement { memory: Bytes::gib(1_024), ..linux.clone() };
    let unknown = Requirement { os: "hurd".into(), ..linux.clone() };
    let other =
        Requirement { os: "windows".into(), arch: "aarch64".into(), native: true, ..Default::default() };
    let mut avoiding = find(middling.clone(), u64::MAX);
    avoiding.avoid = (0..market::owner::MAX_AVOID).map(seller).collect();
    vec![
        ("match: everybody fits", find(Requirement::default(), u64::MAX)),
        ("match: platform and sizes", find(middling.clone(), u64::MAX)),
        ("match: the same, 256 avoided", avoiding),
        ("rare: each size common, all rare", find(rare, u64::MAX)),
        ("failed: more memory than any", find(huge, u64::MAX)),
        ("failed: an unknown system", find(unknown, u64::MAX)),
        ("failed: names that never meet", find(other, u64::MAX)),
        ("failed: all above the bid", find(middling, 0)),
    ]
}

fn find(requirement: Requirement, bid: u64) -> FindSeller {
    FindSeller {
        request: RequestId(1),
        ticket: CommandId([7; 16]),
        from: MARKET,
        requirement,
        bid: Rate(bid),
        avoid: Vec::new(),
    }
}

fn seller(n: usize) -> PublicKey {
    PublicKey(Hash::of(&n.to_be_bytes()).0)
}

fn one_of<T: Clone>(rng: &mut ChaCha8Rng, values: &[T]) -> T {
    let at = rng.next_u32() as usize % values.len();
    values.get(at).cloned().unwrap_or_else(|| panic!("nothing to choose from"))
}

fn entry(n: usize, is_equal: bool, rng: &mut ChaCha8Rng) -> Entry {
    let addr = std::net::SocketAddr::from(([10, 0, 0, 1], 7_740));
    let native = rng.next_u64().is_multiple_of(2);
    let os = one_of(rng, &["linux", "linux", "macos", "windows"]);
    // No windows on aarch64: its blocks hold both names, and never together.
    let arch = if os == "windows" { "x86_64" } else { one_of(rng, &["x86_64", "aarch64"]) };
    let body = Listing {
        seller: Peer::new(addr, 0, seller(n)),
        version: 1,
        market: MARKET,
        cores: one_of(rng, &[1, 2, 4, 8, 16]),
        per_core: Capacity(2_000 + rng.next_u64() % 6_000),
        ask: Rate(if is_equal { 500 } else { 1 + rng.next_u64() % 1_000_000 }),
        memory: Bytes::gib(if is_equal { 64 } else { one_of(rng, &[2, 4, 8, 16, 32, 64]) }),
        disk: Bytes::gib(one_of(rng, &[16, 32, 64, 128, 256, 512])),
        platform: Platform { os: os.into(), arch: arch.into(), native },
        longest: proto::Span::secs(60),
        standing: None,
        whole: proto::Bundle::default(),
        expires: Time(1_000_000 + rng.next_u64() % 1_000_000),
    };
    let listing = Signed { body, signer: seller(n), signature: Signature([0; 64]) };
    Entry { listing, sold: 0, is_handed: false }
}

fn filled(count: usize, is_equal: bool) -> Books {
    let mut rng = ChaCha8Rng::from_seed([1; 32]);
    let mut books = Books::default();
    for n in 0..count {
        books.insert(entry(n, is_equal, &mut rng));
    }
    books
}

fn searches(books: &Books, count: usize, cases: &[(&str, FindSeller)]) {
    let scan = Scan::of(books);
    for (name, find) in cases {
        let order = Order { buyer: BUYER, find, tried: &[] };
        let rule = PricingRule::Vickrey;
        let (mut seen, mut before) = (Seen::default(), Seen::default());
        let found = books.search(MARKET, &order, rule, &mut seen);
        let scanned = scan.search(books, MARKET, &order, rule, &mut before);
        let asks = found.as_ref().map(|found| found.asks_seen);
        let of = |found: Option<matching::Found>| found.map(|found| (found.clearing, found.asks_seen));
        let is_found = asks.is_some();
        assert!(of(found) == of(scanned) && (is_found || seen == before), "{name}: not what the scan finds");
        let indexed = nanos(|| books.search(MARKET, &order, rule, &mut Seen::default()));
        let plain = nanos(|| scan.search(books, MARKET, &order, rule, &mut Seen::default()));
        let result = asks.map_or_else(|| "nobody".to_owned(), |asks| format!("{asks} asks"));
        println!(
            "  {name:<36} {indexed:>10.0} ns   scan {plain:>10.0} ns   {:>7.1} times   {result} of {count}",
            plain / indexed
        );
    }
}

/// Nanoseconds that one call takes, in the mean.
fn nanos<T>(mut call: impl FnMut() -> T) -> f64 {
    black_box(call());
    let (start, mut calls) = (Instant::now(), 0_u32);
    while start.elapsed() < LONG {
        for _ in 0..8 {
            black_box(call());
        }
        calls += 8;
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

/// A listing renewed (the old one out, the new one in, at another ask) and the cores of one counted anew, in full books.
fn changes(count: usize) {
    let mut books = filled(count, false);
    let mut rng = ChaCha8Rng::from_seed([2; 32]);
    let renewals: Vec<Entry> = (0..20_000).map(|n| entry(n % count, false, &mut rng)).collect();
    let number = renewals.len() as f64;
    let start = Instant::now();
    for entry in renewals {
        books.insert(entry);
    }
    let renewal = start.elapsed().as_secs_f64() * 1e9 / number;
    let sellers: Vec<PublicKey> = books.entries.keys().copied().collect();
    let start = Instant::now();
    for seller in &sellers {
        books.start_flight(*seller, 1);
        books.end_flight(*seller, 1);
    }
    let flight = start.elapsed().as_secs_f64() * 1e9 / sellers.len() as f64;
    let mut rng = ChaCha8Rng::from_seed([3; 32]);
    let entries: Vec<Entry> = (0..count).map(|n| entry(n, false, &mut rng)).collect();
    let mut books = Books::default();
    let start = Instant::now();
    for entry in entries {
        books.insert(entry);
    }
    let insert = start.elapsed().as_secs_f64() * 1e9 / count as f64;
    println!(
        "  insert {insert:.0} ns (books filled from nothing)   renewal {renewal:.0} ns   flight there and back {flight:.0} ns"
    );
}

/// Bytes a listing, by the memory that the process has more after building books; where the system tells.
fn weigh(count: usize) -> Vec<Books> {
    let before = resident();
    let books: Vec<Books> = (0..WEIGHED / count).map(|_| filled(count, false)).collect();
    if let (Some(before), Some(after)) = (before, resident()) {
        let bytes = (after.saturating_sub(before) * 1_024) as f64 / WEIGHED as f64;
        let all = bytes * count as f64 / 1e6;
        println!("books of {count} listings: {bytes:.0} bytes a listing, {all:.2} MB in all");
    }
    books
}

/// Resident memory in KiB.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
