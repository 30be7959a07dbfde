//! A ledger as bytes, so that a start need not read the journal from its first record.
//!
//! A snapshot is `"compup2p/v1/snapshot\0" ‖ version ‖ bank's key ‖ number of the next record ‖ time ‖ chain ‖ quiet
//! until ‖ openings of the day ‖ accounts ‖ open deals ‖ standings ‖ memory ‖ hash`, the last being BLAKE3 of all before, by which any
//! flipped bit is found. Accounts stand in the order in which they were made, deals by their ids, the memory from the
//! oldest row on: two ledgers that came from the same records have the same snapshot, byte for byte. So its hash is the
//! hash of the ledger's state.

mod stored;

pub(crate) use stored::{Broken, Source, Stored, stored};

use crate::account::Account;
use crate::admission::Openings;
use crate::check::Violation;
use crate::deal::{Claimed, Deal, Disputed, Price, Stage};
use crate::fingerprint::{Fingerprint, Gist, Kind};
use crate::hold::Hold;
use crate::ledger::Ledger;
use crate::memory::{Answer, End, Executed, Remembered};
use crate::record::Network;
use proto::message::service::Offer;
use proto::wire::Wire as _;
use proto::{CommandId, Hash, PublicKey, Signed, Time};
use stored::{Parts, put_list};

/// What a snapshot begins with; the last byte is the version of the format.
const MARK: &[u8; 22] = b"compup2p/v1/snapshot\0\x01";

/// The ledger as bytes, and the hash at their end.
pub(crate) fn write(ledger: &Ledger) -> (Vec<u8>, Hash) {
    let mut out = Vec::with_capacity(256 + ledger.accounts.count() * 50 + ledger.memory.count() * 77);
    MARK.put(&mut out);
    ledger.bank.put(&mut out);
    ledger.sequence.put(&mut out);
    ledger.time.put(&mut out);
    ledger.head.put(&mut out);
    ledger.quiet_until.put(&mut out);
    ledger.openings.put(&mut out);
    put_list(&mut out, ledger.accounts.count(), ledger.accounts.iter().map(|(key, found)| (key, *found)));
    put_list(&mut out, ledger.holds.count(), ledger.holds.iter().cloned());
    ledger.standings.put(&mut out);
    put_list(&mut out, ledger.memory.count(), ledger.memory.iter().map(Row::of));
    let hash = Hash::of(&out);
    hash.put(&mut out);
    (out, hash)
}

/// The ledger of `bank` that was written as these bytes.
pub(crate) fn read(bank: PublicKey, bytes: &[u8]) -> Result<Ledger, Broken> {
    let (body, hash) = bytes.split_last_chunk::<32>().ok_or("it ends too early")?;
    if Hash::of(body) != Hash(*hash) {
        return Err("it does not fit its hash");
    }
    let mut from = Source(body);
    if <[u8; 22]>::take(&mut from)? != *MARK {
        return Err("it is of another format");
    }
    let mut ledger = Ledger::new(bank);
    if PublicKey::take(&mut from)? != bank {
        return Err("it is of another bank");
    }
    ledger.sequence = Stored::take(&mut from)?;
    ledger.time = Stored::take(&mut from)?;
    ledger.head = Stored::take(&mut from)?;
    ledger.quiet_until = Stored::take(&mut from)?;
    ledger.openings = Stored::take(&mut from)?;
    from.list(|(key, account): (PublicKey, Account)| ledger.accounts.restore(key, account).map_err(wrong))?;
    from.list(|deal: Deal| ledger.holds.insert(deal).map_err(wrong))?;
    ledger.standings = Stored::take(&mut from)?;
    let accounts = ledger.accounts.count();
    from.list(|row: Row| {
        if usize::try_from(row.lane).is_ok_and(|lane| lane > accounts) {
            return Err("a command of no account");
        }
        ledger.memory.remember(row.id, row.executed, row.lane);
        if row.time > Time(0) {
            ledger.memory.age(row.id, row.time);
        }
        Ok(())
    })?;
    if from.0.is_empty() { Ok(ledger) } else { Err("bytes follow its end") }
}

/// A remembered command as it is written.
struct Row {
    id: CommandId,
    executed: Executed,
    time: Time,
    lane: u32,
}

impl Row {
    fn of(remembered: &Remembered) -> Self {
        let Remembered { id, executed, time, lane, .. } = remembered;
        Self { id: *id, executed: executed.clone(), time: *time, lane: *lane }
    }
}

const fn wrong(_: Violation) -> Broken {
    "its parts contradict each other"
}

stored!(Row { id, executed, time, lane });
stored!(Executed { fingerprint, answer });
stored!(Fingerprint { digest, gist });
stored!(Gist { kind, amount, party });
stored!(End { expires, how, shares });
stored!(Account { available, held, is_granted, is_frozen });
stored!(Openings { day, by_network });
stored!(Deal { hold, bond, stage });
stored!(Hold { id, buyer, seller, ticket, amount, expires });
stored!(Claimed { price, cycles, report, offer, finding, is_taken, until });
stored!(Disputed { claim, offer, deposit, stake, seed, named, until });
stored!(Price { clearing, owner, fee, owner_rate });

impl Stored for Stage {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Held => 1_u8.put(out),
            Self::Accepted => 2_u8.put(out),
            Self::Claimed(claim) => {
                3_u8.put(out);
                claim.put(out);
            }
            Self::Disputed(dispute) => {
                4_u8.put(out);
                dispute.put(out);
            }
        }
    }

    fn take(from: &mut Source<'_>) -> Result<Self, Broken> {
        Ok(match u8::take(from)? {
            1 => Self::Held,
            2 => Self::Accepted,
            3 => Self::Claimed(Stored::take(from)?),
            4 => Self::Disputed(Stored::take(from)?),
            _ => return Err("a stage of no kind"),
        })
    }
}

impl Stored for Signed<Offer> {
    fn put(&self, out: &mut Vec<u8>) {
        self.encode().put(out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, Broken> {
        let bytes: Vec<u8> = Stored::take(from)?;
        Self::decode(&bytes).map_err(|_| "an offer that is none")
    }
}

impl Stored for Network {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, Broken> {
        Stored::take(from).map(Self)
    }
}

impl Stored for Kind {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u8).put(out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, Broken> {
        let number = u8::take(from)?;
        Self::ALL.into_iter().find(|kind| *kind as u8 == number).ok_or("an order of no kind")
    }
}

impl Stored for Answer {
    fn put(&self, out: &mut Vec<u8>) {
        let number: u8 = match self {
            Self::Opened(_) => 1,
            Self::Held(_) => 2,
            Self::Ended(_) => 3,
            Self::Released(_) => 4,
            Self::Settled(_) => 5,
            Self::Recorded(_) => 6,
            Self::Accepted(_) => 7,
            Self::Claimed(_) => 8,
            Self::Disputed(_) => 9,
            Self::Forgotten => 0,
        };
        number.put(out);
        match self {
            Self::Opened(sides) | Self::Disputed(sides) => sides.put(out),
            Self::Held(time) | Self::Claimed(time) => time.put(out),
            Self::Ended(end) => end.put(out),
            Self::Released(money) | Self::Accepted(money) => money.put(out),
            Self::Settled(parts) => Parts(**parts).put(out),
            Self::Recorded(sequence) => sequence.put(out),
            Self::Forgotten => {}
        }
    }

    fn take(from: &mut Source<'_>) -> Result<Self, Broken> {
        Ok(match u8::take(from)? {
            1 => Self::Opened(Stored::take(from)?),
            2 => Self::Held(Stored::take(from)?),
            3 => Self::Ended(Stored::take(from)?),
            4 => Self::Released(Stored::take(from)?),
            5 => Self::Settled(Box::new(Parts::take(from)?.0)),
            6 => Self::Recorded(Stored::take(from)?),
            7 => Self::Accepted(Stored::take(from)?),
            8 => Self::Claimed(Stored::take(from)?),
            9 => Self::Disputed(Stored::take(from)?),
            _ => return Err("an answer of no kind"),
        })
    }
}
