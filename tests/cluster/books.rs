//! Whether the money adds up.

use super::network::{Network, until};
use super::view::{Balance, SubTask, Task};
use proto::{Money, Rules};

/// The accounts of all nodes, as the bank tells them.
#[derive(Clone, Debug)]
pub(crate) struct Books {
    balances: Vec<Balance>,
}

impl Books {
    /// Every account; all nodes have to run.
    pub(crate) fn of(network: &Network) -> Self {
        Self { balances: (0..network.count()).map(|node| network.balance(node)).collect() }
    }

    /// The books once nothing is held any more.
    pub(crate) fn when_nothing_is_held(network: &Network, seconds: u64) -> Self {
        until("nothing is held any more", seconds, || {
            let books = Self::of(network);
            let is_free = books.balances.iter().all(|balance| balance.held == Money::ZERO);
            if is_free { Ok(books) } else { Err(format!("{books:?}")) }
        })
    }

    /// Available and held money of all together is what the bank has granted: none appeared, none vanished.
    pub(crate) fn check_sum(&self) {
        let sum: i128 = self.balances.iter().map(Balance::worth).sum();
        let grants = i128::from(Rules::LOCAL.initial_grant.0) * self.balances.len() as i128;
        assert_eq!(sum, grants, "micro-credits of all accounts and of all grants: {self:#?}");
    }

    /// Who got how much for `task`, bought by node `buyer`, the only task so far: every success was paid once,
    /// to the seller that its last attempt names, and nothing else was.
    pub(crate) fn check_payments(&self, buyer: usize, task: &Task) {
        self.check_sum();
        let of_sub_task = |sub_task: &SubTask| micro(sub_task.paid) + micro(sub_task.fee);
        let spent: i128 = task.sub_tasks.iter().map(of_sub_task).sum();
        let mut fees = 0;
        for (node, balance) in self.balances.iter().enumerate() {
            let sales = task.sub_tasks.iter().filter(|sub_task| sub_task.seller() == balance.account);
            let sold: i128 = sales.map(|sub_task| micro(sub_task.paid)).sum();
            let bought = if node == buyer { spent } else { 0 };
            let expected = micro(Rules::LOCAL.initial_grant) + sold - bought;
            // What is left are fees: the views do not say who owned the market.
            let left = balance.worth() - expected;
            let fee = micro(Rules::LOCAL.owner_fee);
            assert!(left >= 0 && left % fee == 0, "node {node} has {left} too much: {self:#?} {task:#?}");
            fees += left / fee;
        }
        let successes = task.count("succeeded") as i128;
        assert_eq!(fees, successes, "one fee for each success: {self:#?} {task:#?}");
    }
}

impl PartialEq for Books {
    fn eq(&self, other: &Self) -> bool {
        self.balances == other.balances
    }
}

fn micro(money: Money) -> i128 {
    i128::from(money.0)
}
