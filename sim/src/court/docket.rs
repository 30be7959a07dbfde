//! The bank's books kept a second time from its records alone: what each account has, how far each contract has come,
//! and how it has to end. `docket`: each record is a legal transition, by who may make it, in time. `books`: what
//! accounts have is what the records say. `shares`: each end gives everybody what the rule in words gives. `overdue`:
//! nothing is held after its deadline. `reads`: a balance that is told has whole ends in it, never a half.

use super::shares::{self, Bill, Stakes};
use crate::invariant::{Breach, Checked};
use bank::{Bank, Event, Record};
use proto::message::bank::{Balance, BankCommand, Claim, Ending, Finding, How, Order};
use proto::message::service::{Outcome, Report};
use proto::{ContractId, Hash, Money, PublicKey, Rules, Signed, Span, Time};
use std::collections::BTreeMap;

/// How many arbiters are asked for one contract.
pub(super) const MAX_ARBITERS: usize = 3;
/// How long the bank looks for a first arbiter.
const FIRST_WITHIN: Span = Span::secs(30);
/// How long the bank may take to notice that a deadline has passed.
const MARGIN: Span = Span::secs(2);

/// How far a contract has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Held,
    Accepted,
    /// Claimed without the buyer's word.
    Proved,
    Claimed,
    Disputed,
}

/// An open contract.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) buyer: PublicKey,
    pub(super) seller: PublicKey,
    pub(super) stage: Stage,
    pub(super) at: Stakes,
    /// What is claimed.
    pub(super) bill: Option<Bill>,
    pub(super) report: Option<Box<Signed<Report>>>,
    expires: Time,
    /// When it ends, or the next arbiter is asked, if nobody moves.
    due: Time,
    /// The chain of the record of the dispute: from it arbiters are drawn.
    pub(super) seed: Hash,
    /// The arbiters that were named.
    pub(super) named: Vec<PublicKey>,
}

/// A contract that has ended.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    pub(super) entry: Entry,
    pub(super) ending: Ending,
}

/// The books.
#[derive(Debug)]
pub(super) struct Docket {
    rules: Rules,
    bank: PublicKey,
    available: BTreeMap<PublicKey, i128>,
    held: BTreeMap<PublicKey, i128>,
    issued: i128,
    quiet_until: Time,
    last: Time,
    pub(super) open: BTreeMap<ContractId, Entry>,
    pub(super) closed: BTreeMap<ContractId, Closed>,
}

fn money(amount: Money) -> i128 {
    i128::from(amount.0)
}

fn illegal(contract: ContractId, what: &str) -> Breach {
    Breach::new("docket", format!("contract {contract}: {what}"))
}

fn legal(holds: bool, contract: ContractId, what: &str) -> Checked {
    if holds { Ok(()) } else { Err(illegal(contract, what)) }
}

impl Docket {
    pub(super) const fn new(rules: Rules, bank: PublicKey) -> Self {
        Self {
            rules,
            bank,
            available: BTreeMap::new(),
            held: BTreeMap::new(),
            issued: 0,
            quiet_until: Time(0),
            last: Time(0),
            open: BTreeMap::new(),
            closed: BTreeMap::new(),
        }
    }

    /// Enters a record; the contract that it ends, if it ends one.
    pub(super) fn enter(&mut self, record: &Record) -> Result<Option<ContractId>, Breach> {
        let time = record.time;
        Breach::unless(time > self.last, "docket", || "a record is not later than the one before".into())?;
        self.last = time;
        match &record.event {
            Event::AccountOpened { command, granted, .. } => {
                self.issued += money(*granted);
                self.add(command.signer, money(*granted), 0);
            }
            Event::Granted { command } => self.granted(command)?,
            Event::Transferred { command } => self.transferred(command)?,
            Event::Frozen { .. } => {}
            Event::Resumed { quiet_until } => self.quiet_until = *quiet_until,
            Event::HoldPlaced { command, expires } => self.placed(command, *expires, time)?,
            Event::HoldAccepted { command, bond } => self.accepted(command, money(*bond), time)?,
            Event::HoldClaimed { command, until } => self.claimed(command, *until, time)?,
            Event::HoldDisputed { command, deposit, stake } => {
                self.disputed(command, (money(*deposit), money(*stake)), time)?;
                if let Order::Dispute(order) = &command.body.order {
                    self.entry(order.hold)?.seed = record.chain;
                }
            }
            Event::ArbiterNamed { hold, arbiter, until } => self.named(*hold, *arbiter, *until, time)?,
            Event::HoldClosed { command, ending } => {
                self.close(command.as_deref(), ending, time)?;
                return Ok(Some(ending.hold));
            }
        }
        Ok(None)
    }

    /// Compares with the bank.
    pub(super) fn compare(&self, bank: &Bank) -> Checked {
        let mut sum = 0;
        for balance in bank.accounts() {
            let (available, held) = (money(balance.available), money(balance.held));
            sum += available + held;
            let find = |side: &BTreeMap<PublicKey, i128>| side.get(&balance.account).copied().unwrap_or(0);
            let expected = (find(&self.available), find(&self.held));
            Breach::unless(expected == (available, held), "books", || {
                let account = balance.account;
                format!("account {account} has {available} and {held} held, by the records {expected:?}")
            })?;
        }
        Breach::unless(sum == self.issued, "books", || {
            format!("{} were issued, {sum} are there", self.issued)
        })
    }

    /// Whether a balance that somebody is told is what all records up to now come to: nobody sees half an end.
    pub(super) fn agrees_with(&self, balance: &Balance) -> Checked {
        let find = |side: &BTreeMap<PublicKey, i128>| side.get(&balance.account).copied().unwrap_or(0);
        let (told, known) =
            ((money(balance.available), money(balance.held)), (find(&self.available), find(&self.held)));
        Breach::unless(told == known, "reads", || {
            format!("account {} is told {told:?}, by the records it has {known:?}", balance.account)
        })
    }

    /// Whether anything is held longer than it may be, when the bank's clock shows `clock`.
    pub(super) fn overdue(&self, clock: Time) -> Checked {
        for (contract, entry) in &self.open {
            let due = entry.due.max(self.quiet_until).after(MARGIN);
            Breach::unless(clock <= due, "overdue", || {
                format!("contract {contract} was to end by {due:?}, and is {:?} at {clock:?}", entry.stage)
            })?;
        }
        Ok(())
    }

    /// Whether `key` has an account.
    pub(super) fn has_account(&self, key: PublicKey) -> bool {
        self.available.contains_key(&key)
    }

    /// Whether `key` was paid as a seller for work that nobody found wrong.
    pub(super) fn was_paid(&self, key: PublicKey) -> bool {
        let is_paid = |closed: &Closed| {
            let how = closed.ending.how;
            closed.entry.seller == key && how.is_paid() && how != How::Undecided
        };
        self.closed.values().any(is_paid)
    }

    fn add(&mut self, account: PublicKey, available: i128, held: i128) {
        *self.available.entry(account).or_default() += available;
        *self.held.entry(account).or_default() += held;
    }

    fn set_aside(&mut self, account: PublicKey, amount: i128, contract: ContractId) -> Checked {
        self.add(account, -amount, amount);
        let left = self.available.get(&account).copied().unwrap_or(0);
        legal(amount >= 0 && left >= 0, contract, "more is set aside than is there")
    }

    fn granted(&mut self, command: &Signed<BankCommand>) -> Checked {
        let Order::Grant(grant) = &command.body.order else {
            return Err(Breach::new("docket", "money was issued by another order"));
        };
        self.issued += money(grant.amount);
        self.add(grant.to, money(grant.amount), 0);
        Breach::unless(command.signer == self.bank, "docket", || "money was issued by no operator".into())
    }

    fn transferred(&mut self, command: &Signed<BankCommand>) -> Checked {
        let Order::Transfer(transfer) = &command.body.order else {
            return Err(Breach::new("docket", "money moved by another order"));
        };
        for payment in &transfer.payments {
            self.add(command.signer, -money(payment.amount), 0);
            self.add(payment.to, money(payment.amount), 0);
        }
        let left = self.available.get(&command.signer).copied().unwrap_or(0);
        Breach::unless(left >= 0, "docket", || format!("{} has paid more than it had", command.signer))
    }

    fn placed(&mut self, command: &Signed<BankCommand>, expires: Time, time: Time) -> Checked {
        let id = command.body.id;
        let Order::PlaceHold(order) = &command.body.order else {
            return Err(illegal(id, "placed by another order"));
        };
        let (buyer, at) = (command.signer, Stakes { amount: money(order.amount), ..Stakes::default() });
        legal(at.amount > 0 && buyer != order.seller, id, "a hold of nothing or on oneself")?;
        legal(expires == time.after(order.expires_in), id, "it expires at another time than it says")?;
        legal(!self.closed.contains_key(&id), id, "it is placed a second time")?;
        self.set_aside(buyer, at.amount, id)?;
        let (stage, seller) = (Stage::Held, order.seller);
        let entry = Entry {
            buyer,
            seller,
            stage,
            at,
            bill: None,
            report: None,
            expires,
            due: expires,
            seed: Hash::default(),
            named: Vec::new(),
        };
        legal(self.open.insert(id, entry).is_none(), id, "it is placed a second time")
    }

    fn accepted(&mut self, command: &Signed<BankCommand>, bond: i128, time: Time) -> Checked {
        let Order::AcceptHold(order) = &command.body.order else {
            return Err(illegal(command.body.id, "accepted by another order"));
        };
        let (id, percent, quiet) = (order.hold, self.rules.bond_percent, self.quiet_until);
        let entry = self.entry(id)?;
        legal(
            entry.stage == Stage::Held && time < entry.expires.max(quiet),
            id,
            "accepted when it cannot be",
        )?;
        legal(command.signer == entry.seller, id, "accepted by somebody else")?;
        legal(
            percent > 0 && bond == shares::bond(entry.at.amount, percent),
            id,
            "accepted with another bond",
        )?;
        (entry.stage, entry.at.bond) = (Stage::Accepted, bond);
        self.set_aside(command.signer, bond, id)
    }

    fn claimed(&mut self, command: &Signed<BankCommand>, until: Time, time: Time) -> Checked {
        let Order::Claim(claim) = &command.body.order else {
            return Err(illegal(command.body.id, "claimed by another order"));
        };
        let (id, dispute, quiet) = (claim.hold, self.rules.dispute, self.quiet_until);
        let entry = self.entry(id)?;
        let is_taken = is_taken(claim, entry.buyer);
        let may = matches!(entry.stage, Stage::Held | Stage::Accepted)
            || (entry.stage == Stage::Proved && is_taken);
        legal(may && time < entry.expires.max(quiet), id, "claimed when it cannot be")?;
        let report = &claim.report;
        let is_genuine = report.is_genuine_by(entry.seller) && report.body.contract == id;
        legal(command.signer == entry.seller && is_genuine, id, "claimed by somebody else")?;
        legal(report.body.outcome.is_payable(), id, "claimed with a report that is not paid")?;
        let end = if is_taken { time.after(dispute) } else { entry.expires };
        legal(until == end, id, "the claim stands for another time")?;
        entry.bill = Some(Bill::of(&claim.ticket.body, report.body.cycles));
        entry.report = Some(Box::new(report.clone()));
        entry.stage = if is_taken { Stage::Claimed } else { Stage::Proved };
        entry.due = until;
        Ok(())
    }

    fn disputed(
        &mut self,
        command: &Signed<BankCommand>,
        (deposit, stake): (i128, i128),
        time: Time,
    ) -> Checked {
        let Order::Dispute(order) = &command.body.order else {
            return Err(illegal(command.body.id, "disputed by another order"));
        };
        let (id, quiet) = (order.hold, self.quiet_until);
        let seller = self.entry(id)?.seller;
        let has = self.available.get(&seller).copied().unwrap_or(0);
        let entry = self.entry(id)?;
        legal(entry.stage == Stage::Claimed, id, "disputed when nothing is claimed")?;
        legal(time < entry.due.max(quiet), id, "disputed when its time was over")?;
        legal(command.signer == entry.buyer, id, "disputed by somebody else")?;
        let reported = entry.report.as_ref().map(|report| report.body.offer);
        let fits = order.offer.is_genuine_by(entry.buyer) && Some(order.offer.hash()) == reported;
        legal(fits, id, "disputed with another offer")?;
        let bill = entry.bill.ok_or_else(|| illegal(id, "disputed without a bill"))?;
        legal(deposit == bill.deposit(entry.at.amount), id, "disputed with another deposit")?;
        let missing = (deposit - entry.at.bond).max(0).min(has);
        legal(stake == missing, id, "disputed with another stake")?;
        (entry.at.deposit, entry.at.stake) = (deposit, stake);
        (entry.stage, entry.due) = (Stage::Disputed, time.after(FIRST_WITHIN));
        let buyer = entry.buyer;
        self.set_aside(buyer, deposit, id)?;
        self.set_aside(seller, stake, id)
    }

    fn named(&mut self, id: ContractId, arbiter: PublicKey, until: Time, time: Time) -> Checked {
        let (quiet, dispute) = (self.quiet_until, self.rules.dispute);
        let entry = self.entry(id)?;
        legal(entry.stage == Stage::Disputed, id, "an arbiter was named for nothing")?;
        let owner = entry.bill.map(|bill| bill.owner);
        let is_party = arbiter == entry.buyer || arbiter == entry.seller || Some(arbiter) == owner;
        legal(!is_party, id, "a party was named as its own arbiter")?;
        legal(!entry.named.contains(&arbiter), id, "an arbiter was named twice")?;
        legal(entry.named.len() < MAX_ARBITERS, id, "too many arbiters were named")?;
        let is_time = entry.named.is_empty() || (time >= entry.due && time >= quiet);
        legal(is_time, id, "an arbiter was named before the former one's time was over")?;
        legal(until == time.after(dispute), id, "an arbiter has another time than the rules give")?;
        entry.named.push(arbiter);
        entry.due = until;
        Ok(())
    }

    fn close(&mut self, command: Option<&Signed<BankCommand>>, ending: &Ending, time: Time) -> Checked {
        let id = ending.hold;
        legal(!self.closed.contains_key(&id), id, "it ends a second time")?;
        let mut entry = self.open.remove(&id).ok_or_else(|| illegal(id, "it ends, and is not open"))?;
        let (how, bill) = match command {
            Some(command) => entry.by_order(id, command, time, self.quiet_until)?,
            None => entry.in_silence(id, time, self.quiet_until)?,
        };
        legal(how.contains(&ending.how), id, &format!("{} where only {how:?} may be", ending.how.name()))?;
        let parties = (ending.buyer, ending.seller);
        legal(parties == (entry.buyer, entry.seller), id, "it ends between others")?;
        let expected = shares::gains(ending.how, &entry.at, bill.as_ref(), !entry.named.is_empty())
            .ok_or_else(|| illegal(id, "it is paid without a bill"))?;
        let told = shares::told(&ending.shares);
        let held = (money(ending.shares.buyer_held), money(ending.shares.seller_held));
        let is_held = held == (entry.at.amount + entry.at.deposit, entry.at.bond + entry.at.stake);
        Breach::unless(told == expected && is_held, "shares", || {
            format!("contract {id} was {}: {told:?} instead of {expected:?}", ending.how.name())
        })?;
        self.pay(&entry, ending, bill.as_ref())?;
        entry.bill = bill.or(entry.bill);
        self.closed.insert(id, Closed { entry, ending: *ending });
        Ok(())
    }

    fn pay(&mut self, entry: &Entry, ending: &Ending, bill: Option<&Bill>) -> Checked {
        let (id, shares) = (ending.hold, &ending.shares);
        self.add(entry.buyer, money(shares.buyer), -money(shares.buyer_held));
        self.add(entry.seller, money(shares.seller), -money(shares.seller_held));
        self.add(self.bank, money(shares.pool), 0);
        if shares.owner > Money::ZERO {
            let owner =
                ending.owner.ok_or_else(|| illegal(id, "a market owner is paid that nobody names"))?;
            legal(bill.is_some_and(|bill| bill.owner == owner), id, "another owner is paid")?;
            self.add(owner, money(shares.owner), 0);
        }
        if shares.arbiter > Money::ZERO {
            let arbiter =
                ending.arbiter.ok_or_else(|| illegal(id, "an arbiter is paid that nobody names"))?;
            legal(entry.named.last() == Some(&arbiter), id, "another arbiter is paid")?;
            self.add(arbiter, money(shares.arbiter), 0);
        }
        Ok(())
    }

    fn entry(&mut self, id: ContractId) -> Result<&mut Entry, Breach> {
        self.open.get_mut(&id).ok_or_else(|| illegal(id, "something happens to it, and it is not open"))
    }
}

/// Whether the buyer has signed that it takes the outputs of this report.
fn is_taken(claim: &Claim, buyer: PublicKey) -> bool {
    let fits = |taken: &Signed<proto::message::service::Taken>| {
        taken.is_genuine_by(buyer)
            && taken.body.contract == claim.hold
            && taken.body.report == claim.report.hash()
    };
    claim.taken.as_ref().is_some_and(fits) && claim.report.body.outcome == Outcome::Succeeded
}

impl Entry {
    /// How it may end by this order, and at what bill.
    fn by_order(
        &self,
        id: ContractId,
        command: &Signed<BankCommand>,
        time: Time,
        quiet_until: Time,
    ) -> Result<(&'static [How], Option<Bill>), Breach> {
        let is_party = command.signer == self.buyer || command.signer == self.seller;
        legal(time < self.due.max(quiet_until), id, "it ends by an order when its time was over")?;
        match &command.body.order {
            Order::Settle(order) => {
                let verdict = &order.verdict;
                let fits = verdict.is_genuine_by(self.buyer)
                    && verdict.body.is_accepted
                    && verdict.body.contract == id
                    && verdict.body.report == order.report.hash()
                    && order.report.is_genuine_by(self.seller)
                    && order.report.body.contract == id;
                legal(is_party && fits, id, "settled without the word of both")?;
                Ok((&[How::Settled], Some(Bill::of(&order.ticket.body, order.report.body.cycles))))
            }
            Order::ReleaseHold(order) => {
                let declined = order.declined.as_ref().is_some_and(|paper| paper.is_genuine_by(self.seller));
                let report = order.report.as_ref();
                let failed = report.is_some_and(|paper| {
                    paper.is_genuine_by(self.seller) && !paper.body.outcome.is_payable()
                });
                let fits = command.signer == self.seller || declined || failed;
                legal(is_party && fits, id, "released without the seller's word")?;
                Ok((&[How::Released], None))
            }
            Order::Judge(order) => {
                let finding = &order.finding;
                legal(self.stage == Stage::Disputed, id, "judged when it cannot be")?;
                let fits = finding.is_genuine_by(command.signer) && finding.body.contract == id;
                let is_named = self.named.last() == Some(&command.signer);
                legal(fits && is_named, id, "judged by somebody else")?;
                let how: &[How] =
                    if self.agrees(&finding.body) { &[How::Upheld] } else { &[How::Overturned] };
                Ok((how, self.bill))
            }
            _ => Err(illegal(id, "it ends by another order")),
        }
    }

    /// Whether what an arbiter found is what is claimed. Who cannot fetch the work agrees: its buyer has to supply it.
    fn agrees(&self, finding: &Finding) -> bool {
        let Some(report) = &self.report else { return false };
        let claimed = &report.body;
        let same = (&finding.outcome, finding.cycles, &finding.outputs)
            == (&claimed.outcome, claimed.cycles, &claimed.outputs)
            && (finding.stdout, finding.stderr) == (claimed.stdout, claimed.stderr);
        (same && finding.report == report.hash()) || matches!(finding.outcome, Outcome::NotFetched(_))
    }

    /// How it ends when its time is over.
    fn in_silence(
        &self,
        id: ContractId,
        time: Time,
        quiet_until: Time,
    ) -> Result<(&'static [How], Option<Bill>), Breach> {
        legal(time >= self.due && time >= quiet_until, id, "it ends before its time")?;
        let how: &[How] = match self.stage {
            Stage::Held | Stage::Proved => &[How::Expired],
            Stage::Accepted => &[How::NoShow],
            Stage::Claimed => &[How::Lapsed],
            Stage::Disputed => &[How::Undecided],
        };
        Ok((how, self.bill))
    }
}
