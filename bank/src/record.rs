//! Records: what happened to the ledger, in order, each chained to the one before.
//!
//! An event keeps the signed command that caused it, so that an auditor can check every movement of money
//! without trusting the bank. Numbers are little-endian; the encoding is
//! `version ‖ sequence ‖ time ‖ kind ‖ fields ‖ chain`, and the chain is over all that stands before it.
//!
//! Before a command stands the digest by which it is remembered, so that a replay need not hash it once more than the chain
//! does. [`Record::decode`] checks it; a replay of the bank's own bytes ([`crate::Replay::follow_encoded`]) believes
//! it as it believes the signatures, because the chain shows that the bank wrote it.

mod plain;

pub(crate) use plain::Plain;

use crate::fingerprint::digest;
use proto::message::bank::{BankCommand, Ending};
use proto::wire::Wire;
use proto::{CommandId, Hash, Money, PublicKey, Signed, Time};
use std::net::IpAddr;

/// The version of the encoding; the first byte of each record.
pub const FORMAT: u8 = 2;
/// The longest signed command that the bank takes and keeps, in bytes.
pub const MAX_COMMAND: usize = 1 << 20;

/// The kind of [`Event::Transferred`].
const TRANSFERRED: u8 = 4;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An account came into being, or one that a payment had made got its grant.
    AccountOpened {
        /// The account's own command.
        command: Box<Signed<BankCommand>>,
        /// What was issued to it.
        granted: Money,
        /// From where the command came.
        network: Network,
    },
    /// Money was set aside.
    HoldPlaced {
        /// The buyer's command.
        command: Box<Signed<BankCommand>>,
        /// When the hold ends.
        expires: Time,
    },
    /// A seller took a contract and put its bond up.
    HoldAccepted {
        /// The seller's command.
        command: Box<Signed<BankCommand>>,
        /// How much was put up.
        bond: Money,
    },
    /// A seller showed that it has delivered.
    HoldClaimed {
        /// The seller's command.
        command: Box<Signed<BankCommand>>,
        /// Until when the buyer may object; the end of the hold if it has not taken the outputs.
        until: Time,
    },
    /// A buyer objected to a claim.
    HoldDisputed {
        /// The buyer's command.
        command: Box<Signed<BankCommand>>,
        /// What the buyer put up: the arbiter's pay.
        deposit: Money,
        /// What was taken from the seller for the same, beside its bond.
        stake: Money,
    },
    /// An arbiter was drawn.
    ArbiterNamed {
        /// For which hold.
        hold: CommandId,
        /// Who.
        arbiter: PublicKey,
        /// Until when it has to answer.
        until: Time,
    },
    /// A hold ended.
    HoldClosed {
        /// The command that ended it; none if its time was over.
        command: Option<Box<Signed<BankCommand>>>,
        /// How, and who got what.
        ending: Box<Ending>,
    },
    /// Available money moved.
    Transferred {
        /// The payer's command.
        command: Box<Signed<BankCommand>>,
    },
    /// Money was issued to an account.
    Granted {
        /// The operator's command.
        command: Box<Signed<BankCommand>>,
    },
    /// An account was frozen or freed.
    Frozen {
        /// The operator's command.
        command: Box<Signed<BankCommand>>,
    },
    /// The bank came back after it was away: nothing ends by its time before `quiet_until`, so that an outage costs
    /// nobody anything.
    Resumed {
        /// Until when no deadline counts.
        quiet_until: Time,
    },
}

/// Where an account was opened from: an IPv4 address, or a network of 2^64 IPv6 addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(pub [u8; 8]);

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

    /// Whether these bytes, the encoding of a record, are what was chained after `previous`.
    pub(crate) fn is_chained(bytes: &[u8], previous: Hash) -> bool {
        let Some((body, chain)) = bytes.split_last_chunk::<32>() else { return false };
        let hash = blake3::Hasher::new().update(&previous.0).update(body).finalize();
        hash.as_bytes() == chain
    }

    /// The signed command that caused it; none for what time and the bank itself did.
    #[must_use]
    pub fn command(&self) -> Option<&Signed<BankCommand>> {
        self.event.command()
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
            1 => Event::AccountOpened {
                granted: rest.money()?,
                network: Network(rest.array()?),
                command: rest.command()?,
            },
            2 => Event::HoldPlaced { expires: rest.time()?, command: rest.command()? },
            3 => Event::HoldClosed { ending: rest.ending()?, command: rest.optional_command()? },
            TRANSFERRED => Event::Transferred { command: rest.command()? },
            5 => Event::Granted { command: rest.command()? },
            6 => Event::Frozen { command: rest.command()? },
            7 => Event::HoldAccepted { bond: rest.money()?, command: rest.command()? },
            8 => Event::HoldClaimed { until: rest.time()?, command: rest.command()? },
            9 => {
                Event::HoldDisputed { deposit: rest.money()?, stake: rest.money()?, command: rest.command()? }
            }
            10 => Event::ArbiterNamed {
                until: rest.time()?,
                hold: CommandId(rest.array()?),
                arbiter: PublicKey(rest.array()?),
            },
            11 => Event::Resumed { quiet_until: rest.time()? },
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
        self.event.encode(&mut bytes);
        bytes
    }
}

impl Network {
    /// The network of an ip address.
    #[must_use]
    pub fn of(ip: IpAddr) -> Self {
        let mut network = [0; 8];
        match ip.to_canonical() {
            IpAddr::V4(four) => network.iter_mut().rev().zip(four.octets().into_iter().rev()).for_each(copy),
            IpAddr::V6(six) => network.iter_mut().zip(six.octets()).for_each(copy),
        }
        Self(network)
    }
}

fn copy((to, from): (&mut u8, u8)) {
    *to = from;
}

impl Event {
    /// The signed command that caused it; none for what time and the bank itself did.
    #[must_use]
    pub fn command(&self) -> Option<&Signed<BankCommand>> {
        match self {
            Self::AccountOpened { command, .. }
            | Self::HoldPlaced { command, .. }
            | Self::HoldAccepted { command, .. }
            | Self::HoldClaimed { command, .. }
            | Self::HoldDisputed { command, .. }
            | Self::Transferred { command }
            | Self::Granted { command }
            | Self::Frozen { command } => Some(command),
            Self::HoldClosed { command, .. } => command.as_deref(),
            Self::ArbiterNamed { .. } | Self::Resumed { .. } => None,
        }
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::AccountOpened { .. } => 1,
            Self::HoldPlaced { .. } => 2,
            Self::HoldClosed { .. } => 3,
            Self::Transferred { .. } => TRANSFERRED,
            Self::Granted { .. } => 5,
            Self::Frozen { .. } => 6,
            Self::HoldAccepted { .. } => 7,
            Self::HoldClaimed { .. } => 8,
            Self::HoldDisputed { .. } => 9,
            Self::ArbiterNamed { .. } => 10,
            Self::Resumed { .. } => 11,
        }
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.kind());
        let mut number = |number: u64| bytes.extend(number.to_le_bytes());
        match self {
            Self::AccountOpened { granted, network, .. } => {
                number(granted.0);
                bytes.extend(network.0);
            }
            Self::HoldPlaced { expires: time, .. }
            | Self::HoldClaimed { until: time, .. }
            | Self::Resumed { quiet_until: time } => number(time.0),
            Self::HoldAccepted { bond, .. } => number(bond.0),
            Self::HoldDisputed { deposit, stake, .. } => {
                number(deposit.0);
                number(stake.0);
            }
            Self::ArbiterNamed { hold, arbiter, until } => {
                number(until.0);
                bytes.extend(hold.0);
                bytes.extend(arbiter.0);
            }
            Self::HoldClosed { ending, command } => {
                with_length(bytes, &ending.encode());
                bytes.push(u8::from(command.is_some()));
            }
            Self::Transferred { .. } | Self::Granted { .. } | Self::Frozen { .. } => {}
        }
        if let Some(command) = self.command() {
            let content = command.body.encode();
            bytes.extend(digest(command.signer, &content));
            with_length(bytes, &command.encode_around(content));
        }
    }
}

fn with_length(bytes: &mut Vec<u8>, text: &[u8]) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    bytes.extend(length.to_le_bytes());
    bytes.extend(text);
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

    fn time(&mut self) -> Result<Time, NotARecord> {
        self.number().map(Time)
    }

    fn text(&mut self) -> Result<&[u8], NotARecord> {
        let length = u32::from_le_bytes(self.array()?);
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn ending(&mut self) -> Result<Box<Ending>, NotARecord> {
        let ending = Ending::decode(self.text()?);
        ending.map(Box::new).map_err(|e| NotARecord { reason: format!("its ending is {e}") })
    }

    fn command(&mut self) -> Result<Box<Signed<BankCommand>>, NotARecord> {
        let its_digest: [u8; 16] = self.array()?;
        let command = Signed::<BankCommand>::decode(self.text()?);
        let command = command.map_err(|e| NotARecord { reason: format!("its command is {e}") })?;
        if digest(command.signer, &command.body.encode()) != its_digest {
            return Err(NotARecord { reason: "its command does not fit its digest".into() });
        }
        Ok(Box::new(command))
    }

    fn optional_command(&mut self) -> Result<Option<Box<Signed<BankCommand>>>, NotARecord> {
        match self.byte()? {
            0 => Ok(None),
            1 => self.command().map(Some),
            other => {
                Err(NotARecord { reason: format!("{other} where 0 or 1 says whether a command follows") })
            }
        }
    }
}
