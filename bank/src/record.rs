//! Records: what happened to the ledger, in order, each chained to the one before.
//!
//! An event keeps the signed command that caused it, so that an auditor can check every movement of money
//! without trusting the bank. Numbers are little-endian; the encoding is
//! `version ‖ sequence ‖ time ‖ kind ‖ fields ‖ chain`, and the chain is over all that stands before it.

use proto::message::bank::BankCommand;
use proto::wire::Wire;
use proto::{CommandId, Hash, Money, PublicKey, Signed, Time};

/// The version of the encoding; the first byte of each record.
pub const FORMAT: u8 = 1;
/// The longest signed command that the bank takes and keeps, in bytes.
pub const MAX_COMMAND: usize = 1 << 20;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An account came into being, or one that a fee had made got its grant.
    AccountOpened {
        /// The account's own command.
        command: Box<Signed<BankCommand>>,
        /// What was issued to it.
        granted: Money,
    },
    /// Money was set aside.
    HoldPlaced {
        /// The buyer's command.
        command: Box<Signed<BankCommand>>,
        /// When the hold ends.
        expires: Time,
    },
    /// A hold went back to the buyer, on the seller's word.
    HoldReleased {
        /// The buyer's or the seller's command.
        command: Box<Signed<BankCommand>>,
        /// How much.
        returned: Money,
    },
    /// A hold was paid out.
    HoldSettled {
        /// The buyer's or the seller's command, with its papers.
        command: Box<Signed<BankCommand>>,
        /// To the seller.
        seller_paid: Money,
        /// To the market owner.
        owner_paid: Money,
        /// Back to the buyer.
        returned: Money,
    },
    /// A hold went back to the buyer because its time was over.
    HoldExpired {
        /// Which.
        hold: CommandId,
        /// How much.
        returned: Money,
    },
}

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number, from 0, without gaps.
    pub sequence: u64,
    /// The ledger's time: later than that of every record before it.
    pub time: Time,
    /// What happened.
    pub event: Event,
    /// BLAKE3 of the previous record's chain and this record's encoding before the chain.
    pub chain: Hash,
}

/// The chain before the first record. It names the bank, so that a journal of another bank does not fit.
#[must_use]
pub fn genesis(bank: PublicKey) -> Hash {
    let mut text = Vec::from(b"compup2p/v1/journal\0".as_slice());
    text.extend(bank.0);
    Hash::of(&text)
}

impl Record {
    /// A record that follows the one whose chain is `previous`.
    #[must_use]
    pub fn seal(sequence: u64, time: Time, event: Event, previous: Hash) -> Self {
        let mut record = Self { sequence, time, event, chain: Hash::default() };
        record.chain = record.chain_after(previous);
        record
    }

    /// The chain that this record has to have after `previous`.
    #[must_use]
    pub fn chain_after(&self, previous: Hash) -> Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&previous.0);
        hasher.update(&self.body());
        Hash(*hasher.finalize().as_bytes())
    }

    /// The signed command that caused it; none for an expiry.
    #[must_use]
    pub fn command(&self) -> Option<&Signed<BankCommand>> {
        match &self.event {
            Event::AccountOpened { command, .. }
            | Event::HoldPlaced { command, .. }
            | Event::HoldReleased { command, .. }
            | Event::HoldSettled { command, .. } => Some(command),
            Event::HoldExpired { .. } => None,
        }
    }

    /// The encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.body();
        bytes.extend(self.chain.0);
        bytes
    }

    /// Reads an encoding.
    ///
    /// # Errors
    /// Bytes that are not exactly one record of this format.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotARecord> {
        let mut rest = Cursor(bytes);
        let version = rest.byte()?;
        if version != FORMAT {
            return Err(NotARecord { reason: format!("format {version} instead of {FORMAT}") });
        }
        let (sequence, time) = (rest.number()?, Time(rest.number()?));
        let event = match rest.byte()? {
            1 => Event::AccountOpened { granted: rest.money()?, command: rest.command()? },
            2 => Event::HoldPlaced { expires: Time(rest.number()?), command: rest.command()? },
            3 => Event::HoldReleased { returned: rest.money()?, command: rest.command()? },
            4 => Event::HoldSettled {
                seller_paid: rest.money()?,
                owner_paid: rest.money()?,
                returned: rest.money()?,
                command: rest.command()?,
            },
            5 => Event::HoldExpired { returned: rest.money()?, hold: CommandId(rest.array()?) },
            kind => return Err(NotARecord { reason: format!("an event of unknown kind {kind}") }),
        };
        let chain = Hash(rest.array()?);
        if !rest.0.is_empty() {
            return Err(NotARecord { reason: format!("{} bytes after its end", rest.0.len()) });
        }
        Ok(Self { sequence, time, event, chain })
    }

    fn body(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        bytes.extend(self.sequence.to_le_bytes());
        bytes.extend(self.time.0.to_le_bytes());
        let (kind, numbers): (u8, Vec<u64>) = match &self.event {
            Event::AccountOpened { granted, .. } => (1, vec![granted.0]),
            Event::HoldPlaced { expires, .. } => (2, vec![expires.0]),
            Event::HoldReleased { returned, .. } => (3, vec![returned.0]),
            Event::HoldSettled { seller_paid, owner_paid, returned, .. } => {
                (4, vec![seller_paid.0, owner_paid.0, returned.0])
            }
            Event::HoldExpired { returned, .. } => (5, vec![returned.0]),
        };
        bytes.push(kind);
        numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        if let Event::HoldExpired { hold, .. } = &self.event {
            bytes.extend(hold.0);
        }
        if let Some(command) = self.command() {
            let text = command.encode();
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            bytes.extend(length.to_le_bytes());
            bytes.extend(text);
        }
        bytes
    }
}

/// Why bytes are not a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a record: {reason}")]
pub struct NotARecord {
    /// What is wrong.
    pub reason: String,
}

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], NotARecord> {
        let (head, tail) = self
            .0
            .split_at_checked(count)
            .ok_or_else(|| NotARecord { reason: "it ends too early".into() })?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NotARecord> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| NotARecord { reason: "it ends too early".into() })
    }

    fn byte(&mut self) -> Result<u8, NotARecord> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Result<u64, NotARecord> {
        self.array().map(u64::from_le_bytes)
    }

    fn money(&mut self) -> Result<Money, NotARecord> {
        self.number().map(Money)
    }

    fn command(&mut self) -> Result<Box<Signed<BankCommand>>, NotARecord> {
        let length = u32::from_le_bytes(self.array()?);
        let bytes = self.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        Signed::decode(bytes).map(Box::new).map_err(|e| NotARecord { reason: format!("its command is {e}") })
    }
}
