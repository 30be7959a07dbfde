//! From a store into a file.

use super::{CHUNK, ExchangeError, Exchanged, HEAD, TAIL, VERSION, checked};
use bank::store::{Store, StoreError};
use bank::{FORMAT, genesis, journal};
use proto::PublicKey;
use std::io::{self, Write};

/// Writes the journal of `bank` out of `store` into `file`. `progress` is told how many records are written.
///
/// # Errors
/// A store that cannot be read, one whose records are not one chain, and a file that cannot be written.
pub(super) fn export(
    store: &mut dyn Store,
    bank: PublicKey,
    file: &mut dyn Write,
    progress: &dyn Fn(u64),
) -> Result<Exchanged, ExchangeError> {
    let mut out = Out { file, buffer: head(bank), bytes: 0 };
    let mut exchanged = Exchanged { bank, records: 0, head: genesis(bank), bytes: 0 };
    let mut unwritten = None;
    let read = store.read(0, &mut |record| {
        if record.sequence != exchanged.records || record.chain != record.chain_after(exchanged.head) {
            let reason = format!("record {} does not continue the chain of {bank:#}", record.sequence);
            return Err(StoreError::Foreign { reason });
        }
        (exchanged.records, exchanged.head) = (exchanged.records.saturating_add(1), record.chain);
        progress(exchanged.records);
        out.add(&journal::encode(&record)).map_err(|source| {
            unwritten = Some(source);
            StoreError::Failed { what: "write the file", reason: String::new() }
        })
    });
    let cannot_write = |source| ExchangeError::File { what: "written", source };
    if let Some(source) = unwritten {
        return Err(cannot_write(source));
    }
    read?;
    let mut tail = TAIL.to_vec();
    tail.extend(exchanged.records.to_le_bytes());
    tail.extend(exchanged.head.0);
    out.add(&checked(tail)).and_then(|()| out.flush()).map_err(cannot_write)?;
    Ok(Exchanged { bytes: out.bytes, ..exchanged })
}

fn head(bank: PublicKey) -> Vec<u8> {
    let mut head = HEAD.to_vec();
    head.extend([VERSION, FORMAT]);
    head.extend(bank.0);
    checked(head)
}

/// What is written, in large pieces.
struct Out<'a> {
    file: &'a mut dyn Write,
    buffer: Vec<u8>,
    /// How many bytes were written.
    bytes: u64,
}

impl Out<'_> {
    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend(bytes);
        if self.buffer.len() < CHUNK { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.bytes += u64::try_from(self.buffer.len()).unwrap_or(u64::MAX);
        self.buffer.clear();
        Ok(())
    }
}
