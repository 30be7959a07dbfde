//! Sub-tasks of others that this machine executes: each on its own thread, in its own scratch directory.

use super::saver::Saver;
use super::saver::Streams;
use crate::exec::{Control, Ended, Execution, Executors, Saved, Scratch, nice};
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
    executors: Executors,
    scratch: PathBuf,
    running: BTreeMap<ContractId, Control>,
    /// Those of them that are saved.
    savers: BTreeMap<ContractId, Arc<Saver>>,
    /// The priority of the threads, 0 to 19.
    nice: u32,
}

impl Executions {
    pub(crate) const fn new(executors: Executors, scratch: PathBuf) -> Self {
        Self { executors, scratch, running: BTreeMap::new(), savers: BTreeMap::new(), nice: 0 }
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
        let saver = Saver::new(contract, &job, control.clone(), Arc::clone(&store), inputs.clone());
        let saver = saver.map(Arc::new);
        self.savers.extend(saver.iter().map(|saver| (contract, Arc::clone(saver))));
        let run = Run {
            executors: self.executors.clone(),
            base: self.scratch.clone(),
            job,
            store,
            control,
            runtime,
            saver,
        };
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
        Runner { executors: self.executors.clone(), base: self.scratch.clone(), runtime: Handle::current() }
    }

    pub(crate) fn stop(&self, contract: ContractId) {
        if let Some(control) = self.running.get(&contract) {
            control.stop();
        }
    }

    /// Ends an execution for the owner's sake: where it can be saved, with its state.
    pub(crate) fn hand_over(&self, contract: ContractId) {
        if !self.savers.get(&contract).is_some_and(|saver| saver.hand_over()) {
            self.stop(contract);
        }
    }

    /// Saves an execution, now or at its next chance.
    pub(crate) fn save(&self, contract: ContractId) {
        if let Some(saver) = self.savers.get(&contract) {
            saver.save();
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
        self.savers.remove(&contract);
    }

    pub(crate) fn is_running(&self, contract: ContractId) -> bool {
        self.running.contains_key(&contract)
    }

    /// How far every execution is.
    pub(crate) fn progress(&self) -> Vec<(ContractId, Cycles)> {
        let earlier = |contract| self.savers.get(contract).map_or(0, |saver| saver.earlier().0);
        let cycles =
            |contract, control: &Control| Cycles(control.cycles().0.saturating_add(earlier(contract)));
        self.running.iter().map(|(contract, control)| (*contract, cycles(contract, control))).collect()
    }
}

/// Runs programs beside the contracts, on the thread of whoever asks.
pub(crate) struct Runner {
    executors: Executors,
    base: PathBuf,
    runtime: Handle,
}

impl Runner {
    /// Executes `job`, whose contents are in the store, to its end.
    pub(crate) fn run(&self, job: Job, store: Arc<Store>) -> service::Execution {
        let (executors, base, runtime) = (self.executors.clone(), self.base.clone(), self.runtime.clone());
        Run { executors, base, job, store, control: Control::default(), runtime, saver: None }.execute()
    }
}

struct Run {
    executors: Executors,
    base: PathBuf,
    job: Job,
    store: Arc<Store>,
    control: Control,
    runtime: Handle,
    saver: Option<Arc<Saver>>,
}

impl Run {
    fn execute(&self) -> service::Execution {
        let abandoned = |what: &str, why: &dyn std::fmt::Display| {
            service::Execution::nothing(Outcome::Abandoned(format!("{what}: {why}")))
        };
        let scratch = match Scratch::new(&self.base) {
            Ok(scratch) => scratch,
            Err(error) => return abandoned("no scratch directory could be made", &error),
        };
        let mut execution = match self.stage(&scratch) {
            Ok(execution) => execution,
            Err(why) => return service::Execution::nothing(Outcome::NotFetched(why)),
        };
        // What is decrypted lies beside the scratch directory until the program has gone on from it.
        let (resumed, _plain) = match self.resume(&scratch, &mut execution) {
            Ok(resumed) => resumed,
            Err(why) => return service::Execution::nothing(Outcome::NotResumed(why)),
        };
        let ended = self.run(&scratch, execution, resumed);
        self.collect(&scratch, ended)
            .unwrap_or_else(|error| abandoned("the outputs could not be kept", &error))
    }

    /// Puts the program where its state was saved, if it is to go on from one.
    fn resume(
        &self,
        scratch: &Scratch,
        execution: &mut Execution,
    ) -> Result<(Streams, Option<tempfile::NamedTempFile>), String> {
        let Some(sealed) = execution.resume.take() else { return Ok(Default::default()) };
        let saver = self.saver.as_ref().ok_or("the offer has no key for it")?;
        let (streams, plain) = saver.resume(&sealed, scratch, &self.base)?;
        execution.resume = plain.as_ref().map(|plain| plain.path().to_path_buf());
        Ok((streams, plain))
    }

    /// Runs a program to its end: one that saves itself once more each time that it has done so.
    fn run(&self, scratch: &Scratch, mut execution: Execution, mut streams: Streams) -> Ended {
        let mut done = 0_u64;
        loop {
            let limits = self.job.limits;
            execution.limits.cycles = Cycles(limits.cycles.0.saturating_sub(done));
            let mut ended = self.executors.run(&execution, &self.control);
            done = done.saturating_add(ended.cycles.0);
            ended.cycles = Cycles(done);
            streams.stdout.append(&mut ended.stdout);
            streams.stderr.append(&mut ended.stderr);
            if streams.longest() > limits.output.0 {
                ended.outcome = Outcome::OutputLimit(limits.output);
                ended.saved = None;
            }
            let Some(saver) = &self.saver else { return streams.into(ended) };
            match ended.saved.take() {
                Some(Saved::Files) if !self.control.is_stopped() => {
                    saver.ran(Cycles(done));
                    saver.save_files(scratch, &streams, &self.runtime);
                    execution.resume = None;
                }
                Some(Saved::Files) => {
                    ended.outcome = Outcome::Cancelled;
                    return streams.into(ended);
                }
                Some(Saved::Snapshot(snapshot)) => {
                    let sealed = saver.seal_snapshot(snapshot);
                    if let Ok(state) = sealed.and_then(|sealed| self.runtime.block_on(saver.put(sealed))) {
                        ended.outcome = Outcome::Migrated(state.blob);
                    }
                    return ended;
                }
                None => return streams.into(ended),
            }
        }
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
            runtime: self.job.runtime,
            success: self.job.success,
            checkpoint: self.job.checkpoint.as_ref().map(|checkpoint| checkpoint.method.clone()),
            resume: self.job.resume.as_ref().map(&find).transpose()?,
        })
    }

    /// Puts what the program left into the store, where it is shown to nobody before its buyer has signed for it.
    fn collect(&self, scratch: &Scratch, ended: Ended) -> std::io::Result<service::Execution> {
        let keep = |bytes: &[u8]| -> std::io::Result<Option<Blob>> {
            let blob =
                (!bytes.is_empty()).then(|| self.runtime.block_on(self.store.withhold_bytes(bytes.to_vec())));
            blob.transpose().map_err(std::io::Error::other)
        };
        if matches!(ended.outcome, Outcome::Migrated(_)) {
            // All that there is so far belongs to its state.
            let Ended { outcome, cycles, .. } = ended;
            return Ok(service::Execution { cycles, ..service::Execution::nothing(outcome) });
        }
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
