//! Which commands were executed, and what was answered, so that a repeated command gets the same answer
//! and nothing moves twice.
//!
//! Only commands that changed the ledger are remembered. A refusal is not: nothing moved, so a buyer that was
//! short of money may send the very same command again when it has some, and it is still executed at most
//! once. What is remembered and when it is forgotten follows from the records alone (their content and their
//! times), so that a replayed ledger remembers the same.

use crate::hold::Hold;
use proto::message::bank::{
    ClaimReceipt, DisputeReceipt, Ending, RecordedReceipt, ReleasedReceipt, SettledReceipt,
};
use proto::{CommandId, Hash, Money, PublicKey, Span, Time};
use std::collections::{BTreeMap, BTreeSet};

/// How long an executed command is remembered, counted from the end of what it began: the id of a hold ages
/// from the moment the hold is closed, all others from their record. After that its id is free again.
pub const IDEMPOTENCY_WINDOW: Span = Span::secs(7 * 24 * 60 * 60);
/// How many executed commands of one account are remembered beside its open holds; the oldest is forgotten
/// first.
pub const REMEMBERED_PER_ACCOUNT: usize = 65_536;

/// What was answered, in the form from which the answer is made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The account was opened; its balance is told as it is now.
    Opened,
    /// The hold was placed, and how it ended if it has.
    Held(Box<Hold>, Option<Box<Ending>>),
    /// A hold was released.
    Released(ReleasedReceipt),
    /// A hold was settled.
    Settled(SettledReceipt),
    /// A seller put its bond up.
    Accepted {
        /// For which hold.
        hold: CommandId,
        /// How much.
        bond: Money,
    },
    /// A seller claimed.
    Claimed(ClaimReceipt),
    /// A buyer objected.
    Disputed(DisputeReceipt),
    /// It stands in the journal.
    Recorded(RecordedReceipt),
}

/// An executed command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Executed {
    /// Hash of its signer and content.
    pub(crate) digest: Hash,
    /// Who gave it.
    pub(crate) account: PublicKey,
    /// What was answered.
    pub(crate) answer: Answer,
}

/// The executed commands by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    executed: BTreeMap<CommandId, Executed>,
    aging: BTreeSet<(Time, CommandId)>,
    aging_of: BTreeMap<PublicKey, BTreeSet<(Time, CommandId)>>,
}

impl Memory {
    /// The executed command with this id.
    pub(crate) fn find(&self, id: CommandId) -> Option<&Executed> {
        self.executed.get(&id)
    }

    /// Remembers a command until it has aged.
    pub(crate) fn remember(&mut self, id: CommandId, executed: Executed) {
        self.executed.insert(id, executed);
    }

    /// Notes how the hold `id` ended.
    pub(crate) fn close(&mut self, id: CommandId, ending: Ending) {
        if let Some(Executed { answer: Answer::Held(_, end), .. }) = self.executed.get_mut(&id) {
            *end = Some(Box::new(ending));
        }
    }

    /// The command `id` is over and ages from `time` on.
    pub(crate) fn age(&mut self, id: CommandId, time: Time) {
        let Some(account) = self.executed.get(&id).map(|executed| executed.account) else { return };
        self.aging.insert((time, id));
        let of_account = self.aging_of.entry(account).or_default();
        of_account.insert((time, id));
        let oldest = (of_account.len() > REMEMBERED_PER_ACCOUNT).then(|| of_account.first().copied());
        if let Some(oldest) = oldest.flatten() {
            self.forget(oldest);
        }
    }

    /// Forgets what is older than the window at `time`.
    pub(crate) fn forget_aged(&mut self, time: Time) {
        while let Some(oldest) = self.aging.first().copied() {
            if time.since(oldest.0) <= IDEMPOTENCY_WINDOW {
                return;
            }
            self.forget(oldest);
        }
    }

    fn forget(&mut self, entry: (Time, CommandId)) {
        self.aging.remove(&entry);
        let Some(executed) = self.executed.remove(&entry.1) else { return };
        if let Some(of_account) = self.aging_of.get_mut(&executed.account) {
            of_account.remove(&entry);
            if of_account.is_empty() {
                self.aging_of.remove(&executed.account);
            }
        }
    }
}
