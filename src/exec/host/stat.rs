//! What a program is told about a file: its kind, links and length are real, its times and number are not.

use super::super::environment::START;
use super::super::state::State;
use super::{WASI, errno, now, read_u64, with_memory, write_u64};
use wasmtime::{Caller, Linker, Result};
use wasmtime_wasi::p1::wasi_snapshot_preview1 as wasi;
use wiggle::GuestMemory;

/// Size of a `filestat`, and the offsets of its fields.
pub(super) const SIZE: usize = 64;
pub(super) const INODE: u32 = 8;
pub(super) const KIND: u32 = 16;
pub(super) const LINKS: u32 = 24;
pub(super) const LENGTH: u32 = 32;
const TIMES: [u32; 3] = [40, 48, 56];

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(WASI, "fd_filestat_get", |mut caller: Caller<'_, State>, fd: i32, to: i32| {
        with_memory(&mut caller, |memory, state| {
            let mut guest = GuestMemory::Unshared(memory);
            let code = now(wasi::fd_filestat_get(&mut state.wasi, &mut guest, fd, to))?;
            Ok(level(memory, state, to, code))
        })
    })?;
    linker.func_wrap(
        WASI,
        "path_filestat_get",
        |mut caller: Caller<'_, State>, fd: i32, flags: i32, path: i32, length: i32, to: i32| {
            with_memory(&mut caller, |memory, state| {
                let mut guest = GuestMemory::Unshared(memory);
                let call = wasi::path_filestat_get(&mut state.wasi, &mut guest, fd, flags, path, length, to);
                let code = now(call)?;
                Ok(level(memory, state, to, code))
            })
        },
    )?;
    Ok(())
}

/// The `filestat` of a descriptor, apart from the program's memory; `None` if there is no such descriptor.
pub(super) fn of(state: &mut State, fd: i32) -> Result<Option<[u8; SIZE]>> {
    let mut buffer = [0; SIZE];
    let code = now(wasi::fd_filestat_get(&mut state.wasi, &mut GuestMemory::Unshared(&mut buffer), fd, 0))?;
    Ok((code == errno::SUCCESS).then_some(buffer))
}

/// Levels what the host filled in at `to`.
fn level(memory: &mut [u8], state: &mut State, to: i32, code: i32) -> i32 {
    if code != errno::SUCCESS {
        return code;
    }
    let start = START.saturating_mul(1_000_000_000);
    let levelled = read_u64(memory, to, INODE).and_then(|inode| {
        write_u64(memory, to, INODE, state.numbers.of(inode))?;
        TIMES.into_iter().try_for_each(|time| write_u64(memory, to, time, start))
    });
    levelled.map_or(errno::FAULT, |()| code)
}
