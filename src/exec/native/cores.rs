//! Which processors a program gets: the least used ones of those that the node itself may use.

use rustix::thread::{CpuSet, sched_getaffinity};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many programs each processor has been given to.
#[derive(Clone, Debug)]
pub(super) struct Cores {
    users: Arc<Mutex<BTreeMap<usize, u32>>>,
}

/// Processors of one program, free again with this value.
#[derive(Debug)]
pub(super) struct Taken {
    cores: Cores,
    pub(super) numbers: Vec<usize>,
}

impl Cores {
    /// All that this process may use.
    pub(super) fn of_this_process() -> Self {
        let set = sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
        Self::of((0..CpuSet::MAX_CPU).filter(|number| set.is_set(*number)))
    }

    fn of(numbers: impl Iterator<Item = usize>) -> Self {
        Self { users: Arc::new(Mutex::new(numbers.map(|number| (number, 0)).collect())) }
    }

    /// The `count` least used ones; all, if there are not as many.
    pub(super) fn take(&self, count: usize) -> Taken {
        let mut users = self.users();
        let mut by_use: Vec<(u32, usize)> = users.iter().map(|(number, users)| (*users, *number)).collect();
        by_use.sort_unstable();
        let numbers: Vec<usize> = by_use.into_iter().take(count).map(|(_, number)| number).collect();
        for number in &numbers {
            users.entry(*number).and_modify(|users| *users += 1);
        }
        Taken { cores: self.clone(), numbers }
    }

    fn users(&self) -> MutexGuard<'_, BTreeMap<usize, u32>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut users = self.cores.users();
        for number in &self.numbers {
            users.entry(*number).and_modify(|users| *users = users.saturating_sub(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_get_the_processors_that_fewest_others_have() {
        let cores = Cores::of([0, 1, 5].into_iter());
        let first = cores.take(1);
        let second = cores.take(1);
        let third = cores.take(2);
        assert_eq!(
            (&first.numbers[..], &second.numbers[..], &third.numbers[..]),
            (&[0][..], &[1][..], &[5, 0][..])
        );
        drop(first);
        drop(third);
        assert_eq!(cores.take(2).numbers, [0, 5]);
        assert_eq!(cores.take(9).numbers.len(), 3);
        assert!(!Cores::of_this_process().take(1).numbers.is_empty());
    }
}
