//! A seller that shares memory and disk too: three listings, each with its own life, and one machine.

use crate::papers::{BANK, at, give, key, keys, need, peer, rules, sent, supply, tell, ticket_id};
use crate::world::{Faults, World};
use market::{Config, Input, Marketplace, Output, Supply, Tariff, placement};
use proptest::prelude::*;
use proto::message::market::{
    Delist, Listed, Listing, MarketMessage, Requirement, Reserve, Reserved, Standing, Unavailable,
};
use proto::{Bundle, Bytes, Commodity, Market, Placement, Rate, RequestId, Signed, Span, Time};
use std::collections::BTreeMap;

/// 4 cores, 8 GiB of memory of which one sub-task may have 2, and 64 GiB of disk.
fn all() -> Supply {
    let asks = Tariff { compute: Some(Rate(5)), memory: Some(Rate(6)), disk: Some(Rate(7)) };
    Supply { asks, most_memory: Bytes::gib(2), ..supply(4, 1_000, 0) }
}

fn seller(supply: Supply) -> (Marketplace, Vec<Output>) {
    let config = Config { rules: rules(), bank: Some(key(BANK)) };
    let mut seller = Marketplace::new(config, peer(1), keys(1), [3; 32], at(0));
    let outputs = give(&mut seller, Input::Supply { supply: Some(supply) }, at(0));
    (seller, outputs)
}

/// Answers all lookups in `outputs`, each market with its own owner, and confirms all listings; what was listed, and
/// what else was said.
fn settle(
    seller: &mut Marketplace,
    outputs: Vec<Output>,
    now: Time,
) -> (BTreeMap<Commodity, Listing>, Vec<(u16, MarketMessage)>) {
    let (mut listings, mut said) = (BTreeMap::new(), Vec::new());
    let mut queue = outputs;
    while !queue.is_empty() {
        let mut next = Vec::new();
        for output in std::mem::take(&mut queue) {
            match output {
                Output::Lookup { token, key } => {
                    let owner = peer(owner_of(key));
                    next.extend(give(seller, Input::Found { token, owner }, now));
                }
                Output::Send { to, message: MarketMessage::List(list) } => {
                    let (request, version) = (list.request, list.listing.body.version);
                    listings.insert(list.listing.body.market.commodity, list.listing.body.clone());
                    let message = MarketMessage::Listed(Listed { request, version });
                    next.extend(give(seller, Input::Receive { from: to, message }, now));
                }
                output => said.extend(sent(&[output])),
            }
        }
        queue = next;
    }
    (listings, said)
}

/// Every market has an owner of its own.
fn owner_of(sought: proto::RingId) -> u16 {
    let markets = Commodity::ALL
        .into_iter()
        .flat_map(|commodity| (0..commodity.classes()).map(move |class| Market { commodity, class }));
    let at = markets
        .map(|market| placement::key(Placement::Single, market))
        .position(|key| key == sought)
        .unwrap();
    100 + u16::try_from(at).unwrap()
}

fn owner(market: Market) -> u16 {
    owner_of(placement::key(Placement::Single, market))
}

fn listed() -> (Marketplace, BTreeMap<Commodity, Listing>) {
    let (mut seller, outputs) = seller(all());
    let (listings, said) = settle(&mut seller, outputs, at(0));
    assert_eq!(said, vec![]);
    (seller, listings)
}

fn bundle(cores: u32, memory: Bytes, disk: Bytes) -> Bundle {
    Bundle { cores, memory, disk }
}

const NONE: Bytes = Bytes(0);

#[test]
fn each_commodity_is_listed_in_its_own_market_at_its_own_ask() {
    let (seller, listings) = listed();
    let of = |commodity| {
        let Listing { market, ask, whole, .. } = &listings[&commodity];
        assert_eq!(*whole, listings[&commodity].offered());
        (market.class, ask.0, *whole)
    };
    assert_eq!(of(Commodity::Compute), (47, 5, bundle(4, Bytes::gib(2), Bytes::gib(64))));
    assert_eq!(of(Commodity::Memory), (33, 6, bundle(0, Bytes::gib(8), NONE)));
    assert_eq!(of(Commodity::Disk), (36, 7, bundle(0, NONE, Bytes::gib(64))));
    let listed: Vec<_> =
        seller.listed().map(|(market, ask)| (market.commodity, market.class, ask.0)).collect();
    assert_eq!(listed, [(Commodity::Compute, 47, 5), (Commodity::Memory, 33, 6), (Commodity::Disk, 36, 7)]);
}

fn reserve(commodity: Commodity, version: u64, slice: Bundle) -> MarketMessage {
    let (request, tickets, buyer) = (RequestId(1), vec![ticket_id(1)], key(9));
    MarketMessage::Reserve(Reserve { request, tickets, commodity, version, slice, buyer })
}

/// The seller is asked for `slice` in the market of `commodity`: what its listings offer after that, or nothing if it
/// says no; and what it takes off.
fn check_sale(commodity: Commodity, slice: Bundle, left: Option<[Option<Bundle>; 3]>) {
    let (mut seller, before) = listed();
    let listing = &before[&commodity];
    let mut outputs =
        tell(&mut seller, owner(listing.market), reserve(commodity, listing.version, slice), at(1));
    let answer = sent(&[outputs.remove(0)]);
    let request = RequestId(1);
    let Some(left) = left else {
        assert_eq!(
            answer[0].1,
            MarketMessage::Unavailable(Unavailable { request }),
            "{commodity:?} {slice:?}"
        );
        assert_eq!(outputs, vec![]);
        return;
    };
    let kept = MarketMessage::Reserved(Reserved { request, kept: vec![ticket_id(1)] });
    assert_eq!(answer[0].1, kept, "{commodity:?} {slice:?}");
    let (after, said) = settle(&mut seller, outputs, at(1));
    let offered = Commodity::ALL.map(|commodity| after.get(&commodity).map(Listing::offered));
    assert_eq!(offered, left, "{commodity:?} {slice:?}");
    assert!(after.values().all(|listing| listing.whole == before[&listing.market.commodity].whole));
    // Who has lost the listing is told, be it that it has moved or that nothing is left.
    let is_gone = |listing: &&Listing| {
        after.get(&listing.market.commodity).is_none_or(|after| after.market != listing.market)
    };
    let gone: Vec<u16> = before.values().filter(is_gone).map(|listing| owner(listing.market)).collect();
    let told: Vec<u16> = said
        .iter()
        .map(|(to, message)| {
            assert!(matches!(message, MarketMessage::Delist(Delist { .. })), "{message:?}");
            *to
        })
        .collect();
    assert_eq!(told.iter().collect::<std::collections::BTreeSet<_>>(), gone.iter().collect());
}

#[test]
fn a_sale_in_one_market_shrinks_the_listings_in_the_others() {
    let (one, six) = (Bytes::gib(1), Bytes::gib(6));
    check_sale(
        Commodity::Compute,
        bundle(1, one, one),
        Some([
            Some(bundle(3, Bytes::gib(2), Bytes::gib(63))),
            Some(bundle(0, Bytes::gib(7), NONE)),
            Some(bundle(0, NONE, Bytes::gib(63))),
        ]),
    );
    check_sale(
        Commodity::Memory,
        bundle(0, Bytes(six.0 + one.0), NONE),
        Some([
            Some(bundle(4, one, Bytes::gib(64))),
            Some(bundle(0, one, NONE)),
            Some(bundle(0, NONE, Bytes::gib(64))),
        ]),
    );
}

#[test]
fn what_is_sold_out_is_taken_off() {
    check_sale(
        Commodity::Compute,
        bundle(4, Bytes::gib(2), Bytes::gib(64)),
        Some([None, Some(bundle(0, Bytes::gib(6), NONE)), None]),
    );
    check_sale(
        Commodity::Disk,
        bundle(0, NONE, Bytes::gib(64)),
        Some([Some(bundle(4, Bytes::gib(2), NONE)), Some(bundle(0, Bytes::gib(8), NONE)), None]),
    );
}

#[test]
fn nobody_gets_what_is_not_offered_in_its_market() {
    let little = Bytes::mib(1);
    check_sale(Commodity::Memory, bundle(1, little, NONE), None);
    check_sale(Commodity::Memory, bundle(0, little, little), None);
    check_sale(Commodity::Disk, bundle(4, NONE, little), None);
    check_sale(Commodity::Compute, bundle(0, little, little), None);
    check_sale(Commodity::Memory, bundle(0, NONE, NONE), None);
    check_sale(Commodity::Compute, bundle(1, Bytes(Bytes::gib(2).0 + 1), NONE), None);
    check_sale(Commodity::Compute, bundle(5, little, NONE), None);
    check_sale(Commodity::Memory, bundle(0, Bytes(Bytes::gib(8).0 + 1), NONE), None);
}

#[test]
fn other_terms_of_one_commodity_leave_the_reservations_of_the_others_valid() {
    for (commodity, is_kept) in [(Commodity::Memory, false), (Commodity::Compute, true)] {
        let (mut seller, before) = listed();
        let dearer = Tariff { memory: Some(Rate(8)), ..all().asks };
        let dearer = Supply { asks: dearer, ..all() };
        let outputs = give(&mut seller, Input::Supply { supply: Some(dearer) }, at(1));
        let (after, _) = settle(&mut seller, outputs, at(1));
        assert_eq!(after[&Commodity::Memory].ask, Rate(8));
        let listing = &before[&commodity];
        let slice = if is_kept { bundle(1, NONE, NONE) } else { bundle(0, Bytes(1), NONE) };
        let outputs =
            tell(&mut seller, owner(listing.market), reserve(commodity, listing.version, slice), at(1));
        assert_eq!(matches!(sent(&outputs)[0].1, MarketMessage::Reserved(_)), is_kept, "{commodity:?}");
    }
}

#[test]
fn what_is_no_longer_shared_is_taken_off_and_the_rest_stays() {
    let (mut seller, before) = listed();
    let less = Supply { asks: Tariff::of_compute(Rate(5)), ..all() };
    let outputs = give(&mut seller, Input::Supply { supply: Some(less) }, at(1));
    let (after, said) = settle(&mut seller, outputs, at(1));
    assert_eq!(after.keys().collect::<Vec<_>>(), [&Commodity::Compute]);
    let told: Vec<u16> = said.iter().map(|(to, _)| *to).collect();
    assert_eq!(told, [Commodity::Memory, Commodity::Disk].map(|commodity| owner(before[&commodity].market)));
    assert_eq!(seller.listed().count(), 1);
}

/// The bank's word on account `account`, signed by `by`, until `secs`: whether listings carry it then.
fn check_standing(account: u16, by: u16, secs: u64, is_carried: bool) {
    let (mut seller, _) = listed();
    let body = Standing { account: key(account), kept: 7, broken: 0, expires: at(secs) };
    let standing = Signed::new(body, &keys(by));
    let outputs = give(&mut seller, Input::Standing { standing: standing.clone() }, at(1));
    let (mut after, _) = settle(&mut seller, outputs, at(1));
    if after.is_empty() {
        // It is not news: the listings stay as they are.
        after = listed().1;
    }
    let expected = is_carried.then_some(standing);
    assert!(after.values().all(|listing| listing.standing == expected), "{account} {by} {secs}");
}

#[test]
fn listings_carry_what_the_bank_says_of_their_seller_while_it_lasts_as_long_as_they() {
    check_standing(1, BANK, 13, true);
    check_standing(1, BANK, 12, false);
    check_standing(1, 8, 13, false);
    check_standing(2, BANK, 13, false);
}

#[test]
fn an_older_word_of_the_bank_changes_nothing() {
    let (mut seller, _) = listed();
    let standing = |secs| {
        let body = Standing { account: key(1), kept: secs, broken: 0, expires: at(secs) };
        Signed::new(body, &keys(BANK))
    };
    assert_ne!(give(&mut seller, Input::Standing { standing: standing(40) }, at(1)), vec![]);
    assert_eq!(give(&mut seller, Input::Standing { standing: standing(40) }, at(1)), vec![]);
    assert_eq!(give(&mut seller, Input::Standing { standing: standing(39) }, at(1)), vec![]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// All three commodities are traded over a bad network: every purchase ends, and in the end all is free and listed.
    #[test]
    fn in_all_markets_every_purchase_ends_and_everything_comes_back(
        seed in any::<u8>(),
        lost in 0_u64..60,
        doubled in 0_u64..60,
    ) {
        let mut world = World::new(12, Faults { lost, doubled, is_noticed: true }, seed);
        for n in 0..4 {
            world.offer(n, Supply { asks: all().asks, ..supply(4, 500 + 100 * u64::from(n), 5) });
        }
        world.run_for(Span::secs(3));
        for token in 0..30_u64 {
            let requirement = match token % 3 {
                0 => need(1, 400),
                1 => Requirement { commodity: Commodity::Memory, memory: Bytes::gib(3), ..Default::default() },
                _ => Requirement { commodity: Commodity::Disk, disk: Bytes::gib(30), ..Default::default() },
            };
            world.buy(8 + u16::try_from(token % 4).unwrap(), token, requirement, 20);
            if token % 10 == 9 {
                world.run_for(Span::secs(6));
            }
        }
        world.run_for(Span::secs(200));
        prop_assert_eq!(world.ends.len(), 30);
        prop_assert!(world.sales() > 0);
        for n in 0..4 {
            let node = &world.nodes[&n];
            prop_assert_eq!(node.free_part(), supply(4, 1, 1).whole());
            for commodity in Commodity::ALL {
                prop_assert!(world.nodes.values().any(|owner| owner.lists(key(n), commodity)));
            }
        }
    }
}
