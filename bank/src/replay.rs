//! A ledger from its journal: by the bank at its start, and by anybody who wants to check the bank.

use crate::Totals;
use crate::check::{Violation, check_all};
use crate::decide::{disputable, is_claimed_work, is_party, is_seller};
use crate::ledger::Ledger;
use crate::record::{NotARecord, Plain, Record};
use crate::settlement::{check_claim, check_dispute, check_judge, check_release, check_settle};
use crate::snapshot;
use proto::message::bank::{BankCommand, Order};
use proto::{Hash, PublicKey, Refusal, Signed, Time};

/// Why records are not the history of a ledger. `sequence` is the number that the record should have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// A record is missing, doubled or out of its place.
    #[error("record {sequence} has the number {found}")]
    Sequence {
        /// Which record.
        sequence: u64,
        /// The number it has.
        found: u64,
    },
    /// A record is not later than the one before.
    #[error("record {sequence} is not later than the one before it")]
    Time {
        /// Which record.
        sequence: u64,
    },
    /// A record is not the one that was chained, or the journal is of another bank.
    #[error("record {sequence} does not continue the chain of this bank's journal")]
    Chain {
        /// Which record.
        sequence: u64,
    },
    /// The record cannot have happened, or leaves the ledger wrong.
    #[error("record {sequence}: {violation}")]
    Violation {
        /// Which record.
        sequence: u64,
        /// What is broken.
        violation: Violation,
    },
    /// Bytes that are no record.
    #[error("record {sequence}: {reason}")]
    NotARecord {
        /// Which record.
        sequence: u64,
        /// What is wrong.
        reason: String,
    },
    /// Bytes that are no snapshot of this bank's ledger. The journal from its first record on still is.
    #[error("not a snapshot of this bank's ledger: {reason}")]
    Snapshot {
        /// What is wrong.
        reason: String,
    },
    /// Nobody allowed what the record says ([`audit`] only).
    #[error("record {sequence}: {refusal}")]
    NotAuthorised {
        /// Which record.
        sequence: u64,
        /// What its papers lack.
        refusal: Box<Refusal>,
    },
}

/// Checks a whole journal without trusting the bank whose key is `bank`: chain, arithmetic, invariants, and
/// every signature on every command and paper. Returns what the accounts come to, and the head to compare
/// with the one that the bank publishes.
///
/// # Errors
/// The first record that is wrong.
pub fn audit(
    bank: PublicKey,
    records: impl IntoIterator<Item = Record>,
) -> Result<(Totals, Hash), ReplayError> {
    let mut ledger = Ledger::new(bank);
    for record in records {
        authorised(&ledger, bank, &record)
            .map_err(|refusal| ReplayError::NotAuthorised { sequence: ledger.sequence, refusal })?;
        follow(&mut ledger, &record)?;
    }
    finish(&ledger)?;
    Ok((Totals::of(&ledger), ledger.head))
}

/// A ledger that is being rebuilt from its records. Signatures are not verified again: the chain shows that the records
/// are the bank's own.
#[derive(Debug)]
pub struct Replay {
    ledger: Ledger,
}

impl Replay {
    /// The empty ledger of `bank`.
    #[must_use]
    pub fn new(bank: PublicKey) -> Self {
        Self { ledger: Ledger::new(bank) }
    }

    /// Applies the next record.
    ///
    /// # Errors
    /// A record that does not follow. The replay is not to be used any more.
    pub fn follow(&mut self, record: &Record) -> Result<(), ReplayError> {
        follow(&mut self.ledger, record)
    }

    /// Applies the next record from its encoding. It comes to the same as [`Record::decode`] and [`Replay::follow`], and is
    /// several times faster for the commonest record, the transfer: the chain is verified over the bytes as they are.
    ///
    /// # Errors
    /// Bytes that are no record, or one that does not follow. The replay is not to be used any more.
    pub fn follow_encoded(&mut self, bytes: &[u8]) -> Result<(), ReplayError> {
        let ledger = &mut self.ledger;
        let sequence = ledger.sequence;
        let Some(record) = Plain::read(bytes) else {
            let record = Record::decode(bytes)
                .map_err(|NotARecord { reason }| ReplayError::NotARecord { sequence, reason })?;
            return follow(ledger, &record);
        };
        is_next(ledger, record.sequence, record.time)?;
        if !Record::is_chained(bytes, ledger.head) {
            return Err(ReplayError::Chain { sequence });
        }
        ledger.apply_plain(&record).map_err(|violation| ReplayError::Violation { sequence, violation })
    }

    /// The ledger as it was written by [`Replay::snapshot`]. The records from [`Replay::next`] on follow it.
    ///
    /// # Errors
    /// [`ReplayError::Snapshot`] for bytes of another format or bank, or of which any bit was changed.
    pub fn from_snapshot(bank: PublicKey, bytes: &[u8]) -> Result<Self, ReplayError> {
        let broken = |reason: &str| ReplayError::Snapshot { reason: reason.into() };
        snapshot::read(bank, bytes).map(|ledger| Self { ledger }).map_err(broken)
    }

    /// The ledger as bytes: see `snapshot` for the format.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        snapshot::write(&self.ledger).0
    }

    /// A hash of all that the ledger holds, as [`crate::Bank::state_hash`].
    #[must_use]
    pub fn state_hash(&self) -> Hash {
        snapshot::write(&self.ledger).1
    }

    /// The chain of the last record, or [`crate::genesis`].
    #[must_use]
    pub const fn head(&self) -> Hash {
        self.ledger.head
    }

    /// The number of the next record.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.ledger.sequence
    }

    pub(crate) fn finish(self) -> Result<Ledger, ReplayError> {
        finish(&self.ledger)?;
        Ok(self.ledger)
    }
}

fn follow(ledger: &mut Ledger, record: &Record) -> Result<(), ReplayError> {
    let sequence = ledger.sequence;
    is_next(ledger, record.sequence, record.time)?;
    if record.chain != record.chain_after(ledger.head) {
        return Err(ReplayError::Chain { sequence });
    }
    ledger.apply(record).map_err(|violation| ReplayError::Violation { sequence, violation })
}

fn is_next(ledger: &Ledger, found: u64, time: Time) -> Result<(), ReplayError> {
    let sequence = ledger.sequence;
    if found != sequence {
        return Err(ReplayError::Sequence { sequence, found });
    }
    if time <= ledger.time {
        return Err(ReplayError::Time { sequence });
    }
    Ok(())
}

fn finish(ledger: &Ledger) -> Result<(), ReplayError> {
    check_all(ledger).map_err(|violation| ReplayError::Violation {
        sequence: ledger.sequence.saturating_sub(1),
        violation,
    })
}

fn authorised(ledger: &Ledger, bank: PublicKey, record: &Record) -> Result<(), Box<Refusal>> {
    let Some(command) = record.command() else { return Ok(()) };
    crate::entrance::admit(command, command.signer, bank).map_err(Box::new)?;
    papers(ledger, command).map_err(Box::new)
}

/// Whether the papers of an order allow what it does to its contract. A contract that is not there is a
/// violation of the ledger, and is seen there.
fn papers(ledger: &Ledger, command: &Signed<BankCommand>) -> Result<(), Refusal> {
    let signer = command.signer;
    let find = |hold| ledger.holds.find(hold);
    match &command.body.order {
        Order::ReleaseHold(order) => match find(order.hold) {
            Some(deal) if deal.hold.buyer == signer => check_release(&deal.hold, order),
            Some(deal) => is_party(&deal.hold, signer),
            None => Ok(()),
        },
        Order::Settle(order) => find(order.hold).map_or(Ok(()), |deal| {
            is_party(&deal.hold, signer)?;
            check_settle(&deal.hold, order)?;
            is_claimed_work(deal, signer, order)
        }),
        Order::AcceptHold(order) => find(order.hold).map_or(Ok(()), |deal| is_seller(&deal.hold, signer)),
        Order::Claim(order) => find(order.hold).map_or(Ok(()), |deal| {
            is_seller(&deal.hold, signer)?;
            check_claim(&deal.hold, order)
        }),
        Order::Dispute(order) => find(order.hold).map_or(Ok(()), |deal| {
            disputable(deal)?;
            check_dispute(deal, order)
        }),
        Order::Judge(order) => {
            find(order.hold).map_or(Ok(()), |deal| check_judge(deal, signer, order).map(drop))
        }
        Order::OpenAccount(_)
        | Order::PlaceHold(_)
        | Order::Transfer(_)
        | Order::Grant(_)
        | Order::Freeze(_) => Ok(()),
    }
}
