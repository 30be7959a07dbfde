//! The index beside the scan, on random books.

use super::scan::Scan;
use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proto::message::market::{Platform, Requirement};
use proto::{Bytes, Capacity, CommandId, Hash, Layers, Market, Peer, Rate, Release, Signature, Span};

const MARKETS: [Market; 2] = [market(40), market(41)];

const fn market(class: u32) -> Market {
    Market { commodity: proto::Commodity::Compute, class }
}

fn seller(n: u16) -> PublicKey {
    PublicKey(Hash::of(&n.to_be_bytes()).0)
}

#[derive(Clone, Debug)]
enum Change {
    List(u16, Box<Listing>, Bundle, Reputation),
    Remove(u16),
    StartFlight(u16, Bundle),
    EndFlight(u16, Bundle),
    Sell(u16, Bundle),
}

/// Sizes around what is asked for, so that all but one suffice, some by one, and some equal when rounded.
fn size() -> impl Strategy<Value = u64> {
    let large = (0_u32..64, 0_u64..3).prop_map(|(bits, more)| (1_u64 << bits).saturating_add(more));
    prop_oneof![
        6 => select(vec![0, 1, 1_000, 1_001, 1 << 30, (1 << 30) + 1, (1 << 31) - 1, u64::MAX]),
        1 => large,
    ]
}

/// A part of a machine: mostly of a few cores.
fn part() -> impl Strategy<Value = Bundle> {
    let bytes = || prop_oneof![3 => Just(0), 1 => size()];
    (0_u32..4, bytes(), bytes()).prop_map(|(cores, memory, disk)| Bundle {
        cores,
        memory: Bytes(memory),
        disk: Bytes(disk),
    })
}

fn spot(n: u16) -> Spot {
    Spot { seller: seller(n), commodity: Commodity::Compute }
}

pub(crate) fn reputation() -> impl Strategy<Value = Reputation> {
    select(vec![0, 333, 500, 501, 1_000]).prop_map(Reputation)
}

fn name() -> impl Strategy<Value = String> {
    select(vec!["", "linux", "linux", "plan9", "x86_64"]).prop_map(str::to_owned)
}

fn platform() -> impl Strategy<Value = Platform> {
    (name(), name(), any::<bool>(), release(), layers())
        .prop_map(|(os, arch, native, release, layers)| Platform { os, arch, native, release, layers })
}

fn release() -> impl Strategy<Value = Release> {
    select(vec!["0.0", "5.10", "6.1", "6.1.0.9", "6.12"]).prop_map(Release::of)
}

fn layers() -> impl Strategy<Value = Layers> {
    prop_oneof![3 => Just(0_u8), 1 => 0_u8..32].prop_map(|bits| Layers::of_bits(bits).unwrap())
}

pub(crate) fn listing(asks: u64) -> impl Strategy<Value = (u16, Listing, Bundle)> {
    // Most of them in one market, so that there are more than are counted.
    let market = prop_oneof![5 => Just(MARKETS[0]), 1 => Just(MARKETS[1])];
    let who = (0_u16..700, market, 0_u32..6, 0..asks);
    let sold = prop_oneof![4 => Just(Bundle::default()), 1 => part()];
    let longest = prop_oneof![4 => Just(60_000_000), 1 => size()];
    (who, size(), size(), size(), platform(), sold, longest).prop_map(
        |((n, market, cores, ask), per_core, memory, disk, platform, sold, longest)| {
            let addr = "10.0.0.1:7740".parse().unwrap();
            let listing = Listing {
                seller: Peer::new(addr, 0, seller(n)),
                version: 1,
                market,
                cores,
                per_core: Capacity(per_core),
                ask: Rate(ask),
                memory: Bytes(memory),
                disk: Bytes(disk),
                platform,
                longest: Span(longest),
                standing: None,
                whole: Bundle::default(),
                expires: Time(1_000 + u64::from(n)),
            };
            (n, listing, sold)
        },
    )
}

/// Changes to books in which few, or all, ask the same.
fn changes() -> impl Strategy<Value = Vec<Change>> {
    select(vec![1, 12]).prop_flat_map(|asks| vec(change(asks), 0..1_500))
}

fn change(asks: u64) -> impl Strategy<Value = Change> {
    let n = 0_u16..700;
    prop_oneof![
        8 => (listing(asks), reputation()).prop_map(|((n, listing, sold), reputation)| {
            Change::List(n, Box::new(listing), sold, reputation)
        }),
        2 => n.clone().prop_map(Change::Remove),
        1 => (n.clone(), part()).prop_map(|(n, part)| Change::StartFlight(n, part)),
        1 => (n.clone(), part()).prop_map(|(n, part)| Change::EndFlight(n, part)),
        1 => (n, part()).prop_map(|(n, part)| Change::Sell(n, part)),
    ]
}

fn books_after(changes: Vec<Change>) -> Books {
    let mut books = Books::new(None, MAX_LISTINGS);
    for change in changes {
        match change {
            Change::List(n, body, sold, reputation) => {
                let listing = Signed { body: *body, signer: seller(n), signature: Signature([0; 64]) };
                books.insert(Entry { listing, sold, reputation, is_handed: false });
            }
            Change::Remove(n) => drop(books.remove(spot(n))),
            Change::StartFlight(n, part) => books.start_flight(spot(n), part),
            Change::EndFlight(n, part) => books.end_flight(spot(n), part),
            Change::Sell(n, part) => books.sell(spot(n), 1, part),
        }
    }
    books
}

#[derive(Clone, Debug)]
pub(crate) struct Find {
    pub(crate) requirement: Requirement,
    pub(crate) bid: Rate,
    draw: CommandId,
    avoid: Vec<PublicKey>,
}

pub(crate) fn find() -> impl Strategy<Value = Find> {
    // Mostly little, so that somebody fits now and then.
    let little = || prop_oneof![3 => Just(0), 1 => size()];
    let name = || prop_oneof![2 => Just(String::new()), 1 => name(), 1 => Just("hurd".to_owned())];
    let run_time = prop_oneof![4 => Just(Span(0)), 1 => size().prop_map(Span)];
    let reputation = prop_oneof![4 => Just(Reputation(0)), 1 => reputation()];
    let sizes = (little(), 0_u32..5, little(), little(), run_time, reputation);
    let old = || prop_oneof![3 => Just(Release::default()), 1 => release()];
    let requirement = (sizes, name(), name(), any::<bool>(), old(), layers()).prop_map(
        |((power, cores, memory, disk, run_time, reputation), os, arch, native, release, layers)| {
            Requirement {
                release,
                layers,
                power: Capacity(power),
                cores,
                memory: Bytes(memory),
                disk: Bytes(disk),
                os,
                arch,
                native,
                run_time,
                reputation,
                ..Requirement::default()
            }
        },
    );
    (requirement, 0_u64..14, any::<[u8; 16]>(), vec((0_u16..700).prop_map(seller), 0..9)).prop_map(
        |(requirement, bid, draw, avoid)| Find { requirement, bid: Rate(bid), draw: CommandId(draw), avoid },
    )
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    List,
    Ask,
    Sold,
    Refused,
}

/// What happens to one of three sellers.
fn step() -> impl Strategy<Value = (u16, u64, Bundle, Kind)> {
    let kind = select(vec![Kind::List, Kind::Ask, Kind::Ask, Kind::Sold, Kind::Refused]);
    let part = (0_u32..9, 0_u64..9, 0_u64..9).prop_map(|(cores, memory, disk)| Bundle {
        cores,
        memory: Bytes(memory),
        disk: Bytes(disk),
    });
    (0_u16..3, 0_u64..4, part, kind)
}

/// A listing of seller `n` that offers nothing yet.
fn plain(n: u16) -> Listing {
    Listing {
        seller: Peer::new("10.0.0.1:7740".parse().unwrap(), 0, seller(n)),
        version: 1,
        market: MARKETS[0],
        cores: 0,
        per_core: Capacity(1),
        ask: Rate(5),
        memory: Bytes(0),
        disk: Bytes(0),
        platform: Platform::default(),
        longest: Span(1),
        standing: None,
        whole: Bundle::default(),
        expires: Time(9),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_index_finds_what_the_scan_finds(
        changes in changes(),
        finds in vec((find(), 0_u16..700, vec((0_u16..700).prop_map(seller), 0..3)), 24),
        count in select(vec![0, 1, 2, 10, 300]),
        dearest in any::<bool>(),
    ) {
        let books = books_after(changes);
        let scan = Scan::of(&books);
        let wanted = Wanted { count, dearest };
        for (find, buyer, tried) in &finds {
            let Find { requirement, bid, draw, avoid } = find;
            let order = Order { buyer: seller(*buyer), draw: *draw, requirement, bid: *bid, avoid, tried };
            for market in MARKETS {
                let indexed = books.asks(market, &order, wanted);
                prop_assert_eq!(&indexed, &scan.asks(&books, market, &order, wanted));
                let mut seen = [Seen::default(); 2];
                books.add_missed(market, &order, &mut seen[0]);
                scan.add_missed(&books, market, &order, &mut seen[1]);
                if indexed.seen == 0 {
                    prop_assert_eq!(seen[0], seen[1]);
                }
            }
        }
    }

    /// A version that is renewed brings what the seller knows, what is in flight stays, and what is said of an older
    /// version changes nothing: so what is free is what is offered, without what of it was sold or is being sold.
    #[test]
    fn renewals_neither_lose_nor_double_what_is_sold_or_in_flight(steps in vec(step(), 0..200)) {
        let mut books = Books::new(None, MAX_LISTINGS);
        let mut model: BTreeMap<u16, (u64, Bundle, Bundle)> = BTreeMap::new();
        let mut flights: BTreeMap<u16, Vec<(u64, Bundle)>> = BTreeMap::new();
        for (n, version, part, kind) in steps {
            let stands = model.get(&n).map(|(version, ..)| *version);
            let flight = flights.entry(n).or_default();
            match kind {
                Kind::List => {
                    let body = Listing { version, cores: part.cores, memory: part.memory, disk: part.disk, ..plain(n) };
                    let listing = Signed { body, signer: seller(n), signature: Signature([0; 64]) };
                    let (sold, reputation) = (Bundle::default(), Reputation::UNKNOWN);
                    books.insert(Entry { listing, sold, reputation, is_handed: false });
                    model.insert(n, (version, part, Bundle::default()));
                }
                Kind::Ask => {
                    if let Some(stands) = stands.filter(|_| part != Bundle::default()) {
                        books.start_flight(spot(n), part);
                        flight.push((stands, part));
                    }
                }
                Kind::Sold | Kind::Refused => {
                    if let Some((asked, part)) = flight.pop() {
                        books.end_flight(spot(n), part);
                        if matches!(kind, Kind::Sold) {
                            books.sell(spot(n), asked, part);
                            if let Some((_, _, sold)) = model.get_mut(&n).filter(|(stands, ..)| *stands == asked) {
                                *sold = sold.plus(part);
                            }
                        }
                    }
                }
            }
            for (n, (_, offered, sold)) in &model {
                let flight = flights.get(n).into_iter().flatten();
                let flight = flight.fold(Bundle::default(), |sum, (_, part)| sum.plus(*part));
                let number = books.shelf.find(spot(*n)).unwrap();
                let (listing, _) = books.shelf.read(number).unwrap();
                let (row, _) = books.row_of(number, &listing.body).unwrap();
                prop_assert_eq!(row.free, offered.minus(*sold).minus(flight));
                prop_assert_eq!(books.handed(spot(*n)).unwrap().sold, sold.plus(flight));
            }
        }
    }

    #[test]
    fn after_any_changes_the_index_agrees_with_the_listings(changes in changes()) {
        let mut books = books_after(changes);
        let is_indexed = |number| {
            let (listing, _) = books.shelf.read(number).unwrap();
            books.is_indexed(number, &listing.body)
        };
        let is_indexed = books.shelf.numbers().all(is_indexed);
        let rows: usize = books.index.values().map(|book| book.rows().count()).sum();
        prop_assert!(is_indexed);
        prop_assert_eq!(rows, books.len());
        prop_assert!(books.index.values().all(Book::is_sound));
        books.purge(Time(9_000));
        prop_assert!(books.index.is_empty() && books.shelf.names().is_empty() && books.sold.is_empty());
    }
}
