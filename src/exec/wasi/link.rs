//! The functions of `wasi_snapshot_preview1` as imports of a module.

use super::super::control::Look;
use super::super::state::State;
use super::super::wasm::look;
use super::errno::{Errno, Fail, HostFailed};
use super::guest::Guest;
use super::name::{Manner, Named};
use super::{Call, Wasi};
use wasmtime::{Caller, Linker, Result};

/// The name under which WASI preview 1 is imported.
const WASI: &str = "wasi_snapshot_preview1";
/// `errno`: it was done.
const SUCCESS: i32 = 0;

/// The program ends by itself, with a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it ended with the status {0}")]
pub(in super::super) struct Exit(pub(in super::super) i32);

/// Links functions that are methods of [`Wasi`] with the same parameters.
macro_rules! link {
    ($linker:ident: $($name:ident($($argument:ident: $kind:ty),*);)*) => {$(
        $linker.func_wrap(WASI, stringify!($name), |mut caller: Caller<'_, State>, $($argument: $kind),*| {
            enter(&mut caller, |wasi, guest| wasi.$name(guest, $($argument),*))
        })?;
    )*};
}

/// All functions that a program may import.
pub(in super::super) fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    link! { linker:
        args_sizes_get(count: u32, size: u32);
        args_get(addresses: u32, buffer: u32);
        environ_sizes_get(count: u32, size: u32);
        environ_get(addresses: u32, buffer: u32);
        clock_res_get(clock: u32, to: u32);
        clock_time_get(clock: u32, precision: u64, to: u32);
        random_get(to: u32, length: u32);
        poll_oneoff(from: u32, to: u32, count: u32, happened: u32);
        fd_advise(fd: u32, offset: u64, length: u64, advice: u32);
        fd_close(fd: u32);
        fd_fdstat_get(fd: u32, to: u32);
        fd_fdstat_set_flags(fd: u32, flags: u32);
        fd_filestat_get(fd: u32, to: u32);
        fd_filestat_set_size(fd: u32, length: u64);
        fd_filestat_set_times(fd: u32, accessed: u64, modified: u64, flags: u32);
        fd_prestat_get(fd: u32, to: u32);
        fd_prestat_dir_name(fd: u32, to: u32, room: u32);
        fd_read(fd: u32, into: u32, count: u32, to: u32);
        fd_renumber(from: u32, to: u32);
        fd_seek(fd: u32, by: u64, whence: u32, to: u32);
        fd_sync(fd: u32);
        fd_tell(fd: u32, to: u32);
        fd_write(fd: u32, from: u32, count: u32, to: u32);
        path_create_directory(fd: u32, at: u32, length: u32);
        path_remove_directory(fd: u32, at: u32, length: u32);
        path_unlink_file(fd: u32, at: u32, length: u32);
    }
    add_long(linker)?;
    add_paths(linker)?;
    add_refused(linker)?;
    linker.func_wrap(WASI, "sched_yield", |mut caller: Caller<'_, State>| -> Result<i32> {
        look(&mut caller)?;
        Ok(SUCCESS)
    })?;
    linker.func_wrap(WASI, "proc_exit", |status: i32| -> Result<()> { Err(Exit(status).into()) })?;
    Ok(())
}

/// Calls with more parameters than a method should have.
fn add_long(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        WASI,
        "fd_pread",
        |mut caller: Caller<'_, State>, fd: u32, into: u32, count: u32, offset: u64, to: u32| {
            enter(&mut caller, |wasi, guest| wasi.fd_pread(guest, fd, [into, count], offset, to))
        },
    )?;
    linker.func_wrap(
        WASI,
        "fd_pwrite",
        |mut caller: Caller<'_, State>, fd: u32, from: u32, count: u32, offset: u64, to: u32| {
            enter(&mut caller, |wasi, guest| wasi.fd_pwrite(guest, fd, [from, count], offset, to))
        },
    )?;
    linker.func_wrap(
        WASI,
        "fd_readdir",
        |mut caller: Caller<'_, State>, fd: u32, to: u32, length: u32, cookie: u64, used: u32| {
            enter(&mut caller, |wasi, guest| wasi.fd_readdir(guest, fd, [to, length], cookie, used))
        },
    )?;
    linker.func_wrap(WASI, "fd_datasync", |mut caller: Caller<'_, State>, fd: u32| {
        enter(&mut caller, |wasi, guest| wasi.fd_sync(guest, fd))
    })?;
    Ok(())
}

fn add_paths(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        WASI,
        "path_open",
        |mut caller: Caller<'_, State>,
         fd: u32,
         _lookup: u32,
         at: u32,
         length: u32,
         open: u32,
         rights: u64,
         _inherited: u64,
         flags: u32,
         to: u32| {
            let (named, manner) = (Named { fd, at, length }, Manner { open, rights, flags });
            enter(&mut caller, |wasi, guest| wasi.path_open(guest, named, manner, to))
        },
    )?;
    linker.func_wrap(
        WASI,
        "path_filestat_get",
        |mut caller: Caller<'_, State>, fd: u32, _lookup: u32, at: u32, length: u32, to: u32| {
            enter(&mut caller, |wasi, guest| wasi.path_filestat_get(guest, Named { fd, at, length }, to))
        },
    )?;
    linker.func_wrap(
        WASI,
        "path_filestat_set_times",
        |mut caller: Caller<'_, State>, fd: u32, _: u32, at: u32, length: u32, _: u64, _: u64, _: u32| {
            enter(&mut caller, |wasi, guest| wasi.path_filestat_set_times(guest, Named { fd, at, length }))
        },
    )?;
    linker.func_wrap(
        WASI,
        "path_link",
        |mut caller: Caller<'_, State>,
         fd: u32,
         _: u32,
         at: u32,
         length: u32,
         fd2: u32,
         at2: u32,
         length2: u32| {
            let (old, new) = (Named { fd, at, length }, Named { fd: fd2, at: at2, length: length2 });
            enter(&mut caller, |wasi, guest| wasi.path_link(guest, old, new))
        },
    )?;
    linker.func_wrap(
        WASI,
        "path_rename",
        |mut caller: Caller<'_, State>, fd: u32, at: u32, length: u32, fd2: u32, at2: u32, length2: u32| {
            let (old, new) = (Named { fd, at, length }, Named { fd: fd2, at: at2, length: length2 });
            enter(&mut caller, |wasi, guest| wasi.path_rename(guest, old, new))
        },
    )?;
    linker.func_wrap(
        WASI,
        "path_readlink",
        |mut caller: Caller<'_, State>, fd: u32, at: u32, length: u32, _: u32, _: u32, _: u32| {
            enter(&mut caller, |wasi, guest| wasi.path_readlink(guest, Named { fd, at, length }))
        },
    )?;
    linker.func_wrap(
        WASI,
        "path_symlink",
        |mut caller: Caller<'_, State>, _: u32, _: u32, fd: u32, at: u32, length: u32| {
            enter(&mut caller, |wasi, _| wasi.path_symlink(Named { fd, at, length }))
        },
    )?;
    Ok(())
}

/// What nobody gets here: other rights, reserved space, sockets, signals.
fn add_refused(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        WASI,
        "fd_fdstat_set_rights",
        |mut caller: Caller<'_, State>, fd: u32, _: u64, _: u64| {
            enter(&mut caller, |wasi, _| wasi.refuse(fd, Errno::Notsup))
        },
    )?;
    linker.func_wrap(WASI, "fd_allocate", |mut caller: Caller<'_, State>, fd: u32, _: u64, _: u64| {
        enter(&mut caller, |wasi, _| wasi.refuse(fd, Errno::Notsup))
    })?;
    linker.func_wrap(WASI, "proc_raise", |_: u32| Errno::Notsup.number())?;
    linker.func_wrap(WASI, "sock_accept", |mut caller: Caller<'_, State>, fd: u32, _: u32, _: u32| {
        enter(&mut caller, |wasi, _| wasi.refuse(fd, Errno::Notsock))
    })?;
    linker.func_wrap(
        WASI,
        "sock_recv",
        |mut caller: Caller<'_, State>, fd: u32, _: u32, _: u32, _: u32, _: u32, _: u32| {
            enter(&mut caller, |wasi, _| wasi.refuse(fd, Errno::Notsock))
        },
    )?;
    linker.func_wrap(
        WASI,
        "sock_send",
        |mut caller: Caller<'_, State>, fd: u32, _: u32, _: u32, _: u32, _: u32| {
            enter(&mut caller, |wasi, _| wasi.refuse(fd, Errno::Notsock))
        },
    )?;
    linker.func_wrap(WASI, "sock_shutdown", |mut caller: Caller<'_, State>, fd: u32, _: u32| {
        enter(&mut caller, |wasi, _| wasi.refuse(fd, Errno::Notsock))
    })?;
    Ok(())
}

/// Does a call, unless the program has to end or to be saved first.
fn enter(
    caller: &mut Caller<'_, State>,
    call: impl FnOnce(&mut Wasi, &mut Guest<'_>) -> Call,
) -> Result<i32> {
    if look(caller)? == Look::Save {
        return Ok(SUCCESS);
    }
    let memory = caller.data().parts.and_then(|parts| parts.memory);
    let memory = memory.ok_or_else(|| wasmtime::Error::msg("it calls its host without having a memory"))?;
    let (bytes, state) = memory.data_and_store_mut(caller);
    match call(&mut state.wasi, &mut Guest(bytes)) {
        Ok(()) => Ok(SUCCESS),
        Err(Fail::Errno(errno)) => Ok(errno.number()),
        Err(Fail::Stop(stop)) => Err(stop.into()),
        Err(Fail::Host(error)) => Err(HostFailed(error).into()),
    }
}
