//! Arguments, variables, clocks and random numbers.

use super::super::environment::TICK;
use super::errno::Errno;
use super::guest::{Guest, MAX_MOVED};
use super::{Call, Wasi};
use rand_chacha::rand_core::Rng;

/// `clockid`: the wall clock.
pub(super) const REALTIME: u32 = 0;
/// The last of the clocks: monotonic, of the process and of the thread are 1 to 3.
const LAST_CLOCK: u32 = 3;

impl Wasi {
    pub(super) fn args_sizes_get(&self, guest: &mut Guest<'_>, count: u32, size: u32) -> Call {
        put_sizes(guest, &self.arguments, count, size)
    }

    pub(super) fn args_get(&self, guest: &mut Guest<'_>, addresses: u32, buffer: u32) -> Call {
        put_texts(guest, &self.arguments, addresses, buffer)
    }

    pub(super) fn environ_sizes_get(&self, guest: &mut Guest<'_>, count: u32, size: u32) -> Call {
        put_sizes(guest, &self.environment, count, size)
    }

    pub(super) fn environ_get(&self, guest: &mut Guest<'_>, addresses: u32, buffer: u32) -> Call {
        put_texts(guest, &self.environment, addresses, buffer)
    }

    pub(super) fn clock_res_get(&self, guest: &mut Guest<'_>, clock: u32, to: u32) -> Call {
        if clock > LAST_CLOCK {
            return Err(Errno::Inval.into());
        }
        Ok(guest.put(to, &TICK.to_le_bytes())?)
    }

    /// How exact the program wants it does not matter: the time is exact.
    pub(super) fn clock_time_get(&mut self, guest: &mut Guest<'_>, clock: u32, _: u64, to: u32) -> Call {
        if clock > LAST_CLOCK {
            return Err(Errno::Inval.into());
        }
        self.clock.look();
        let time = if clock == REALTIME { self.clock.wall() } else { self.clock.elapsed() };
        Ok(guest.put(to, &time.to_le_bytes())?)
    }

    pub(super) fn random_get(&mut self, guest: &mut Guest<'_>, to: u32, length: u32) -> Call {
        if length > MAX_MOVED {
            return Err(Errno::Inval.into());
        }
        self.random.fill_bytes(guest.bytes_mut(to, length)?);
        Ok(())
    }
}

/// How many texts there are, and the length of all with their ends.
fn put_sizes(guest: &mut Guest<'_>, texts: &[String], count: u32, size: u32) -> Call {
    let bytes: usize = texts.iter().map(|text| text.len().saturating_add(1)).sum();
    for (at, number) in [(count, texts.len()), (size, bytes)] {
        let number = u32::try_from(number).map_err(|_| Errno::Fault)?;
        guest.put(at, &number.to_le_bytes())?;
    }
    Ok(())
}

/// The texts one after another, each with a zero behind it, and their addresses.
fn put_texts(guest: &mut Guest<'_>, texts: &[String], addresses: u32, buffer: u32) -> Call {
    let (mut address, mut to) = (addresses, buffer);
    for text in texts {
        guest.put(address, &to.to_le_bytes())?;
        guest.put(to, text.as_bytes())?;
        let length = u32::try_from(text.len()).map_err(|_| Errno::Fault)?;
        to = to.checked_add(length).ok_or(Errno::Fault)?;
        guest.put(to, &[0])?;
        to = to.checked_add(1).ok_or(Errno::Fault)?;
        address = address.checked_add(4).ok_or(Errno::Fault)?;
    }
    Ok(())
}
