//! What the node's owner says: pause, drain, leave, and the policy.

use super::{Driver, Finished, LEAVE_WITHIN};
use crate::control::{Departure, Failure, ReloadView, Reply, SharingView};
use crate::node::absence;
use crate::node::control::Question;
use crate::node::governance::{self, Order};
use crate::node::policy_file;
use jiff::Timestamp;
use proto::{Bytes, Peer};
use service::policy::{Policy, Work};
use service::{Input, Intake};
use std::time::Instant;

/// A time that a command has sent and that is none.
fn bad_time(text: &str, error: &jiff::Error) -> Failure {
    Failure::new("malformed", format!("`{text}` is not a time: {error}"), 2)
}

/// How a run of the node has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It has left.
    Left,
    /// It has left, to come back by itself.
    Away {
        /// When.
        until: Timestamp,
    },
    /// The bank opens no account for it, so that nobody can pay it and it can pay nobody.
    NotOpened(Failure),
}

impl Driver {
    /// Enters the network through `via`. What the owner has ordered counts before the first offer can come.
    pub(crate) fn start(&mut self, via: Vec<Peer>, max_tasks: Option<u32>) {
        if let Some(left) = max_tasks {
            self.take(Input::Intake { intake: Intake::Last { left } });
        }
        let policy = self.supplier.policy.clone();
        self.apply(&policy);
        self.publish_by_policy(&policy);
        self.take(Input::Start { via });
        self.sample();
    }

    /// Looks at the machine, and does what the owner says to it.
    pub(super) fn sample(&mut self) {
        let (sent, fetched) = self.net.volume();
        self.supplier.look(&self.executions.progress(), Bytes(sent.saturating_add(fetched)));
        self.govern();
    }

    /// Does what the owner says.
    fn govern(&mut self) {
        let moment = governance::moment(self.clock.now());
        let decision = self.governance.decide(self.supplier.machine(), moment);
        let work = decision.work;
        self.executions.govern(self.governance.current(), self.supplier.per_core());
        let supply = self.executions.described(self.supplier.offer(&decision));
        let mut terms = policy_file::terms(self.governance.current(), self.governance.window_left());
        terms.runtimes = self.executions.runtimes();
        self.take(Input::Terms { terms });
        let intake = self.governance.intake(self.node.intake());
        if intake != self.node.intake() {
            self.take(Input::Intake { intake });
        }
        if work != self.node.decision() {
            tracing::info!(?work, "the owner's word on the work of others");
        }
        if matches!(work, Work::Vacate { .. }) {
            self.executions.warn_all();
        }
        self.take(Input::Decide { work });
        self.take(Input::Supply { supply });
        let is_at_work = self.node.working() > 0 && matches!(work, Work::Run { .. });
        self.awake.keep(is_at_work && self.governance.current().power.keep_awake);
    }

    /// An order by hand.
    pub(super) fn order(&mut self, order: Order, question: &Question) {
        if order == Order::Share && self.node.intake() == (Intake::Last { left: 0 }) {
            self.stay();
        }
        let written = self.governance.order(order, self.clock.now());
        self.govern();
        match written {
            Ok(()) => question.answer(Reply::Sharing(Box::new(self.sharing()))),
            Err(error) => {
                let what = "write down, for a restart of the node, what was ordered and is done, in";
                question.answer(Reply::Error(Failure::disk(what, &self.home, &error)));
            }
        }
    }

    /// How the node stands with its owner.
    pub(super) fn sharing(&self) -> SharingView {
        let now = self.clock.now();
        self.governance.view(self.node.intake(), self.node.working(), |since| now.since(since))
    }

    /// The same of a time that was asked about.
    pub(super) fn explain(&self, at: Option<String>, question: &Question) {
        let Some(at) = at else {
            return question.answer(Reply::Sharing(Box::new(self.sharing())));
        };
        match at.parse() {
            Ok(at) => {
                let now = self.clock.now();
                let (policy, machine) = (&self.supplier.policy, self.supplier.machine());
                let view = self.governance.view_at(policy, machine, at, now);
                question.answer(Reply::Sharing(Box::new(view)));
            }
            Err(error) => question.answer(Reply::Error(bad_time(&at, &error))),
        }
    }

    /// The owner wants the node to leave.
    pub(super) fn depart(&mut self, departure: Departure, question: Question) {
        self.away_until = match departure {
            Departure::Now => {
                self.leavers.push(question);
                return self.leave();
            }
            Departure::Done => None,
            Departure::Until(until) => match until.parse() {
                Ok(until) => Some(until),
                Err(error) => return question.answer(Reply::Error(bad_time(&until, &error))),
            },
        };
        self.leavers.push(question);
        self.finish();
    }

    /// Ends what is at work and leaves then.
    pub(super) fn finish(&mut self) {
        self.take(Input::Intake { intake: Intake::Last { left: 0 } });
    }

    /// Writes down that the node is away, before its owner hears that it has left.
    pub(super) fn note_absence(&self) {
        if let Some(until) = self.away_until
            && let Err(error) = absence::begin(&self.home, until)
        {
            tracing::warn!(%error, "the absence could not be written down: a restart ends it");
        }
    }

    /// Takes back that the node is to leave.
    fn stay(&mut self) {
        self.away_until = None;
        self.take(Input::Intake { intake: Intake::Open });
        for leaver in self.leavers.drain(..) {
            let message = "the node was told to stay before it had left";
            leaver.answer(Reply::Error(Failure::new("stays", message, 8)));
        }
    }

    /// Leaves at once, in order.
    pub(super) fn leave(&mut self) {
        self.away_until = None;
        self.leave_by = Some(Instant::now() + LEAVE_WITHIN);
        self.take(Input::Leave);
    }

    /// The bank does not answer where it was: it may have been taken over, and be at the next address.
    pub(super) fn try_next_address(&mut self) {
        let next = self.bank_address.wrapping_add(1).checked_rem(self.bank_addresses.len()).unwrap_or(0);
        let Some(addr) = self.bank_addresses.get(next).filter(|_| next != self.bank_address) else { return };
        self.bank_address = next;
        let (addr, inputs, key) = (addr.clone(), self.inputs.clone(), self.bank.key);
        tokio::spawn(async move {
            let found = tokio::net::lookup_host(&addr).await.ok().and_then(|mut found| found.next());
            if let Some(found) = found {
                tracing::info!(addr, "the bank is tried at another address");
                // The driver may have ended meanwhile; then nobody waits for this.
                let _ = inputs.send(Input::Bank { peer: Peer::new(found, 0, key) });
            }
        });
    }

    /// Leaves when there has been no work for as long as the owner said.
    pub(super) fn leave_if_idle(&mut self) {
        let is_busy = self.node.working() > 0 || self.node.is_buying() || self.node.unanswered_orders() > 0;
        let since = *self.idle_since.get_or_insert_with(Instant::now);
        if is_busy {
            self.idle_since = None;
        } else if self.exit_when_idle.is_some_and(|limit| since.elapsed() >= limit) {
            tracing::info!("there has been no work for as long as --exit-when-idle allows");
            self.exit_when_idle = None;
            self.finish();
        }
    }

    /// Reads the policy again, beside the node.
    pub(super) fn reload(&self, question: Option<Question>) {
        let (path, finished) = (self.policy_path.clone(), self.finished.clone());
        tokio::task::spawn_blocking(move || {
            let read = policy_file::read(&path).map(Box::new);
            // The driver may have ended meanwhile; then nobody waits for this.
            let _ = finished.send(Finished::Policy(read, question));
        });
    }

    /// The policy has been read again. A bad one changes nothing.
    pub(super) fn reloaded(&mut self, read: Result<Box<Policy>, Failure>, question: Option<Question>) {
        let answer = match read {
            Ok(new) => Reply::Reloaded(Box::new(self.set_policy(*new))),
            Err(failure) => {
                let Failure { code, message, .. } = &failure;
                tracing::warn!(code, "the old policy stays in force: {message}");
                Reply::Error(failure.hint("the policy as it was read before stays in force"))
            }
        };
        if let Some(question) = question {
            question.answer(answer);
        }
    }

    fn set_policy(&mut self, new: Policy) -> ReloadView {
        let old = &self.supplier.policy;
        let changes = service::policy::diff(old, &new);
        let at_next_start = governance::at_next_start(old, &new);
        for change in &changes {
            tracing::info!("policy: {change}");
        }
        if changes.is_empty() {
            tracing::info!("policy: nothing has changed");
        }
        self.apply(&new);
        self.publish_by_policy(&new);
        self.governance.set_policy(new.clone());
        self.supplier.set_policy(new);
        self.govern();
        ReloadView { file: self.policy_path.clone(), changes, at_next_start }
    }

    /// Gives every part of the node what the policy has for it.
    fn apply(&self, policy: &Policy) {
        self.store.set_quota(policy.disk_max_size);
        self.net.set_caps(policy_file::caps(policy));
    }

    /// What a node answers that is about to be away, or is.
    pub(crate) fn away(until: Timestamp) -> Failure {
        let message = format!("this node has left the network until {}", governance::local(until));
        let hint = "`compup2p resume` brings it back now, `compup2p leave` ends it";
        Failure { retryable: true, ..Failure::new("away", message, 4).hint(hint) }
    }

    /// How the run has ended.
    pub(super) fn ended(&self) -> Ended {
        if let Some(failure) = &self.not_opened {
            return Ended::NotOpened(failure.clone());
        }
        self.away_until.map_or(Ended::Left, |until| Ended::Away { until })
    }
}
