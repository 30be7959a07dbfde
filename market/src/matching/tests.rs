//! The index beside the scan, on random books.

use super::scan::Scan;
use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proto::message::market::{Platform, Requirement};
use proto::{Bytes, Capacity, CommandId, Hash, Market, Peer, RequestId, Signature};

const MARKETS: [Market; 2] = [market(40), market(41)];

const fn market(class: u32) -> Market {
    Market { commodity: proto::Commodity::Compute, class }
}

fn seller(n: u16) -> PublicKey {
    PublicKey(Hash::of(&n.to_be_bytes()).0)
}

#[derive(Clone, Debug)]
enum Change {
    List(u16, Box<Listing>, u32),
    Remove(u16),
    StartFlight(u16, u32),
    EndFlight(u16, u32),
    Sell(u16, u32),
}

/// Sizes around what is asked for, so that all but one suffice, some by one, and some equal when rounded.
fn size() -> impl Strategy<Value = u64> {
    let large = (0_u32..64, 0_u64..3).prop_map(|(bits, more)| (1_u64 << bits).saturating_add(more));
    prop_oneof![
        6 => select(vec![0, 1, 1_000, 1_001, 1 << 30, (1 << 30) + 1, (1 << 31) - 1, u64::MAX]),
        1 => large,
    ]
}

fn name() -> impl Strategy<Value = String> {
    select(vec!["", "linux", "linux", "plan9", "x86_64"]).prop_map(str::to_owned)
}

fn platform() -> impl Strategy<Value = Platform> {
    (name(), name(), any::<bool>()).prop_map(|(os, arch, native)| Platform { os, arch, native })
}

fn listing() -> impl Strategy<Value = (u16, Listing, u32)> {
    // Most of them in one market, so that there are more than are counted.
    let market = prop_oneof![5 => Just(MARKETS[0]), 1 => Just(MARKETS[1])];
    let who = (0_u16..700, market, 0_u32..6, 0_u64..12);
    let sold = prop_oneof![4 => Just(0_u32), 1 => 0_u32..4];
    (who, size(), size(), size(), platform(), sold).prop_map(
        |((n, market, cores, ask), per_core, memory, disk, platform, sold)| {
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
                longest: proto::Span::secs(60),
                standing: None,
                whole: proto::Bundle::default(),
                expires: Time(1_000 + u64::from(n)),
            };
            (n, listing, sold)
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    let n = 0_u16..700;
    prop_oneof![
        8 => listing().prop_map(|(n, listing, sold)| Change::List(n, Box::new(listing), sold)),
        2 => n.clone().prop_map(Change::Remove),
        1 => (n.clone(), 0_u32..4).prop_map(|(n, cores)| Change::StartFlight(n, cores)),
        1 => (n.clone(), 0_u32..4).prop_map(|(n, cores)| Change::EndFlight(n, cores)),
        1 => (n, 0_u32..4).prop_map(|(n, cores)| Change::Sell(n, cores)),
    ]
}

fn books_after(changes: Vec<Change>) -> Books {
    let mut books = Books::default();
    for change in changes {
        match change {
            Change::List(n, body, sold) => {
                let listing = Signed { body: *body, signer: seller(n), signature: Signature([0; 64]) };
                books.insert(Entry { listing, sold, is_handed: false });
            }
            Change::Remove(n) => drop(books.remove(seller(n))),
            Change::StartFlight(n, cores) => books.start_flight(seller(n), cores),
            Change::EndFlight(n, cores) => books.end_flight(seller(n), cores),
            Change::Sell(n, cores) => books.sell(seller(n), 1, cores),
        }
    }
    books
}

fn find() -> impl Strategy<Value = FindSeller> {
    // Mostly little, so that somebody fits now and then.
    let little = || prop_oneof![3 => Just(0), 1 => size()];
    let name = || prop_oneof![2 => Just(String::new()), 1 => name(), 1 => Just("hurd".to_owned())];
    let requirement = (little(), 0_u32..5, little(), little(), name(), name(), any::<bool>()).prop_map(
        |(power, cores, memory, disk, os, arch, native)| Requirement {
            power: Capacity(power),
            cores,
            memory: Bytes(memory),
            disk: Bytes(disk),
            os,
            arch,
            native,
            ..Requirement::default()
        },
    );
    (requirement, 0_u64..14, any::<[u8; 16]>(), vec((0_u16..700).prop_map(seller), 0..9)).prop_map(
        |(requirement, bid, ticket, avoid)| FindSeller {
            request: RequestId(1),
            ticket: CommandId(ticket),
            from: MARKETS[0],
            requirement,
            bid: Rate(bid),
            avoid,
        },
    )
}

/// Searches upwards through both markets, as an owner of both does.
fn result(
    mut search: impl FnMut(Market, &mut Seen) -> Option<Found>,
) -> Result<(Clearing<PublicKey>, u32), Seen> {
    let mut seen = Seen::default();
    let found = MARKETS.into_iter().find_map(|market| search(market, &mut seen));
    found.map(|found| (found.clearing, found.asks_seen)).ok_or(seen)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_index_finds_what_the_scan_finds(
        changes in vec(change(), 0..1_500),
        finds in vec((find(), 0_u16..700, vec((0_u16..700).prop_map(seller), 0..3)), 24),
    ) {
        let books = books_after(changes);
        let scan = Scan::of(&books);
        for (find, buyer, tried) in &finds {
            let order = Order { buyer: seller(*buyer), find, tried };
            let rule = PricingRule::Vickrey;
            let indexed = result(|market, seen| books.search(market, &order, rule, seen));
            let scanned = result(|market, seen| scan.search(&books, market, &order, rule, seen));
            prop_assert_eq!(indexed, scanned);
        }
    }

    #[test]
    fn after_any_changes_the_index_agrees_with_the_listings(changes in vec(change(), 0..1_500)) {
        let mut books = books_after(changes);
        let is_indexed = books.entries.values().all(|entry| books.is_indexed(entry));
        let rows: usize = books.index.values().map(|book| book.rows().count()).sum();
        prop_assert!(is_indexed);
        prop_assert_eq!(rows, books.entries.len());
        prop_assert!(books.index.values().all(Book::is_sound));
        books.purge(Time(9_000));
        prop_assert!(books.index.is_empty() && books.names.is_empty());
    }
}
