//! The ledger: what all records so far come to.
//!
//! An event is applied in two moves: [`Ledger::step`] works out what it changes and refuses what cannot
//! follow from the ledger as it is; [`Ledger::execute`] changes it. The running bank and the replay of a
//! journal go through the same two, and the invariants are checked after each record, in release builds too.

mod deal;

pub(crate) use deal::claimed;

use crate::account::{Accounts, Posting, Side};
use crate::admission::Openings;
use crate::check::{Violation, check_touched, touched};
use crate::deal::{Deal, Stage};
use crate::fingerprint::Fingerprint;
use crate::hold::{Hold, Holds};
use crate::memory::{Answer, Executed, Memory};
use crate::record::{Event, Network, Plain, Record, genesis};
use crate::standing::{Conduct, Standings};
use crate::transfer::{apply_plain, step_frozen, step_granted, step_transferred};
use proto::message::bank::{BankCommand, Ending, Order};
use proto::{CommandId, Hash, Money, PublicKey, Signed, Time};

/// The ledger.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    /// Whose ledger it is; its account is the pool.
    pub(crate) bank: PublicKey,
    pub(crate) accounts: Accounts,
    pub(crate) holds: Holds,
    pub(crate) memory: Memory,
    pub(crate) standings: Standings,
    pub(crate) openings: Openings,
    /// Until when nothing ends by its time, because the bank was away.
    pub(crate) quiet_until: Time,
    /// The accounts whose held side, or whose open holds, the last record changed.
    pub(crate) touched: Vec<PublicKey>,
    /// The number of the next record.
    pub(crate) sequence: u64,
    /// The time of the last record.
    pub(crate) time: Time,
    /// The chain of the last record.
    pub(crate) head: Hash,
}

/// What an event changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    /// The money that moves.
    pub(crate) postings: Vec<Posting>,
    /// The account that has its grant now, and from where it was opened.
    pub(crate) granted: Option<(PublicKey, Network)>,
    /// The account that is frozen now, or free.
    pub(crate) frozen: Option<(PublicKey, bool)>,
    /// The hold that is open now.
    pub(crate) placed: Option<Hold>,
    /// The deal that has come further now.
    pub(crate) changed: Option<Deal>,
    /// Until when nothing ends by its time.
    pub(crate) quiet_until: Option<Time>,
    /// The hold that is closed now, and how it came out for its seller.
    pub(crate) closed: Option<(Ending, Conduct)>,
    /// The command that is executed now, and by whom.
    pub(crate) executed: Option<(CommandId, PublicKey, Executed)>,
}

impl Step {
    /// A dispute that begins now draws its arbiters from the chain of its own record.
    fn seed(&mut self, chain: Hash) {
        if let Some(Deal { stage: Stage::Disputed(dispute), .. }) = &mut self.changed
            && dispute.named.is_empty()
        {
            dispute.seed = chain;
        }
    }
}

impl Ledger {
    /// The empty ledger of `bank`.
    pub(crate) fn new(bank: PublicKey) -> Self {
        Self {
            bank,
            accounts: Accounts::default(),
            holds: Holds::default(),
            memory: Memory::default(),
            standings: Standings::default(),
            openings: Openings::default(),
            quiet_until: Time(0),
            touched: Vec::new(),
            sequence: 0,
            time: Time(0),
            head: genesis(bank),
        }
    }

    /// The time of the next record when the clock shows `now`: a clock that does not move on, or goes back,
    /// is a microsecond after the last record. `None` at the end of time.
    pub(crate) fn next_time(&self, now: Time) -> Option<Time> {
        self.time.0.checked_add(1).map(|next| Time(next).max(now))
    }

    /// The next record.
    pub(crate) fn seal(&self, event: Event, time: Time) -> Record {
        Record::seal(self.sequence, time, event, self.head)
    }

    /// Applies a record whose sequence, time and chain are right. After an error the ledger is not to be
    /// used any more.
    pub(crate) fn apply(&mut self, record: &Record) -> Result<(), Violation> {
        let mut step = self.step(&record.event, record.time)?;
        step.seed(record.chain);
        self.execute(step, record.time)?;
        self.finish(record.time, record.chain)
    }

    /// Applies a record of a transfer whose sequence, time and chain are right.
    pub(crate) fn apply_plain(&mut self, record: &Plain<'_>) -> Result<(), Violation> {
        apply_plain(self, record)?;
        self.finish(record.time, record.chain)
    }

    fn finish(&mut self, time: Time, chain: Hash) -> Result<(), Violation> {
        (self.sequence, self.time, self.head) = (self.sequence.saturating_add(1), time, chain);
        check_touched(self)
    }

    /// What `event` changes.
    pub(crate) fn step(&self, event: &Event, time: Time) -> Result<Step, Violation> {
        let mut step = match event {
            Event::AccountOpened { command, granted, network } => {
                self.step_opened(command, *granted, *network)
            }
            Event::HoldPlaced { command, expires } => self.step_placed(command, *expires, time),
            Event::HoldClosed { command, ending } => self.step_closed(command.as_deref(), ending, time),
            Event::HoldAccepted { command, bond } => self.step_accepted(command, *bond, time),
            Event::HoldClaimed { command, until } => self.step_claimed(command, *until, time),
            Event::HoldDisputed { command, deposit, stake } => {
                self.step_disputed(command, (*deposit, *stake), time)
            }
            Event::ArbiterNamed { hold, arbiter, until } => self.step_named(*hold, *arbiter, *until, time),
            Event::Resumed { quiet_until } => Self::step_resumed(*quiet_until, time),
            Event::Transferred { command } => step_transferred(self, command),
            Event::Granted { command } => step_granted(self, command),
            Event::Frozen { command } => step_frozen(self, command),
        }?;
        step.postings.retain(|posting| posting.change != 0);
        if step.executed.as_ref().is_some_and(|(id, ..)| self.memory.find(*id).is_some()) {
            return Err(TWICE);
        }
        Ok(step)
    }

    /// Changes the ledger.
    pub(crate) fn execute(&mut self, step: Step, time: Time) -> Result<(), Violation> {
        self.memory.forget_aged(time);
        self.touched = touched(&step);
        if let Some((account, network)) = step.granted {
            self.accounts.grant(account)?;
            self.openings.note(network, time);
        }
        if let Some((account, is_frozen)) = step.frozen {
            self.accounts.freeze(account, is_frozen)?;
        }
        self.accounts.post(&step.postings)?;
        if let Some((id, account, executed)) = step.executed {
            let lane = self.lane(account);
            if step.placed.is_none() {
                self.memory.remember_over(id, executed, lane, time);
            } else {
                self.memory.remember(id, executed, lane);
            }
        }
        if let Some(hold) = step.placed {
            self.holds.place(hold)?;
        }
        if let Some(deal) = step.changed {
            self.holds.change(deal)?;
        }
        if let Some(quiet_until) = step.quiet_until {
            self.quiet_until = quiet_until;
        }
        if let Some((ending, conduct)) = step.closed {
            let hold = self.holds.close(ending.hold)?;
            self.standings.note(&hold, conduct);
            self.memory.close(ending.hold, ending.how, ending.shares);
            self.memory.age(ending.hold, time);
        }
        Ok(())
    }

    /// Where the memory counts the commands of `account`: an account by its number, everybody else at 0.
    pub(crate) fn lane(&self, account: PublicKey) -> u32 {
        self.accounts.number(account).map_or(0, |number| number.saturating_add(1))
    }

    /// Whether `key` is the bank's or has an account.
    pub(crate) fn is_known(&self, key: PublicKey) -> bool {
        key == self.bank || self.accounts.number(key).is_some()
    }

    fn step_opened(
        &self,
        command: &Signed<BankCommand>,
        granted: Money,
        network: Network,
    ) -> Result<Step, Violation> {
        let account = command.signer;
        let former = self.accounts.find(account).copied().unwrap_or_default();
        if former.is_granted {
            return Err(impossible("an account got its grant twice"));
        }
        let Order::OpenAccount(_) = command.body.order else {
            return Err(impossible("an account was opened by another order"));
        };
        let Some(available) = Money(former.available).checked_add(granted) else {
            return Err(impossible("a grant that cannot be counted"));
        };
        let answer = Answer::Opened(Box::new((available, Money(former.held))));
        Ok(Step {
            postings: vec![
                Posting::debit(Side::Issuer, granted),
                Posting::credit(Side::Available(account), granted),
            ],
            granted: Some((account, network)),
            executed: Some(executed(command, answer)),
            ..Step::default()
        })
    }

    fn step_placed(
        &self,
        command: &Signed<BankCommand>,
        expires: Time,
        time: Time,
    ) -> Result<Step, Violation> {
        let Order::PlaceHold(order) = command.body.order else {
            return Err(impossible("a hold was placed by another order"));
        };
        let buyer = command.signer;
        if order.amount == Money::ZERO || order.seller == buyer || expires != time.after(order.expires_in) {
            return Err(impossible("a hold was placed that no bank places"));
        }
        if self.accounts.find(buyer).is_none() || self.accounts.find(order.seller).is_none() {
            return Err(impossible("a hold was placed between accounts that are not there"));
        }
        if self.accounts.find(buyer).is_some_and(|account| account.is_frozen) {
            return Err(impossible("a hold was placed by an account that is frozen"));
        }
        let (id, amount) = (command.body.id, order.amount);
        let hold = Hold { id, buyer, seller: order.seller, ticket: order.ticket, amount, expires };
        Ok(Step {
            postings: vec![
                Posting::debit(Side::Available(buyer), amount),
                Posting::credit(Side::Held(buyer), amount),
            ],
            placed: Some(hold),
            executed: Some(executed(command, Answer::Held(expires))),
            ..Step::default()
        })
    }
}

/// The command as it is remembered.
pub(crate) fn executed(command: &Signed<BankCommand>, answer: Answer) -> (CommandId, PublicKey, Executed) {
    let fingerprint = Fingerprint::of(command);
    (command.body.id, command.signer, Executed { fingerprint, answer })
}

/// A command whose id is in the memory already.
pub(crate) const TWICE: Violation = impossible("a command was executed twice");

/// An event that cannot follow from the ledger as it was.
pub(crate) const fn impossible(what: &'static str) -> Violation {
    Violation::Impossible { what }
}
