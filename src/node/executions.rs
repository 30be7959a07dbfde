//! Sub-tasks of others that this machine executes: each on its own thread, in its own scratch directory.

use super::progress;
use crate::exec::{Control, Ended, Engine, Execution, Scratch, nice};
use crate::net::store::Store;
use proto::message::service::{Blob, Job, MAX_TAIL, NamedBlob, Outcome, Stream};
use proto::{ContractId, Cycles, Span};
use service::Input;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

pub(crate) struct Executions {
    engine: Engine,
    scratch: PathBuf,
    running: BTreeMap<ContractId, Running>,
    /// The priority of the threads, 0 to 19.
    nice: u32,
}

/// An execution under way.
struct Running {
    control: Control,
    /// Where it runs, once that is known.
    place: Arc<OnceLock<PathBuf>>,
    /// The file in which its program says how far it is.
    progress: Option<String>,
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
        let place = Arc::new(OnceLock::new());
        let progress = job.progress.clone();
        let running = Running { control: control.clone(), place: Arc::clone(&place), progress };
        self.running.insert(contract, running);
        let runtime = Handle::current();
        let (engine, base) = (self.engine.clone(), self.scratch.clone());
        let run = Run { engine, base, job, store, control, runtime, place };
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

    pub(crate) fn stop(&self, contract: ContractId) {
        if let Some(Running { control, .. }) = self.running.get(&contract) {
            control.stop();
        }
    }

    /// Lets an execution stand still.
    pub(crate) fn pause(&self, contract: ContractId) {
        if let Some(Running { control, .. }) = self.running.get(&contract) {
            control.pause();
        }
    }

    /// Lets an execution run for `percent` of the time.
    pub(crate) fn pace(&self, contract: ContractId, percent: u32) {
        if let Some(Running { control, .. }) = self.running.get(&contract) {
            control.pace(percent);
        }
    }

    pub(crate) fn stop_all(&self) {
        self.running.values().for_each(|running| running.control.stop());
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
        self.running.iter().map(|(contract, running)| (*contract, running.control.cycles())).collect()
    }
}

impl Executions {
    /// How far the programs say that they are, in millionths.
    pub(crate) fn done(&self) -> Vec<(ContractId, u32)> {
        let done = |running: &Running| progress::read(running.place.get()?, running.progress.as_deref()?);
        self.running.iter().filter_map(|(contract, running)| Some((*contract, done(running)?))).collect()
    }

    /// What the program of a contract has printed from byte `from` on.
    pub(crate) fn tail(&self, contract: ContractId, stream: Stream, from: u64) -> Option<Vec<u8>> {
        let control = &self.running.get(&contract)?.control;
        let tap = match stream {
            Stream::Output => control.stdout(),
            Stream::Error => control.stderr(),
        };
        Some(tap.tail(from, MAX_TAIL))
    }
}

struct Run {
    engine: Engine,
    base: PathBuf,
    job: Job,
    store: Arc<Store>,
    control: Control,
    runtime: Handle,
    place: Arc<OnceLock<PathBuf>>,
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
        // It is set once.
        let _ = self.place.set(scratch.path().to_path_buf());
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
