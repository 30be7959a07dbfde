//! Room for saved states: bought in the disk market by `CheckPointDataSize`, held, watched, replaced and paid by the
//! buyer (paper §V-C, Fig. 9 and 10).
//!
//! Each copy is a contract of its own: a ticket of the disk market, and a hold that pays it. What is to be kept is said
//! again as a sign of life; a storage node that does not answer for a lease has failed, and another takes its place. At
//! the end the node bills what it kept by size and time; the buyer compares that with its own clock, and has the bank pay.

mod restore;

use super::attempt::Abandoned;
use super::seller::FIRST_ASK_AGAIN;
use super::{Dispatch, Timer, follow_up, shares};
use crate::checkpoint::{kept, most};
use crate::effect::Effect;
use crate::journal::{Note, Saving};
use crate::plan::HOLD_MARGIN;
use proto::message::bank::{BankOutcome, BankReply, HoldReceipt, Order, PlaceHold, Settle};
use proto::message::market::{Requirement, Ticket};
use proto::message::service::{
    Cancel, KEPT_STATES, Keep, Kept, MAX_COPIES, Outcome, Report, ServiceMessage, Verdict,
};
use proto::{
    Bytes, CommandId, Commodity, ContractId, Money, Peer, PublicKey, Rate, RefusalCode, Signed, Span, Time,
};

/// How long no room is looked for after none was found.
const LOOK_AGAIN: Span = Span::secs(30);
/// How often a storage node is asked for its bill before it is given up.
const BILL_TRIES: u32 = 3;
/// A bill may be so much above what the buyer's clock says, for clocks that differ: a hundredth, and a second.
const BILL_SLACK: (u64, Span) = (100, Span::secs(1));

/// Room that is bought for the states of one sub-task.
pub(super) struct Room {
    task: ContractId,
    index: u32,
    size: Bytes,
    /// What is set aside for it.
    amount: Money,
    /// For how long it is bought.
    term: Span,
    /// Since when it may have been kept, by the buyer's clock: its hold was ordered then.
    since: Time,
    stage: Stage,
}

enum Stage {
    /// The market is asked.
    Buying,
    /// Nobody needs it any more; the market's or the bank's answer is still to come.
    Unwanted(Option<Signed<Ticket>>),
    /// The bank is asked to set the money aside.
    Holding(Signed<Ticket>),
    Keeping {
        contract: Box<Contract>,
        heard: Time,
    },
    /// The bill is asked for.
    Ending {
        contract: Box<Contract>,
        tries: u32,
    },
    /// The bank is asked to pay the bill.
    Settling {
        ticket: Signed<Ticket>,
        bill: Box<Signed<Report>>,
    },
}

/// The papers of a contract of storage.
struct Contract {
    ticket: Signed<Ticket>,
    hold: Signed<HoldReceipt>,
}

impl Contract {
    const fn seller(&self) -> Peer {
        self.ticket.body.winner.body.seller
    }
}

impl Room {
    /// Who sells it, if that is known.
    fn seller(&self) -> Option<Peer> {
        match &self.stage {
            Stage::Buying => None,
            Stage::Unwanted(ticket) => ticket.as_ref().map(|ticket| ticket.body.winner.body.seller),
            Stage::Holding(ticket) | Stage::Settling { ticket, .. } => Some(ticket.body.winner.body.seller),
            Stage::Keeping { contract, .. } | Stage::Ending { contract, .. } => Some(contract.seller()),
        }
    }

    /// Its papers, once there are some.
    const fn ticket(&self) -> Option<&Signed<Ticket>> {
        match &self.stage {
            Stage::Buying | Stage::Unwanted(None) => None,
            Stage::Unwanted(Some(ticket)) | Stage::Holding(ticket) | Stage::Settling { ticket, .. } => {
                Some(ticket)
            }
            Stage::Keeping { contract, .. } | Stage::Ending { contract, .. } => Some(&contract.ticket),
        }
    }

    /// Whether it keeps states, or will.
    const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Buying | Stage::Holding(_) | Stage::Keeping { .. })
    }
}

impl Dispatch {
    /// A message about states and rooms is taken; any other is given back.
    pub(super) fn hear_of_states(
        &mut self,
        from: Peer,
        message: ServiceMessage,
        now: Time,
    ) -> Option<ServiceMessage> {
        let is_of_room = |contract| {
            let seller = self.rooms.get(&contract).and_then(Room::seller);
            seller.is_some_and(|seller| seller.key == from.key)
        };
        match message {
            ServiceMessage::Saved(paper) => self.saved(from, &paper, now),
            ServiceMessage::NotSaved(not_saved) => self.not_saved(from, not_saved, now),
            ServiceMessage::Kept(kept) => self.kept(from, &kept, now),
            ServiceMessage::Decline(paper) if is_of_room(paper.body.contract) => {
                if paper.is_genuine_by(from.key) {
                    let contract = paper.body.contract;
                    self.release(contract, Some(paper), None);
                    self.close_room(contract, Money::ZERO, now);
                }
            }
            ServiceMessage::Report(paper) if is_of_room(paper.body.contract) => self.billed(*paper, now),
            other => return Some(other),
        }
        None
    }

    /// Whether a contract is one of storage, or an id under which states are kept here.
    pub(super) fn keeps(&self, contract: ContractId) -> bool {
        self.rooms.contains_key(&contract) || self.kept_for.contains_key(&contract)
    }

    /// Whether room for a task is still to be paid or given back: what the task costs is not known before.
    pub(super) fn owes_room(&self, task: ContractId) -> bool {
        self.rooms.values().any(|room| room.task == task)
    }

    /// Whether somebody keeps the states of a sub-task, or is about to.
    pub(super) fn has_room(&self, task: ContractId, index: u32) -> bool {
        self.rooms_of(task, index).any(|(_, room)| room.is_open())
    }

    /// Whether a storage node has been told what to keep of a sub-task.
    pub(super) fn is_kept_in_room(&self, task: ContractId, index: u32) -> bool {
        self.rooms_of(task, index).any(|(_, room)| matches!(room.stage, Stage::Keeping { .. }))
    }

    /// Buys as much room as is missing, each copy at a node of its own that does not compute the sub-task.
    pub(super) fn look_for_room(&mut self, task: ContractId, index: u32, now: Time) {
        let (fee, me) = (self.rules.owner_fee, self.me.key);
        let open = self.rooms_of(task, index).filter(|(_, room)| room.is_open());
        let sellers: Vec<PublicKey> = open.clone().filter_map(|(_, room)| Some(room.seller()?.key)).collect();
        let is_buying = open.clone().any(|(_, room)| matches!(room.stage, Stage::Buying));
        let there = u32::try_from(open.count()).unwrap_or(u32::MAX);
        let Some(run) = self.run(task, index) else { return };
        let term = run.plan.job.limits.wall;
        let computing = run.attempt.as_ref().map(|attempt| attempt.seller().key);
        let Some(keeping) = self.keepings.get_mut(&(task, index)) else { return };
        let missing = keeping.spec.copies.min(MAX_COPIES).saturating_sub(there);
        // One after the other, so that no two are bought from one seller.
        if missing == 0 || is_buying || now < keeping.look_again || keeping.states.is_empty() {
            return;
        }
        let amount = Money(keeping.budget.0 / u64::from(missing));
        let size = Bytes(most(keeping.spec.size).0.saturating_mul(KEPT_STATES));
        let bid =
            amount.checked_sub(fee).and_then(|left| Rate::highest(left, kept(size, term.plus(HOLD_MARGIN))));
        let Some(bid) = bid.filter(|bid| *bid > Rate(0)) else {
            keeping.look_again = Time(u64::MAX);
            return;
        };
        keeping.budget = Money(keeping.budget.0.saturating_sub(amount.0));
        let avoid = keeping.avoid.iter().copied().chain(sellers).chain(computing).chain([me]).collect();
        let requirement =
            Requirement { commodity: Commodity::Disk, disk: size, run_time: term, ..Requirement::default() };
        let (contract, stage) = (self.new_id(), Stage::Buying);
        self.rooms.insert(contract, Room { task, index, size, amount, term, since: now, stage });
        self.next_token += 1;
        let token = self.next_token;
        self.effects.push_back(Effect::Buy { token, tickets: vec![contract], requirement, bid, avoid });
    }

    /// The market has sold room, if the ticket is for that.
    pub(super) fn room_bought(&mut self, ticket: Signed<Ticket>, now: Time) -> Option<Signed<Ticket>> {
        let contract = ticket.body.id;
        let Some(room) = self.rooms.get_mut(&contract) else { return Some(ticket) };
        if matches!(room.stage, Stage::Unwanted(_)) {
            self.give_back(&ticket);
            self.close_room(contract, Money::ZERO, now);
            return None;
        }
        let (task, sub_task, amount) = (room.task, room.index, room.amount);
        (room.since, room.stage) = (now, Stage::Holding(ticket.clone()));
        let ticket = Box::new(ticket);
        self.note(Note::Saving(Saving::Room { task, sub_task, ticket, amount, since: now }));
        self.order_hold(contract);
        self.look_for_room(task, sub_task, now);
        None
    }

    /// Orders the hold of a room. The same once more changes nothing at the bank, which gives its first answer.
    fn order_hold(&mut self, contract: ContractId) {
        let Some(room) = self.rooms.get(&contract) else { return };
        let Stage::Holding(ticket) = &room.stage else { return };
        let seller = ticket.body.winner.body.seller.key;
        let expires_in = room.term.plus(HOLD_MARGIN);
        let hold = PlaceHold { seller, ticket: ticket.hash(), amount: room.amount, expires_in };
        self.effects.push_back(Effect::Order { id: contract, order: Order::PlaceHold(hold) });
    }

    /// The market has no room: this node keeps the states itself for a while.
    pub(super) fn no_room(&mut self, contract: CommandId, now: Time) {
        let Some(Room { task, index, .. }) = self.rooms.get(&contract) else { return };
        let key = (*task, *index);
        if let Some(keeping) = self.keepings.get_mut(&key) {
            keeping.look_again = now.after(LOOK_AGAIN);
        }
        self.close_room(contract, Money::ZERO, now);
    }

    /// The bank's answer, given back if it is not about room.
    pub(super) fn bank_answered_on_room(&mut self, reply: BankReply, now: Time) -> Option<BankReply> {
        if let Some(contract) = self.bills.remove(&reply.command) {
            self.bill_paid(contract, &reply.outcome, now);
            return None;
        }
        let contract = reply.command;
        let bank = self.bank;
        let Some(room) = self.rooms.get_mut(&contract) else { return Some(reply) };
        let (ticket, is_wanted) = match &room.stage {
            Stage::Holding(ticket) => (ticket.clone(), true),
            Stage::Unwanted(Some(ticket)) => (ticket.clone(), false),
            _ => return Some(reply),
        };
        match reply.outcome {
            BankOutcome::Held(hold) if hold.is_genuine_by(bank) && is_wanted => {
                let papers = Contract { ticket, hold };
                room.stage = Stage::Keeping { contract: Box::new(papers), heard: now };
                let key = (room.task, room.index);
                self.ask_to_keep(contract);
                self.watch(now.after(self.rules.sign_of_life()), Timer::Room(contract));
                // It was ordered by a former run of the node, and is not needed any more.
                if !self.keepings.contains_key(&key) {
                    self.end_one(contract, now);
                }
            }
            BankOutcome::Held(_) => self.give_room_up(contract, now),
            BankOutcome::Refused(_) => {
                self.give_back(&ticket);
                self.no_room(contract, now);
            }
            _ => {}
        }
        None
    }

    /// Tells all storage nodes of a sub-task what they are to keep.
    pub(super) fn tell_storage(&mut self, task: ContractId, index: u32) {
        for contract in self.rooms_of(task, index).map(|(contract, _)| contract).collect::<Vec<_>>() {
            self.ask_to_keep(contract);
        }
    }

    /// A storage node is to hear what it keeps once more, or has failed, or its contract is about to end.
    pub(super) fn look_at_room(&mut self, contract: ContractId, now: Time) {
        let (lease, again) = (self.rules.lease, self.rules.sign_of_life());
        let Some(room) = self.rooms.get_mut(&contract) else { return };
        let key = (room.task, room.index);
        match &mut room.stage {
            Stage::Keeping { heard, .. } if heard.after(lease) <= now => {
                self.room_failed(contract, now);
            }
            Stage::Keeping { .. } if room.since.after(room.term) <= now => {
                // Its end is near: another one takes over, and gets the states from it.
                self.end_one(contract, now);
                self.look_for_room(key.0, key.1, now);
            }
            Stage::Keeping { .. } => {
                self.ask_to_keep(contract);
                self.look_for_room(key.0, key.1, now);
                self.watch(now.after(again), Timer::Room(contract));
            }
            Stage::Ending { tries, .. } if *tries >= BILL_TRIES => self.give_room_up(contract, now),
            Stage::Ending { contract: papers, tries } => {
                *tries += 1;
                let wait = FIRST_ASK_AGAIN.times(u64::from(*tries));
                let to = papers.seller();
                self.effects
                    .push_back(Effect::Send { to, message: ServiceMessage::Cancel(Cancel { contract }) });
                self.watch(now.after(wait), Timer::Room(contract));
            }
            Stage::Buying | Stage::Unwanted(_) | Stage::Holding(_) | Stage::Settling { .. } => {}
        }
    }

    /// The connection to `peer` broke: what is kept there is asked for once more, and given up soon.
    pub(super) fn room_unreachable(&mut self, peer: Peer, now: Time) {
        let (lease, soon) = (self.rules.lease, self.rules.sign_of_life());
        let mut concerned = Vec::new();
        for (contract, room) in &mut self.rooms {
            if let Stage::Keeping { contract: papers, heard } = &mut room.stage
                && papers.seller() == peer
            {
                let doubtful = Time(now.after(soon).0.saturating_sub(lease.0));
                *heard = (*heard).min(doubtful);
                concerned.push((*contract, heard.after(lease)));
            }
        }
        for (contract, due) in concerned {
            self.ask_to_keep(contract);
            self.watch(due.max(now), Timer::Room(contract));
        }
    }

    /// A sub-task has ended: all room for it is paid and given back.
    pub(super) fn end_room(&mut self, task: ContractId, index: u32, now: Time) {
        for contract in self.rooms_of(task, index).map(|(contract, _)| contract).collect::<Vec<_>>() {
            self.end_one(contract, now);
        }
    }

    fn rooms_of(&self, task: ContractId, index: u32) -> impl Iterator<Item = (ContractId, &Room)> + Clone {
        let rooms = self.rooms.iter().map(|(contract, room)| (*contract, room));
        rooms.filter(move |(_, room)| (room.task, room.index) == (task, index))
    }

    /// A storage node says what it has.
    fn kept(&mut self, from: Peer, kept: &Kept, now: Time) {
        let Some(room) = self.rooms.get_mut(&kept.contract) else { return };
        let key = (room.task, room.index);
        let Stage::Keeping { contract, heard } = &mut room.stage else { return };
        let seller = contract.seller();
        if seller.key != from.key {
            return;
        }
        *heard = now;
        if let Some(keeping) = self.keepings.get_mut(&key) {
            let before = keeping.wanted();
            keeping.hold(seller, &kept.hashes);
            let has_changed = keeping.wanted() != before;
            if has_changed {
                self.tell_storage(key.0, key.1);
            }
        }
        self.count_states(key.0, key.1, now);
    }

    fn ask_to_keep(&mut self, contract: ContractId) {
        let Some(room) = self.rooms.get(&contract) else { return };
        let Stage::Keeping { contract: papers, .. } = &room.stage else { return };
        let Some(keeping) = self.keepings.get(&(room.task, room.index)) else { return };
        let to = papers.seller();
        let (ticket, hold) = (papers.ticket.clone(), papers.hold.clone());
        let mut sources = keeping.sources();
        sources.retain(|source| source.key != to.key);
        let keep = Keep { contract, ticket, hold, blobs: keeping.wanted(), sources };
        self.effects.push_back(Effect::Send { to, message: ServiceMessage::Keep(Box::new(keep)) });
    }

    /// A storage node is not heard of any more: it is not paid, and another one takes its place.
    fn room_failed(&mut self, contract: ContractId, now: Time) {
        let Some(Room { task, index, .. }) = self.rooms.get(&contract) else { return };
        let key = (*task, *index);
        self.give_room_up(contract, now);
        self.look_for_room(key.0, key.1, now);
        self.keep_here(key.0, key.1);
    }

    /// Ends one contract in order: the bill is asked for.
    fn end_one(&mut self, contract: ContractId, now: Time) {
        let Some(room) = self.rooms.get_mut(&contract) else { return };
        let stage = std::mem::replace(&mut room.stage, Stage::Unwanted(None));
        room.stage = match stage {
            Stage::Buying => Stage::Unwanted(None),
            Stage::Holding(ticket) => Stage::Unwanted(Some(ticket)),
            Stage::Keeping { contract, .. } => Stage::Ending { contract, tries: 0 },
            other => other,
        };
        self.look_at_room(contract, now);
    }

    /// The bill of a storage node: it is paid if it is for no more than the buyer's own clock says.
    fn billed(&mut self, report: Signed<Report>, now: Time) {
        let contract = report.body.contract;
        let Some(room) = self.rooms.get_mut(&contract) else { return };
        let (size, since, key) = (room.size, room.since, (room.task, room.index));
        let papers = match std::mem::replace(&mut room.stage, Stage::Unwanted(None)) {
            // It leaves.
            Stage::Keeping { contract, .. } | Stage::Ending { contract, .. } => contract,
            other => {
                room.stage = other;
                return;
            }
        };
        let (part, slack) = BILL_SLACK;
        let most = kept(size, now.since(since).plus(slack));
        let is_right = report.is_genuine_by(papers.seller().key)
            && report.body.offer == papers.ticket.hash()
            && report.body.outcome == Outcome::Succeeded
            && report.body.cycles.0 <= most.0.saturating_add(most.0 / part);
        let seller = papers.seller();
        if !is_right {
            room.stage = Stage::Ending { contract: papers, tries: 0 };
            self.reject(seller, &report, "the bill is for more than was kept");
            self.give_room_up(contract, now);
            return;
        }
        room.stage = Stage::Settling { ticket: papers.ticket, bill: Box::new(report.clone()) };
        self.note(Note::Saving(Saving::Billed { bill: Box::new(report) }));
        self.pay_bill(contract);
        self.lose_copy(key, seller);
        self.look_for_room(key.0, key.1, now);
    }

    /// Accepts the bill of a room, and has the bank pay it.
    fn pay_bill(&mut self, contract: ContractId) {
        let Some(room) = self.rooms.get(&contract) else { return };
        let Stage::Settling { ticket, bill } = &room.stage else { return };
        let (ticket, report) = (ticket.clone(), (**bill).clone());
        let verdict = Verdict { contract, report: report.hash(), is_accepted: true, reason: String::new() };
        let verdict = Signed::new(verdict, &self.keys);
        let (to, message) = (ticket.body.winner.body.seller, ServiceMessage::Verdict(verdict.clone()));
        self.effects.push_back(Effect::Send { to, message });
        let id = follow_up(&self.keys, contract, "settle");
        self.bills.insert(id, contract);
        let order = Order::Settle(Box::new(Settle { hold: contract, ticket, report, verdict }));
        self.effects.push_back(Effect::Order { id, order });
    }

    /// The bank has paid a bill, or has not.
    fn bill_paid(&mut self, contract: ContractId, outcome: &BankOutcome, now: Time) {
        let Some(room) = self.rooms.get(&contract) else { return };
        let Stage::Settling { ticket, bill } = &room.stage else { return };
        let cost = match outcome {
            BankOutcome::Settled(receipt) => receipt.seller_paid.checked_add(receipt.owner_paid),
            // The storage node presented the papers first; the bank computed the same from them.
            BankOutcome::Refused(refusal) if refusal.code == RefusalCode::HoldClosed => {
                let (seller, owner) = shares(&ticket.body, room.amount, bill.body.cycles);
                seller.checked_add(owner)
            }
            _ => Some(Money::ZERO),
        };
        self.close_room(contract, cost.unwrap_or(Money::ZERO), now);
    }

    /// Gives a contract up: its money comes back on the seller's word, or when the hold ends.
    fn give_room_up(&mut self, contract: ContractId, now: Time) {
        if let Some(seller) = self.rooms.get(&contract).and_then(Room::seller) {
            self.leave_to(contract, Abandoned::new(seller, now));
            self.ask_again(contract, now);
        }
        self.close_room(contract, Money::ZERO, now);
    }

    /// A contract is over, and has cost so much. What it has not cost may pay another one.
    fn close_room(&mut self, contract: ContractId, cost: Money, now: Time) {
        let Some(room) = self.rooms.remove(&contract) else { return };
        self.timers.clear(Timer::Room(contract));
        let key = (room.task, room.index);
        let sub_task = self.tasks.get(&key.0).map_or(key.1, |task| task.sub_task_of(key.1));
        if room.ticket().is_some() {
            self.note(Note::Saving(Saving::Vacated { task: key.0, sub_task, contract, cost }));
        }
        if let Some(task) = self.tasks.get_mut(&key.0) {
            task.pay_room(sub_task, cost);
        }
        if cost > Money::ZERO {
            self.look_at_purse(key.0, now);
        }
        if let Some(keeping) = self.keepings.get_mut(&key) {
            keeping.budget = Money(keeping.budget.0.saturating_add(room.amount.0).saturating_sub(cost.0));
            if let Some(seller) = room.seller() {
                keeping.avoid.push(seller.key);
            }
        }
        if let Some(seller) = room.seller().filter(|_| !matches!(room.stage, Stage::Settling { .. })) {
            self.lose_copy(key, seller);
        }
        self.keep_here(key.0, key.1);
        self.tell_if_ended(key.0, now);
    }

    /// What `seller` had counts no longer.
    fn lose_copy(&mut self, key: (ContractId, u32), seller: Peer) {
        if let Some(keeping) = self.keepings.get_mut(&key) {
            keeping.hold(seller, &[]);
        }
    }
}
