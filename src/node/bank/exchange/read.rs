//! From a file into a store.

use super::{
    CHECK, CHUNK, ExchangeError, Exchanged, HEAD, HEAD_SIZE, TAIL, TAIL_SIZE, VERSION, check, malformed,
};
use bank::journal::Reader;
use bank::store::Store;
use bank::{FORMAT, Record, Replay, genesis};
use proto::{Hash, PublicKey};
use std::io::Read;

/// Records that are written together at most.
const GROUP: usize = 4_096;

/// What the head of a file says: whose journal it is.
///
/// # Errors
/// A file that is not an exported journal of this format.
pub(super) fn owner(file: &mut dyn Read) -> Result<PublicKey, ExchangeError> {
    let mut head = [0; HEAD_SIZE];
    file.read_exact(&mut head).map_err(|source| match source.kind() {
        std::io::ErrorKind::UnexpectedEof => malformed("it is shorter than its head"),
        _ => ExchangeError::File { what: "read", source },
    })?;
    let (text, sum) = head.split_at(HEAD_SIZE - CHECK);
    let Some(([version, format], key)) = text.strip_prefix(HEAD).and_then(<[u8]>::split_first_chunk::<2>)
    else {
        return Err(malformed("it does not begin like one"));
    };
    if *version != VERSION {
        return Err(malformed(format!("it is of version {version}, this program reads {VERSION}")));
    }
    if *format != FORMAT {
        return Err(malformed(format!("its records are of format {format}, this program's of {FORMAT}")));
    }
    let key = <[u8; 32]>::try_from(key).map_err(|_| malformed("its head has no key"))?;
    if sum != check(text) {
        return Err(malformed("its head does not fit its checksum"));
    }
    Ok(PublicKey(key))
}

/// Reads the records and the tail of the journal of `bank` behind its head, and commits them to `store`, which has to
/// be empty. `progress` is told how many records were committed.
///
/// # Errors
/// A file that cannot be read or is not whole, records that are no history of a ledger, and a store that does not take
/// them. What was committed before has to be taken back by the caller.
pub(super) fn import(
    file: &mut dyn Read,
    bank: PublicKey,
    store: &mut dyn Store,
    progress: &dyn Fn(u64),
) -> Result<Exchanged, ExchangeError> {
    let mut taking =
        Taking { store, replay: Replay::new(bank), group: Vec::new(), head: genesis(bank), progress };
    let mut reader = Reader::new();
    // The last bytes may be the tail: they are held back until it is known that more follow.
    let (mut held, mut chunk) = (Vec::new(), vec![0; CHUNK]);
    let mut bytes = HEAD_SIZE;
    loop {
        let count = file.read(&mut chunk).map_err(|source| ExchangeError::File { what: "read", source })?;
        if count == 0 {
            break;
        }
        bytes += count;
        held.extend(chunk.get(..count).unwrap_or_default());
        let frames = held.len().saturating_sub(TAIL_SIZE);
        reader.push(held.get(..frames).unwrap_or_default());
        held.drain(..frames);
        while let Some(record) = reader.next_record().map_err(|damage| malformed(damage.to_string()))? {
            taking.take(record)?;
        }
    }
    let (records, head) = tail(&held)?;
    let end = reader.finish().map_err(|damage| malformed(damage.to_string()))?;
    if end.torn > 0 || end.records != records {
        return Err(malformed(format!("its end tells of {records} records, and {} are there", end.records)));
    }
    taking.end(head)?;
    Ok(Exchanged { bank, records, head, bytes: u64::try_from(bytes).unwrap_or(u64::MAX) })
}

/// How many records the tail tells of, and the chain of the last.
fn tail(bytes: &[u8]) -> Result<(u64, Hash), ExchangeError> {
    let cut = || malformed("its end is missing: it was cut off, or its export was");
    let (text, sum) = bytes.split_at_checked(TAIL_SIZE - CHECK).ok_or_else(cut)?;
    let text = text.strip_prefix(TAIL).filter(|_| sum.len() == CHECK).ok_or_else(cut)?;
    if sum != check(bytes.get(..TAIL_SIZE - CHECK).unwrap_or_default()) {
        return Err(malformed("its end does not fit its checksum"));
    }
    let (records, chain) = text.split_first_chunk::<8>().ok_or_else(cut)?;
    let chain = chain.try_into().map_err(|_| cut())?;
    Ok((u64::from_le_bytes(*records), Hash(chain)))
}

/// Records on their way into a store.
struct Taking<'a> {
    store: &'a mut dyn Store,
    replay: Replay,
    group: Vec<Record>,
    head: Hash,
    progress: &'a dyn Fn(u64),
}

impl Taking<'_> {
    fn take(&mut self, record: Record) -> Result<(), ExchangeError> {
        self.replay.follow(&record).map_err(|error| malformed(error.to_string()))?;
        self.head = record.chain;
        self.group.push(record);
        if self.group.len() < GROUP { Ok(()) } else { self.commit() }
    }

    fn commit(&mut self) -> Result<(), ExchangeError> {
        self.store.commit(&self.group)?;
        self.group.clear();
        (self.progress)(self.replay.next());
        Ok(())
    }

    fn end(&mut self, head: Hash) -> Result<(), ExchangeError> {
        if self.head != head {
            return Err(malformed("its end tells of another chain than that of its last record"));
        }
        self.commit()
    }
}
