//! Contracts that have to be remembered for a while after their end, a bounded number of them.

use proto::{ContractId, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Contracts remembered at once; beyond it those go whose time ends first.
const MAX_REMEMBERED: usize = 65_536;

#[derive(Default)]
pub(super) struct Remembered {
    until: BTreeMap<ContractId, Time>,
    by_time: BTreeSet<(Time, ContractId)>,
}

impl Remembered {
    pub(super) fn insert(&mut self, contract: ContractId, until: Time) {
        if let Some(before) = self.until.insert(contract, until) {
            self.by_time.remove(&(before, contract));
        }
        self.by_time.insert((until, contract));
        if self.until.len() > MAX_REMEMBERED {
            self.forget_first();
        }
    }

    pub(super) fn contains(&self, contract: ContractId) -> bool {
        self.until.contains_key(&contract)
    }

    /// All of them, with the moment until which they are remembered.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ContractId, Time)> + '_ {
        self.until.iter().map(|(contract, until)| (*contract, *until))
    }

    /// Forgets what need not be remembered any more at `now`.
    pub(super) fn forget_until(&mut self, now: Time) {
        while self.by_time.first().is_some_and(|(until, _)| *until <= now) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, contract)) = self.by_time.pop_first() {
            self.until.remove(&contract);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::CommandId;

    fn id(number: usize) -> ContractId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        CommandId(bytes)
    }

    #[test]
    fn the_first_to_end_is_forgotten_first() {
        let mut remembered = Remembered::default();
        for (number, until) in [(1, 30), (2, 10), (3, 20), (2, 40)] {
            remembered.insert(id(number), Time(until));
        }
        let check = |remembered: &Remembered, expected: &[usize]| {
            let left: Vec<usize> = (0..5).filter(|number| remembered.contains(id(*number))).collect();
            assert_eq!(left, expected);
        };
        check(&remembered, &[1, 2, 3]);
        remembered.forget_until(Time(20));
        check(&remembered, &[1, 2]);
        remembered.forget_until(Time(30));
        check(&remembered, &[2]);
    }

    #[test]
    fn there_is_a_bound() {
        let mut remembered = Remembered::default();
        for number in 0..=MAX_REMEMBERED {
            remembered.insert(id(number), Time(u64::try_from(number).unwrap()));
        }
        assert!(!remembered.contains(id(0)) && remembered.contains(id(1)));
        assert_eq!((remembered.until.len(), remembered.by_time.len()), (MAX_REMEMBERED, MAX_REMEMBERED));
    }
}
