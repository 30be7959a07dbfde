//! What a node has to sell, and at what asks.

use proto::message::market::Platform;
use proto::{Bundle, Bytes, Capacity, Commodity, Rate, Span};

/// What a node has to sell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supply {
    /// Cores, those in use by contracts included.
    pub cores: u32,
    /// What one of them executes.
    pub per_core: Capacity,
    /// What is sold, and the marginal cost of it.
    pub asks: Tariff,
    /// Memory, what is in use by contracts included.
    pub memory: Bytes,
    /// Disk, what is in use by contracts included.
    pub disk: Bytes,
    /// The most memory that one sub-task may have.
    pub most_memory: Bytes,
    /// What the machine is.
    pub platform: Platform,
    /// The longest that it runs a sub-task, or keeps data.
    pub longest: Span,
}

/// The ask for each commodity; `None` where it is not sold. Memory and disk are sold by themselves only where storage is
/// shared; a sub-task's own memory and disk come with its cores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tariff {
    /// Of compute power, in micro-credits per Gc.
    pub compute: Option<Rate>,
    /// Of memory, in micro-credits per GiB and hour.
    pub memory: Option<Rate>,
    /// Of disk, in micro-credits per GiB and hour.
    pub disk: Option<Rate>,
}

impl Tariff {
    /// Compute power at `ask`, and nothing else.
    #[must_use]
    pub const fn of_compute(ask: Rate) -> Self {
        Self { compute: Some(ask), memory: None, disk: None }
    }

    /// The ask for `commodity`.
    #[must_use]
    pub const fn ask(&self, commodity: Commodity) -> Option<Rate> {
        match commodity {
            Commodity::Compute => self.compute,
            Commodity::Memory => self.memory,
            Commodity::Disk => self.disk,
        }
    }
}

impl Supply {
    /// All of it.
    #[must_use]
    pub const fn whole(&self) -> Bundle {
        Bundle { cores: self.cores, memory: self.memory, disk: self.disk }
    }

    /// What of `part` is offered in the market of `commodity`. Cores are offered with memory and disk, but with no more
    /// memory than one sub-task may have, since a buyer that was matched by more would only be declined. Memory and disk
    /// are offered alone: who pays for bytes gets no cores.
    #[must_use]
    pub fn offered(&self, commodity: Commodity, part: Bundle) -> Bundle {
        let Bundle { memory, disk, .. } = part;
        match commodity {
            Commodity::Compute => Bundle { memory: memory.min(self.most_memory), ..part },
            Commodity::Memory => Bundle { memory, ..Bundle::default() },
            Commodity::Disk => Bundle { disk, ..Bundle::default() },
        }
    }

    /// What a buyer in the market of `commodity` relies on beside the amounts.
    pub(crate) fn terms(&self, commodity: Commodity) -> (Option<Rate>, Capacity, Span, &Platform) {
        (self.asks.ask(commodity), self.per_core, self.longest, &self.platform)
    }
}
