//! Machines and purchases that are given, in place of those that the world draws itself; and what came of them.

use proto::{Bytes, Capacity, Cycles, Rate, Span, Time};

/// What a machine offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Its cores.
    pub cores: u32,
    /// What one of them executes.
    pub per_core: Capacity,
    /// Its memory.
    pub memory: Bytes,
    /// Its disk.
    pub disk: Bytes,
    /// What it asks for a Gc.
    pub ask: Rate,
}

/// A sub-task that somebody wants done, on one core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// When it is asked for, from the beginning of the requests.
    pub at: Span,
    /// Which of the buyers asks.
    pub buyer: usize,
    /// What the core has to execute at least.
    pub power: Capacity,
    /// The work.
    pub work: Cycles,
    /// What the buyer pays for a Gc at most: at the first purchase, at the next one after that found nobody, and so on; the
    /// last limit stays.
    pub bids: Vec<Rate>,
}

/// Who is there, and what is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// Who buys: hosts that are always there and sell nothing. They have the first numbers.
    pub buyers: usize,
    /// Who sells: hosts that come and go.
    pub machines: Vec<Machine>,
    /// What is asked for, in the order of time.
    pub wanted: Vec<Wanted>,
    /// For how long a buyer looks for a seller.
    pub patience: Span,
    /// The longest wait between two purchases that found nobody.
    pub slowest_look: Span,
    /// How many machines may lose a sub-task before its buyer gives it up.
    pub tries: u32,
}

/// A sub-task that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bought {
    /// Its place in [`Script::wanted`].
    pub number: usize,
    /// The place of its machine in [`Script::machines`].
    pub machine: usize,
    /// What the seller gets for a Gc.
    pub price: Rate,
    /// What the owner of the market gets for a Gc besides.
    pub to_owner: Rate,
    /// When the buyer had the result.
    pub done: Time,
}

/// What came of a script, and what it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pooled {
    /// When the requests began.
    pub began: Time,
    /// What was done, in the order of its ends.
    pub bought: Vec<Bought>,
    /// Contracts whose machine was gone before the work was done.
    pub lost: u64,
    /// How long cores were under contract, whatever came of it, in microseconds.
    pub busy: u64,
    /// For how long each host was there, from the first request to the end, in microseconds; buyers first.
    pub present: Vec<u64>,
    /// How often each host was asked for a seller, as the owner of a market.
    pub asked: Vec<u64>,
    /// What all messages together take on the wire, in bytes; of offers the ticket, of answers to them its id.
    pub bytes: u64,
    /// Lookups of markets that found their owner.
    pub found: u64,
    /// Nodes that they asked on the way.
    pub hops: u64,
    /// Of these, did not answer.
    pub timeouts: u64,
}

impl Script {
    /// How many hosts there are.
    pub(super) const fn hosts(&self) -> usize {
        self.buyers.saturating_add(self.machines.len())
    }

    /// What host number `host` offers; none for a buyer.
    pub(super) fn machine(&self, host: usize) -> Option<Machine> {
        self.machines.get(host.checked_sub(self.buyers)?).copied()
    }
}

impl Wanted {
    /// The limit after so many purchases that found nobody.
    pub(super) fn bid(&self, fruitless: u32) -> Rate {
        let place = usize::try_from(fruitless).unwrap_or(usize::MAX);
        self.bids.get(place).or(self.bids.last()).copied().unwrap_or_default()
    }

    /// How long it runs on a core of this power.
    pub(super) fn runs(&self, per_core: Capacity) -> Span {
        // Mc/s are cycles a microsecond.
        Span(self.work.0.div_ceil(per_core.0.max(1)))
    }
}

impl Pooled {
    /// Adds to the count of a host.
    pub(super) fn add(counts: &mut Vec<u64>, host: usize, more: u64) {
        if counts.len() <= host {
            counts.resize(host + 1, 0);
        }
        if let Some(count) = counts.get_mut(host) {
            *count += more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_follow_each_other_and_work_takes_its_cycles_over_the_power() {
        let bids = vec![Rate(5), Rate(9)];
        let (at, power) = (Span(0), Capacity(1));
        let wanted = Wanted { at, buyer: 0, power, work: Cycles::giga(3), bids };
        assert_eq!([0, 1, 7].map(|fruitless| wanted.bid(fruitless)), [Rate(5), Rate(9), Rate(9)]);
        assert_eq!(wanted.runs(Capacity(1_500)), Span::secs(2));
        assert_eq!(wanted.runs(Capacity(0)), Span(3_000_000_000));
    }

    #[test]
    fn buyers_have_the_first_numbers() {
        let machine =
            |cores| Machine { cores, per_core: Capacity(1), memory: Bytes(1), disk: Bytes(1), ask: Rate(1) };
        let script = Script { buyers: 2, machines: vec![machine(1), machine(4)], ..Script::default() };
        let cores = [0, 1, 2, 3, 4].map(|host| script.machine(host).map(|machine| machine.cores));
        assert_eq!((script.hosts(), cores), (4, [None, None, Some(1), Some(4), None]));
    }
}
