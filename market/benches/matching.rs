//! What a search in the books of a market owner costs, beside the plain scan, and what the books weigh.
//!
//! `cargo bench -p market --bench matching`; with `-- standing` only the weight of listings that carry the bank's word. The books are the crate's own files, since they are not public.

#![expect(clippy::print_stdout, clippy::panic, reason = "a benchmark prints, and ends where it cannot go on")]

use market::{pricing, requirement};

#[expect(dead_code, unused_imports, unreachable_pub, reason = "the benchmark uses a part")]
#[path = "../src"]
mod source {
    pub(crate) mod matching;
}

use proto::message::market::{Listing, Platform, Requirement, Standing};
use proto::{
    Bundle, Bytes, Capacity, CommandId, Commodity, Hash, Layers, Market, Peer, PublicKey, Rate, Release,
    Reputation, Signature, Signed, Span, Time,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use source::matching::scan::Scan;
use source::matching::{Books, Entry, Order, Seen, Spot, Wanted};
use std::hint::black_box;
use std::time::{Duration, Instant};

const MARKET: Market = Market { commodity: Commodity::Compute, class: 60 };
const BUYER: PublicKey = PublicKey([0; 32]);
const BANK: PublicKey = PublicKey([9; 32]);
/// At least so long is each figure measured.
const LONG: Duration = Duration::from_millis(200);
/// Listings in the books that are measured. The real owner's have room for [`matching::MAX_LISTINGS`].
const COUNTS: [usize; 4] = [10, 1_000, 10_000, 100_000];
/// Listings in the books that are built to be weighed.
const WEIGHED: usize = 100_000;

fn main() {
    // First of all: later, what was freed is used again.
    let has_standing = std::env::args().any(|argument| argument == "standing");
    let with = if has_standing { "with" } else { "without" };
    println!("books of listings {with} a standing signed by the bank");
    let weighed: Vec<Vec<Books>> = COUNTS.into_iter().map(|count| weigh(count, has_standing)).collect();
    drop(weighed);
    if has_standing {
        return;
    }
    for count in COUNTS {
        println!();
        let books = filled(count, false, false);
        println!("{count} listings, different asks");
        searches(&books, count, &cases());
        let equal = filled(count, true, false);
        println!("{count} listings, all with the same ask and memory");
        let more = Requirement { memory: Bytes(Bytes::gib(64).0 + 1), ..Default::default() };
        let everybody = ("match: a lot for each that counts", find(Requirement::default(), 500));
        searches(&equal, count, &[everybody, ("failed: everywhere a byte too little", find(more, 500))]);
        changes(count);
    }
}

/// What is searched for: by name, whether somebody is to be found is left to the books.
fn cases() -> Vec<(&'static str, Find)> {
    let linux = Requirement { os: "linux".into(), arch: "x86_64".into(), native: true, ..Default::default() };
    let middling = Requirement {
        power: Capacity(16_000),
        cores: 4,
        memory: Bytes::gib(16),
        disk: Bytes::gib(64),
        run_time: Span::secs(7_200),
        reputation: Reputation(500),
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
        ("match: platform and six sizes", find(middling.clone(), u64::MAX)),
        ("match: the same, 256 avoided", avoiding),
        ("rare: each size common, all rare", find(rare, u64::MAX)),
        ("failed: more memory than any", find(huge, u64::MAX)),
        ("failed: an unknown system", find(unknown, u64::MAX)),
        ("failed: names that never meet", find(other, u64::MAX)),
        ("failed: all above the bid", find(middling, 0)),
    ]
}

struct Find {
    requirement: Requirement,
    bid: Rate,
    avoid: Vec<PublicKey>,
}

fn find(requirement: Requirement, bid: u64) -> Find {
    Find { requirement, bid: Rate(bid), avoid: Vec::new() }
}

fn seller(n: usize) -> PublicKey {
    PublicKey(Hash::of(&n.to_be_bytes()).0)
}

fn one_of<T: Clone>(rng: &mut ChaCha8Rng, values: &[T]) -> T {
    let at = rng.next_u32() as usize % values.len();
    values.get(at).cloned().unwrap_or_else(|| panic!("nothing to choose from"))
}

fn entry(n: usize, is_equal: bool, has_standing: bool, rng: &mut ChaCha8Rng) -> Entry {
    let addr = std::net::SocketAddr::from(([10, 0, 0, 1], 7_740));
    let native = rng.next_u64().is_multiple_of(2);
    let os = one_of(rng, &["linux", "linux", "macos", "windows"]);
    // No windows on aarch64: its blocks hold both names, and never together.
    let arch = if os == "windows" { "x86_64" } else { one_of(rng, &["x86_64", "aarch64"]) };
    let (cores, memory) = (one_of(rng, &[1, 2, 4, 8, 16]), one_of(rng, &[2, 4, 8, 16, 32, 64]));
    let (memory, disk) =
        (Bytes::gib(if is_equal { 64 } else { memory }), one_of(rng, &[16, 32, 64, 128, 256, 512]));
    let disk = Bytes::gib(disk);
    // As versions are in a network that is some weeks old; so are the times.
    let age = 3_000_000_000_000;
    let standing = Standing {
        account: seller(n),
        kept: rng.next_u64() % 10_000,
        broken: rng.next_u64() % 100,
        expires: Time(age + 86_400_000_000),
    };
    let standing = Signed { body: standing, signer: BANK, signature: Signature([0; 64]) };
    let body = Listing {
        seller: Peer::new(addr, 0, seller(n)),
        version: age + n as u64,
        market: MARKET,
        cores,
        per_core: Capacity(2_000 + rng.next_u64() % 6_000),
        ask: Rate(if is_equal { 500 } else { 1 + rng.next_u64() % 1_000_000 }),
        memory,
        disk,
        platform: Platform {
            os: os.into(),
            arch: arch.into(),
            native,
            release: Release::of("6.8.0"),
            layers: Layers::of_bits(15).unwrap_or_default(),
        },
        longest: Span::secs(one_of(rng, &[3_600, 14_400, 86_400])),
        standing: has_standing.then_some(standing),
        // Some of it is sold.
        whole: Bundle { cores: 16, memory: Bytes::gib(64), disk: Bytes::gib(512) },
        expires: Time(age + rng.next_u64() % 180_000_000),
    };
    let listing = Signed { body, signer: seller(n), signature: Signature([0; 64]) };
    Entry {
        listing,
        sold: Bundle::default(),
        reputation: Reputation(one_of(rng, &[333, 500, 900, 990])),
        is_handed: false,
    }
}

fn filled(count: usize, is_equal: bool, has_standing: bool) -> Books {
    let mut rng = ChaCha8Rng::from_seed([1; 32]);
    let mut books = Books::new(Some(BANK), usize::MAX);
    for n in 0..count {
        books.insert(entry(n, is_equal, has_standing, &mut rng));
    }
    books
}

fn searches(books: &Books, count: usize, cases: &[(&str, Find)]) {
    let scan = Scan::of(books);
    for (name, find) in cases {
        let Find { requirement, bid, avoid } = find;
        let draw = CommandId([7; 16]);
        let order = Order { buyer: BUYER, draw, requirement, bid: *bid, avoid, tried: &[] };
        let wanted = Wanted { count: 2, dearest: false };
        let indexed = || {
            let (asks, mut seen) = (books.asks(MARKET, &order, wanted), Seen::default());
            if asks.seen == 0 {
                books.add_missed(MARKET, &order, &mut seen);
            }
            (asks, seen)
        };
        let scanned = || {
            let (asks, mut seen) = (scan.asks(books, MARKET, &order, wanted), Seen::default());
            if asks.seen == 0 {
                scan.add_missed(books, MARKET, &order, &mut seen);
            }
            (asks, seen)
        };
        let (asks, seen) = indexed();
        let result = if asks.seen > 0 { format!("{} asks", asks.seen) } else { "nobody".to_owned() };
        assert!((asks, seen) == scanned(), "{name}: not what the scan finds");
        let (indexed, plain) = (nanos(indexed), nanos(scanned));
        println!(
            "  {name:<36} {indexed:>10.0} ns   scan {plain:>10.0} ns   {:>7.1} times   {result} of {count}",
            plain / indexed
        );
    }
}

/// Nanoseconds that one call takes: the mean of the fastest of many rounds, since others use the machine too.
fn nanos<T>(mut call: impl FnMut() -> T) -> f64 {
    black_box(call());
    let (start, mut fastest) = (Instant::now(), f64::MAX);
    while start.elapsed() < LONG {
        let round = Instant::now();
        for _ in 0..8 {
            black_box(call());
        }
        fastest = fastest.min(round.elapsed().as_secs_f64());
    }
    fastest * 1e9 / 8.0
}

/// A listing renewed (the old one out, the new one in, at another ask) and the cores of one counted anew, in full books.
fn changes(count: usize) {
    let mut books = filled(count, false, false);
    let mut rng = ChaCha8Rng::from_seed([2; 32]);
    let renewals: Vec<Entry> = (0..20_000).map(|n| entry(n % count, false, false, &mut rng)).collect();
    let number = renewals.len() as f64;
    let start = Instant::now();
    for entry in renewals {
        books.insert(entry);
    }
    let renewal = start.elapsed().as_secs_f64() * 1e9 / number;
    let spots: Vec<Spot> = books.spots(|_| true);
    let one = Bundle { cores: 1, memory: Bytes::mib(1), disk: Bytes(0) };
    let start = Instant::now();
    for spot in &spots {
        books.start_flight(*spot, one);
        books.end_flight(*spot, one);
    }
    let flight = start.elapsed().as_secs_f64() * 1e9 / spots.len() as f64;
    let mut rng = ChaCha8Rng::from_seed([3; 32]);
    let entries: Vec<Entry> = (0..count).map(|n| entry(n, false, false, &mut rng)).collect();
    let mut books = Books::new(Some(BANK), usize::MAX);
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
fn weigh(count: usize, has_standing: bool) -> Vec<Books> {
    let before = resident();
    let books: Vec<Books> = (0..WEIGHED / count).map(|_| filled(count, false, has_standing)).collect();
    if let (Some(before), Some(after)) = (before, resident()) {
        let bytes = (after.saturating_sub(before) * 1_024) as f64 / WEIGHED as f64;
        let all = bytes * count as f64 / 1e6;
        println!("  {count:>7} listings: {bytes:>5.0} bytes each, {all:>6.2} MB in all");
    }
    books
}

/// Resident memory in KiB.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
