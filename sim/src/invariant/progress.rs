//! `progress`: time goes on. A process that wants to be woken again and again at one moment hangs.

use super::{Breach, Checked};
use crate::place::Place;
use proto::Time;
use std::collections::BTreeMap;

/// How often one process may be woken at one moment.
const MAX_WAKES: u32 = 64;

/// The last wake of every process.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    wakes: BTreeMap<Place, (Time, u32)>,
}

impl Progress {
    pub(crate) fn woken(&mut self, place: Place, now: Time) -> Checked {
        let (at, count) = self.wakes.entry(place).or_default();
        *count = if *at == now { *count + 1 } else { 1 };
        *at = now;
        Breach::unless(*count <= MAX_WAKES, "progress", || {
            format!("{place} wants to be woken again at the moment at which it was woken, {count} times")
        })
    }
}
