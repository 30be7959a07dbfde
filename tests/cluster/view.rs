//! What `--json` says, as far as the tests read it.

use proto::Money;
use serde::{Deserialize, Deserializer};

/// `task status`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Task {
    pub state: String,
    pub sub_tasks: Vec<SubTask>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SubTask {
    pub name: String,
    pub state: String,
    pub attempts: u32,
    pub gcycles: f64,
    pub elapsed: Option<f64>,
    pub sale: Option<Sale>,
    #[serde(deserialize_with = "money")]
    pub paid: Money,
    #[serde(deserialize_with = "money")]
    pub fee: Money,
    pub why: String,
    pub reason_code: Option<String>,
    pub files: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Sale {
    /// The seller's account.
    pub seller: String,
    pub market: String,
    /// Credits per Gc.
    pub clearing: String,
}

/// `status`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Node {
    pub account: String,
    pub node_id: String,
    pub slot: u16,
    pub predecessor: Option<String>,
    pub successors: Vec<String>,
    pub is_member: bool,
    pub listed: Option<String>,
    pub working: usize,
    pub unanswered_orders: usize,
}

/// `market list`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Markets {
    pub markets: Vec<Market>,
    pub unreached: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Market {
    pub sellers: usize,
}

/// `ring check`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Walk {
    pub nodes: usize,
    pub is_closed: bool,
    pub defects: Vec<String>,
}

/// `ring lookup`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Lookup {
    pub owner: Owner,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Owner {
    pub account: String,
}

/// `bank balance`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Balance {
    pub account: String,
    #[serde(deserialize_with = "money")]
    pub available: Money,
    #[serde(deserialize_with = "money")]
    pub held: Money,
}

impl Task {
    /// How many sub-tasks are in `state`.
    pub(crate) fn count(&self, state: &str) -> usize {
        self.sub_tasks.iter().filter(|sub_task| sub_task.state == state).count()
    }
}

impl SubTask {
    /// The account of its seller.
    pub(crate) fn seller(&self) -> &str {
        self.sale.as_ref().map_or("", |sale| &sale.seller)
    }
}

impl Balance {
    /// All money of the account, in micro-credits.
    pub(crate) fn worth(&self) -> i128 {
        i128::from(self.available.0) + i128::from(self.held.0)
    }
}

fn money<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| serde::de::Error::custom(format!("`{text}` is not an amount of money")))
}
