//! Waiting: files are always ready, and a sleep is over as soon as it begins.
//!
//! If there is something to read or write among what is waited for, that is what happens. Else the virtual clock
//! moves to the earliest of the moments that are waited for. No real time passes.

use super::super::environment::VirtualClock;
use super::super::state::State;
use super::{WASI, errno, place, read_u16, read_u32, read_u64, with_memory};
use wasmtime::{Caller, Linker, Result};

/// Most subscriptions of one call.
const MAX_SUBSCRIPTIONS: u32 = 4_096;
/// Size of a `subscription`, and the offsets of its fields.
const SUBSCRIPTION: u32 = 48;
const TAG: u32 = 8;
const CLOCK: u32 = 16;
const TIMEOUT: u32 = 24;
const FLAGS: u32 = 40;
/// Size of an `event`.
const EVENT: u32 = 32;
/// `eventtype`: a clock.
const IS_CLOCK: u8 = 0;
/// `clockid`: the wall clock.
const REALTIME: u32 = 0;
/// `subclockflags`: the moment is absolute.
const ABSOLUTE: u16 = 1;

/// What is waited for.
struct Subscription {
    user: u64,
    tag: u8,
    /// When it comes, in nanoseconds since the start; for files at once.
    due: u64,
}

pub(super) fn add(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        WASI,
        "poll_oneoff",
        |mut caller: Caller<'_, State>, from: i32, to: i32, count: i32, happened: i32| {
            with_memory(&mut caller, |memory, state| {
                Ok(poll(memory, &state.clock, [from, to, count, happened]).unwrap_or(errno::FAULT))
            })
        },
    )?;
    Ok(())
}

fn poll(memory: &mut [u8], clock: &VirtualClock, [from, to, count, happened]: [i32; 4]) -> Option<i32> {
    let count = count.cast_unsigned();
    if count == 0 || count > MAX_SUBSCRIPTIONS {
        return Some(errno::INVAL);
    }
    let now = clock.elapsed();
    let all: Option<Vec<_>> = (0..count).map(|index| subscription(memory, clock, from, index)).collect();
    let all = all?;
    let earliest = all.iter().map(|one| one.due).min().unwrap_or(now);
    clock.advance_to(earliest);
    let mut events = 0_u32;
    for one in all.iter().filter(|one| one.due <= earliest.max(now)) {
        let event: &mut [u8; 32] = place(memory, to, events.checked_mul(EVENT)?)?;
        *event = [0; 32];
        event.first_chunk_mut::<8>().map(|user| *user = one.user.to_le_bytes())?;
        *event.get_mut(10)? = one.tag;
        if one.tag != IS_CLOCK {
            *event.get_mut(16)? = 1; // at least one byte
        }
        events += 1;
    }
    place(memory, happened, 0).map(|bytes| *bytes = events.to_le_bytes())?;
    Some(errno::SUCCESS)
}

fn subscription(memory: &mut [u8], clock: &VirtualClock, from: i32, index: u32) -> Option<Subscription> {
    let base = index.checked_mul(SUBSCRIPTION)?;
    let user = read_u64(memory, from, base)?;
    let [tag] = *place(memory, from, base + TAG)?;
    if tag != IS_CLOCK {
        return Some(Subscription { user, tag, due: 0 });
    }
    let timeout = read_u64(memory, from, base + TIMEOUT)?;
    let is_wall = read_u32(memory, from, base + CLOCK)? == REALTIME;
    let due = match read_u16(memory, from, base + FLAGS)? & ABSOLUTE {
        0 => clock.elapsed().saturating_add(timeout),
        _ if is_wall => timeout.saturating_sub(clock.wall() - clock.elapsed()),
        _ => timeout,
    };
    Some(Subscription { user, tag, due })
}
