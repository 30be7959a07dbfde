//! The scenarios where the markets form a ring of their own: the processor overlay scheme.

use proto::message::Message;
use proto::message::overlay::{OverlayMessage, Sought};
use proto::{Commodity, Market, Placement, Rules, Span};
use service::Output;
use sim::{Mutant, Report, Scenario, Site, run, run_with};

/// The scenario in a network of the processor overlay scheme.
fn overlaid(name: &str) -> Scenario {
    let scenario = Scenario::named(name).unwrap();
    Scenario { rules: Rules { placement: Placement::Processor, ..scenario.rules }, ..scenario }
}

fn check(name: &str, seed: u64) -> Report {
    run(&overlaid(name), seed).unwrap_or_else(|violation| panic!("{name} {seed}: {violation}"))
}

#[test]
fn every_scenario_keeps_its_promises_under_the_processor_overlay_scheme() {
    for name in ["calm", "storm", "partition", "split", "leave", "restart", "first"] {
        let report = check(name, 1);
        assert!(report.verdicts.contains_key("succeeded"), "{report}");
    }
}

#[test]
fn no_buyer_is_told_that_nobody_sells_while_owners_come_and_go() {
    for seed in 1..=6 {
        let report = check("succession", seed);
        assert_eq!(report.tally.no_seller, 0, "{report}");
    }
}

/// A member that takes the smallest market for the next one when the way has gone around zero.
struct WrapIgnored;

impl Mutant for WrapIgnored {
    fn node(&mut self, _: &Site<'_>, output: Output) -> Vec<Output> {
        let smallest = Some(Market { commodity: Commodity::Compute, class: 0 });
        vec![match output {
            Output::Send {
                to,
                message: Message::Overlay(OverlayMessage::Sought(Sought { request, market: None })),
            } => {
                let sought = Sought { request, market: smallest };
                Output::Send { to, message: Message::Overlay(OverlayMessage::Sought(sought)) }
            }
            other => other,
        }]
    }
}

#[test]
fn a_member_that_does_not_see_that_the_way_went_around_is_noticed() {
    let violation = run_with(&overlaid("split"), 1, &mut WrapIgnored).unwrap_err();
    assert_eq!(violation.invariant, "overlay", "{violation}");
    assert!(violation.what.contains("was asked for"), "{violation}");
}

#[test]
fn a_virtual_node_that_never_leaves_is_noticed() {
    // A market without listings leaves after a renewal: never, if that never comes.
    let calm = overlaid("calm");
    let scenario = Scenario { rules: Rules { renewal: Span::secs(100_000), ..calm.rules }, ..calm };
    let violation = run(&scenario, 1).unwrap_err();
    assert_eq!(violation.invariant, "rest", "{violation}");
    assert!(violation.what.contains("nobody is listed there"), "{violation}");
}
