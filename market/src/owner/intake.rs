//! How many listings each seller has sent of late.

use super::{LIST_PERIOD, MAX_LISTS_PER_SELLER};
use crate::matching::MAX_LISTINGS;
use proto::{PublicKey, Time};
use std::collections::BTreeMap;

/// The listings of one period, counted. Of sellers beyond [`MAX_LISTINGS`] none are counted.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    counts: BTreeMap<PublicKey, u32>,
    until: Time,
}

impl Intake {
    /// Counts one more listing of `seller`; whether that is not too many.
    pub(crate) fn admits(&mut self, seller: PublicKey, now: Time) -> bool {
        if self.until <= now {
            self.counts.clear();
            self.until = now.after(LIST_PERIOD);
        }
        if self.counts.len() >= MAX_LISTINGS && !self.counts.contains_key(&seller) {
            return true;
        }
        let count = self.counts.entry(seller).or_default();
        *count = count.saturating_add(1);
        *count <= MAX_LISTS_PER_SELLER
    }
}
