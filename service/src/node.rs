//! The node: routes the outputs of one part to the inputs of another, and nothing else.

mod contents;
mod face;
mod keeping;
mod overlay;
mod route;
mod settled;
mod trust;
mod watch;

pub use face::{Config, Input, Output, Violation};
pub use watch::AtWork;

use crate::desk::Desk;
use crate::directory::Directory;
use crate::dispatch::Dispatch;
use crate::policy::Work;
use crate::worker::{Intake, Record, Worker};
use chord::Chord;
use market::Marketplace;
use overlay::Overlay;
use proto::message::Message;
use proto::message::bank::{BalanceQuery, BalanceReply, BankMessage, BankOutcome, Enter, OpenAccount, Order};
use proto::message::market::Ticket;
use proto::message::overlay::Stand;
use proto::message::service::ServiceMessage;
use proto::{CommandId, ContractId, KeyPair, Market, Peer, RequestId, Signed, Span, Time};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::collections::{BTreeSet, VecDeque};

/// How often a node tells the bootstrap server that it is there.
const ENTER_EVERY: Span = Span::secs(10);
/// How often a node asks the bank for its word on how it keeps its contracts: in time before the last one ends.
const ASK_STANDING_EVERY: Span = Span(bank::STANDING_TTL.0 / 4);
/// When it asks for the first time: its account has to be open.
const FIRST_STANDING: Span = Span::secs(2);
/// How long an isolated node waits before it enters the ring again.
const REJOIN_AFTER: Span = Span::secs(1);
/// How long a node that leaves stays in the overlay at most, so that others take its markets over there; a node's driver
/// waits for two seconds.
const LEAVE_OVERLAY_WITHIN: Span = Span::millis(1_900);

/// A node of the network: ring, market, both sides of contracts.
pub struct Node {
    me: Peer,
    chord: Chord,
    market: Marketplace,
    overlay: Overlay,
    /// The markets with listings, as the overlay was told.
    markets: BTreeSet<Market>,
    /// Those of them that can be found there, as the market was told.
    open: BTreeSet<Market>,
    desk: Desk,
    /// The payments of this node's user that the bank has not answered.
    payments: BTreeSet<CommandId>,
    dispatch: Dispatch,
    worker: Worker,
    directory: Directory,
    rng: ChaCha8Rng,
    /// What the account is opened with, and the order that does it.
    opening: OpenAccount,
    opened_by: CommandId,
    enter_at: Time,
    standing_at: Time,
    rejoin_at: Option<Time>,
    is_leaving: bool,
    leave_by: Time,
    stay: Stay,
    /// Who follows in the ring, as the market was told.
    successors: Vec<Peer>,
    outputs: VecDeque<Output>,
}

/// Where a node is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stay {
    /// Nowhere, or it still answers in the ring.
    Member,
    /// It has left the ring, and is in the overlay until others have taken its markets over there.
    OverlayOnly,
    /// It has left both.
    Gone,
}

/// Tokens of lookups and surveys that the user asked for have this bit; those of the parts do not.
const USERS: u64 = 1 << 63;
/// Tokens of lookups that the overlay asked for have this bit; the market's do not.
const OVERLAY: u64 = 1 << 62;

impl Node {
    /// A node at `me`. The seed has to be secret on real nodes: ids of contracts come from it.
    #[must_use]
    pub fn new(config: Config, me: Peer, keys: KeyPair, seed: [u8; 32], now: Time) -> Self {
        let mut rng = ChaCha8Rng::from_seed(seed);
        let mut seed_for_part = || {
            let mut seed = [0; 32];
            rng.fill_bytes(&mut seed);
            seed
        };
        let (ring_seed, market_seed, buyer_seed) = (seed_for_part(), seed_for_part(), seed_for_part());
        let overlay_seed = seed_for_part();
        let Config { rules, bank, chord, terms, opening } = config;
        let market_config = market::Config { rules, bank: Some(bank.key) };
        let buyer_rng = ChaCha8Rng::from_seed(buyer_seed);
        Self {
            me,
            overlay: Overlay::new(me, &rules, &chord, overlay_seed),
            markets: BTreeSet::new(),
            open: BTreeSet::new(),
            chord: Chord::new(chord, me, ring_seed, now),
            market: Marketplace::new(market_config, me, keys.clone(), market_seed, now),
            desk: Desk::new(bank, keys.clone()),
            payments: BTreeSet::new(),
            dispatch: Dispatch::new(me, keys.clone(), bank.key, rules, buyer_rng),
            worker: Worker::new(me, keys.clone(), bank.key, rules, terms),
            directory: Directory::new(me, keys, rules.renewal),
            rng,
            opening,
            opened_by: CommandId([0; 16]),
            enter_at: now.after(ENTER_EVERY),
            standing_at: now.after(FIRST_STANDING),
            rejoin_at: None,
            is_leaving: false,
            leave_by: now,
            stay: Stay::Member,
            successors: Vec::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes one input. Nothing remote can make it fail.
    pub fn handle(&mut self, input: Input, now: Time) {
        match input {
            Input::Start { via } => self.start(via, now),
            Input::Receive { from, message } => self.receive(from, message, now),
            Input::Unreachable { peer } => self.unreachable(peer, now),
            Input::Bank { peer } if peer.key == self.desk.bank_key() => {
                self.desk.move_to(peer);
                self.enter_at = self.enter_at.min(now);
            }
            Input::Bank { .. } => {}
            Input::Supply { supply } => {
                let supply = supply.filter(|_| !self.is_leaving && self.worker.is_taking());
                self.market.handle(market::Input::Supply { supply }, now);
            }
            Input::Terms { terms } => self.worker.set_terms(terms),
            Input::Decide { work } => {
                self.worker.decide(work, now);
                self.withdraw_if_closed(now);
            }
            Input::Intake { intake } => {
                self.worker.set_intake(intake);
                self.withdraw_if_closed(now);
            }
            Input::Restore { kept } => {
                self.worker.restore(&kept, now);
                self.dispatch.restore(&kept, now);
                self.write_anew();
            }
            Input::Submit { submission } => self.dispatch.submit(submission, now),
            Input::Cancel { task } => self.dispatch.cancel(task, now),
            Input::Forget { task } => {
                self.dispatch.forget(task);
            }
            Input::Fetched { contract, result } if self.worker.owns(contract) => {
                self.worker.fetched(contract, result, now);
            }
            Input::Fetched { contract, result } => self.dispatch.fetched(contract, result, now),
            Input::Opened { contract, result } => self.dispatch.opened(contract, result, now),
            Input::Progressed { contract, cycles } => self.worker.progressed(contract, cycles, now),
            Input::Saved { contract, result } => self.worker.saved(contract, result, now),
            Input::Done { contract, done } => self.worker.has_done(contract, done, now),
            Input::Executed { contract, execution } => self.worker.executed(contract, *execution, now),
            Input::Recall { records } => self.dispatch.recall(records),
            Input::Examined { token, found } => self.dispatch.examined(token, found, now),
            Input::Compared { token, difference } => self.dispatch.compared(token, difference, now),
            Input::Tested { contract, result } => self.dispatch.tested(contract, result, now),
            Input::AskBalance => self.ask_balance(),
            Input::Pay { id, transfer } => {
                self.payments.insert(id);
                self.desk.order(id, Order::Transfer(transfer), now);
            }
            Input::Lookup { token, key } => {
                self.chord.handle(chord::Input::Lookup { token: token | USERS, key }, now);
            }
            Input::Survey { token, survey } => {
                self.market.handle(market::Input::Survey { token: token | USERS, survey }, now);
            }
            Input::Advertise { contents, namings } => self.directory.advertise(&contents, namings, now),
            Input::SearchContent { token, point } => self.directory.search(token, point, now),
            Input::Leave => self.leave(now),
            Input::Timeout => self.handle_timeouts(now),
        }
        self.route(now);
        // The last work that was to be done is done, for others and for this node's user.
        if !self.is_leaving && self.worker.is_finished() && !self.dispatch.is_busy() {
            self.leave(now);
            self.route(now);
        }
    }

    /// Messages did not reach `peer`.
    fn unreachable(&mut self, peer: Peer, now: Time) {
        if peer.key == self.desk.bank_key() {
            // A bank that has started anew knows nobody: it is to hear of this node soon.
            self.enter_at = self.enter_at.min(now.after(REJOIN_AFTER));
        }
        self.chord.handle(chord::Input::Unreachable { peer }, now);
        self.market.handle(market::Input::Unreachable { peer }, now);
        self.overlay.unreachable(peer, now);
        self.dispatch.unreachable(peer, now);
    }

    /// The next thing to be done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        [
            self.chord.poll_timeout(),
            self.market.poll_timeout(),
            self.overlay.poll_timeout(),
            self.desk.poll_timeout(),
            self.dispatch.poll_timeout(),
            self.worker.poll_timeout(),
            self.directory.poll_timeout(),
            Some(self.enter_at),
            Some(self.standing_at),
            self.rejoin_at,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The invariants of all parts.
    ///
    /// # Errors
    /// The first that does not hold.
    pub fn check(&self) -> Result<(), Violation> {
        self.chord.check().map_err(Violation::Ring)?;
        self.market.check().map_err(Violation::Market)?;
        self.overlay.nodes().try_for_each(|node| node.check().map_err(Violation::Ring))?;
        if let Some((from, to)) = self.dispatch.illegal_transition() {
            return Err(Violation::Transition { from: from.name(), to: to.name() });
        }
        match (self.dispatch.unwatched(), self.dispatch.adrift()) {
            (0, 0) => Ok(()),
            (0, count) => Err(Violation::Adrift { count }),
            (count, _) => Err(Violation::Unwatched { count }),
        }
    }

    /// This node's place.
    #[must_use]
    pub const fn me(&self) -> Peer {
        self.me
    }

    /// The ring as this node sees it.
    #[must_use]
    pub const fn chord(&self) -> &Chord {
        &self.chord
    }

    /// The market as this node sees it.
    #[must_use]
    pub const fn market(&self) -> &Marketplace {
        &self.market
    }

    /// The nodes of the processor overlay that this node runs.
    pub fn overlay(&self) -> impl Iterator<Item = &Chord<Stand>> {
        self.overlay.nodes()
    }

    /// Sub-tasks of others that are at work here.
    #[must_use]
    pub fn working(&self) -> usize {
        self.worker.active()
    }

    /// The policy's last decision on the work of others that is here.
    #[must_use]
    pub const fn decision(&self) -> Work {
        self.worker.decision()
    }

    /// What new work is taken.
    #[must_use]
    pub const fn intake(&self) -> Intake {
        self.worker.intake()
    }

    /// Whether a task of this node's user is under way.
    #[must_use]
    pub fn is_buying(&self) -> bool {
        self.dispatch.is_busy()
    }

    /// Whether a contract is open on either side of this node: what it needs has to stay in the store.
    #[must_use]
    pub fn has_contract(&self, contract: ContractId) -> bool {
        self.worker.owns(contract) || self.dispatch.has_contract(contract)
    }

    /// Orders that the bank has not answered yet.
    #[must_use]
    pub fn unanswered_orders(&self) -> usize {
        self.desk.waiting()
    }

    /// For how long the bank has said nothing while it has orders to answer, if that is no passing delay. What is at
    /// work goes on meanwhile, and is paid later.
    #[must_use]
    pub fn bank_silence(&self, now: Time) -> Option<Span> {
        self.desk.silence(now)
    }

    /// What this node did as a seller since it was started.
    #[must_use]
    pub const fn record(&self) -> Record {
        self.worker.record
    }

    fn start(&mut self, via: Vec<Peer>, now: Time) {
        self.enter_ring(via, now);
        self.open_account(now);
    }

    fn open_account(&mut self, now: Time) {
        let mut id = [0; 16];
        self.rng.fill_bytes(&mut id);
        self.opened_by = CommandId(id);
        self.desk.order(self.opened_by, Order::OpenAccount(Box::new(self.opening.clone())), now);
    }

    fn enter_ring(&mut self, via: Vec<Peer>, now: Time) {
        let input = if via.is_empty() { chord::Input::Create } else { chord::Input::Join { via } };
        self.chord.handle(input, now);
    }

    fn receive(&mut self, from: Peer, message: Message, now: Time) {
        match message {
            Message::Chord(message) => self.chord.handle(chord::Input::Receive { from, message }, now),
            // Others answer for what was this node's.
            Message::Market(_) if self.stay != Stay::Member => {}
            Message::Market(message) => self.market.handle(market::Input::Receive { from, message }, now),
            Message::Bank(message) if from.key == self.desk.bank_key() => {
                self.receive_from_bank(message, now)
            }
            Message::Bank(_) => {}
            Message::Service(message) => self.receive_service(from, message, now),
            Message::Overlay(message) => self.overlay.receive(from, message, now),
            Message::Contents(message) => self.receive_contents(from, message, now),
        }
    }

    fn receive_service(&mut self, from: Peer, message: ServiceMessage, now: Time) {
        let ticket = match &message {
            ServiceMessage::Offer(offer) => Some(offer.body.contract),
            ServiceMessage::Keep(keep) => Some(keep.contract),
            ServiceMessage::Cancel(cancel) => Some(cancel.contract),
            ServiceMessage::Verdict(_) | ServiceMessage::Taken(_) | ServiceMessage::Recall(_) => None,
            _ => return self.dispatch.receive(from, message, now),
        };
        let market = &self.market;
        let verify = |ticket: &Signed<Ticket>| market.verify_offer(ticket, now);
        self.worker.receive(from, message, &verify, now);
        if let Some(ticket) = ticket {
            self.free_unused(from, ticket, now);
            // A slice that was taken by the last offer is no mere reservation any more: the market has to hear of that
            // before nothing is for sale.
            self.route(now);
            self.withdraw_if_closed(now);
        }
    }

    /// An offer that was declined, or cancelled before it came: the slice that is kept for it is free again.
    fn free_unused(&mut self, from: Peer, ticket: CommandId, now: Time) {
        let is_kept = self.market.slice(&ticket).is_some_and(|slice| slice.buyer == from.key);
        if is_kept && !self.worker.owns(ticket) {
            self.market.handle(market::Input::Free { ticket }, now);
        }
    }

    fn receive_from_bank(&mut self, message: BankMessage, now: Time) {
        self.desk.hear(now);
        match message {
            BankMessage::Reply(reply) => {
                let Some(reply) = self.desk.receive(*reply) else { return };
                if let (true, BankOutcome::Refused(refusal)) =
                    (reply.command == self.opened_by, &reply.outcome)
                {
                    self.outputs.push_back(Output::NotOpened { refusal: refusal.clone() });
                } else if self.payments.remove(&reply.command) {
                    let (id, outcome) = (reply.command, Box::new(reply.outcome));
                    self.outputs.push_back(Output::Paid { id, outcome });
                } else if let Some(reply) = self.worker.bank_answered(reply, now) {
                    self.dispatch.bank_answered(reply, now);
                }
            }
            BankMessage::Claimed(claim) => self.dispatch.claimed(claim),
            BankMessage::Appointed(appointed) => self.worker.appointed(*appointed, now),
            BankMessage::Ended(ended) => {
                self.dispatch.ended(&ended.ending, now);
                self.worker.ended(&ended.ending, now);
            }
            BankMessage::BalanceReply(reply) => {
                let BalanceReply { balance, standing, .. } = *reply;
                self.market.handle(market::Input::Standing { standing }, now);
                let (available, held) = (balance.available, balance.held);
                self.dispatch.balance(available, now);
                self.outputs.push_back(Output::Balance { available, held });
            }
            BankMessage::Entered(entered) if self.rejoin_at.is_some() => {
                self.rejoin_at = None;
                self.enter_ring(entered.peers, now);
            }
            BankMessage::Entered(entered) => {
                self.chord.handle(chord::Input::Meet { peers: entered.peers }, now);
            }
            _ => {}
        }
    }

    fn ask_balance(&mut self) {
        let query = BalanceQuery { request: RequestId(self.rng.next_u64()) };
        self.send_to_bank(BankMessage::BalanceQuery(query));
    }

    /// Nothing stands in a market while no work is taken.
    fn withdraw_if_closed(&mut self, now: Time) {
        if !self.worker.is_taking() {
            self.market.handle(market::Input::Supply { supply: None }, now);
        }
    }

    /// Leaves in two steps: the node stays a member of the ring, and answers, until the market has handed over what
    /// it keeps. It does so within [`market::owner::LEAVE_WITHIN`].
    fn leave(&mut self, now: Time) {
        self.is_leaving = true;
        self.leave_by = now.after(LEAVE_OVERLAY_WITHIN);
        self.market.handle(market::Input::Supply { supply: None }, now);
        self.dispatch.leave(now);
        self.worker.leave(now);
        self.route(now);
        self.market.handle(market::Input::Leave, now);
    }

    fn leave_ring(&mut self, now: Time) {
        self.chord.handle(chord::Input::Leave, now);
        self.send_to_bank(BankMessage::Departed(proto::message::bank::Departed {}));
    }

    fn handle_timeouts(&mut self, now: Time) {
        self.chord.handle(chord::Input::Timeout, now);
        self.market.handle(market::Input::Timeout, now);
        self.overlay.handle_timeouts(now);
        self.desk.repeat_what_is_due(now);
        self.dispatch.handle_timeouts(now);
        self.worker.handle_timeouts(now);
        self.directory.handle_timeouts(now);
        if self.enter_at <= now {
            self.enter_at = now.after(ENTER_EVERY);
            self.enter();
        }
        if self.standing_at <= now {
            self.standing_at = now.after(ASK_STANDING_EVERY);
            self.ask_balance();
        }
        if self.rejoin_at.is_some_and(|at| at <= now) {
            self.rejoin_at = Some(now.after(REJOIN_AFTER));
            self.enter();
        }
    }

    fn enter(&mut self) {
        if self.is_leaving {
            return;
        }
        let request = RequestId(self.rng.next_u64());
        let (listen, slot, is_member) = (self.me.addr, Some(self.me.slot), self.chord.is_member());
        self.send_to_bank(BankMessage::Enter(Enter { request, listen, slot, is_member }));
    }

    fn send_to_bank(&mut self, message: BankMessage) {
        self.outputs.push_back(Output::Send { to: self.desk.bank(), message: Message::Bank(message) });
    }
}

#[cfg(test)]
mod tests;
