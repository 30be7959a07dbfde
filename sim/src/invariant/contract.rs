//! `hold`: a seller executes only what an open hold for it pays for, or what it was drawn to decide. `ends_once`: a sub-task ends once, and nothing is
//! told of it after, but the same end by a node that has started again. `paid_as_told`: a success that a buyer is told of was paid by the bank, with the same figures, or with its share of them where several sub-tasks have one contract.

use super::books::{Books, Deal};
use super::sub_task::{Share, SubTasks};
use super::{Breach, Checked};
use proto::{ContractId, Money, PublicKey};
use service::event::Verdict;
use service::{End, Event, EventKind, Replica, Sale};
use std::collections::{BTreeMap, BTreeSet};

/// What users were told.
#[derive(Debug, Default)]
pub(crate) struct Contracts {
    ended: BTreeMap<(usize, ContractId, u32), End>,
    /// Ends that may be told once more.
    again: BTreeSet<(usize, ContractId, u32)>,
    told: BTreeMap<Deal, usize>,
}

/// The seller `key` executes `contract`.
pub(crate) fn executes(books: &Books, host: usize, key: PublicKey, contract: ContractId) -> Checked {
    let is_paid_for = books.holds.get(&contract).is_some_and(|hold| hold.seller == key);
    let is_drawn = books.arbiters.contains(&(contract, key));
    Breach::unless(is_paid_for || is_drawn, "hold", || {
        format!("node {host} executes contract {contract}, and no open hold pays for it")
    })
}

/// What was paid for the result of an ended sub-task, as its buyer is told: for each of its replicas, or once. That is
/// what it was told, less what was paid before for parts of the work that were `handed` over.
pub(crate) fn deals(buyer: PublicKey, end: &End, handed: (u64, u64)) -> Vec<Deal> {
    let deal = |sale: &Sale, paid, fee| {
        let (seller, owner) = (sale.seller.key, sale.owner.key);
        Deal { buyer, seller, owner, paid, fee }
    };
    if end.replicas.is_empty() {
        let sale = end.sale.as_ref().filter(|_| end.verdict == Verdict::Succeeded);
        let paid = Money(end.paid.0.saturating_sub(handed.0));
        let fee = Money(end.fee.0.saturating_sub(handed.1));
        return sale.map(|sale| deal(sale, paid, fee)).into_iter().collect();
    }
    let is_paid = |replica: &&Replica| replica.paid.0 + replica.fee.0 > 0;
    let of = |replica: &Replica| Some(deal(replica.sale.as_ref()?, replica.paid, replica.fee));
    end.replicas.iter().filter(is_paid).filter_map(of).collect()
}

/// The user of a node is told that its sub-task has cost its share of one of these contracts.
fn told_share(books: &Books, host: usize, sub_task: u32, end: &End, shares: &[Share<'_>]) -> Checked {
    let fee = |share: &Share<'_>, deal: &Deal| if share.is_first() { deal.fee } else { Money::ZERO };
    let part = |share: &Share<'_>| {
        let part = books.paid_for(share.contract).map(|deal| (share.of(deal.paid), fee(share, deal)));
        (share.contract, part)
    };
    let parts: Vec<_> = shares.iter().map(part).collect();
    Breach::unless(parts.iter().any(|(_, part)| *part == Some((end.paid, end.fee))), "paid_as_told", || {
        format!(
            "the user of node {host} is told that sub-task {sub_task} has cost {} + {} credits; of the contracts that it \
             shares, its parts are {parts:?}",
            end.paid, end.fee
        )
    })
}

impl Contracts {
    /// A node starts, perhaps again: it may tell each end that it had told once more.
    pub(crate) fn starts(&mut self, host: usize) {
        self.again.extend(self.ended.keys().filter(|(of, ..)| *of == host));
    }

    /// The user of a node is told something.
    pub(crate) fn told(
        &mut self,
        (books, sub_tasks): (&Books, &SubTasks),
        host: usize,
        buyer: PublicKey,
        event: &Event,
    ) -> Checked {
        let sub_task = match &event.kind {
            EventKind::Matched { sub_task, .. }
            | EventKind::NoSeller { sub_task, .. }
            | EventKind::Staging { sub_task }
            | EventKind::Running { sub_task }
            | EventKind::Suspended { sub_task }
            | EventKind::Saved { sub_task, .. }
            | EventKind::NotSaved { sub_task, .. }
            | EventKind::Resumed { sub_task, .. }
            | EventKind::Retrying { sub_task, .. }
            | EventKind::Distrusted { sub_task, .. }
            | EventKind::Ended { sub_task, .. } => *sub_task,
            // What becomes of a rejected result may be told after the end of the sub-task, which went on elsewhere.
            EventKind::Disputed { .. }
            | EventKind::NotDisputed { .. }
            | EventKind::Judged { .. }
            | EventKind::BudgetLow { .. }
            | EventKind::Found { .. }
            | EventKind::TaskEnded => return Ok(()),
        };
        let key = (host, event.task, sub_task);
        if let (Some(before), EventKind::Ended { end, .. }) = (self.ended.get(&key), &event.kind)
            && *before == **end
            && self.again.remove(&key)
        {
            return Ok(());
        }
        Breach::unless(!self.ended.contains_key(&key), "ends_once", || {
            format!("the user of node {host} is told of sub-task {sub_task} after its end: {:?}", event.kind)
        })?;
        let EventKind::Ended { end, .. } = &event.kind else { return Ok(()) };
        self.ended.insert(key, (**end).clone());
        let of = (buyer, event.task, sub_task);
        let deals = deals(buyer, end, sub_tasks.handed(buyer, event.task, sub_task));
        let (shares, is_own) = sub_tasks.shares(of, end);
        if !shares.is_empty() {
            let told = told_share(books, host, sub_task, end, &shares);
            if told.is_ok() || !is_own {
                return told;
            }
        }
        let is_free = end.verdict != Verdict::Succeeded;
        Breach::unless(is_free || !deals.is_empty(), "paid_as_told", || "a success without a sale".into())?;
        deals.into_iter().try_for_each(|deal| self.told_deal(books, host, sub_task, deal))
    }

    /// The user of a node is told that a deal was paid.
    fn told_deal(&mut self, books: &Books, host: usize, sub_task: u32, deal: Deal) -> Checked {
        let paid = books.times_paid(&deal);
        let told = self.told.entry(deal).or_default();
        *told += 1;
        Breach::unless(*told <= paid, "paid_as_told", || {
            format!(
                "the user of node {host} is told that {} + {} credits were paid for sub-task {sub_task}; the bank knows \
                 of {paid} such payments, {told} were told",
                deal.paid, deal.fee
            )
        })
    }
}
