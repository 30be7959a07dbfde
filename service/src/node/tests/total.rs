//! Whatever is said to a node, by whomever, it goes on, keeps its invariants and wants to be woken a bounded number of times.

#[path = "../../../../proto/tests/common/generate.rs"]
#[expect(dead_code, reason = "damaged encodings are for the tests of the wire")]
mod generate;

use super::*;
use generate::Generate;
use proptest::prelude::*;
use proto::Bytes;
use proto::message::service::{Blob, Outcome};

/// What happens to a node.
#[derive(Clone, Debug)]
enum Step {
    Hears { from: u16, message: Box<Message> },
    Fetched { contract: proto::CommandId, is_here: bool },
    Executed { contract: proto::CommandId, outcome: Outcome },
    Passes(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let from = prop_oneof![Just(BANK), 2..6_u16];
    let hears = (from, Message::strategy())
        .prop_map(|(from, message)| Step::Hears { from, message: Box::new(message) });
    let fetched = (proto::CommandId::strategy(), any::<bool>())
        .prop_map(|(contract, is_here)| Step::Fetched { contract, is_here });
    let executed = (proto::CommandId::strategy(), Outcome::strategy())
        .prop_map(|(contract, outcome)| Step::Executed { contract, outcome });
    let passes = (0..2_000_000_u64).prop_map(Step::Passes);
    proptest::collection::vec(prop_oneof![8 => hears, 1 => fetched, 1 => executed, 2 => passes], 1..40)
}

fn take(node: &mut Node, step: Step, now: &mut Time) {
    let input = match step {
        Step::Hears { from, message } => Input::Receive { from: peer(from), message: *message },
        Step::Fetched { contract, is_here } => {
            let result = if is_here { Ok(()) } else { Err("gone".into()) };
            Input::Fetched { contract, result }
        }
        Step::Executed { contract, outcome } => {
            let stdout = Some(Blob { hash: proto::Hash([1; 32]), size: Bytes(1) });
            let execution = crate::Execution { stdout, ..crate::Execution::nothing(outcome) };
            Input::Executed { contract, execution: Box::new(execution) }
        }
        Step::Passes(span) => {
            *now = now.after(Span(span));
            Input::Timeout
        }
    };
    node.handle(input, *now);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_is_said_a_node_goes_on(steps in steps()) {
        let mut node = node(1);
        let mut now = Time(0);
        node.handle(Input::Start { via: Vec::new() }, now);
        for step in steps {
            take(&mut node, step, &mut now);
            // One step wants a bounded number of things done.
            let wanted = std::iter::from_fn(|| node.poll_output()).take(1_000).count();
            prop_assert!(wanted < 1_000);
            prop_assert_eq!(node.check(), Ok(()));
        }
        // It never wants to be woken at one moment for ever.
        for _ in 0..64 {
            let Some(due) = node.poll_timeout() else { break };
            now = now.max(due).after(Span(1));
            node.handle(Input::Timeout, now);
            prop_assert!(node.poll_timeout().is_none_or(|next| next > now));
            while node.poll_output().is_some() {}
        }
    }
}
