//! Whatever arrives, in whatever order: no panic, and the invariants hold.

use crate::papers::{key, keys, listing, need, node, peer, rules, signed, supply, ticket_id, whole_circle};
use market::{Config, Input, Marketplace, placement};
use proptest::prelude::*;
use proto::Placement;
use proto::message::market::{
    Delist, FindSeller, HandOver, Handed, HandedOver, List, Listed, Listing, MarketMessage, Matched,
    NoSeller, RefusedRequest, Requirement, Reserve, Reserved, Ticket, Unavailable,
};
use proto::message::survey::{Fit, Inquiry, MarketState, Survey, Surveyed};
use proto::rules::PricingRule;
use proto::{
    Capacity, CommandId, Commodity, Market, Money, Range, Rate, Refusal, RefusalCode, RequestId, Rules,
    Signed, Span, Time,
};

/// A step: what happens, and how long after the one before.
type Step = (Input, u64);

fn markets() -> impl Strategy<Value = Market> {
    let commodity = prop_oneof![Just(Commodity::Compute), Just(Commodity::Memory)];
    (commodity, prop_oneof![0_u32..100, Just(39), Just(u32::MAX)])
        .prop_map(|(commodity, class)| Market { commodity, class })
}

/// Numbers that hit what the node has chosen: it counts up from its seed's number.
fn requests() -> impl Strategy<Value = RequestId> {
    let mut probe = node(0);
    probe.handle(Input::Supply { supply: Some(supply(1, 1, 1)) }, Time(0));
    let first = std::iter::from_fn(|| probe.poll_output()).find_map(|output| match output {
        market::Output::Lookup { token, .. } => Some(token),
        _ => None,
    });
    let first = first.unwrap();
    (0_u64..40).prop_map(move |ahead| RequestId(first + ahead))
}

fn listings() -> impl Strategy<Value = Signed<Listing>> {
    let extreme = prop_oneof![1_u64..4_000, Just(0), Just(u64::MAX)];
    (1_u16..5, 0_u64..4, prop_oneof![0_u32..9, Just(u32::MAX)], extreme, 0_u64..9, 0_u64..40, any::<bool>())
        .prop_map(|(n, version, cores, per_core, ask, secs, is_genuine)| {
            let expires = Time(0).after(Span::secs(secs));
            let body = Listing { expires, ..listing(n, version, cores, per_core, ask) };
            signed(if is_genuine { n } else { n + 1 }, body)
        })
}

fn needs() -> impl Strategy<Value = Requirement> {
    (prop_oneof![0_u32..4, Just(u32::MAX)], prop_oneof![0_u64..3_000, Just(u64::MAX)])
        .prop_map(|(cores, power)| need(cores, power))
}

fn tickets() -> impl Strategy<Value = Signed<Ticket>> {
    (listings(), prop::option::of(listings()), needs(), 0_u16..3, 0_u64..12).prop_map(
        |(winner, runner_up, requirement, id, clearing)| {
            let body = Ticket {
                id: ticket_id(id),
                buyer: key(0),
                owner: peer(2),
                requirement,
                rule: PricingRule::Vickrey,
                bid: Rate(10),
                clearing: Rate(clearing),
                fee: Money(10_000),
                asks_seen: 1,
                winner,
                runner_up,
                owner_rate: Rate(0),
                draw: ticket_id(id),
                expires: Time(9_000_000),
            };
            Signed::new(body, &crate::papers::keys(2))
        },
    )
}

fn batches() -> impl Strategy<Value = Vec<CommandId>> {
    prop::collection::vec((0_u16..4).prop_map(ticket_id), 0..4)
}

fn messages() -> impl Strategy<Value = MarketMessage> {
    use MarketMessage as M;
    let finds = (requests(), batches(), markets(), needs(), 0_u64..12).prop_map(
        |(request, tickets, from, requirement, bid)| {
            let bid = Rate(bid);
            M::FindSeller(Box::new(FindSeller {
                request,
                tickets,
                from,
                requirement,
                bid,
                avoid: vec![key(3)],
            }))
        },
    );
    let reserves =
        (requests(), batches(), 0_u64..6, 0_u32..6).prop_map(|(request, tickets, version, cores)| {
            M::Reserve(Reserve {
                commodity: Commodity::Compute,
                request,
                tickets,
                version,
                slice: crate::papers::cores(cores),
                buyer: key(4),
            })
        });
    let figures = || (requests(), prop::option::of(markets()), any::<[u32; 3]>(), any::<u64>());
    let nobody = |(request, next, [listings, too_dear, too_small], ask): (_, _, [u32; 3], _)| NoSeller {
        request,
        next,
        listings,
        too_dear,
        too_small,
        lowest_ask: Rate(ask),
    };
    let no_sellers = figures().prop_map(move |figures| M::NoSeller(nobody(figures)));
    let refusals = (requests(), 0..RefusalCode::ALL.len()).prop_map(|(request, code)| {
        M::Refused(RefusedRequest { request, refusal: Refusal::new(RefusalCode::ALL[code], "", "") })
    });
    let lists = (requests(), listings()).prop_map(|(request, listing)| List { request, listing });
    let matches = (requests(), prop::collection::vec(tickets(), 0..3), prop::option::of(figures())).prop_map(
        move |(request, tickets, missing)| Matched { request, tickets, missing: missing.map(nobody) },
    );
    let handed = (listings(), 0_u32..3)
        .prop_map(|(listing, sold)| Handed { listing, sold: crate::papers::cores(sold) });
    let pages = (requests(), prop::collection::vec(handed, 0..4), any::<bool>());
    prop_oneof![
        4 => lists.prop_map(|list| M::List(Box::new(list))),
        1 => (requests(), any::<u64>()).prop_map(|(request, version)| M::Listed(Listed { request, version })),
        1 => prop_oneof![0_u64..5, Just(u64::MAX)].prop_map(|version| M::Delist(Delist { commodity: Commodity::Compute, version })),
        4 => finds,
        2 => matches.prop_map(|matched| M::Matched(Box::new(matched))),
        2 => no_sellers,
        2 => refusals,
        2 => reserves,
        3 => (requests(), batches()).prop_map(|(request, kept)| M::Reserved(Reserved { request, kept })),
        1 => requests().prop_map(|request| M::Unavailable(Unavailable { request })),
        3 => pages.prop_map(|(request, listings, is_last)| M::HandOver(Box::new(HandOver { request, listings, is_last }))),
        3 => requests().prop_map(|request| M::HandedOver(HandedOver { request })),
        2 => surveys().prop_map(|survey| M::Survey(Box::new(survey))),
        2 => surveyed().prop_map(|surveyed| M::Surveyed(Box::new(surveyed))),
    ]
}

fn surveys() -> impl Strategy<Value = Survey> {
    let inquiry = (needs(), 0_u64..12, 0_u32..4).prop_map(|(requirement, bid, slices)| Inquiry {
        requirement,
        bid: Rate(bid),
        slices,
    });
    let inquiries = prop::collection::vec(inquiry, 0..3);
    (requests(), markets(), markets(), 0_u64..9, inquiries, 0_u32..3).prop_map(
        |(request, from, to, ask, inquiries, show)| {
            let ask = Rate(ask);
            Survey { request, from, to, ask, inquiries, show }
        },
    )
}

fn surveyed() -> impl Strategy<Value = Surveyed> {
    let state = (markets(), any::<[u32; 2]>(), any::<[u64; 2]>()).prop_map(|(market, few, many)| {
        let ([sellers, cheaper], [amount, matches]) = (few, many);
        let fit = Fit { sellers, slices: amount, compared: cheaper, ..Fit::default() };
        MarketState { market, sellers, amount, asks: None, cheaper, matches, last: None, fits: vec![fit; 3] }
    });
    let markets = prop::collection::vec(state, 0..4);
    let listings = prop::collection::vec(listings(), 0..3);
    (requests(), markets, any::<bool>(), listings).prop_map(|(request, markets, is_settling, listings)| {
        Surveyed { request, markets, is_settling, listings }
    })
}

fn inputs() -> impl Strategy<Value = Input> {
    let key = |class| placement::key(Placement::Single, Market::of_capacity(Capacity(class)));
    let ticket = || (0_u16..3).prop_map(ticket_id);
    let buys =
        (any::<u64>(), batches(), needs(), 0_u64..12).prop_map(|(token, tickets, requirement, bid)| {
            Input::Buy { token, tickets, requirement, bid: Rate(bid), avoid: vec![] }
        });
    prop_oneof![
        12 => (0_u16..5, messages()).prop_map(|(n, message)| Input::Receive { from: peer(n), message }),
        2 => (0_u16..5).prop_map(|n| Input::Unreachable { peer: peer(n) }),
        4 => (requests(), 0_u16..5).prop_map(|(token, n)| Input::Found { token: token.0, owner: peer(n) }),
        1 => requests().prop_map(|token| Input::NotFound { token: token.0 }),
        2 => (0_u64..4_000, 0_u64..4_000, prop::option::of(0_u16..5), prop::option::weighted(0.2, 0_u16..5))
            .prop_map(move |(a, b, heir, donor)| Input::RangeChanged {
                range: Range { after: key(a), until: key(b) },
                heir: heir.map(peer),
                donor: donor.map(peer),
            }),
        1 => prop::collection::vec((0_u16..5).prop_map(peer), 0..4).prop_map(|peers| Input::Successors { peers }),
        1 => Just(Input::Leave),
        2 => (0_u32..6, 0_u64..4_000, 0_u64..9)
            .prop_map(|(cores, per_core, ask)| Input::Supply { supply: Some(supply(cores, per_core, ask)) }),
        1 => Just(Input::Supply { supply: None }),
        1 => ticket().prop_map(|ticket| Input::Take { ticket }),
        1 => ticket().prop_map(|ticket| Input::Free { ticket }),
        3 => buys,
        2 => (any::<u64>(), surveys())
            .prop_map(|(token, survey)| Input::Survey { token, survey: Box::new(survey) }),
        2 => Just(Input::Timeout),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((inputs(), prop_oneof![4 => 0_u64..1_000, 1 => 0_u64..20_000]), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn handle_is_total_and_keeps_the_invariants(steps in steps()) {
        let config = Config { rules: Rules { replicas: 1, ..rules() }, bank: None };
        let mut node = Marketplace::new(config, peer(0), keys(0), [3; 32], Time(0));
        node.handle(Input::RangeChanged { range: whole_circle(), heir: None, donor: None }, Time(0));
        let mut now = Time(0);
        let mut departures = 0;
        for (input, millis) in steps {
            now = now.after(Span::millis(millis));
            node.handle(input, now);
            prop_assert_eq!(node.check(), Ok(()));
            while let Some(output) = node.poll_output() {
                let is_to_itself = matches!(output, market::Output::Send { to, .. } if to == peer(0));
                prop_assert!(!is_to_itself);
                departures += u32::from(output == market::Output::HandedOver);
                prop_assert!(departures <= 1);
            }
            prop_assert!(node.poll_timeout().is_none_or(|due| due > now));
        }
    }
}
