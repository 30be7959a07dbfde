//! What the command line and its own node say to each other over the node's Unix socket.
//!
//! One JSON value a line. The client sends one [`Request`]; the node answers with one [`Reply`], or for
//! [`Request::Watch`] with a [`Reply::Event`] for every change and a [`Reply::Task`] at the end. The socket is
//! in the node's directory with mode 0600: who can open it is the node's owner.

mod account;
mod bank;
mod files;
mod layers;
mod logs;
mod market;
mod ring;
mod sharing;
mod view;

pub(crate) use account::{
    BalanceView, CommittedView, EntriesView, EntryView, PaidView, PaperView, Payment, StatementRequest,
};
pub(crate) use bank::{
    AdmissionView, InvitationView, Operator, OrderedView, PromotedView, ServingView, StandbyView, TotalsView,
};
pub(crate) use files::{FileView, Filing};
pub(crate) use layers::{DoctorView, LayerView};
pub(crate) use logs::{Logs, OutputView};
pub(crate) use market::{
    CostView, ExplainPartView, ExplainView, HiredView, MarketView, MarketsView, PriceView, QuotePartView,
    QuoteView, RecordView, RulePriceView, RuleTotalView, ShownMarketView, StandingView,
};
pub(crate) use ring::{HopView, LookupView, NeighbourView, RingCheckView, RingView};
pub(crate) use sharing::{Departure, ReloadView, Sharing, SharingView};
pub(crate) use view::{
    DifferenceView, EventView, ListingView, NodeView, ReplicaView, RulesView, SaleView, SellerView,
    SubTaskView, TaskLine, TaskState, TaskView,
};

use crate::exec::COST_MODEL;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The longest line that either side reads, in bytes: a task file of the largest size, escaped.
pub(crate) const MAX_LINE: usize = 64 << 20;
/// The name of the socket in a node's directory.
pub(crate) const SOCKET: &str = "node.sock";
/// The directory of a bank below the home, so that a node can run beside it.
pub(crate) const BANK_DIRECTORY: &str = "bank";

/// What a command asks of its node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    /// How is the node?
    Status,
    /// Buys the work of a task file.
    Submit(Submit),
    /// One task; `last` or its number.
    Task { task: String },
    /// All tasks.
    Tasks,
    /// One task, and every change until it has ended.
    Watch { task: String },
    /// Ends a task.
    Cancel { task: String },
    /// Writes the results of a task again, to another directory if one is given.
    Results { task: String, to: Option<PathBuf> },
    /// Public files.
    Files(Filing),
    /// What a sub-task prints.
    Logs(Logs),
    /// Forgets a task that has ended, with its results.
    Forget { task: String },
    /// The account.
    Balance,
    /// What happened on the account.
    Statement(StatementRequest),
    /// The bank's receipt of a contract that has ended; 32 hexadecimal digits.
    Receipt { contract: String },
    /// Pays another account.
    Pay(Payment),
    /// The markets of the whole network.
    Markets,
    /// One market, such as `compute/40`, with its cheapest listings.
    Market { market: String },
    /// What a task would cost now.
    Quote(Quote),
    /// Why a task is where it is.
    Why { task: String },
    /// Where the ask of this node stands.
    Price,
    /// What this node has seen of sellers.
    Sellers,
    /// The node's neighbours in the ring, with their round trips.
    Ring,
    /// Who answers for a key (40 hexadecimal digits), with the path to it.
    Lookup { key: String },
    /// A walk around the ring.
    RingCheck,
    /// Work of others stands still, for so many seconds or until [`Request::Resume`].
    Pause { seconds: Option<f64> },
    /// Takes back a pause, a drain or a departure that has not happened yet; ends an absence.
    Resume,
    /// No new work is taken.
    Drain,
    /// Leaves the network in order and ends, or waits for its return.
    Leave(Departure),
    /// Whether the node shares, now or at a time (RFC 3339).
    Explain { at: Option<String> },
    /// Reads the policy again.
    Reload,
    /// What only a bank is asked.
    Operator(Operator),
}

/// A task to be bought.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Submit {
    /// The task file's text.
    pub(crate) text: String,
    /// Its name, for messages.
    pub(crate) file: String,
    /// The directory its relative paths start from.
    pub(crate) base: PathBuf,
    /// Where results go; `base` if absent.
    pub(crate) to: Option<PathBuf>,
    /// Values for `${name}` in the file.
    pub(crate) set: BTreeMap<String, String>,
    /// The texts of the files over whose lines its sweeps go, by the paths in it.
    #[serde(default)]
    pub(crate) lines: BTreeMap<String, String>,
    /// Seconds without any fitting seller after which a sub-task fails.
    pub(crate) patience: f64,
    /// Whether it waits without end instead, also for sellers that are not listed yet.
    #[serde(default)]
    pub(crate) wait_for_sellers: bool,
}

/// A task that is only to be quoted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quote {
    /// The task file's text.
    pub(crate) text: String,
    /// Its name, for messages.
    pub(crate) file: String,
    /// Values for `${name}` in the file.
    pub(crate) set: BTreeMap<String, String>,
    /// The texts of the files over whose lines its sweeps go, by the paths in it.
    #[serde(default)]
    pub(crate) lines: BTreeMap<String, String>,
}

/// What the node answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// To [`Request::Status`].
    Status(Box<NodeView>),
    /// To everything about one task.
    Task(Box<TaskView>),
    /// To [`Request::Tasks`].
    Tasks(Vec<TaskLine>),
    /// While watching.
    Event(EventView),
    /// To [`Request::Files`].
    Files(Vec<FileView>),
    /// To [`Request::Logs`], any number of times.
    Output(OutputView),
    /// To [`Request::Balance`].
    Balance(Box<BalanceView>),
    /// To [`Request::Statement`].
    Entries(Box<EntriesView>),
    /// To [`Request::Receipt`].
    Paper(Box<PaperView>),
    /// To [`Request::Pay`].
    Paid(Box<PaidView>),
    /// To [`Request::Markets`].
    Markets(Box<MarketsView>),
    /// To [`Request::Market`].
    Market(Box<ShownMarketView>),
    /// To [`Request::Quote`].
    Quote(Box<QuoteView>),
    /// To [`Request::Why`].
    Why(Box<ExplainView>),
    /// To [`Request::Price`].
    Price(Box<PriceView>),
    /// To [`Request::Sellers`].
    Sellers(Vec<SellerView>),
    /// To [`Request::Ring`].
    Ring(Box<RingView>),
    /// To [`Request::Lookup`].
    Lookup(Box<LookupView>),
    /// To [`Request::RingCheck`].
    RingCheck(Box<RingCheckView>),
    /// To [`Request::Pause`], [`Request::Resume`], [`Request::Drain`] and [`Request::Explain`].
    Sharing(Box<SharingView>),
    /// To [`Request::Reload`].
    Reloaded(Box<ReloadView>),
    /// To [`Request::Leave`], when it is done.
    Left,
    /// To an order of a bank's operator.
    Ordered(Box<OrderedView>),
    /// To [`Operator::Invite`].
    Invited(Box<InvitationView>),
    /// To [`Operator::Totals`], by a bank.
    Totals(Box<TotalsView>),
    /// To [`Operator::Totals`], by a standby.
    Standby(Box<StandbyView>),
    /// To [`Operator::Promote`].
    Promoted(Box<PromotedView>),
    /// Instead of an answer.
    Error(Failure),
}

/// Why a command failed: the `error` object of the JSON output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// A word for programs.
    pub(crate) code: String,
    /// A sentence for people.
    pub(crate) message: String,
    /// What to do about it; empty if there is nothing to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) hint: String,
    /// Whether the same command may succeed later.
    pub(crate) retryable: bool,
    /// The exit status of the command.
    #[serde(default = "one")]
    pub(crate) exit: u8,
}

const fn one() -> u8 {
    1
}

impl Failure {
    /// A failure that the same command will meet again.
    pub(crate) fn new(code: &str, message: impl Into<String>, exit: u8) -> Self {
        Self { code: code.into(), message: message.into(), hint: String::new(), retryable: false, exit }
    }

    /// With what to do about it.
    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// From an error that explains itself.
    pub(crate) fn from_display<E: std::fmt::Display>(code: &'static str) -> impl Fn(E) -> Self {
        move |error| Self::new(code, error.to_string(), 1)
    }

    /// The disk did not do what was asked.
    pub(crate) fn disk(what: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new("disk", format!("could not {what} {}: {error}", path.display()), 1)
    }

    /// The socket of `home` cannot be opened.
    pub(crate) fn no_socket(home: &Path, error: &std::io::Error) -> Self {
        if error.kind() != std::io::ErrorKind::AddrInUse {
            return Self::disk("open the socket in", home, error);
        }
        let message = format!("a node or a bank runs in the directory {} already", home.display());
        Self::new("home_taken", message, 1).hint("end that one first, or name another directory with --home")
    }

    /// A file that was named is not there or cannot be read.
    pub(crate) fn no_file(path: &Path, error: &dyn std::fmt::Display) -> Self {
        Self::new("no_file", format!("{} cannot be read: {error}", path.display()), 2)
    }

    /// The books of the bank do not add up: it stops.
    pub(crate) fn broken_books(violation: &str) -> Self {
        let message = format!("the books do not add up, the bank stops: {violation}");
        Self::new("broken_books", message, 1).hint("keep the journal and report this as a defect")
    }

    /// The bank or bootstrap server does not answer.
    pub(crate) fn no_bank(address: &str) -> Self {
        let message = format!("the bank and bootstrap server at {address} does not answer");
        let hint = "check the address, and that `compup2p bank serve` runs there";
        Self { retryable: true, ..Self::new("bank_unreachable", message, 4).hint(hint) }
    }

    /// The bank has not answered an order within so many seconds: nobody knows what became of it.
    pub(crate) fn no_word(address: &str, seconds: u64) -> Self {
        let message = format!(
            "cannot reach the bank at {address}: the order was not answered within {seconds} s; it may or may not have \
             been carried out"
        );
        Self { retryable: true, ..Self::new("bank_unreachable", message, 4) }
    }

    /// The node is no member of the ring at the moment.
    pub(crate) fn not_in_ring() -> Self {
        let message = "this node is not in the ring at the moment";
        let hint = "it enters by itself: try again in a few seconds, or see its log";
        Self { retryable: true, ..Self::new("not_in_ring", message, 4).hint(hint) }
    }

    /// No owner of the markets in question answers.
    pub(crate) fn no_market() -> Self {
        let message = "no owner of these markets could be reached";
        let hint = "`compup2p ring check` tells what is wrong with the ring";
        Self { retryable: true, ..Self::new("market_unreachable", message, 4).hint(hint) }
    }

    /// A lookup that came to nobody.
    pub(crate) fn no_owner(path: &[HopView]) -> Self {
        let hops: Vec<String> =
            path.iter().map(|hop| format!("{}: {}", hop.node.address, hop.answer)).collect();
        let message = format!("nobody was found who answers for this key\nasked {}", hops.join(", "));
        let hint = "`compup2p ring check` tells what is wrong with the ring";
        Self { retryable: true, ..Self::new("no_owner", message, 4).hint(hint) }
    }

    /// There is no such task.
    pub(crate) fn no_task(task: &str) -> Self {
        let message = format!("this node has no task `{task}`");
        Self::new("no_task", message, 2).hint("`compup2p task list` shows the tasks there are")
    }

    /// The owner has published no such file.
    pub(crate) fn no_public_file(name: &str) -> Self {
        let message = format!("this node has published no file `{name}`");
        Self::new("no_file", message, 2).hint("`compup2p file list` shows those there are")
    }

    /// The network counts cycles in another way than this program.
    pub(crate) fn other_cost_model(theirs: u32) -> Self {
        let message =
            format!("this network's cycles are of cost model {theirs}, this program's of {COST_MODEL}");
        Self::new("other_cost_model", message, 7).hint("use the version of compup2p that the network uses")
    }

    /// A former run of the node knew where the results belong.
    pub(crate) fn no_results(task: u64) -> Self {
        let message =
            format!("task {task} is of a former run of this node: what is left of it was written then");
        Self::new("no_results", message, 1).hint("`compup2p task status` names the files")
    }

    /// A plan that cannot be made.
    pub(crate) fn plan(file: &str, error: &service::PlanError) -> Self {
        Self::new("task_invalid", format!("{file}: {error}"), 2)
    }

    /// A task file with faults, one a line.
    pub(crate) fn task_file(faults: &[service::task::Fault]) -> Self {
        Self::lines("task_invalid", faults)
    }

    /// Faults of a file, one a line.
    pub(crate) fn lines<T: std::fmt::Display>(code: &str, faults: &[T]) -> Self {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Self::new(code, lines.join("\n"), 2)
    }

    /// Another node or the bank said no.
    pub(crate) fn refused(refusal: &proto::Refusal) -> Self {
        let exit = if refusal.code == proto::RefusalCode::NotEnoughMoney { 6 } else { 7 };
        let failure =
            Self::new(refusal.code.name(), refusal.message.clone(), exit).hint(refusal.hint.clone());
        Self { retryable: refusal.is_retryable, ..failure }
    }
}
