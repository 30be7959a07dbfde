//! What the program prints: the only files that do.
//!
//! What was asked for goes to standard output, everything else to standard error. With `--json` standard output
//! has one JSON value, errors included.

mod benched;
mod churn;
mod dry;
mod graph;
mod human;
mod json;
mod lab;
mod progress;
mod recorded;
mod ring;
mod ring_figure;
#[cfg(test)]
pub(crate) mod sample;
mod simulation;
mod stream;
mod table;
#[cfg(test)]
mod tests;
mod trade;
mod verified;
mod view;

pub(crate) use benched::{BenchRow, Benched};
pub(crate) use churn::ChurnMeasured;
pub(crate) use dry::{DryClass, DryRun, DrySubTask};
pub(crate) use graph::{GraphNode, GraphView};
pub(crate) use lab::{ComparedView, ExperimentLine, ExperimentRun, ModelView, ScenarioLine, Simulations};
pub(crate) use progress::{Bar, Progress};
pub(crate) use recorded::Recorded;
pub(crate) use ring::RingMeasured;
pub(crate) use ring_figure::RingCompared;
pub(crate) use simulation::{Simulated, Tried};
pub(crate) use stream::{Own, Printed, Ran, pass_on};
pub(crate) use trade::{TradeRow, Trading};
pub(crate) use verified::Verified;
pub(crate) use view::{
    BalanceChange, DealView, ExchangedView, Imported, LineView, Place, Ready, RemoteView, Run,
    RunningNetwork, RunningNode, StatementView, TotalChange, Validated,
};

use crate::control::{
    BalanceView, DoctorView, ExplainView, Failure, FileView, InvitationView, LookupView, MarketsView,
    NodeView, OrderedView, PaidView, PriceView, PromotedView, QuoteView, ReloadView, RingCheckView, RingView,
    SellerView, ServingView, SharingView, ShownMarketView, StandbyView, TaskLine, TaskView, TotalsView,
};
use jiff::Timestamp;
use proto::PublicKey;
use std::env;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;

/// Where and how a command prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    is_json: bool,
    is_quiet: bool,
    has_colour: bool,
}

/// How text for people is laid out.
#[derive(Clone, Copy, Debug)]
struct Look {
    /// Columns to fit tables into; `None` for as many as they need.
    width: Option<usize>,
    has_colour: bool,
}

impl Printer {
    pub(crate) fn new(is_json: bool, is_quiet: bool, no_colour: bool) -> Self {
        let is_off = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { is_json, is_quiet, has_colour: !(no_colour || is_off("NO_COLOR") || is_dumb) }
    }

    pub(crate) fn task(self, task: &TaskView) -> Result<(), Failure> {
        self.result(|| json::task(task), |look| human::task(task, look))
    }

    /// A task that was submitted and is not waited for; quietly, its number only.
    pub(crate) fn submitted(self, task: &TaskView) -> Result<(), Failure> {
        let text = if self.is_quiet { format!("{}\n", task.id) } else { human::submitted(task) };
        self.result(|| json::task(task), |_| text)
    }

    pub(crate) fn tasks(self, tasks: &[TaskLine]) -> Result<(), Failure> {
        self.result(|| json::tasks(tasks), |look| human::tasks(tasks, look))
    }

    pub(crate) fn results(self, task: &TaskView) -> Result<(), Failure> {
        self.result(|| json::task(task), |_| human::results(task))
    }

    pub(crate) fn validated(self, file: &Validated) -> Result<(), Failure> {
        self.result(|| json::document("task-validate", file), |_| human::validated(file))
    }

    /// What would be bought.
    pub(crate) fn dry_run(self, run: &DryRun) -> Result<(), Failure> {
        self.result(|| json::document("task-dry-run", run), |look| human::dry_run(run, look))
    }

    /// Who waits for whom, as a tree.
    pub(crate) fn graph(self, graph: &GraphView) -> Result<(), Failure> {
        self.result(|| json::document("task-graph", graph), |_| human::graph(graph))
    }

    /// Who waits for whom, for Graphviz.
    pub(crate) fn dot(self, graph: &GraphView) -> Result<(), Failure> {
        self.result(|| json::document("task-graph", graph), |_| human::dot(graph))
    }

    pub(crate) fn run(self, run: &Run<'_>) -> Result<(), Failure> {
        self.result(|| json::document("local-run", run), |look| human::run(run, look))
    }

    pub(crate) fn network(self, network: &RunningNetwork) -> Result<(), Failure> {
        self.result(|| json::document("dev", network), |look| human::network(network, look))
    }

    pub(crate) fn node(self, node: &NodeView) -> Result<(), Failure> {
        self.result(|| json::document("status", node), |_| human::node(node))
    }

    pub(crate) fn doctor(self, doctor: &DoctorView) -> Result<(), Failure> {
        self.result(|| json::document("doctor", doctor), |_| human::doctor(doctor))
    }

    pub(crate) fn remote(self, remote: &RemoteView) -> Result<(), Failure> {
        self.result(|| json::document("remote", remote), |_| human::remote(remote))
    }

    pub(crate) fn balance(self, balance: &BalanceView) -> Result<(), Failure> {
        self.result(|| json::document("balance", balance), |_| human::balance(balance))
    }

    pub(crate) fn totals(self, totals: &TotalsView) -> Result<(), Failure> {
        self.result(|| json::document("bank-totals", totals), |_| human::totals(totals))
    }

    pub(crate) fn standby(self, standby: &StandbyView) -> Result<(), Failure> {
        self.result(|| json::document("bank-standby", standby), |_| human::standby(standby))
    }

    pub(crate) fn ordered(self, ordered: &OrderedView) -> Result<(), Failure> {
        self.result(|| json::document("bank-order", ordered), |_| human::ordered(ordered))
    }

    pub(crate) fn invited(self, invitation: &InvitationView) -> Result<(), Failure> {
        self.result(|| json::document("bank-invite", invitation), |_| human::invited(invitation))
    }

    pub(crate) fn promoted(self, promoted: &PromotedView) -> Result<(), Failure> {
        self.result(|| json::document("bank-promote", promoted), |_| human::promoted(promoted))
    }

    pub(crate) fn statement(self, statement: &StatementView, is_csv: bool) -> Result<(), Failure> {
        let human = |look| {
            if is_csv { human::statement_csv(statement) } else { human::statement(statement, look) }
        };
        self.result(|| json::document("bank-statement", statement), human)
    }

    pub(crate) fn deal(self, deal: &DealView) -> Result<(), Failure> {
        self.result(|| deal_document(deal), |_| human::deal(deal))
    }

    pub(crate) fn paid(self, paid: &PaidView) -> Result<(), Failure> {
        self.result(|| json::document("bank-transfer", paid), |_| human::paid(paid))
    }

    pub(crate) fn markets(self, markets: &MarketsView) -> Result<(), Failure> {
        self.result(|| json::document("market-list", markets), |look| human::markets(markets, look))
    }

    pub(crate) fn market(self, market: &ShownMarketView) -> Result<(), Failure> {
        self.result(|| json::document("market-show", market), |look| human::market(market, look))
    }

    pub(crate) fn sellers(self, sellers: &[SellerView]) -> Result<(), Failure> {
        self.result(|| json::sellers(sellers), |look| human::sellers(sellers, look))
    }

    pub(crate) fn files(self, files: &[FileView]) -> Result<(), Failure> {
        self.result(|| json::files(files), |look| human::files(files, look))
    }

    pub(crate) fn price(self, price: &PriceView) -> Result<(), Failure> {
        self.result(|| json::document("market-price", price), |_| human::price(price))
    }

    pub(crate) fn quote(self, quote: &QuoteView) -> Result<(), Failure> {
        self.result(|| json::document("task-quote", quote), |look| human::quote(quote, look))
    }

    pub(crate) fn explain(self, explain: &ExplainView) -> Result<(), Failure> {
        self.result(|| json::document("task-explain", explain), |_| human::explain(explain))
    }

    pub(crate) fn ring(self, ring: &RingView) -> Result<(), Failure> {
        self.result(|| json::document("ring", ring), |look| human::ring(ring, look))
    }

    pub(crate) fn lookup(self, lookup: &LookupView) -> Result<(), Failure> {
        self.result(|| json::document("ring-lookup", lookup), |look| human::lookup(lookup, look))
    }

    pub(crate) fn ring_check(self, check: &RingCheckView) -> Result<(), Failure> {
        self.result(|| json::document("ring-check", check), |_| human::ring_check(check))
    }

    pub(crate) fn left(self, home: &Path, until: Option<Timestamp>) -> Result<(), Failure> {
        self.result(|| json::left(home, until), |_| human::left(home, until))
    }

    pub(crate) fn sharing(self, sharing: &SharingView) -> Result<(), Failure> {
        self.result(|| json::document("sharing", sharing), |_| human::sharing(sharing))
    }

    pub(crate) fn reloaded(self, reloaded: &ReloadView) -> Result<(), Failure> {
        self.result(|| json::document("policy-reload", reloaded), |_| human::reloaded(reloaded))
    }

    /// A journal that was exported or imported: the word for it, and the file.
    pub(crate) fn exchanged(self, what: &str, exchanged: &ExchangedView) -> Result<(), Failure> {
        self.result(|| json::document(&format!("bank-{what}"), exchanged), |_| exchanged.line(what))
    }

    /// A policy made of something else; the remarks on it stand beside it, so that it can go into a file.
    pub(crate) fn imported(self, imported: &Imported) -> Result<(), Failure> {
        if !self.is_json {
            imported.notes.iter().for_each(|note| self.note(note));
        }
        self.result(|| json::document("policy-import", imported), |_| imported.policy.clone())
    }

    pub(crate) fn simulations(self, all: &Simulations) -> Result<(), Failure> {
        self.result(|| json::document("sim-list", all), |look| all.text(look))
    }

    pub(crate) fn experiment(self, run: &ExperimentRun) -> Result<(), Failure> {
        self.result(|| json::document("sim-experiment", run), |look| run.text(look))
    }

    /// An experiment; for people its file, so that it can go into one.
    pub(crate) fn experiment_shown(self, line: &ExperimentLine, file: &str) -> Result<(), Failure> {
        self.result(|| json::document("sim-show", line), |_| file.to_owned())
    }

    pub(crate) fn results_compared(self, compared: &ComparedView) -> Result<(), Failure> {
        self.result(|| json::document("sim-compare", compared), |look| compared.text(look))
    }

    pub(crate) fn models(self, models: &[ModelView]) -> Result<(), Failure> {
        self.result(|| lab::models_json(models), |look| lab::models(models, look))
    }

    pub(crate) fn model(self, model: &ModelView) -> Result<(), Failure> {
        self.result(|| json::document("sim-model", model), |look| model.text(look))
    }

    pub(crate) fn verified(self, verified: &Verified) -> Result<(), Failure> {
        self.result(|| json::document("bank-verify", verified), |_| verified.text())
    }

    pub(crate) fn simulated(self, run: &Simulated) -> Result<(), Failure> {
        self.result(|| json::document("sim-run", run), |_| run.text.clone())
    }

    pub(crate) fn tried(self, run: &Tried) -> Result<(), Failure> {
        self.result(|| json::document("sim-court", run), |_| run.text.clone())
    }

    pub(crate) fn ring_measured(self, ring: &RingMeasured, is_csv: bool) -> Result<(), Failure> {
        self.result(|| json::document("sim-ring", ring), |_| if is_csv { ring.csv() } else { ring.text() })
    }

    pub(crate) fn recorded(self, run: &Recorded) -> Result<(), Failure> {
        self.result(|| json::document("sim-trace", run), |_| run.text())
    }

    pub(crate) fn benched(self, benched: &Benched) -> Result<(), Failure> {
        self.result(|| json::document("sim-bench", benched), |_| benched.text())
    }

    pub(crate) fn churn_measured(self, churn: &ChurnMeasured) -> Result<(), Failure> {
        self.result(|| json::document("sim-churn", churn), |_| churn.text())
    }

    pub(crate) fn ring_compared(self, figure: &RingCompared, is_csv: bool) -> Result<(), Failure> {
        self.result(
            || json::document("sim-ring-figure", figure),
            |look| if is_csv { figure.csv() } else { figure.text(look) },
        )
    }

    /// A valid policy, and what it means, a sentence a line.
    pub(crate) fn policy(self, file: &str, meaning: &[String]) -> Result<(), Failure> {
        self.result(|| json::policy(file, meaning), |_| human::policy(file, meaning))
    }

    pub(crate) fn trading(self, figures: &Trading, is_csv: bool) -> Result<(), Failure> {
        self.result(
            || json::document("sim-market", figures),
            |look| if is_csv { figures.csv() } else { figures.text(look) },
        )
    }

    pub(crate) fn schema(self, name: &str, text: &str) -> Result<(), Failure> {
        self.result(|| json::schema(name, text), |_| text.to_owned())
    }

    /// A command that failed: as JSON on standard output, else on standard error.
    pub(crate) fn failure(self, failure: &Failure) {
        self.problem(|| json::failure(failure, &[]), |colour| human::failure(failure, colour));
    }

    /// A file with faults.
    pub(crate) fn faults(self, code: &str, places: &[Place]) {
        self.problem(|| json::faults(code, places), |_| human::places(places));
    }

    /// Arguments that are wrong, or the help that they ask for.
    pub(crate) fn usage(self, error: &clap::Error) {
        let text = error.render();
        let shown = |colour: bool| if colour { text.ansi().to_string() } else { text.to_string() };
        if error.use_stderr() {
            self.problem(|| json::usage(&text.to_string()), shown);
        } else {
            let _ = write_out(&shown(self.has_colour && io::stdout().is_terminal()));
        }
    }

    /// What may be good to know.
    pub(crate) fn note(self, text: &str) {
        if !self.is_quiet {
            write_err(&format!("{}\n", human::clean(text)));
        }
    }

    /// What looks like a mistake.
    pub(crate) fn warning(self, text: &str) {
        self.note(&format!("warning: {text}"));
    }

    fn result(
        self,
        json: impl FnOnce() -> String,
        human: impl FnOnce(Look) -> String,
    ) -> Result<(), Failure> {
        let text = if self.is_json { json() } else { human(self.look()) };
        write_out(&text)
            .map_err(|error| Failure::new("output", format!("cannot write the result: {error}"), 1))
    }

    fn problem(self, json: impl FnOnce() -> String, human: impl FnOnce(bool) -> String) {
        if self.is_json {
            let _ = write_out(&json());
        } else {
            write_err(&human(self.has_colour && io::stderr().is_terminal()));
        }
    }

    fn look(self) -> Look {
        let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let terminal = || console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
        let is_terminal = io::stdout().is_terminal();
        let width = columns.or_else(|| terminal().filter(|_| is_terminal)).filter(|columns| *columns > 0);
        Look { width, has_colour: self.has_colour && is_terminal }
    }
}

/// A receipt as it stands in a file, and as JSON.
pub(crate) fn deal_document(deal: &DealView) -> String {
    json::document("deal-receipt", deal)
}

/// Says that a node or a bank is ready: to its parent as a line of JSON, else to people.
pub(crate) fn ready(address: SocketAddr, key: PublicKey, home: &Path, tied: bool) {
    if tied {
        let ready = Ready { address: address.to_string(), key: key.to_hex(), home: home.into() };
        let _ = write_out(&json::ready(&ready));
    } else {
        write_err(&format!(
            "ready at {address} with the files in {}; Ctrl-C ends it\nkey (the account): {}\n",
            home.display(),
            key.to_hex()
        ));
    }
}

/// Says that a bank serves and what it guarantees: to its parent as the line of [`ready`], to programs as JSON, else to
/// people.
pub(crate) fn serves(view: &ServingView, tied: bool, is_json: bool) {
    if tied {
        let ready =
            Ready { address: view.address.clone(), key: view.key.clone(), home: view.home.clone().into() };
        let _ = write_out(&json::ready(&ready));
    } else if is_json {
        let _ = write_out(&json::document("bank-serve", view));
    } else {
        write_err(&human::serving(view));
    }
}

/// Says that a standby follows: to its parent as the line of [`ready`] with the bank's address, else to people.
pub(crate) fn follows(leader: &str, key: PublicKey, home: &Path, tied: bool) {
    if tied {
        let ready = Ready { address: leader.into(), key: key.to_hex(), home: home.into() };
        let _ = write_out(&json::ready(&ready));
    } else {
        write_err(&format!(
            "a standby of the bank at {leader} with the files in {}; it takes over with `compup2p bank promote`\n",
            home.display()
        ));
    }
}

/// Writes to standard output. Whoever stops reading has read enough.
fn write_out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Writes to standard error; there is nowhere to complain about an error there.
fn write_err(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
