//! `compup2p bank verify`: everything that a bank's files say, computed again without trusting the bank.
//!
//! The audit verifies the chain, every sum and every signature on every command and paper, record by record. A second
//! pass holds the newest snapshot against what the journal comes to.

use super::kept;
use super::writer::fold;
use crate::cli::exit;
use crate::control::Failure;
use crate::output::{Bar, Printer, Verified};
use bank::store::{Store, StoreError};
use bank::{Record, audit};
use proto::PublicKey;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;

/// Records that were read and wait for the audit.
const WAITING: usize = 4_096;
/// Between so many records the bar moves.
const STEP: u64 = 256;

/// Verifies the bank in `home`, in which no process may be at work. With `bank`, its journal has to be that bank's.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub(crate) fn verify(home: &Path, bank: Option<PublicKey>, printer: Printer) -> Result<Verified, Failure> {
    let _held = kept::hold_still(home).map_err(|error| kept::failure(&error))?;
    let found = kept::bank_of(home).map_err(|error| kept::failure(&error))?;
    let found = found.ok_or_else(|| {
        let message = format!("there is no bank in {}", home.display());
        Failure::new("no_journal", message, exit::USAGE).hint("name its directory with --home")
    })?;
    let bank = bank.unwrap_or(found);
    let mut store = kept::reader(home, bank);
    let (cut, bytes) = store.examine().map_err(|error| kept::failure(&error))?;
    let count = store.count().map_err(|error| kept::failure(&error))?;
    let bar = Bar::new(printer, count, "records");
    let audited = audited(home, bank, &bar);
    bar.end();
    let (totals, head) = audited?;
    let snapshot = snapshot(&mut store, bank)?;
    Ok(Verified {
        bank: bank.to_string(),
        records: totals.records,
        accounts: totals.accounts,
        issued: totals.issued.to_string(),
        available: totals.available.to_string(),
        held: totals.held.to_string(),
        open_holds: totals.open_holds,
        head: head.to_string(),
        snapshot,
        bytes,
        torn_bytes: cut.map_or(0, |cut| cut.bytes),
    })
}

/// Reads on one thread and audits on another.
fn audited(home: &Path, bank: PublicKey, bar: &Bar) -> Result<(bank::Totals, proto::Hash), Failure> {
    let (sender, records) = sync_channel::<Record>(WAITING);
    let mut store = kept::reader(home, bank);
    let reading = thread::spawn(move || {
        let ended = || StoreError::Failed { what: "go on", reason: "the audit has ended".into() };
        store.read(0, &mut |record| sender.send(record).map_err(|_| ended()))
    });
    let counted = records.into_iter().inspect(|record| {
        if record.sequence % STEP == 0 {
            bar.set(record.sequence);
        }
    });
    let audited = audit(bank, counted);
    let read = reading.join().unwrap_or(Ok(()));
    let audited = audited.map_err(Failure::from_display("journal"));
    // An audit that found something wrong ends the reading, too: its words are the ones that count.
    audited.and_then(|audited| read.map(|()| audited).map_err(|error| kept::failure(&error)))
}

/// The newest snapshot has to be what the journal comes to at its place: how many records that are.
fn snapshot(store: &mut kept::KeptStore, bank: PublicKey) -> Result<Option<u64>, Failure> {
    let failed = |error: StoreError| kept::failure(&error);
    let Some(snapshot) = store.snapshot().map_err(failed)? else { return Ok(None) };
    let records = bank::Replay::from_snapshot(bank, &snapshot).map(|replay| replay.next());
    let records = records.map_err(Failure::from_display("snapshot"))?;
    let folded = fold(store, bank, records).map_err(failed)?;
    if folded.next() != records || folded.snapshot() != snapshot {
        let message = format!("the snapshot of {records} records is not what the journal comes to");
        let hint = "remove the file: the next start reads the whole journal";
        return Err(Failure::new("snapshot", message, exit::FAILED).hint(hint));
    }
    Ok(Some(records))
}
