//! What has to be true at the end: every promise to the users, computed without the nodes' help.

use crate::fault::Lie;
use crate::invariant::{Breach, Checked, contract};
use crate::machine;
use crate::place::Place;
use crate::scenario::Expectation;
use crate::world::World;
use proto::message::service::{NamedBlob, Outcome};
use proto::{PublicKey, RefusalCode};
use service::event::Verdict;
use service::task::{Produced, Slot};
use service::{End, SubTaskPlan};
use std::collections::BTreeMap;

/// Checks all promises.
pub(crate) fn check(world: &mut World<'_>) -> Checked {
    world.tally.notes = world.hosts.iter().map(|host| host.written).collect();
    all_ended(world)?;
    expectation_is_met(world)?;
    all_were_placed(world)?;
    outputs_are_right(world)?;
    balances_follow_from_the_sales(world)?;
    journal_stands_an_audit(world)
}

/// Every sub-task has a result or a named reason.
fn all_ended(world: &World<'_>) -> Checked {
    let count = world.submissions.values().map(|submission| submission.plans.len()).sum::<usize>();
    let ended = world.ends.len();
    Breach::unless(count == ended && count == world.scenario.sub_tasks, "ends", || {
        format!("{ended} of {count} sub-tasks have ended, {} were ordered", world.scenario.sub_tasks)
    })
}

fn expectation_is_met(world: &World<'_>) -> Checked {
    let succeeded = |end: &End| end.verdict == Verdict::Succeeded;
    match world.scenario.expectation {
        Expectation::Named => Ok(()),
        Expectation::AllSucceed | Expectation::AllPlaced => {
            sub_tasks(world).try_for_each(|(name, plan, end)| {
                let exit = machine::Program::of(&plan.job).exit;
                let is_right = match &end.verdict {
                    Verdict::Succeeded => exit == 0,
                    Verdict::Failed(outcome) => exit != 0 && *outcome == Outcome::Exited(exit),
                    _ => false,
                };
                Breach::unless(is_right, "promise", || {
                    format!("{name}: {} (exit status {exit})", end.verdict)
                })
            })
        }
        Expectation::Refused { code, succeed } => {
            let is_refused =
                |end: &End| matches!(&end.verdict, Verdict::NotPaid(refusal) if refusal.code == code);
            let count = world.ends.values().filter(|end| succeeded(end)).count();
            let other = world.ends.values().find(|end| !succeeded(end) && !is_refused(end));
            Breach::unless(count == succeed && other.is_none(), "promise", || {
                let code: RefusalCode = code;
                format!("{count} succeeded instead of {succeed}; another end than {}: {other:?}", code.name())
            })
        }
    }
}

/// Nobody was told that nobody sells, where that is promised.
fn all_were_placed(world: &World<'_>) -> Checked {
    let (told, promise) = (world.tally.no_seller, world.scenario.expectation);
    Breach::unless(told == 0 || promise != Expectation::AllPlaced, "placed", || {
        format!("buyers were told {told} times that nobody sells")
    })
}

/// Outputs are the program's, but from sellers that are told to deliver wrong ones: those are counted.
fn outputs_are_right(world: &mut World<'_>) -> Checked {
    let mut wrong = 0;
    for ((host, index), end) in world.ends.iter().filter(|(_, end)| end.verdict == Verdict::Succeeded) {
        let Some(plan) = fed(world, *host, *index) else { continue };
        let name = &plan.name;
        let expected: Vec<NamedBlob> = plan.job.outputs.iter().map(|name| named(&plan, name)).collect();
        let lies = end.sale.as_ref().is_some_and(|sale| lies(world, sale.seller.key));
        let is_right = end.outputs == expected;
        wrong += u32::from(!is_right);
        Breach::unless(is_right || lies, "outputs", || {
            format!("{name}: the outputs are {:?} instead of {expected:?}", end.outputs)
        })?;
    }
    world.tally.wrong_outputs = wrong;
    Ok(())
}

/// What every account has is its grant, and what its node's users and buyers were told that it earned and spent.
fn balances_follow_from_the_sales(world: &World<'_>) -> Checked {
    let Some(bank) = &world.teller.bank else { return Ok(()) };
    let mut expected: BTreeMap<PublicKey, i128> = BTreeMap::new();
    for ((host, index), end) in &world.ends {
        let Some(buyer) = world.hosts.get(*host).map(|host| host.peer.key) else { continue };
        let Some(task) = world.submissions.get(host).map(|submission| submission.task) else { continue };
        let handed = world.watch.sub_tasks.handed(buyer, task, *index);
        for deal in contract::deals(buyer, end, handed) {
            let (paid, fee) = (i128::from(deal.paid.0), i128::from(deal.fee.0));
            *expected.entry(deal.seller).or_default() += paid;
            *expected.entry(deal.owner).or_default() += fee;
            *expected.entry(deal.buyer).or_default() -= paid + fee;
        }
    }
    let mut total = 0_i128;
    for balance in bank.accounts() {
        let has = i128::from(balance.available.0) + i128::from(balance.held.0);
        let is_bank = balance.account == world.teller.peer.key;
        let grant = if is_bank { 0 } else { i128::from(world.scenario.rules.initial_grant.0) };
        let books = &world.watch.books;
        let besides =
            if is_bank { books.pool } else { books.besides.get(&balance.account).copied().unwrap_or(0) };
        let sold = expected.get(&balance.account).copied().unwrap_or(0) + besides;
        total += has - grant;
        Breach::unless(has == grant + sold, "income", || {
            format!(
                "account {} has {has} micro-credits: a grant of {grant}, and sales of {sold}",
                balance.account
            )
        })?;
    }
    Breach::unless(total == 0, "income", || format!("{total} micro-credits more than were granted are there"))
}

/// The journal alone, with every signature in it, comes to the bank's figures.
fn journal_stands_an_audit(world: &World<'_>) -> Checked {
    let fault = |why: String| Breach::new("audit", why);
    let records = world.teller.records().map_err(fault)?;
    let (totals, head) =
        bank::audit(world.teller.peer.key, records).map_err(|error| fault(error.to_string()))?;
    let Some(bank) = &world.teller.bank else { return Ok(()) };
    let is_same = world.teller.is_syncing() || (totals, head) == (bank.totals(), bank.head());
    Breach::unless(is_same, "audit", || {
        format!("the journal comes to {totals:?}, the bank has {:?}", bank.totals())
    })
}

fn sub_tasks<'a>(world: &'a World<'_>) -> impl Iterator<Item = (&'a str, &'a SubTaskPlan, &'a End)> {
    world.ends.iter().filter_map(|((host, index), end)| {
        let plan = world.submissions.get(host)?.plans.get(usize::try_from(*index).ok()?)?;
        Some((plan.name.as_str(), plan, end))
    })
}

/// The plan of a sub-task with what others have made for it.
fn fed(world: &World<'_>, host: usize, index: u32) -> Option<SubTaskPlan> {
    let mut plan = world.submissions.get(&host)?.plans.get(usize::try_from(index).ok()?)?.clone();
    for feed in &plan.feeds {
        let (Slot::Input(name), Produced::Output(what)) = (&feed.slot, &feed.what) else { continue };
        let made = &world.ends.get(&(host, feed.from))?.outputs;
        let blob = made.iter().find(|made| made.name == *what)?.blob;
        plan.job.inputs.push(NamedBlob { name: name.clone(), blob });
    }
    Some(plan)
}

fn named(plan: &SubTaskPlan, name: &str) -> NamedBlob {
    NamedBlob { name: name.into(), blob: machine::output(&plan.job, name) }
}

fn lies(world: &World<'_>, seller: PublicKey) -> bool {
    let host = match world.place_of(seller) {
        Some(Place::Host(host)) => world.hosts.get(host),
        _ => None,
    };
    let is_voted = world.scenario.work.votes.is_some();
    // What one liar says alone no vote believes.
    host.is_some_and(|host| match host.machine.lie {
        Some(Lie::Wrong) => true,
        Some(Lie::Own) => !is_voted,
        _ => false,
    })
}
