//! Markets, quotes and reasons as commands show them. Money is a decimal text in credits, rates are credits per Gc (of
//! memory and disk per GiB and hour), durations are seconds.

use super::ListingView;
use serde::{Deserialize, Serialize};

/// How the markets of the whole network stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MarketsView {
    /// The listings in the markets that this node owns.
    pub(crate) listings: Vec<ListingView>,
    /// The markets in which somebody is listed or something was sold.
    pub(crate) markets: Vec<MarketView>,
    /// Owners that answered.
    pub(crate) owners: usize,
    /// Markets whose owner could not be reached.
    pub(crate) unreached: Vec<String>,
}

/// A market.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MarketView {
    /// Such as `compute/40`.
    pub(crate) market: String,
    /// The least amount in it, in Mc/s or bytes.
    pub(crate) from: u64,
    pub(crate) sellers: u32,
    /// What they offer together, in Mc/s or bytes.
    pub(crate) amount: u64,
    pub(crate) lowest_ask: Option<String>,
    pub(crate) median_ask: Option<String>,
    pub(crate) highest_ask: Option<String>,
    /// Matches that its owner has made since it answers for it.
    pub(crate) matches: u64,
    pub(crate) last_price: Option<String>,
    /// RFC 3339, UTC.
    pub(crate) last_match: Option<String>,
    /// Who answers for it.
    pub(crate) owner: String,
}

/// One market with its cheapest listings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ShownMarketView {
    pub(crate) market: MarketView,
    pub(crate) listings: Vec<ListingView>,
}

/// What a task would cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct QuoteView {
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) sub_tasks: usize,
    /// The rule of this network.
    pub(crate) rule: String,
    /// What the market owner gets for each sub-task.
    pub(crate) fee: String,
    /// What is available on the account.
    pub(crate) available: String,
    /// The sum of all prices: the most that the task can cost.
    pub(crate) at_most: String,
    /// What it would cost now by the network's rule, fees included, as far as there are sellers.
    pub(crate) expected: String,
    /// The largest price of a single sub-task: so much has to be set aside at once.
    pub(crate) largest: String,
    /// Whether the account suffices for `expected` and for `largest`.
    pub(crate) is_affordable: bool,
    /// Markets whose owner could not be reached.
    pub(crate) unreached: usize,
    pub(crate) parts: Vec<QuotePartView>,
    /// What the whole task would cost by each rule, as far as there are sellers.
    pub(crate) totals: Vec<RuleTotalView>,
}

/// What one rule would charge for a whole task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RuleTotalView {
    pub(crate) rule: String,
    pub(crate) is_in_force: bool,
    /// How many of the sub-tasks it would place now.
    pub(crate) placed: u64,
    /// What all of them would cost at the prices of those, fees included; sub-tasks that have no price are left out.
    pub(crate) cost: String,
}

/// Sub-tasks of a task that need and bid the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct QuotePartView {
    /// The name of the first of them.
    pub(crate) sub_task: String,
    pub(crate) count: u32,
    /// In words.
    pub(crate) needs: String,
    pub(crate) bid: String,
    /// The most that each may cost.
    pub(crate) price: String,
    /// The work of each, as stated or else as a node reckons with it.
    pub(crate) gcycles: f64,
    /// Sellers that fit now, and how many of these sub-tasks they could take at the same time.
    pub(crate) sellers: u32,
    pub(crate) slices: u64,
    /// Sellers that could run it if nothing of their machines were sold, whatever they ask.
    pub(crate) could: u32,
    /// Sellers that fit but for the price, and the lowest ask among them.
    pub(crate) too_dear: u32,
    pub(crate) lowest_ask: Option<String>,
    pub(crate) prices: Vec<RulePriceView>,
    /// Where nobody fits: who lacks least, and what.
    pub(crate) closest: Option<String>,
}

/// What one rule would charge for a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RulePriceView {
    pub(crate) rule: String,
    pub(crate) is_in_force: bool,
    /// How many of the sub-tasks it would place now.
    pub(crate) placed: u64,
    /// The average price.
    pub(crate) rate: Option<String>,
    /// What one of the sub-tasks would cost, fee included.
    pub(crate) cost: Option<String>,
}

/// Why a task is where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExplainView {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// A word of the states of a task, such as `running`.
    pub(crate) state: String,
    pub(crate) parts: Vec<ExplainPartView>,
}

/// Sub-tasks that are where they are for the same reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ExplainPartView {
    /// The name of the first of them.
    pub(crate) sub_task: String,
    pub(crate) count: u32,
    pub(crate) state: String,
    /// Sentences with numbers.
    pub(crate) reasons: Vec<String>,
}

/// Where this node stands in its market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StandingView {
    pub(crate) market: String,
    pub(crate) ask: String,
    /// By ask, the lowest first; equal asks share a place.
    pub(crate) rank: u32,
    pub(crate) sellers: u32,
    pub(crate) last_price: Option<String>,
    pub(crate) lowest_ask: String,
    pub(crate) median_ask: String,
    pub(crate) highest_ask: String,
}

/// What would be a good ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PriceView {
    /// What the policy asks now; `None` if nothing is for sale.
    pub(crate) ask: Option<String>,
    /// Absent while nothing is listed, or its owner cannot be reached.
    pub(crate) standing: Option<StandingView>,
    /// Why nothing is for sale, if nothing is.
    pub(crate) not_selling: Option<String>,
    /// What the work costs by the model; absent where the policy says nothing about it.
    pub(crate) cost: Option<CostView>,
    /// Sentences.
    pub(crate) advice: Vec<String>,
}

/// What work costs the owner of the machine, by the policy's figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CostView {
    /// Credits per Gc, at this hour.
    pub(crate) rate: String,
    /// How it is computed, a step a line.
    pub(crate) steps: Vec<String>,
}

/// What a node did as a seller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordView {
    /// Contracts that were taken on, ended, and accepted by their buyers since the node was started.
    pub(crate) contracts: u64,
    pub(crate) ended: u64,
    pub(crate) paid: u64,
    /// What the accepted ones are worth.
    pub(crate) earned: String,
    /// The same of all runs.
    pub(crate) contracts_ever: u64,
    pub(crate) paid_ever: u64,
    pub(crate) earned_ever: String,
    pub(crate) last_hired: Option<HiredView>,
}

/// The last contract that a node took on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HiredView {
    /// RFC 3339, UTC.
    pub(crate) at: String,
    /// The buyer's account, all of it.
    pub(crate) buyer: String,
    pub(crate) address: String,
    /// Credits per Gc.
    pub(crate) price: String,
}
