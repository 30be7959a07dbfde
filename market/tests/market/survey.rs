//! Surveys: what an owner tells, and what an asker puts together.

use crate::papers::{at, key, keys, list, listing, need, node, peer, rules, sent, signed, supply, tell};
use crate::world::{Faults, World};
use market::survey::{MAX_INQUIRIES, SURVEYS_OF_ONE};
use market::{Config, Input, Marketplace, Output, Overview, describe, requirement};
use proto::message::market::{HandOver, Listing, MarketMessage, RefusedRequest, Requirement};
use proto::message::survey::{Asks, Fit, Inquiry, Lack, MarketState, Nearest, Offered, Survey, Surveyed};
use proto::{
    Bundle, Bytes, Capacity, Commodity, Layers, Market, Placement, Range, Rate, RefusalCode, Release,
    RequestId, Span, Time,
};

const ASKER: u16 = 30;

fn compute(class: u32) -> Market {
    Market { commodity: Commodity::Compute, class }
}

fn survey(inquiries: Vec<Inquiry>) -> Survey {
    Survey { request: RequestId(3), from: compute(0), to: compute(95), ask: Rate(0), inquiries, show: 0 }
}

fn inquiry(requirement: Requirement, bid: u64) -> Inquiry {
    Inquiry { requirement, bid: Rate(bid), slices: 1 }
}

fn ask(owner: &mut Marketplace, from: u16, survey: Survey) -> Result<Surveyed, RefusalCode> {
    match &sent(&tell(owner, from, MarketMessage::Survey(Box::new(survey)), at(1)))[..] {
        [(to, MarketMessage::Surveyed(surveyed))] if *to == from => Ok((**surveyed).clone()),
        [(to, MarketMessage::Refused(RefusedRequest { request: RequestId(3), refusal }))] if *to == from => {
            Err(refusal.code)
        }
        other => panic!("{other:?}"),
    }
}

/// An owner of everything with these listings, by seller.
fn owner_with(listings: &[(u16, Listing)]) -> Marketplace {
    let mut owner = node(0);
    for (n, listing) in listings {
        tell(&mut owner, *n, list(*n, 1, listing.clone()), at(1));
    }
    owner
}

/// Sellers 1 to 3: two cores of 1,000 Mc/s at 5, 7 and 9; 8 GiB of memory and 64 of disk.
fn three() -> Marketplace {
    let listings: Vec<(u16, Listing)> =
        [(1, 5), (2, 7), (3, 9)].map(|(n, ask)| (n, listing(n, 1, 2, 1_000, ask))).to_vec();
    owner_with(&listings)
}

#[test]
fn an_owner_tells_how_each_of_its_markets_stands() {
    let mut owner = three();
    let told = ask(&mut owner, ASKER, Survey { ask: Rate(7), show: 2, ..survey(vec![]) }).unwrap();
    let classes: Vec<u32> = told.markets.iter().map(|state| state.market.class).collect();
    assert_eq!(classes, (0..96).collect::<Vec<_>>(), "empty ones too");
    let market = Market::of_capacity(Capacity(2_000));
    let asks = Some(Asks { lowest: Rate(5), median: Rate(7), highest: Rate(9) });
    let expected = MarketState {
        market,
        sellers: 3,
        amount: 6_000,
        asks,
        cheaper: 1,
        matches: 0,
        last: None,
        fits: vec![],
    };
    assert_eq!(told.markets[market.class as usize], expected);
    assert_eq!(told.markets.iter().map(|state| state.sellers).sum::<u32>(), 3);
    assert_eq!(told.listings, [(1, 5), (2, 7)].map(|(n, ask)| signed(n, listing(n, 1, 2, 1_000, ask))));
    let part = Survey { from: compute(3), to: compute(5), ..survey(vec![]) };
    assert_eq!(ask(&mut owner, ASKER, part).unwrap().markets.len(), 3);
}

#[test]
fn matches_are_counted_with_the_last_price() {
    let mut world = World::new(4, Faults::default(), 1);
    for (n, ask) in [(1, 5), (2, 7)] {
        world.sell(n, 2, 1_000, ask);
    }
    world.run_for(Span::secs(5));
    world.buy(3, 1, need(1, 500), 20);
    world.run_for(Span::secs(2));
    assert_eq!(world.price(1), Some(7));
    let seen = world.survey(3, survey(vec![]));
    let known = &seen.markets[&Market::of_capacity(Capacity(2_000))].state;
    assert_eq!((known.matches, known.last.map(|last| last.clearing)), (1, Some(Rate(7))));
    assert!(known.last.unwrap().at > at(5));
}

/// What the market of the three says to an inquiry, compared with what is expected.
fn check_fit(requirement: Requirement, bid: u64, slices: u32, expected: Fit) {
    let inquiry = Inquiry { slices, ..inquiry(requirement, bid) };
    let told = ask(&mut three(), ASKER, survey(vec![inquiry.clone()])).unwrap();
    let state = told.markets.into_iter().find(|state| state.sellers > 0).unwrap();
    assert_eq!(state.fits, [expected], "{inquiry:?}");
}

#[test]
fn who_fits_is_told_with_the_cheapest_offers() {
    let offers = |asks: &[u64], slices| asks.iter().map(|ask| Offered { ask: Rate(*ask), slices }).collect();
    let fits = Fit { sellers: 3, slices: 6, highest: Rate(9), could: 3, compared: 3, ..Fit::default() };
    check_fit(need(1, 500), 20, 2, Fit { offers: offers(&[5, 7, 9], 2), ..fits.clone() });
    // Two of the first are enough to choose from, and to set a price.
    check_fit(need(1, 500), 20, 1, Fit { offers: offers(&[5, 7], 2), ..fits });
    let fits =
        Fit { sellers: 2, slices: 2, highest: Rate(7), too_dear: 1, lowest_ask: Rate(9), ..Fit::default() };
    let offers = offers(&[5, 7], 1);
    check_fit(need(2, 2_000), 8, 1, Fit { offers, could: 3, compared: 3, ..fits });
}

#[test]
fn the_closest_listing_is_named_where_none_fits() {
    let nearest = |n, lacks| Some(Nearest { seller: peer(n), lacks });
    let none = Fit { compared: 3, ..Fit::default() };
    let dear = Fit { too_dear: 3, lowest_ask: Rate(5), could: 3, ..none.clone() };
    check_fit(need(1, 500), 4, 1, Fit { closest: nearest(1, vec![Lack::Price(Rate(5))]), ..dear });
    let more_memory = Requirement { memory: Bytes::gib(16), ..need(1, 500) };
    let lacks = vec![Lack::Memory(Bytes::gib(8))];
    let both = Fit { closest: nearest(1, lacks.clone()), closest_ever: nearest(1, lacks), ..none };
    check_fit(more_memory, 20, 1, both);
}

/// What one listing, changed, lacks now and ever.
fn check_lacks(
    change: impl Fn(&mut Listing),
    requirement: Requirement,
    now: &[Lack],
    ever: &[Lack],
    said: &str,
) {
    let mut body = listing(1, 1, 2, 1_000, 5);
    change(&mut body);
    body.market = requirement::market_of(&body);
    let inquiry = inquiry(requirement, 20);
    let told = ask(&mut owner_with(&[(1, body)]), ASKER, survey(vec![inquiry.clone()])).unwrap();
    let state = told.markets.into_iter().find(|state| state.sellers > 0).unwrap();
    let of = |nearest: &Option<Nearest>| nearest.as_ref().map_or(vec![], |nearest| nearest.lacks.clone());
    let fit = &state.fits[0];
    assert_eq!((of(&fit.closest), of(&fit.closest_ever)), (now.to_vec(), ever.to_vec()));
    let words = fit.closest.as_ref().map(|nearest| describe(nearest, &inquiry));
    assert_eq!(words.as_deref(), Some(said));
}

#[test]
fn everything_that_a_listing_may_lack_is_told_with_its_figure() {
    let memory = Requirement { memory: Bytes::gib(9), ..need(1, 500) };
    let lacks = [Lack::Memory(Bytes::gib(8))];
    check_lacks(|_| {}, memory, &lacks, &lacks, "10.1.0.1:7740 has 8.0 GiB of memory, 9.0 GiB are asked for");
    let sold = |body: &mut Listing| body.whole = Bundle { cores: 4, ..body.whole };
    let said = "10.1.0.1:7740 has 2 cores, 4 are asked for";
    check_lacks(sold, need(4, 4_000), &[Lack::Cores(2)], &[], said);
    let lacks = [Lack::Power(Capacity(1_000))];
    let said = "10.1.0.1:7740 has 1000 Mc/s on one core, 1500 Mc/s are asked for";
    check_lacks(|_| {}, need(1, 1_500), &lacks, &lacks, said);
    let disk = Requirement { disk: Bytes::gib(65), ..need(1, 500) };
    let lacks = [Lack::Disk(Bytes::gib(64))];
    check_lacks(|_| {}, disk, &lacks, &lacks, "10.1.0.1:7740 has 64.0 GiB of disk, 65.0 GiB are asked for");
    let os = Requirement { os: "plan9".into(), arch: "mips".into(), ..need(1, 500) };
    let lacks = [Lack::Os("linux".into()), Lack::Arch("x86_64".into())];
    let said = "10.1.0.1:7740 runs linux, plan9 is asked for; is of x86_64, mips is asked for";
    check_lacks(|_| {}, os, &lacks, &lacks, said);
    let native = Requirement { native: true, ..need(1, 500) };
    let wasm = |body: &mut Listing| body.platform.native = false;
    check_lacks(wasm, native, &[Lack::Native], &[Lack::Native], "10.1.0.1:7740 runs no native programs");
    let newer =
        Requirement { release: Release::of("6.9"), layers: Layers::of_bits(6).unwrap(), ..need(1, 500) };
    let old = |body: &mut Listing| {
        body.platform.release = Release::of("6.8.0");
        body.platform.layers = Layers::of_bits(5).unwrap();
    };
    let lacks = [Lack::Release(Release::of("6.8")), Lack::Layers(Layers::named("namespaces").unwrap())];
    let said =
        "10.1.0.1:7740 runs version 6.8 of it, 6.9 is asked for; has no namespaces around native programs";
    check_lacks(old, newer, &lacks, &lacks, said);
    let newer = Requirement { release: Release::of("6.9"), ..need(1, 500) };
    let lacks = [Lack::Release(Release::default())];
    let said = "10.1.0.1:7740 does not tell the version of its system, 6.9 is asked for";
    check_lacks(|_| {}, newer, &lacks, &lacks, said);
    let long = Requirement { run_time: Span::secs(90), power: Capacity(1_500), ..need(1, 500) };
    let lacks = [Lack::Power(Capacity(1_000)), Lack::RunTime(Span::secs(60))];
    let said = "10.1.0.1:7740 has 1000 Mc/s on one core, 1500 Mc/s are asked for; \
        runs a sub-task for 60.00 s at most, 90.00 s are asked for";
    check_lacks(|_| {}, long, &lacks, &lacks, said);
    let known = Requirement { reputation: proto::Reputation(900), memory: Bytes::gib(9), ..need(1, 500) };
    let lacks = [Lack::Memory(Bytes::gib(8)), Lack::Reputation(proto::Reputation(500))];
    let said = "10.1.0.1:7740 has 8.0 GiB of memory, 9.0 GiB are asked for; \
        has a reputation of 0.500, 0.900 is asked for";
    check_lacks(|_| {}, known, &lacks, &lacks, said);
}

/// Whether an owner of a part of the circle, whose part becomes another, says that sellers may not have come yet.
fn check_settling(before: Range, after: Range, donor: Option<u16>, millis: u64, expected: bool) {
    let mut owner = Marketplace::new(Config { rules: rules(), bank: None }, peer(0), keys(0), [3; 32], at(0));
    tell_arc(&mut owner, before, None, at(0));
    tell_arc(&mut owner, after, donor, at(100));
    if let Some(donor) = donor {
        let page = HandOver { request: RequestId(5), listings: vec![], is_last: true };
        tell(&mut owner, donor, MarketMessage::HandOver(Box::new(page)), at(100));
    }
    let now = at(100).after(Span::millis(millis));
    let asked = MarketMessage::Survey(Box::new(Survey { from: compute(5), ..survey(vec![]) }));
    let sent = sent(&tell(&mut owner, ASKER, asked, now));
    let [(ASKER, MarketMessage::Surveyed(told))] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(told.is_settling, expected, "{before:?} {after:?} {donor:?} {millis}");
}

fn tell_arc(owner: &mut Marketplace, range: Range, donor: Option<u16>, now: Time) {
    let donor = donor.map(peer);
    crate::papers::give(owner, Input::RangeChanged { range, heir: None, donor }, now);
}

#[test]
fn an_owner_that_took_over_after_a_crash_says_that_sellers_may_not_have_come_yet() {
    let arc = |after: u32, until: u32| {
        let key = |class| market::placement::key(Placement::Single, compute(class));
        Range { after: key(after), until: key(until) }
    };
    let renewal = rules().renewal.0 / 1_000;
    check_settling(arc(3, 9), arc(1, 9), None, renewal - 1, true);
    check_settling(arc(3, 9), arc(1, 9), None, renewal, false);
    check_settling(arc(3, 9), arc(1, 9), Some(7), 0, false);
    check_settling(arc(1, 9), arc(3, 9), None, 0, false);
    check_settling(arc(3, 9), arc(9, 9), None, 0, true);
    check_settling(arc(3, 9), arc(3, 9), None, 0, false);
}

#[test]
fn nobody_sells_to_itself() {
    let told = ask(&mut three(), 1, survey(vec![inquiry(need(1, 500), 20)])).unwrap();
    let state = told.markets.into_iter().find(|state| state.sellers > 0).unwrap();
    assert_eq!((state.sellers, state.fits[0].sellers, state.fits[0].could), (3, 2, 2));
    assert_ne!(peer(1).key, key(2));
}

#[test]
fn surveys_that_are_wrong_or_too_many_are_refused() {
    let mut owner = three();
    let long = Requirement { os: "x".repeat(65), ..Requirement::default() };
    let disk = Market { commodity: Commodity::Disk, class: 9 };
    let many = vec![inquiry(need(1, 1), 1); MAX_INQUIRIES + 1];
    let wrong = [
        Survey { from: compute(4), to: compute(3), ..survey(vec![]) },
        Survey { to: disk, ..survey(vec![]) },
        Survey { to: compute(96), ..survey(vec![]) },
        survey(many),
        survey(vec![inquiry(long, 1)]),
    ];
    for survey in wrong {
        assert_eq!(ask(&mut owner, ASKER, survey), Err(RefusalCode::Malformed));
    }
    for _ in 0..SURVEYS_OF_ONE {
        assert_eq!(ask(&mut owner, ASKER, survey(vec![])).map(|told| told.markets.len()), Ok(96));
    }
    assert_eq!(ask(&mut owner, ASKER, survey(vec![])), Err(RefusalCode::Busy));
    assert_eq!(ask(&mut owner, 31, survey(vec![])).map(|told| told.markets.len()), Ok(96));
    let mut other = Marketplace::new(
        market::Config { rules: rules(), bank: None },
        peer(0),
        crate::papers::keys(0),
        [3; 32],
        at(0),
    );
    assert_eq!(ask(&mut other, ASKER, survey(vec![])), Err(RefusalCode::NotResponsible));
}

/// A world of twelve nodes, six of which sell.
fn world(faults: Faults) -> World {
    let mut world = World::new(12, faults, 5);
    for n in 1..=6 {
        world.sell(n, 2, 700 * u64::from(n), 10 * u64::from(n));
    }
    world.run_for(Span::secs(8));
    world
}

fn asks_of(overview: &Overview) -> Vec<u64> {
    let asks = overview.markets.values().filter_map(|known| known.state.asks);
    asks.map(|asks| asks.lowest.0).collect()
}

#[test]
fn a_walk_over_all_owners_sees_every_listing_once() {
    for faults in [Faults::default(), Faults { lost: 100, doubled: 100, is_noticed: true }] {
        let mut world = world(faults);
        let overview = world.survey(9, survey(vec![inquiry(need(1, 1_000), 45)]));
        assert!(overview.is_complete(), "{:?}", overview.unreached);
        assert_eq!((overview.sellers(), asks_of(&overview)), (6, vec![10, 20, 30, 40, 50, 60]));
        let fit = overview.fit(0, &inquiry(need(1, 1_000), 45));
        assert_eq!((fit.sellers, fit.slices, fit.too_dear, fit.lowest_ask), (3, 6, 2, Rate(50)));
        assert_eq!((fit.could, fit.compared, fit.closest), (5, 6, None));
    }
}

#[test]
fn a_dead_owner_is_told_as_markets_that_were_not_reached() {
    let mut world = world(Faults { is_noticed: true, ..Faults::default() });
    let dead = world.owner_of(market::placement::key(Placement::Single, compute(50)));
    world.crash_in(dead, Span(0));
    world.run_for(Span::millis(1));
    world.is_frozen = true;
    let overview = world.survey(if dead == 9 { 8 } else { 9 }, survey(vec![]));
    assert!(overview.unreached.contains(&compute(50)), "{:?}", overview.unreached);
    assert_eq!(overview.markets.len() + overview.unreached.len(), 96);
    assert!(overview.hopeless(0, &inquiry(need(1, 1), 1)).is_none());
}

#[test]
fn what_nobody_could_ever_run_is_told_from_what_is_only_sold() {
    let mut world = world(Faults::default());
    let large = inquiry(need(1, 5_000), 1_000);
    let wide = inquiry(need(2, 8_400), 1_000);
    let asked = vec![large.clone(), wide.clone()];
    let overview = world.survey(9, survey(asked.clone()));
    let closest = overview.hopeless(0, &large).expect("nobody has a core of that power");
    assert_eq!((closest.seller, closest.lacks), (peer(6), vec![Lack::Power(Capacity(4_200))]));
    assert_eq!(overview.hopeless(1, &wide), None);
    world.buy(8, 1, need(1, 4_000), 1_000);
    world.run_for(Span::secs(2));
    assert!(world.price(1).is_some());
    let overview = world.survey(9, survey(asked));
    let fit = overview.fit(1, &wide);
    assert_eq!((fit.sellers, fit.could), (0, 1));
    // Half of the cores is missing there, less than a fifth of the power at the next.
    assert_eq!(fit.closest, Some(Nearest { seller: peer(5), lacks: vec![Lack::Power(Capacity(7_000))] }));
    assert_eq!(overview.hopeless(1, &wide), None);
}

#[test]
fn a_survey_that_nobody_could_answer_ends_at_once() {
    let mut asker = node(0);
    let wrong = Survey { from: compute(4), to: compute(3), ..survey(vec![]) };
    asker.handle(Input::Survey { token: 8, survey: Box::new(wrong) }, at(1));
    let Some(Output::Surveyed { token: 8, overview }) = asker.poll_output() else { panic!() };
    assert!(!overview.is_complete() && overview.markets.is_empty());
    // An owner of everything asks itself, and nobody else.
    asker.handle(Input::Supply { supply: Some(supply(1, 1_000, 3)) }, at(1));
    asker.handle(Input::Survey { token: 9, survey: Box::new(survey(vec![])) }, at(1));
    let lookups =
        std::iter::from_fn(|| asker.poll_output()).filter(|out| matches!(out, Output::Lookup { .. }));
    assert_eq!(lookups.count(), 1 + 4, "of the seller, and of each stretch");
}
