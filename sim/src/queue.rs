//! What is going to happen: by time, and at the same time in the order in which it was put in.

use proto::Time;
use std::collections::BTreeMap;

/// The events that lie ahead.
#[derive(Clone, Debug)]
pub(crate) struct Queue<T> {
    ahead: BTreeMap<(Time, u64), T>,
    next: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { ahead: BTreeMap::new(), next: 0 }
    }
}

impl<T> Queue<T> {
    /// Puts `event` in for the moment `at`.
    pub(crate) fn push(&mut self, at: Time, event: T) {
        self.ahead.insert((at, self.next), event);
        self.next += 1;
    }

    /// The next event with its moment.
    pub(crate) fn pop(&mut self) -> Option<(Time, T)> {
        let ((at, _), event) = self.ahead.pop_first()?;
        Some((at, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_then_by_the_order_in_which_they_were_put_in() {
        let mut queue = Queue::default();
        for (at, name) in [(5, 'a'), (3, 'b'), (5, 'c'), (3, 'd'), (4, 'e')] {
            queue.push(Time(at), name);
        }
        let order: Vec<(u64, char)> =
            std::iter::from_fn(|| queue.pop()).map(|(at, name)| (at.0, name)).collect();
        assert_eq!(order, [(3, 'b'), (3, 'd'), (4, 'e'), (5, 'a'), (5, 'c')]);
        assert_eq!(queue.pop(), None);
    }
}
