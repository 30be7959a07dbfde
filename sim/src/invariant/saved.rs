//! `work_lost`: a program that is saved and whose seller crashes goes on elsewhere, and of its work no more is lost than
//! what was done since the last state was due, and the time that a state takes to the storage nodes. `rests_on`: who goes
//! on from a difference has the whole state to which it is one. `kept`: a storage node that says that it has a state has it.
//! `handed_over`: a part of the work is paid for a state only, and not for something that looks like one.
//! `owed`: it does not sign its contract away, whatever becomes of its process, unless the buyer rejects its bill.

use super::{Breach, Checked};
use crate::host::Host;
use crate::machine::{Begin, States};
use bank::{Event, Record};
use proto::message::bank::Order;
use proto::message::service::{Job, Kept, Offer, Outcome};
use proto::{ContractId, Cycles, PublicKey, Span};
use std::collections::BTreeMap;

/// How long a state may take from the moment at which it is due to the first storage node: it is saved, the buyer is
/// told (once more after a sign of life, if that was lost), and the storage node fetches it.
const MIGRATION: Span = Span::secs(3);

/// A sub-task: whose, of which task, and its number.
type SubTask = (PublicKey, ContractId, u32);

/// What executions had done when their sellers crashed.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    of: BTreeMap<ContractId, (SubTask, Cycles)>,
    lost: BTreeMap<SubTask, (Cycles, Cycles)>,
    /// Contracts under which a node has said that it has something, and in which of its lives it said so first.
    kept: BTreeMap<(ContractId, usize), u32>,
}

impl Saved {
    /// A buyer offers a contract of a job that is saved.
    pub(crate) fn offered(&mut self, offer: &Offer, begin: Begin) {
        if offer.job.checkpoint.is_some() {
            let sub_task = (offer.buyer.key, offer.task, offer.sub_task);
            self.of.insert(offer.contract, (sub_task, begin.done()));
        }
    }

    /// A seller crashes: what it was at is lost, but for what was due to be saved.
    pub(crate) fn crashes(&mut self, host: &Host, interval: Span, now: proto::Time) {
        for (contract, cycles) in host.machine.progress(now) {
            let Some((sub_task, base)) = self.of.get(&contract) else { continue };
            let most = host.machine.per_core.during(interval.plus(MIGRATION));
            self.lost.insert(*sub_task, (Cycles(base.0.saturating_add(cycles.0)), most));
        }
    }

    /// A program is executed from something that was saved.
    pub(crate) fn goes_on(host: &Host, states: &States, job: &Job, begin: Begin) -> Checked {
        let genuine = job.resume.filter(|state| states.knows(&state.blob.hash));
        let is_here =
            genuine.is_none_or(|state| state.contents().all(|blob| host.store.contains(&blob.hash)));
        let is_state = genuine.is_none() || begin != Begin::Nowhere;
        Breach::unless(is_here && is_state, "rests_on", || {
            let base = genuine.and_then(|state| state.base);
            let base = base.map_or_else(|| "nothing".into(), |base| format!("{:#}", base.hash));
            format!("a program is to go on from a state of it, which is not here or does not rest on {base}")
        })
    }

    /// A sub-task is executed again.
    pub(crate) fn executes(&mut self, contract: ContractId, begin: Begin) -> Checked {
        let Some((sub_task, _)) = self.of.get(&contract) else { return Ok(()) };
        let Some((done, most)) = self.lost.remove(sub_task) else { return Ok(()) };
        let lost = done.0.saturating_sub(begin.done().0);
        Breach::unless(lost <= most.0, "work_lost", || {
            let (_, _, number) = sub_task;
            format!(
                "sub-task {number} was at {done} when its seller crashed, and goes on from {}: {} are lost, {most} at \
                 most may be",
                begin.done(),
                Cycles(lost)
            )
        })
    }

    /// The bank has decided something.
    pub(crate) fn enter(record: &Record, states: &States) -> Checked {
        let order = record.command().map(|command| &command.body.order);
        let (Event::HoldClosed { ending, .. }, Some(Order::Settle(settle))) = (&record.event, order) else {
            return Ok(());
        };
        let Outcome::Migrated(state) = settle.report.body.outcome else { return Ok(()) };
        Breach::unless(!ending.how.is_paid() || states.knows(&state.blob.hash), "handed_over", || {
            format!("contract {} is paid, and what its seller has handed over is no state", ending.hold)
        })
    }

    /// The node `host` says what it keeps. Whether it has kept it through an end of its process.
    pub(crate) fn kept(&mut self, host: &Host, kept: &Kept) -> Result<bool, Breach> {
        let missing = kept.hashes.iter().find(|hash| !host.store.contains(hash));
        Breach::unless(missing.is_none(), "kept", || {
            format!(
                "node {} says that it keeps a state for contract {:#} and has it not",
                host.number, kept.contract
            )
        })?;
        if kept.hashes.is_empty() {
            return Ok(false);
        }
        Ok(*self.kept.entry((kept.contract, host.number)).or_insert(host.life) < host.life)
    }

    /// A buyer rejects a report, or what was kept is gone with its disk: nothing is owed for it any more.
    pub(crate) fn ends(&mut self, is_over: impl Fn(ContractId, usize) -> bool) {
        self.kept.retain(|(contract, host), _| !is_over(*contract, *host));
    }

    /// The node `host` signs a contract away whose hold may be open.
    pub(crate) fn signs_away(&self, host: &Host, contract: ContractId, is_held: bool) -> Checked {
        let number = host.number;
        let is_owed = is_held && self.kept.contains_key(&(contract, number));
        Breach::unless(!is_owed, "owed", || {
            format!("node {number} signs contract {contract:#} away, under which it has kept a state")
        })
    }
}
