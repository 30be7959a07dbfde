//! Views for tests.

use crate::control::{
    EventView, HiredView, MarketView, NodeView, QuotePartView, QuoteView, RecordView, RulePriceView,
    RuleTotalView, SaleView, Sharing, SharingView, StandingView, SubTaskView, TaskLine, TaskState, TaskView,
};

/// A task of three sub-tasks: one succeeded, one runs, one waits.
pub(crate) fn task() -> TaskView {
    let running = SubTaskView {
        state: "running".into(),
        gcycles: 1.5,
        paid: "0".into(),
        fee: "0".into(),
        elapsed: Some(2.0),
        why: String::new(),
        reason_code: None,
        files: Vec::new(),
        replicas: Vec::new(),
        ..ended("count[2]", "succeeded")
    };
    let waiting = SubTaskView {
        name: "count[3]".into(),
        state: "waiting".into(),
        sale: None,
        gcycles: 0.0,
        elapsed: None,
        attempts: 0,
        why: "no seller fits: 3 sellers ask more than 0.10 credits/Gc".into(),
        ..running.clone()
    };
    TaskView {
        id: 3,
        name: "16 queens".into(),
        file: "tasks.xml".into(),
        state: TaskState::Running,
        submitted: "2026-11-21T00:41:00Z".into(),
        elapsed: 12.375,
        spent: "0.95".into(),
        held: "5".into(),
        sub_tasks: vec![ended("count[1]", "succeeded"), running, waiting],
        found: None,
        depends_on: Vec::new(),
        problems: Vec::new(),
    }
}

/// A sub-task that has ended by `reason`.
pub(crate) fn ended(name: &str, reason: &str) -> SubTaskView {
    let state = match reason {
        "succeeded" | "cancelled" => reason,
        _ => "failed",
    };
    SubTaskView {
        name: name.into(),
        state: state.into(),
        attempts: 1,
        gcycles: 4.21,
        sale: Some(SaleView {
            seller: "ab12cd34".repeat(8),
            address: "127.0.0.1:40001".into(),
            market: "compute/40".into(),
            ask: "0.15".into(),
            second_ask: Some("0.2".into()),
            asks_seen: 3,
            clearing: "0.2".into(),
        }),
        paid: "0.842".into(),
        fee: "0.108".into(),
        elapsed: Some(3.126),
        why: reason.into(),
        reason_code: Some(reason.into()),
        exit_status: None,
        progress: None,
        time_left: None,
        files: vec!["results/column-0.txt".into()],
        replicas: Vec::new(),
    }
}

/// A node in the ring and in the market.
pub(crate) fn node() -> NodeView {
    NodeView {
        version: "0.1.0".into(),
        account: "ab12cd34".repeat(8),
        node_id: "0123456789".repeat(4),
        address: "127.0.0.1:40001".into(),
        slot: 1,
        bank: "127.0.0.1:7742".into(),
        rules: crate::control::RulesView::of(&proto::Rules::LOCAL),
        predecessor: Some("9876543210".repeat(4)),
        successors: vec!["5555555555".repeat(4)],
        fingers: 2,
        known: 4,
        is_member: true,
        per_core: 2_500,
        cores: 1,
        free_cores: 1,
        ask: "0.2".into(),
        listed: Some("compute/45".into()),
        sharing: sharing(),
        not_selling: None,
        working: 0,
        listings: 1,
        bytes_sent: 3 << 20,
        bytes_fetched: 1_536,
        bytes_kept: 5 << 20,
        bytes_quota: 10 << 30,
        contents: 12,
        unanswered_orders: 0,
        bank_silent_for: None,
        uptime: 61.4,
        standing: Some(standing()),
        record: record(),
        layers: Vec::new(),
    }
}

/// Where the node's ask stands.
pub(crate) fn standing() -> StandingView {
    StandingView {
        market: "compute/45".into(),
        ask: "0.2".into(),
        rank: 7,
        sellers: 12,
        last_price: Some("0.18".into()),
        lowest_ask: "0.1".into(),
        median_ask: "0.19".into(),
        highest_ask: "0.4".into(),
    }
}

/// What the node did as a seller.
fn record() -> RecordView {
    RecordView {
        contracts: 3,
        ended: 3,
        paid: 2,
        earned: "1.5".into(),
        contracts_ever: 40,
        paid_ever: 38,
        earned_ever: "21.25".into(),
        last_hired: Some(HiredView {
            at: "2026-11-21T00:41:00Z".into(),
            buyer: "5555aaaa".repeat(8),
            address: "127.0.0.1:40002".into(),
            price: "0.2".into(),
        }),
    }
}

/// A market with two sellers.
pub(crate) fn market() -> MarketView {
    MarketView {
        market: "compute/45".into(),
        from: 2_436,
        sellers: 2,
        amount: 5_000,
        lowest_ask: Some("0.1".into()),
        median_ask: Some("0.1".into()),
        highest_ask: Some("0.4".into()),
        matches: 3,
        last_price: Some("0.18".into()),
        last_match: Some("2026-11-21T00:41:00Z".into()),
        owner: "127.0.0.1:40003".into(),
    }
}

/// A quote for eight sub-tasks that one seller fits.
pub(crate) fn quote() -> QuoteView {
    let price = |rule: &str, rate: Option<&str>, cost: Option<&str>| RulePriceView {
        rule: rule.into(),
        is_in_force: rule == "vickrey",
        placed: u64::from(rate.is_some()) * 2,
        rate: rate.map(Into::into),
        cost: cost.map(Into::into),
    };
    let total = |rule: &str, placed: u64, cost: &str| RuleTotalView {
        rule: rule.into(),
        is_in_force: rule == "vickrey",
        placed,
        cost: cost.into(),
    };
    let part = QuotePartView {
        sub_task: "price[1]".into(),
        count: 8,
        needs: "200 Mc/s on 1 core".into(),
        bid: "0.999".into(),
        price: "10".into(),
        gcycles: 10.0,
        sellers: 1,
        slices: 2,
        could: 2,
        too_dear: 1,
        lowest_ask: Some("1.5".into()),
        prices: vec![price("vickrey", Some("0.999"), Some("10")), price("posted", None, None)],
        closest: None,
    };
    QuoteView {
        file: "tasks.xml".into(),
        name: "Options".into(),
        sub_tasks: 8,
        rule: "vickrey".into(),
        fee: "0.01".into(),
        available: "1000".into(),
        at_most: "80".into(),
        expected: "80".into(),
        largest: "10".into(),
        is_affordable: true,
        unreached: 0,
        parts: vec![part],
        totals: vec![total("vickrey", 2, "80"), total("posted", 0, "0")],
    }
}

/// A node that shares.
pub(crate) fn sharing() -> SharingView {
    SharingView {
        state: Sharing::Open,
        since: Some("2026-11-21T00:41:00Z".into()),
        until: None,
        reasons: Vec::new(),
        notes: Vec::new(),
        throttle_pct: 100,
        working: 0,
        at: None,
    }
}

/// A change of the third sub-task.
pub(crate) fn event(kind: &str, why: &str) -> EventView {
    EventView {
        at: 1.25,
        sub_task: Some("count[3]".into()),
        kind: kind.into(),
        why: why.into(),
        done: 3,
        failed: 0,
        running: 4,
        waiting: 9,
        spent: "3.1".into(),
        held: "12.5".into(),
    }
}

/// The same task in one line.
pub(crate) fn task_line() -> TaskLine {
    let TaskView { id, name, file, state, submitted, elapsed, spent, held, sub_tasks, .. } = task();
    let sub_tasks = sub_tasks.len();
    TaskLine { id, name, file, state, submitted, elapsed, spent, held, sub_tasks, succeeded: 1 }
}
