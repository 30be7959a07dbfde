//! The calls that take space or descriptors.

use super::super::control::Stop;
use super::super::scratch::Usage;
use super::super::state::State;
use super::{WASI, errno, now, place, read_u32, read_u64, stat, with_memory};
use std::collections::BTreeSet;
use wasmtime::{Caller, Linker, Result};
use wasmtime_wasi::p1::wasi_snapshot_preview1 as wasi;
use wiggle::GuestMemory;

/// Most descriptors of a program, with its three streams and two directories: the node needs some for itself.
const MAX_DESCRIPTORS: u32 = 128;
/// Most directories that a program may have made at a time; they can be nested, and have to be removed again.
const MAX_DIRECTORIES: u32 = 1_000;
/// `oflags`: make the file if it is not there.
const CREATE: i32 = 1;
/// `filetype`: a regular file.
const REGULAR: u8 = 4;

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    add_writes(linker)?;
    add_open(linker)?;
    add_directories(linker)?;
    linker.func_wrap(WASI, "fd_filestat_set_size", |mut caller: Caller<'_, State>, fd: i32, size: i64| {
        with_memory(&mut caller, |memory, state| {
            if size.cast_unsigned() > state.disk.limit.0 {
                return Err(Stop::Disk.into());
            }
            let mut guest = GuestMemory::Unshared(memory);
            now(wasi::fd_filestat_set_size(&mut state.wasi, &mut guest, fd, size))
        })
    })?;
    for name in ["fd_sync", "fd_datasync"] {
        linker.func_wrap(WASI, name, |mut caller: Caller<'_, State>, fd: i32| {
            with_memory(&mut caller, |memory, state| {
                // Any call that only looks tells whether the descriptor is one.
                let mut guest = GuestMemory::Unshared(memory);
                now(wasi::fd_advise(&mut state.wasi, &mut guest, fd, 0, 0, 0))
            })
        })?;
    }
    Ok(())
}

fn add_writes(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        WASI,
        "fd_write",
        |mut caller: Caller<'_, State>, fd: i32, vectors: i32, count: i32, to: i32| {
            with_memory(&mut caller, |memory, state| {
                let mut guest = GuestMemory::Unshared(memory);
                let call = wasi::fd_write(&mut state.wasi, &mut guest, fd, vectors, count, to);
                let code = now(call)?;
                written(memory, state, code, to)
            })
        },
    )?;
    linker.func_wrap(
        WASI,
        "fd_pwrite",
        |mut caller: Caller<'_, State>, fd: i32, vectors: i32, count: i32, offset: i64, to: i32| {
            with_memory(&mut caller, |memory, state| {
                let mut guest = GuestMemory::Unshared(memory);
                let call = wasi::fd_pwrite(&mut state.wasi, &mut guest, fd, vectors, count, offset, to);
                let code = now(call)?;
                written(memory, state, code, to)
            })
        },
    )?;
    Ok(())
}

fn add_open(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        WASI,
        "path_open",
        |mut caller: Caller<'_, State>,
         fd: i32,
         lookup: i32,
         path: i32,
         length: i32,
         flags: i32,
         rights: i64,
         inherited: i64,
         fd_flags: i32,
         to: i32| {
            with_memory(&mut caller, |memory, state| {
                let mut guest = GuestMemory::Unshared(memory);
                let code = now(wasi::path_open(
                    &mut state.wasi,
                    &mut guest,
                    fd,
                    lookup,
                    path,
                    length,
                    flags,
                    rights,
                    inherited,
                    fd_flags,
                    to,
                ))?;
                if code != errno::SUCCESS {
                    return Ok(code);
                }
                if flags & CREATE != 0 {
                    charge(state, Usage { bytes: 0, entries: 1 })?;
                }
                keep_descriptor(memory, state, to)
            })
        },
    )?;
    Ok(())
}

fn add_directories(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        WASI,
        "path_create_directory",
        |mut caller: Caller<'_, State>, fd: i32, path: i32, length: i32| {
            with_memory(&mut caller, |memory, state| {
                if state.directories >= MAX_DIRECTORIES {
                    return Ok(errno::NOSPC);
                }
                let mut guest = GuestMemory::Unshared(memory);
                let call = wasi::path_create_directory(&mut state.wasi, &mut guest, fd, path, length);
                let code = now(call)?;
                if code == errno::SUCCESS {
                    state.directories = state.directories.saturating_add(1);
                    charge(state, Usage { bytes: 0, entries: 1 })?;
                }
                Ok(code)
            })
        },
    )?;
    linker.func_wrap(
        WASI,
        "path_remove_directory",
        |mut caller: Caller<'_, State>, fd: i32, path: i32, length: i32| {
            with_memory(&mut caller, |memory, state| {
                let mut guest = GuestMemory::Unshared(memory);
                let call = wasi::path_remove_directory(&mut state.wasi, &mut guest, fd, path, length);
                let code = now(call)?;
                if code == errno::SUCCESS {
                    state.directories = state.directories.saturating_sub(1);
                }
                Ok(code)
            })
        },
    )?;
    linker.func_wrap(
        WASI,
        "path_link",
        |mut caller: Caller<'_, State>,
         from: i32,
         flags: i32,
         old: i32,
         old_len: i32,
         to: i32,
         new: i32,
         new_len: i32| {
            with_memory(&mut caller, |memory, state| {
                let mut guest = GuestMemory::Unshared(memory);
                let call =
                    wasi::path_link(&mut state.wasi, &mut guest, from, flags, old, old_len, to, new, new_len);
                let code = now(call)?;
                if code == errno::SUCCESS {
                    charge(state, Usage { bytes: 0, entries: 1 })?;
                }
                Ok(code)
            })
        },
    )?;
    Ok(())
}

/// Accounts for a write that left the number of its bytes at `to`.
fn written(memory: &mut [u8], state: &mut State, code: i32, to: i32) -> Result<i32> {
    if code == errno::SUCCESS {
        let bytes = read_u32(memory, to, 0).map_or(0, u64::from);
        charge(state, Usage { bytes, entries: 0 })?;
    }
    Ok(code)
}

/// Adds `more` to what was written, and ends the program if that is more than its limit.
fn charge(state: &mut State, more: Usage) -> Result<()> {
    if state.disk.add(more) {
        let unlinked = unlinked(state)?;
        state.disk.measure(unlinked)?;
    }
    Ok(())
}

/// The space of files that the program has open but unlinked: no directory shows them.
fn unlinked(state: &mut State) -> Result<u64> {
    let mut seen = BTreeSet::new();
    let mut bytes = 0_u64;
    for fd in 0..=state.highest {
        let Some(mut found) = stat::of(state, fd.cast_signed())? else { continue };
        let is_file = place(&mut found, 0, stat::KIND).is_some_and(|[kind]: &mut [u8; 1]| *kind == REGULAR);
        let inode = read_u64(&mut found, 0, stat::INODE);
        if is_file && read_u64(&mut found, 0, stat::LINKS) == Some(0) && seen.insert(inode) {
            bytes = bytes.saturating_add(read_u64(&mut found, 0, stat::LENGTH).unwrap_or(0));
        }
    }
    Ok(bytes)
}

/// Takes back a descriptor beyond the most that a program may have.
fn keep_descriptor(memory: &mut [u8], state: &mut State, to: i32) -> Result<i32> {
    let Some(fd) = read_u32(memory, to, 0) else { return Ok(errno::FAULT) };
    if fd < MAX_DESCRIPTORS {
        state.highest = state.highest.max(fd);
        return Ok(errno::SUCCESS);
    }
    let mut guest = GuestMemory::Unshared(memory);
    now(wasi::fd_close(&mut state.wasi, &mut guest, fd.cast_signed()))?;
    Ok(errno::MFILE)
}
