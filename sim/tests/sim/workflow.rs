//! Sub-tasks that wait for each other (paper §V: future work; issue 6, item 7).

use proto::Signed;
use proto::message::Message;
use proto::message::service::ServiceMessage;
use service::Output;
use sim::{Mutant, Report, Scenario, Site, run, run_with};

fn report(name: &str, seed: u64) -> Report {
    let scenario = Scenario::named(name).unwrap();
    run(&scenario, seed).unwrap_or_else(|violation| panic!("{violation}"))
}

#[test]
fn each_sub_task_runs_after_those_that_it_waits_for() {
    let report = report("chain", 1);
    assert_eq!(report.verdicts.get("succeeded"), Some(&40));
}

#[test]
fn the_same_holds_with_loss_and_crashes_and_what_waits_for_a_failure_never_begins() {
    for seed in 1..=3 {
        let report = report("workflow", seed);
        let count = |verdict: &str| report.verdicts.get(verdict).copied().unwrap_or(0);
        assert_eq!(count("succeeded") + count("failed") + count("never began"), 120, "{report}");
        assert!(count("failed") > 0 && count("never began") > 0, "{report}");
    }
}

/// A buyer that does not wait: its offers lack what other sub-tasks make.
struct Impatient;

impl Mutant for Impatient {
    fn node(&mut self, site: &Site<'_>, mut output: Output) -> Vec<Output> {
        if let Output::Send { message: Message::Service(ServiceMessage::Offer(offer)), .. } = &mut output {
            let mut body = offer.body.clone();
            body.job.inputs.truncate(1);
            **offer = Signed::new(body, site.keys);
        }
        vec![output]
    }
}

#[test]
fn a_sub_task_that_begins_without_its_inputs_is_noticed() {
    let scenario = Scenario::named("chain").unwrap();
    let violation = run_with(&scenario, 1, &mut Impatient).expect_err("noticed");
    assert_eq!(violation.invariant, "inputs_there", "{violation}");
}
