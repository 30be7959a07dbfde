//! Sub-tasks of others that this machine executes: each on its own thread, in its own scratch directory.

use crate::exec::{Control, Ended, Engine, Execution, Scratch, nice};
use crate::net::store::Store;
use proto::message::service::{Blob, Job, NamedBlob, Outcome};
use proto::{ContractId, Cycles, Span};
use service::Input;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

pub(crate) struct Executions {
    engine: Engine,
    scratch: PathBuf,
    running: BTreeMap<ContractId, Control>,
    /// The priority of the threads, 0 to 19.
    nice: u32,
}

impl Executions {
    pub(crate) const fn new(engine: Engine, scratch: PathBuf) -> Self {
        Self { engine, scratch, running: BTreeMap::new(), nice: 0 }
    }

    /// Gives executions to come another priority, 0 to 19.
    pub(crate) const fn set_nice(&mut self, nice: u32) {
        self.nice = nice;
    }

    /// Executes `job`, whose contents are in the store; the end arrives as an input.
    pub(crate) fn start(
        &mut self,
        contract: ContractId,
        job: Job,
        store: Arc<Store>,
        inputs: mpsc::UnboundedSender<Input>,
    ) {
        let control = Control::default();
        self.running.insert(contract, control.clone());
        let runtime = Handle::current();
        let run =
            Run { engine: self.engine.clone(), base: self.scratch.clone(), job, store, control, runtime };
        let failed = inputs.clone();
        let level = self.nice;
        let spawned = std::thread::Builder::new().name(format!("exec-{contract}")).spawn(move || {
            if let Err(error) = nice::lower(level) {
                tracing::debug!(%error, level, "an execution has the priority of the node");
            }
            // A defect of the executor ends this one execution, and the buyer hears of it.
            let execution = catch_unwind(AssertUnwindSafe(|| run.execute()));
            let defect =
                |_| service::Execution::nothing(Outcome::Abandoned("the executor has failed".into()));
            let execution = Box::new(execution.unwrap_or_else(defect));
            // The driver may have ended meanwhile; then nobody waits for this.
            let _ = inputs.send(Input::Executed { contract, execution });
        });
        if let Err(error) = spawned {
            let outcome = Outcome::Abandoned(format!("no thread could be started: {error}"));
            let execution = Box::new(service::Execution::nothing(outcome));
            let _ = failed.send(Input::Executed { contract, execution });
        }
    }

    /// What runs programs of this node's own user, such as those that compare results.
    pub(crate) fn runner(&self) -> Runner {
        Runner { engine: self.engine.clone(), base: self.scratch.clone(), runtime: Handle::current() }
    }

    pub(crate) fn stop(&self, contract: ContractId) {
        if let Some(control) = self.running.get(&contract) {
            control.stop();
        }
    }

    /// Lets an execution stand still.
    pub(crate) fn pause(&self, contract: ContractId) {
        if let Some(control) = self.running.get(&contract) {
            control.pause();
        }
    }

    /// Lets an execution run for `percent` of the time.
    pub(crate) fn pace(&self, contract: ContractId, percent: u32) {
        if let Some(control) = self.running.get(&contract) {
            control.pace(percent);
        }
    }

    pub(crate) fn stop_all(&self) {
        self.running.values().for_each(Control::stop);
    }

    /// An execution has ended.
    pub(crate) fn forget(&mut self, contract: ContractId) {
        self.running.remove(&contract);
    }

    pub(crate) fn is_running(&self, contract: ContractId) -> bool {
        self.running.contains_key(&contract)
    }

    /// How far every execution is.
    pub(crate) fn progress(&self) -> Vec<(ContractId, Cycles)> {
        self.running.iter().map(|(contract, control)| (*contract, control.cycles())).collect()
    }
}

/// Runs programs beside the contracts, on the thread of whoever asks.
pub(crate) struct Runner {
    engine: Engine,
    base: PathBuf,
    runtime: Handle,
}

impl Runner {
    /// Executes `job`, whose contents are in the store, to its end.
    pub(crate) fn run(&self, job: Job, store: Arc<Store>) -> service::Execution {
        let (engine, base, runtime) = (self.engine.clone(), self.base.clone(), self.runtime.clone());
        Run { engine, base, job, store, control: Control::default(), runtime }.execute()
    }
}

struct Run {
    engine: Engine,
    base: PathBuf,
    job: Job,
    store: Arc<Store>,
    control: Control,
    runtime: Handle,
}

impl Run {
    fn execute(&self) -> service::Execution {
        let abandoned = |what: &str, why: &dyn std::fmt::Display| {
            service::Execution::nothing(Outcome::Abandoned(format!("{what}: {why}")))
        };
        if self.job.resume.is_some() {
            return abandoned("this seller", &"cannot go on from a checkpoint");
        }
        let scratch = match Scratch::new(&self.base) {
            Ok(scratch) => scratch,
            Err(error) => return abandoned("no scratch directory could be made", &error),
        };
        let execution = match self.stage(&scratch) {
            Ok(execution) => execution,
            Err(why) => return service::Execution::nothing(Outcome::NotFetched(why)),
        };
        let ended = self.engine.run(&execution, &self.control);
        self.collect(&scratch, ended)
            .unwrap_or_else(|error| abandoned("the outputs could not be kept", &error))
    }

    fn stage(&self, scratch: &Scratch) -> Result<Execution, String> {
        let find = |blob: &Blob| {
            let missing = || format!("{:#} is not in this seller's store any more", blob.hash);
            self.store.path(&blob.hash).ok_or_else(missing)
        };
        for input in &self.job.inputs {
            scratch.place(&input.name, &find(&input.blob)?).map_err(|e| e.to_string())?;
        }
        let variables = self.job.environment.iter().map(|v| (v.name.clone(), v.value.clone()));
        Ok(Execution {
            program: find(&self.job.program)?,
            program_hash: self.job.program.hash,
            program_name: "program".into(),
            arguments: self.job.arguments.clone(),
            environment: variables.collect(),
            stdin: self.job.stdin.as_ref().map(&find).transpose()?,
            scratch: scratch.path().to_path_buf(),
            outputs: self.job.outputs.clone(),
            limits: self.job.limits,
        })
    }

    /// Puts what the program left into the store, where it is shown to nobody before its buyer has signed for it.
    fn collect(&self, scratch: &Scratch, ended: Ended) -> std::io::Result<service::Execution> {
        let keep = |bytes: &[u8]| -> std::io::Result<Option<Blob>> {
            let blob =
                (!bytes.is_empty()).then(|| self.runtime.block_on(self.store.withhold_bytes(bytes.to_vec())));
            blob.transpose().map_err(std::io::Error::other)
        };
        let mut outputs = Vec::new();
        for name in &self.job.outputs {
            if let Some(path) = scratch.output(name) {
                let blob =
                    self.runtime.block_on(self.store.withhold_file(path)).map_err(std::io::Error::other)?;
                outputs.push(NamedBlob { name: name.clone(), blob });
            }
        }
        let (stdout, stderr) = (keep(&ended.stdout)?, keep(&ended.stderr)?);
        tracing::debug!(outcome = %ended.outcome, cycles = ended.cycles.0, elapsed = %Span(ended.elapsed.0), "executed");
        Ok(service::Execution { outcome: ended.outcome, cycles: ended.cycles, outputs, stdout, stderr })
    }
}
