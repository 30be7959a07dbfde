//! What the events of a deal change: bond, claim, dispute, arbiter, end. The table is in [`crate::deal`].

use super::{Ledger, Step, executed, impossible};
use crate::account::{Posting, Side};
use crate::check::Violation;
use crate::deal::{
    ARBITER_WAIT, Claimed, Deal, Disputed, MAX_ARBITERS, OUTAGE_GRACE, Price, Stage, in_silence, is_neutral,
    same_finding,
};
use crate::memory::Answer;
use crate::settlement::{self, Ruling};
use crate::standing::Conduct;
use proto::message::bank::{BankCommand, Claim, Ending, Judge, Order, ReleaseHold};
use proto::message::service::Outcome;
use proto::{CommandId, Hash, Money, PublicKey, Signed, Time};

impl Ledger {
    /// The deal that ends first, if it is over at `time`. After an outage nothing ends before the quiet time is over.
    pub(crate) fn first_due(&self, time: Time) -> Option<CommandId> {
        let (deadline, id) = self.holds.first_deadline()?;
        (self.effective(deadline) <= time).then_some(id)
    }

    /// When the first deal ends.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.holds.first_deadline().map(|(deadline, _)| self.effective(deadline))
    }

    /// When a deadline counts.
    fn effective(&self, deadline: Time) -> Time {
        deadline.max(self.quiet_until)
    }

    pub(super) fn step_resumed(quiet_until: Time, time: Time) -> Result<Step, Violation> {
        if quiet_until != time.after(OUTAGE_GRACE) {
            return Err(impossible("the quiet time after an outage is not what it has to be"));
        }
        Ok(Step { quiet_until: Some(quiet_until), ..Step::default() })
    }

    pub(super) fn step_accepted(
        &self,
        command: &Signed<BankCommand>,
        bond: Money,
        time: Time,
    ) -> Result<Step, Violation> {
        let Order::AcceptHold(order) = command.body.order else {
            return Err(impossible("a bond was put up by another order"));
        };
        let deal = self.open_at(order.hold, time)?;
        let seller = deal.hold.seller;
        let may_spend = self.accounts.find(seller).is_some_and(|account| !account.is_frozen);
        if seller != command.signer || deal.stage != Stage::Held || bond == Money::ZERO || !may_spend {
            return Err(impossible("a bond was put up that no bank takes"));
        }
        Ok(Step {
            postings: set_aside(seller, bond).into(),
            changed: Some(Deal { bond, stage: Stage::Accepted, ..deal.clone() }),
            executed: Some(executed(command, Answer::Accepted(bond))),
            ..Step::default()
        })
    }

    pub(super) fn step_claimed(
        &self,
        command: &Signed<BankCommand>,
        until: Time,
        time: Time,
    ) -> Result<Step, Violation> {
        let Order::Claim(order) = &command.body.order else {
            return Err(impossible("a claim was made by another order"));
        };
        let deal = self.open_at(order.hold, time)?;
        let claim = claimed(order, until);
        let is_due = if claim.is_taken { until > time } else { until == deal.hold.expires };
        let may_claim = match &deal.stage {
            Stage::Held | Stage::Accepted => true,
            Stage::Claimed(before) => claim.is_taken && !before.is_taken,
            Stage::Disputed(_) => false,
        };
        if deal.hold.seller != command.signer || !is_due || !may_claim {
            return Err(impossible("a claim was made that no bank takes"));
        }
        Ok(Step {
            changed: Some(Deal { stage: Stage::Claimed(Box::new(claim)), ..deal.clone() }),
            executed: Some(executed(command, Answer::Claimed(until))),
            ..Step::default()
        })
    }

    pub(super) fn step_disputed(
        &self,
        command: &Signed<BankCommand>,
        (deposit, stake): (Money, Money),
        time: Time,
    ) -> Result<Step, Violation> {
        let Order::Dispute(order) = &command.body.order else {
            return Err(impossible("a claim was disputed by another order"));
        };
        let deal = self.open_at(order.hold, time)?;
        let (buyer, seller) = (deal.hold.buyer, deal.hold.seller);
        let claim = match &deal.stage {
            Stage::Claimed(claim) if claim.is_taken && buyer == command.signer => **claim,
            _ => return Err(impossible("a claim was disputed that nobody may dispute")),
        };
        if self.accounts.find(buyer).is_none_or(|account| account.is_frozen) {
            return Err(impossible("a claim was disputed by an account that is frozen"));
        }
        if deposit != settlement::deposit(deal, &claim)
            || stake != settlement::stake(deal, deposit, self.available(seller))
        {
            return Err(impossible("a dispute cost something else than the second execution"));
        }
        let dispute = Disputed {
            claim,
            offer: order.offer.clone(),
            deposit,
            stake,
            seed: Hash::default(),
            named: Vec::new(),
            until: time.after(ARBITER_WAIT),
        };
        Ok(Step {
            postings: [set_aside(buyer, deposit), set_aside(seller, stake)].concat(),
            changed: Some(Deal { stage: Stage::Disputed(Box::new(dispute)), ..deal.clone() }),
            executed: Some(executed(command, Answer::Disputed(Box::new((deposit, stake))))),
            ..Step::default()
        })
    }

    pub(super) fn step_named(
        &self,
        id: CommandId,
        arbiter: PublicKey,
        until: Time,
        time: Time,
    ) -> Result<Step, Violation> {
        let deal = self.holds.find(id).ok_or(Violation::NoOpenHold { hold: id })?;
        let Stage::Disputed(dispute) = &deal.stage else {
            return Err(impossible("an arbiter was named where nothing is disputed"));
        };
        let is_free = dispute.named.is_empty() || time >= self.effective(dispute.until);
        if !is_free || dispute.named.len() >= MAX_ARBITERS || until <= time {
            return Err(impossible("an arbiter was named that no bank names"));
        }
        if !is_neutral(&deal.hold, dispute, arbiter) || self.accounts.find(arbiter).is_none() {
            return Err(impossible("an arbiter was named that is none"));
        }
        let named = [dispute.named.as_slice(), &[arbiter]].concat();
        let dispute = Disputed { named, until, ..(**dispute).clone() };
        let changed = Deal { stage: Stage::Disputed(Box::new(dispute)), ..deal.clone() };
        Ok(Step { changed: Some(changed), ..Step::default() })
    }

    pub(super) fn step_closed(
        &self,
        command: Option<&Signed<BankCommand>>,
        ending: &Ending,
        time: Time,
    ) -> Result<Step, Violation> {
        let (expected, conduct, answer) = match command {
            Some(command) => self.closed_by(command, time)?,
            None => {
                let deal = self.holds.find(ending.hold);
                let deal = deal.ok_or(Violation::NoOpenHold { hold: ending.hold })?;
                if time < self.effective(deal.deadline()) {
                    return Err(impossible("a hold expired too early"));
                }
                let (ending, conduct) = in_silence(deal);
                (ending, conduct, None)
            }
        };
        if expected != *ending || !ending.shares.is_balanced() {
            return Err(impossible("a hold ended otherwise than its papers say"));
        }
        let executed = command.zip(answer).map(|(command, answer)| executed(command, answer));
        let postings = self.postings(ending);
        Ok(Step { postings, closed: Some((*ending, conduct)), executed, ..Step::default() })
    }

    /// How a deal ends by an order.
    fn closed_by(
        &self,
        command: &Signed<BankCommand>,
        time: Time,
    ) -> Result<(Ending, Conduct, Option<Answer>), Violation> {
        match &command.body.order {
            Order::ReleaseHold(order) => {
                let deal = self.open_at(order.hold, time)?;
                Ok((
                    settlement::released(deal),
                    conduct_of(deal, order),
                    Some(Answer::Released(deal.hold.amount)),
                ))
            }
            Order::Settle(order) => {
                let deal = self.open_at(order.hold, time)?;
                let price = Price::of(&order.ticket.body);
                let ending = settlement::settled(deal, &price, order.report.body.cycles);
                let parts = Box::new(settled_parts(deal, &ending));
                Ok((ending, Conduct::Kept, Some(Answer::Settled(parts))))
            }
            Order::Judge(order) => {
                let deal = self.open_at(order.hold, time)?;
                let (ending, conduct) = judged(deal, command.signer, order)?;
                Ok((ending, conduct, Some(Answer::Recorded(self.sequence))))
            }
            _ => Err(impossible("a hold was closed by another order")),
        }
    }

    /// What an ending moves.
    fn postings(&self, ending: &Ending) -> Vec<Posting> {
        let shares = &ending.shares;
        let mut postings = vec![
            Posting::debit(Side::Held(ending.buyer), shares.buyer_held),
            Posting::debit(Side::Held(ending.seller), shares.seller_held),
            Posting::credit(Side::Available(ending.seller), shares.seller),
            Posting::credit(Side::Available(ending.buyer), shares.buyer),
            Posting::credit(Side::Available(self.bank), shares.pool),
        ];
        postings.extend(ending.owner.map(|owner| Posting::credit(Side::Available(owner), shares.owner)));
        let arbiter = ending.arbiter.map(|arbiter| Posting::credit(Side::Available(arbiter), shares.arbiter));
        postings.extend(arbiter);
        postings
    }

    fn available(&self, account: PublicKey) -> Money {
        self.accounts.find(account).map_or(Money::ZERO, |found| Money(found.available))
    }

    fn open_at(&self, id: CommandId, time: Time) -> Result<&Deal, Violation> {
        let deal = self.holds.find(id).ok_or(Violation::NoOpenHold { hold: id })?;
        if time >= self.effective(deal.deadline()) {
            return Err(impossible("a hold was used after it had expired"));
        }
        Ok(deal)
    }
}

/// What a seller claims, until `until`. Only a success that the buyer has taken is paid in silence: of a checkpoint,
/// which is encrypted for the buyer, nobody else can say whether it is right.
pub(crate) fn claimed(order: &Claim, until: Time) -> Claimed {
    let report = &order.report;
    Claimed {
        price: Price::of(&order.ticket.body),
        cycles: report.body.cycles,
        report: report.hash(),
        offer: report.body.offer,
        finding: same_finding(report),
        is_taken: order.taken.is_some() && report.body.outcome == Outcome::Succeeded,
        until,
    }
}

/// How a deal ends by a finding.
fn judged(deal: &Deal, signer: PublicKey, order: &Judge) -> Result<(Ending, Conduct), Violation> {
    let ruling = deal.dispute().map(|dispute| settlement::ruling(dispute, signer, &order.finding.body));
    match (ruling, deal.claim()) {
        (Some(Ok(Ruling::Upheld)), Some(claim)) => Ok((settlement::upheld(deal, claim), Conduct::Kept)),
        (Some(Ok(Ruling::Overturned)), _) => Ok((settlement::overturned(deal), Conduct::Broken)),
        _ => Err(impossible("a dispute was decided by who may not")),
    }
}

fn set_aside(account: PublicKey, amount: Money) -> [Posting; 2] {
    [Posting::debit(Side::Available(account), amount), Posting::credit(Side::Held(account), amount)]
}

/// What a settlement moved of the hold itself, to the seller, to the owner and back: what the parties had put up beside it
/// is not in it.
fn settled_parts(deal: &Deal, ending: &Ending) -> [Money; 3] {
    let shares = ending.shares;
    let less = |part: Money, own: Money| Money(part.0.saturating_sub(own.0));
    let deposit = less(deal.deposit(), shares.arbiter);
    [less(shares.seller, shares.seller_held), shares.owner, less(shares.buyer, deposit)]
}

/// How a release comes out for the seller. One that takes a disputed claim back was as good as overturned.
fn conduct_of(deal: &Deal, order: &ReleaseHold) -> Conduct {
    match &order.report {
        _ if deal.dispute().is_some() => Conduct::Broken,
        Some(report) if matches!(report.body.outcome, Outcome::Abandoned(_)) => Conduct::GivenUp,
        _ => Conduct::Blameless,
    }
}
