//! One face for everything that runs programs, and the choice among them.
//!
//! The buyer states what kind of program it is ([`Execution::runtime`]), because sellers are found by it; what runs it
//! looks at the first bytes all the same and says what it found instead.

use super::{Control, Ended, Execution};
use proto::Capacity;
use proto::message::service::{Outcome, Runtime};
use service::policy::Policy;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Runs programs of one kind.
pub(crate) trait Executor: Send + Sync {
    /// The kind of programs that it runs.
    fn runtime(&self) -> Runtime;

    /// What stands between a program and its host, the outermost first; a layer that this machine does not have is
    /// named too.
    fn layers(&self) -> Vec<Layer>;

    /// Runs a program to its end; returns whatever the program does, at the latest when its wall limit is over (which
    /// counts from here) or within a second of `control.stop()`. Blocks: call it on a thread of its own, not on one of
    /// an async runtime.
    fn run(&self, execution: &Execution, control: &Control) -> Ended;

    /// Hears what the owner allows, and what one core of this machine executes.
    fn govern(&self, _policy: &Policy, _per_core: Capacity) {}

    /// Why it runs nothing at the moment, if so.
    fn refusal(&self) -> Option<String> {
        None
    }
}

/// A wall between a program and its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    /// Its name, as `doctor` and `status` show it.
    pub(crate) name: &'static str,
    /// What it holds back, in a few words.
    pub(crate) what: &'static str,
    /// Whether it stands.
    pub(crate) state: LayerState,
}

/// Whether a layer stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LayerState {
    /// It does.
    Active,
    /// It does not, and why, with what to do about it.
    Missing(String),
}

/// What of programs this machine can run, by their kind.
#[derive(Clone, Default)]
pub(crate) struct Executors {
    by_runtime: BTreeMap<Runtime, Arc<dyn Executor>>,
}

impl Executors {
    /// With one more, in place of an earlier one of the same kind.
    #[must_use]
    pub(crate) fn with(mut self, executor: Arc<dyn Executor>) -> Self {
        self.by_runtime.insert(executor.runtime(), executor);
        self
    }

    /// What runs programs of that kind here.
    #[must_use]
    pub(crate) fn of(&self, runtime: Runtime) -> Option<&Arc<dyn Executor>> {
        self.by_runtime.get(&runtime)
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<dyn Executor>> {
        self.by_runtime.values()
    }

    /// Tells all of them what the owner allows, and what one core of this machine executes.
    pub(crate) fn govern(&self, policy: &Policy, per_core: Capacity) {
        self.all().for_each(|executor| executor.govern(policy, per_core));
    }

    /// Whether programs of that kind are run here at the moment.
    #[must_use]
    pub(crate) fn takes(&self, runtime: Runtime) -> bool {
        self.of(runtime).is_some_and(|executor| executor.refusal().is_none())
    }

    /// Writes to the log what stands between programs and this machine.
    pub(crate) fn announce(&self) {
        for executor in self.all() {
            let kind = kind(executor.runtime());
            for Layer { name, what, state } in executor.layers() {
                match state {
                    LayerState::Active => tracing::debug!("{kind} behind {name}: {what}"),
                    LayerState::Missing(why) => tracing::debug!("{kind} without {name} ({what}): {why}"),
                }
            }
        }
    }

    /// Runs a program by what is there for its kind: see [`Executor::run`].
    #[must_use]
    pub(crate) fn run(&self, execution: &Execution, control: &Control) -> Ended {
        match self.of(execution.runtime) {
            Some(executor) => executor.run(execution, control),
            None => Ended::before_start(Outcome::NotRunnable(format!(
                "this seller does not run {}",
                kind(execution.runtime)
            ))),
        }
    }
}

/// A kind of program in words.
const fn kind(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::WebAssembly => "WebAssembly",
        Runtime::Native => "native programs",
        Runtime::Container => "containers",
    }
}
