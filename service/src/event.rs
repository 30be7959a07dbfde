//! What the user of a node is told while a task runs.

mod replica;

pub use replica::{Difference, Replica, Vote};

use proto::message::bank::How;
use proto::message::service::{Blob, NamedBlob, Outcome};
use proto::{
    Bytes, ContractId, Cycles, Market, Money, Peer, PublicKey, Rate, Refusal, RefusalCode, Span, Time,
};

/// Something that happened to a task or to one of its sub-tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub time: Time,
    /// Which task.
    pub task: ContractId,
    /// What happened.
    pub kind: EventKind,
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A seller was found.
    Matched {
        /// Index of the sub-task.
        sub_task: u32,
        /// The deal.
        sale: Sale,
    },
    /// Nobody fits at the moment.
    NoSeller {
        /// Index of the sub-task.
        sub_task: u32,
        /// Why, in words.
        why: String,
    },
    /// The seller took the offer and fetches program and inputs.
    Staging {
        /// Index of the sub-task.
        sub_task: u32,
    },
    /// The seller executes.
    Running {
        /// Index of the sub-task.
        sub_task: u32,
    },
    /// The seller's owner needs the machine: the sub-task stands still there. [`EventKind::Staging`] or
    /// [`EventKind::Running`] tells that it goes on.
    Suspended {
        /// Index of the sub-task.
        sub_task: u32,
    },
    /// The state of a running program is kept where it outlives its seller.
    Saved {
        /// Index of the sub-task.
        sub_task: u32,
        /// The work that is done in it, from the start of the sub-task.
        cycles: Cycles,
        /// Its size.
        size: Bytes,
        /// How many storage nodes have it; 0: this node itself.
        copies: u32,
    },
    /// A seller could not save the state of a running program, which goes on.
    NotSaved {
        /// Index of the sub-task.
        sub_task: u32,
        /// Why, in the seller's words.
        why: String,
    },
    /// The sub-task has lost its seller, and the next one goes on from its last saved state.
    Resumed {
        /// Index of the sub-task.
        sub_task: u32,
        /// The work that is done in it, from the start of the sub-task.
        cycles: Cycles,
    },
    /// An attempt came to nothing and another will be made.
    Retrying {
        /// Index of the sub-task.
        sub_task: u32,
        /// Why, in words.
        why: String,
    },
    /// The sub-task has ended.
    Ended {
        /// Index of the sub-task.
        sub_task: u32,
        /// How.
        end: Box<End>,
    },
    /// The seller of a rejected result claims its price: a second execution decides, and the loser pays for it.
    Disputed {
        /// Index of the sub-task.
        sub_task: u32,
        /// What the buyer has put up for the second execution.
        deposit: Money,
    },
    /// The seller of a rejected result claims its price, and that could not be disputed.
    NotDisputed {
        /// Index of the sub-task.
        sub_task: u32,
        /// Why, in words.
        why: String,
    },
    /// The claim of the seller of a rejected result has ended.
    Judged {
        /// Index of the sub-task.
        sub_task: u32,
        /// How.
        how: How,
        /// What it has cost the buyer.
        lost: Money,
    },
    /// A seller has answered a question wrongly whose answer is known: it gets nothing more of the task.
    Distrusted {
        /// Index of the sub-task that the question was bought with.
        sub_task: u32,
        /// The seller.
        seller: PublicKey,
        /// How many executions are taken from it, and bought elsewhere.
        again: u32,
        /// How many of its results had been accepted before; they stay so.
        kept: u32,
    },
    /// A fifth or less is left of what there was for a task.
    BudgetLow {
        /// Of what.
        purse: Purse,
        /// What is left.
        left: Money,
        /// Of how much.
        of: Money,
    },
    /// A result is the one that the task looked for: what has not ended is cancelled.
    Found {
        /// Index of the sub-task.
        sub_task: u32,
        /// What was looked for, in words.
        what: String,
    },
    /// All sub-tasks have ended.
    TaskEnded,
}

/// Where the money of a task comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purse {
    /// The budget that its file states.
    Budget,
    /// What was available on the account when the task began.
    Account,
}

/// The terms of a match, for the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// Who sells.
    pub seller: Peer,
    /// The market it was found in.
    pub market: Market,
    /// Whose market it was.
    pub owner: Peer,
    /// The seller's ask.
    pub ask: Rate,
    /// The next higher ask, which sets the price; `None` when the seller was alone.
    pub second_ask: Option<Rate>,
    /// How many asks fitted.
    pub asks_seen: u32,
    /// The price.
    pub clearing: Rate,
}

/// How a sub-task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The verdict.
    pub verdict: Verdict,
    /// The last deal, if one was made.
    pub sale: Option<Sale>,
    /// Attempts made.
    pub attempts: u32,
    /// Cycles metered in the last attempt.
    pub cycles: Cycles,
    /// Paid to the seller.
    pub paid: Money,
    /// Paid to the market owner.
    pub fee: Money,
    /// From submission to the end.
    pub elapsed: Span,
    /// The outputs that are in the buyer's store.
    pub outputs: Vec<NamedBlob>,
    /// Standard output, if it is in the buyer's store.
    pub stdout: Option<Blob>,
    /// Standard error, if it is in the buyer's store.
    pub stderr: Option<Blob>,
    /// Its replicas, if it was bought more than once or its result was put to a test: who they were, and who agreed.
    pub replicas: Vec<Replica>,
}

/// The word on a sub-task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Outputs here, seller paid.
    Succeeded,
    /// The program itself failed, or every attempt did; the last one's outcome.
    Failed(Outcome),
    /// No seller could be found.
    NotPlaced {
        /// Why, in words.
        why: String,
    },
    /// The buyer's money does not suffice, or the bank refused for another reason.
    NotPaid(Refusal),
    /// Sellers took the work and were not heard of again.
    Lost {
        /// How many attempts.
        attempts: u32,
    },
    /// Sellers declined the offer; the last one's words.
    Declined(Refusal),
    /// The user cancelled.
    Cancelled,
    /// Too few results agree, and no more replicas are to be bought.
    NoQuorum {
        /// Why, in words.
        why: String,
    },
    /// A replica whose result is not that of the others, or not right; what is wrong with it, in words.
    Rejected(String),
    /// A sub-task that it waits for did not succeed, so that it never began.
    DependencyFailed {
        /// The one that did not; itself, where sub-tasks wait for each other.
        name: String,
    },
    /// It had not ended by its deadline.
    TooLate,
    /// Another result has made this one needless; which, in words.
    NotNeeded(String),
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Succeeded => write!(out, "succeeded"),
            Self::Failed(outcome) => write!(out, "failed: the program {outcome}"),
            Self::NotPlaced { why } => write!(out, "not placed: {why}"),
            Self::NotPaid(refusal) if refusal.code == RefusalCode::NotEnoughMoney => {
                write!(out, "not enough money: {refusal}")
            }
            Self::NotPaid(refusal) => write!(out, "refused by the bank: {refusal}"),
            Self::Lost { attempts } => {
                let times =
                    if *attempts == 1 { "the seller was" } else { "the sellers of every attempt were" };
                write!(out, "lost: {times} not heard of again ({attempts} tried)")
            }
            Self::Declined(refusal) => write!(out, "declined: {refusal}"),
            Self::Cancelled => write!(out, "cancelled"),
            Self::NoQuorum { why } => write!(out, "no quorum: {why}"),
            Self::Rejected(why) => write!(out, "rejected: {why}"),
            Self::DependencyFailed { name } => {
                write!(out, "never began: sub-task `{name}`, which it waits for, did not succeed")
            }
            Self::TooLate => write!(out, "too late: it had not ended by its deadline"),
            Self::NotNeeded(why) => write!(out, "not needed: {why}"),
        }
    }
}

impl EventKind {
    /// The index of the sub-task that it is about.
    pub const fn sub_task_mut(&mut self) -> Option<&mut u32> {
        match self {
            Self::Matched { sub_task, .. }
            | Self::NoSeller { sub_task, .. }
            | Self::Staging { sub_task }
            | Self::Running { sub_task }
            | Self::Suspended { sub_task }
            | Self::Saved { sub_task, .. }
            | Self::NotSaved { sub_task, .. }
            | Self::Resumed { sub_task, .. }
            | Self::Retrying { sub_task, .. }
            | Self::Ended { sub_task, .. }
            | Self::Disputed { sub_task, .. }
            | Self::NotDisputed { sub_task, .. }
            | Self::Judged { sub_task, .. }
            | Self::Distrusted { sub_task, .. }
            | Self::Found { sub_task, .. } => Some(sub_task),
            Self::BudgetLow { .. } | Self::TaskEnded => None,
        }
    }
}

impl Sale {
    /// The terms that a ticket states.
    #[must_use]
    pub fn of(ticket: &proto::message::market::Ticket) -> Self {
        let winner = &ticket.winner.body;
        Self {
            seller: winner.seller,
            market: winner.market,
            owner: ticket.owner,
            ask: winner.ask,
            second_ask: ticket.runner_up.as_ref().map(|listing| listing.body.ask),
            asks_seen: ticket.asks_seen,
            clearing: ticket.clearing,
        }
    }
}
