//! Which market a purchase asks: upwards in steps in the single overlay scheme; in the processor overlay scheme always the
//! next one that the second ring names, so that nothing is stepped over.

use crate::placement::climb::{Climb, Word};
use proto::{Commodity, Market};

/// Where a purchase stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    commodity: Commodity,
    /// At the market that is being asked, or the least one that will do while it is looked for.
    climb: Climb,
}

impl Way {
    /// From `market` upwards.
    pub(crate) const fn from(market: Market) -> Self {
        let Market { commodity, class } = market;
        Self { commodity, climb: Climb::from(class, commodity.classes()) }
    }

    pub(crate) const fn market(&self) -> Market {
        Market { commodity: self.commodity, class: self.climb.class() }
    }

    /// Goes on at `next`, if there is such a market: the second ring names those above it.
    pub(crate) fn follow(self, next: Option<Market>) -> Option<Self> {
        let class = next?.class;
        Some(Self { climb: self.climb.at(class), ..self })
    }

    /// The markets from the present one to below `next` (all above, if there is none) have been asked.
    pub(crate) fn go_on(self, next: Option<Market>, word: Word) -> Option<Self> {
        let next = next.map_or(self.commodity.classes(), |next| next.class);
        Some(Self { climb: self.climb.go_on(next, word)?, ..self })
    }
}
