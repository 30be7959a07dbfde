//! Directories in the order of their names, whatever the order of the host.

use super::super::control::Stop;
use super::super::state::{MAX_ENTRIES, State};
use super::{WASI, errno, now, read_u32, read_u64, with_memory, write_u64};
use wasmtime::{Caller, Linker, Result};
use wasmtime_wasi::p1::wasi_snapshot_preview1 as wasi;
use wiggle::GuestMemory;

/// Size of a `dirent` before the name, and the offsets of its fields.
const HEAD: usize = 24;
const NEXT: u32 = 0;
const INODE: u32 = 8;
const NAME_LENGTH: u32 = 16;
/// A whole directory as the host gives it: first try, and most (its entries have names of at most 255 bytes).
const FIRST_BUFFER: u32 = 1 << 16;
const MOST_BUFFER: u32 = 1 << 25;

/// A directory as it was when its reading began.
pub(in super::super) struct Listing {
    fd: i32,
    /// Encoded entries, `dirent` and name, in their order.
    entries: Vec<Vec<u8>>,
}

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        WASI,
        "fd_readdir",
        |mut caller: Caller<'_, State>, fd: i32, to: i32, length: i32, cookie: i64, used: i32| {
            with_memory(&mut caller, |memory, state| {
                let is_begun = state.listing.as_ref().is_some_and(|listing| listing.fd == fd);
                if cookie == 0 || !is_begun {
                    match read(state, fd)? {
                        Ok(listing) => state.listing = Some(listing),
                        Err(code) => return Ok(code),
                    }
                }
                Ok(give(memory, state, [to, length, used], cookie).unwrap_or(errno::FAULT))
            })
        },
    )?;
    Ok(())
}

/// Reads a whole directory; an error number of the host comes back as it is.
fn read(state: &mut State, fd: i32) -> Result<Result<Listing, i32>> {
    let mut length = FIRST_BUFFER;
    let buffer = loop {
        // The host writes how much it used into the four bytes before the entries.
        let mut buffer = vec![0; usize::try_from(length)?.saturating_add(4)];
        let mut memory = GuestMemory::Unshared(&mut buffer);
        let code = now(wasi::fd_readdir(&mut state.wasi, &mut memory, fd, 4, length.cast_signed(), 0, 0))?;
        if code != errno::SUCCESS {
            return Ok(Err(code));
        }
        let used = read_u32(&mut buffer, 0, 0).unwrap_or(0);
        if used < length {
            buffer.truncate(usize::try_from(used)?.saturating_add(4));
            break buffer.split_off(4);
        }
        if length >= MOST_BUFFER {
            return Err(Stop::Disk.into());
        }
        length = length.saturating_mul(4).min(MOST_BUFFER);
    };
    let mut entries = split(&buffer);
    entries.sort_by(|one, other| one.get(HEAD..).cmp(&other.get(HEAD..)));
    for (entry, next) in entries.iter_mut().zip(1..) {
        let inode = read_u64(entry, 0, INODE).unwrap_or(0);
        let number = state.numbers.of(inode);
        let _ = write_u64(entry, 0, INODE, number);
        let _ = write_u64(entry, 0, NEXT, next);
    }
    Ok(Ok(Listing { fd, entries }))
}

/// The single entries of what the host gave, at most as many as a directory may have (and itself and its parent).
fn split(mut rest: &[u8]) -> Vec<Vec<u8>> {
    let most = usize::try_from(MAX_ENTRIES).unwrap_or(usize::MAX).saturating_add(2);
    let mut entries = Vec::new();
    while entries.len() < most {
        let Some(head) = rest.get(..HEAD) else { break };
        let name =
            read_u32(&mut head.to_vec(), 0, NAME_LENGTH).and_then(|length| usize::try_from(length).ok());
        let Some((entry, after)) = name.and_then(|name| rest.split_at_checked(HEAD.saturating_add(name)))
        else {
            break;
        };
        entries.push(entry.to_vec());
        rest = after;
    }
    entries
}

/// Fills the program's buffer (`[address, length, address of the length used]`) from `cookie` on; the last entry
/// may be cut, as WASI wants it.
fn give(memory: &mut [u8], state: &State, [to, length, used]: [i32; 3], cookie: i64) -> Option<i32> {
    let entries = state.listing.as_ref()?.entries.iter();
    let skipped = usize::try_from(cookie).unwrap_or(usize::MAX);
    let start = usize::try_from(to.cast_unsigned()).ok()?;
    let room = usize::try_from(length.cast_unsigned()).ok()?;
    let buffer = memory.get_mut(start..start.checked_add(room)?)?;
    let mut filled = 0;
    for entry in entries.skip(skipped) {
        let free = buffer.get_mut(filled..)?;
        let count = free.len().min(entry.len());
        free.get_mut(..count)?.copy_from_slice(entry.get(..count)?);
        filled += count;
        if count < entry.len() {
            break;
        }
    }
    *super::place(memory, used, 0)? = u32::try_from(filled).ok()?.to_le_bytes();
    Some(errno::SUCCESS)
}
