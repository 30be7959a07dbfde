//! What the buyers of a scenario submit.

use super::Scenario;
use crate::dice::{Dice, derive};
use crate::machine::{Program, output};
use proto::message::market::Requirement;
use proto::message::service::{
    Blob, CheckpointKey, CheckpointMethod, Checkpointing, Job, Limits, NamedBlob, Runtime,
};
use proto::{Bytes, CommandId, Cycles, Hash, Money, Rate};
use service::task::{Feed, Produced, Redundancy, Slot};
use service::{Patience, ProbePlan, SubTaskPlan, Submission};
use std::collections::BTreeSet;

/// Memory and disk of a sub-task.
const ROOM: Bytes = Bytes::mib(64);
/// The size of the program, which all sub-tasks share.
const PROGRAM_SIZE: Bytes = Bytes::kib(512);

/// What each sub-task leaves.
const OUTPUT: &str = "out";

/// The task that `host` submits, if it buys.
pub(crate) fn submission(scenario: &Scenario, host: usize, seed: u64) -> Option<Submission> {
    let wide = u64::try_from(host).unwrap_or(u64::MAX);
    let mut dice = Dice::new(seed, "work", wide);
    let count = scenario.share(host);
    let plans: Vec<SubTaskPlan> = (1..=count).map(|number| plan(scenario, host, number, &mut dice)).collect();
    let mut task = [0; 16];
    for (to, from) in task.iter_mut().zip(derive(seed, "task", wide)) {
        *to = from;
    }
    let patience = Patience::For(scenario.work.patience);
    let task = CommandId(task);
    (count > 0).then_some(Submission { task, plans, patience, budget: None, stop_when: None })
}

fn plan(scenario: &Scenario, host: usize, number: usize, dice: &mut Dice) -> SubTaskPlan {
    let work = scenario.work;
    let cycles = Cycles(dice.between(work.cycles.0.0, work.cycles.1.0));
    let fails = number.checked_rem(work.failing) == Some(0);
    let program = Program { work: cycles, exit: if fails { 3 } else { 0 } };
    let name = format!("part-{host}-{number}");
    let input = Blob { hash: Hash::of(name.as_bytes()), size: Bytes(dice.between(1, work.input.0)) };
    let redundancy = work.votes.map_or_else(Redundancy::default, |votes| Redundancy {
        replicas: votes.replicas,
        quorum: votes.quorum,
        max_replicas: votes.most,
        ..Redundancy::default()
    });
    let depends_on = earlier(work.waits, number, dice);
    let feed = |from: &u32| Feed {
        from: *from,
        what: Produced::Output(OUTPUT.into()),
        slot: Slot::Input(format!("in{from}")),
    };
    let feeds = depends_on.iter().map(feed).collect();
    let for_seller =
        redundancy.share(work.price).checked_sub(scenario.rules.owner_fee).unwrap_or(Money::ZERO);
    let limits = Limits {
        wall: work.wall,
        memory: ROOM,
        disk: ROOM,
        output: Bytes::mib(1),
        cycles: Cycles(u64::MAX),
        processes: 1,
        cores: 1,
    };
    let job = Job {
        program: Blob { hash: Hash::of(b"the program"), size: PROGRAM_SIZE },
        arguments: program.arguments(),
        environment: Vec::new(),
        inputs: vec![NamedBlob { name: "in".into(), blob: input }],
        outputs: vec![OUTPUT.into()],
        stdin: None,
        limits,
        resume: None,
        runtime: Runtime::WebAssembly,
        success: 0,
        progress: None,
        checkpoint: scenario.saving.map(|saving| Checkpointing {
            method: CheckpointMethod::Transparent,
            interval: saving.interval,
            size: ROOM,
            copies: saving.copies,
            key: CheckpointKey([0; 32]),
        }),
        repeats: Vec::new(),
    };
    let probes = (1..=work.probes).map(|number| probe(&job, host, number, work.cycles.0)).collect();
    SubTaskPlan {
        probes,
        requirement: Requirement {
            power: scenario.machines.per_core.0,
            cores: 1,
            memory: ROOM,
            disk: ROOM,
            ..Requirement::default()
        },
        bid: Rate::highest(for_seller, cycles).unwrap_or(Rate(0)),
        price: work.price,
        work: Some(cycles),
        retries: work.retries,
        redundancy,
        depends_on,
        feeds,
        ..SubTaskPlan::bare(name, job)
    }
}

/// A question of this buyer whose answer is known: the same for all its sub-tasks.
fn probe(job: &Job, host: usize, number: u32, work: Cycles) -> ProbePlan {
    let known = Blob { hash: Hash::of(format!("known-{host}-{number}").as_bytes()), size: Bytes::kib(64) };
    let arguments = Program { work, exit: 0 }.arguments();
    let inputs = vec![NamedBlob { name: "in".into(), blob: known }];
    let mut probe = ProbePlan { arguments, inputs, expected: Vec::new() };
    let blob = output(&probe.job(job), OUTPUT);
    probe.expected = vec![NamedBlob { name: OUTPUT.into(), blob }];
    probe
}

/// Up to `most` of the sub-tasks before the one with this number, by index, in order.
fn earlier(most: u32, number: usize, dice: &mut Dice) -> Vec<u32> {
    let before = u64::try_from(number.saturating_sub(1)).unwrap_or(0);
    if most == 0 || before == 0 {
        return Vec::new();
    }
    let drawn: BTreeSet<u64> =
        (0..dice.between(0, most.into())).map(|_| dice.between(0, before - 1)).collect();
    drawn.into_iter().filter_map(|index| u32::try_from(index).ok()).collect()
}
