//! The host functions of a program: WASI preview 1 by wasmtime-wasi, with some of them put behind ours.
//!
//! | ours | because |
//! |---|---|
//! | `fd_write`, `fd_pwrite`, `fd_filestat_set_size`, `path_open`, `path_link`, `path_create_directory`, `path_remove_directory` | the disk limit and the number of open files and directories hold at once ([`disk`]) |
//! | `fd_readdir` | hosts list directories in different orders ([`listing`]) |
//! | `fd_filestat_get`, `path_filestat_get` | times and inodes differ between hosts ([`stat`]) |
//! | `poll_oneoff` | a sleep takes virtual time and no real one ([`poll`]) |
//! | `fd_sync`, `fd_datasync` | a slow disk could hold up a stop; nothing here has to outlive a crash |
//! | `path_symlink` | refused: without symbolic links nothing leads out, and nothing has to be checked twice |
//! | `proc_exit` | all statuses, not only those below 126 |

mod disk;
mod listing;
mod poll;
mod stat;

pub(super) use listing::Listing;

use super::state::State;
use std::pin::pin;
use wasmtime::{Caller, Engine, Extern, Linker, Result};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p1::{self, wasi_snapshot_preview1 as wasi};
use wasmtime_wasi::runtime::poll_noop;

/// The highest descriptor at the start: three streams and the scratch directory under two names.
pub(super) const FIRST_DESCRIPTORS: u32 = 4;
/// Most bytes that one call may move into or out of the host (wasmtime's own default).
const MAX_MOVED: usize = 1 << 27;
/// The name under which WASI preview 1 is imported.
const WASI: &str = "wasi_snapshot_preview1";

/// Error numbers of WASI preview 1 (`errno`), as far as our own functions give them.
mod errno {
    pub(super) const SUCCESS: i32 = 0;
    pub(super) const FAULT: i32 = 21;
    pub(super) const INVAL: i32 = 28;
    pub(super) const MFILE: i32 = 33;
    pub(super) const NOSPC: i32 = 51;
    pub(super) const PERM: i32 = 63;
}

/// All functions that a program may import.
pub(super) fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    p1::add_to_linker_async(&mut linker, |state: &mut State| &mut state.wasi)?;
    linker.allow_shadowing(true);
    disk::add(&mut linker)?;
    listing::add(&mut linker)?;
    stat::add(&mut linker)?;
    poll::add(&mut linker)?;
    linker.func_wrap(WASI, "path_symlink", |_: i32, _: i32, _: i32, _: i32, _: i32| errno::PERM)?;
    linker.func_wrap(WASI, "proc_exit", |status: i32| -> Result<()> { Err(I32Exit(status).into()) })?;
    linker.allow_shadowing(false);
    Ok(linker)
}

/// Runs `work` on the memory of the calling program and its state.
fn with_memory<T>(
    caller: &mut Caller<'_, State>,
    work: impl FnOnce(&mut [u8], &mut State) -> Result<T>,
) -> Result<T> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        return Err(wasmtime::Error::msg("it calls its host without exporting its memory"));
    };
    let (bytes, state) = memory.data_and_store_mut(caller);
    wasi::WasiSnapshotPreview1::set_hostcall_fuel(&mut state.wasi, MAX_MOVED);
    work(bytes, state)
}

/// The result of a host function that never waits (our streams and files do not).
fn now<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    poll_noop(pin!(future)).unwrap_or_else(|| Err(wasmtime::Error::msg("a host function waited")))
}

/// A place of `N` bytes in the program's memory.
fn place<const N: usize>(memory: &mut [u8], at: i32, offset: u32) -> Option<&mut [u8; N]> {
    let start = usize::try_from(at.cast_unsigned()).ok()?.checked_add(usize::try_from(offset).ok()?)?;
    memory.get_mut(start..)?.first_chunk_mut()
}

fn read_u16(memory: &mut [u8], at: i32, offset: u32) -> Option<u16> {
    place(memory, at, offset).map(|bytes| u16::from_le_bytes(*bytes))
}

fn read_u32(memory: &mut [u8], at: i32, offset: u32) -> Option<u32> {
    place(memory, at, offset).map(|bytes| u32::from_le_bytes(*bytes))
}

fn read_u64(memory: &mut [u8], at: i32, offset: u32) -> Option<u64> {
    place(memory, at, offset).map(|bytes| u64::from_le_bytes(*bytes))
}

fn write_u64(memory: &mut [u8], at: i32, offset: u32, value: u64) -> Option<()> {
    place(memory, at, offset).map(|bytes| *bytes = value.to_le_bytes())
}
