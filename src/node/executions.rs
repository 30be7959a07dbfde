//! Sub-tasks of others that this machine executes: each on its own thread, in its own scratch directory.

mod reins;

use super::progress;
use super::saver::{Saver, Streams};
use crate::control::LayerView;
use crate::exec::{Control, Ended, Execution, Executors, Saved, Scratch, nice};
use crate::net::store::Store;
use market::Supply;
use proto::message::service::{
    Blob, Checkpoint, Job, MAX_TAIL, NamedBlob, Outcome, Product, Runtime, Stream,
};
use proto::{Capacity, ContractId, Cycles, Layers, Span};
use reins::Reins;
use service::Input;
use service::policy::Policy;
use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

pub(crate) struct Executions {
    executors: Executors,
    scratch: PathBuf,
    running: BTreeMap<ContractId, Running>,
    /// Those of them that are saved.
    savers: BTreeMap<ContractId, Arc<Saver>>,
    /// The priority of the threads, 0 to 19.
    nice: u32,
}

/// An execution under way.
struct Running {
    reins: Reins,
    /// Where it runs, once that is known.
    place: Arc<OnceLock<PathBuf>>,
    /// The file in which its program says how far it is.
    progress: Option<String>,
}

impl Executions {
    pub(crate) const fn new(executors: Executors, scratch: PathBuf) -> Self {
        Self { executors, scratch, running: BTreeMap::new(), savers: BTreeMap::new(), nice: 0 }
    }

    /// Does as the owner has it, for executions to come: their priority, 0 to 19, and what kinds of programs there may
    /// be. `per_core` is what a core of this machine executes.
    pub(crate) fn govern(&mut self, policy: &Policy, per_core: Capacity) {
        self.nice = policy.nice;
        self.executors.govern(policy, per_core);
    }

    /// The kinds of programs that are run here besides WebAssembly.
    pub(crate) fn runtimes(&self) -> Vec<Runtime> {
        let others = [Runtime::Native, Runtime::Container].into_iter();
        others.filter(|runtime| self.executors.takes(*runtime)).collect()
    }

    /// What stands between native programs and this machine; empty where none are run.
    pub(crate) fn layers(&self) -> Vec<LayerView> {
        let native = self.executors.of(Runtime::Native).filter(|native| native.refusal().is_none());
        native.map_or_else(Vec::new, |native| native.layers().iter().map(LayerView::of).collect())
    }

    /// A supply that says whether native programs are run here, and behind which walls.
    pub(crate) fn described(&self, supply: Option<Supply>) -> Option<Supply> {
        supply.map(|mut supply| {
            supply.platform.native = self.executors.takes(Runtime::Native);
            let layers = self.layers();
            let stands = layers.iter().filter(|layer| layer.active);
            let named = stands.filter_map(|layer| Layers::named(&layer.name));
            supply.platform.layers = named.fold(Layers::default(), Layers::and);
            supply
        })
    }

    /// Tells all programs that they will be stopped before long.
    pub(crate) fn warn_all(&self) {
        self.running.values().for_each(|running| running.reins.pull(Control::warn));
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
        let reins = Reins::new(control.clone());
        let running = Running { reins: reins.clone(), place: Arc::clone(&place), progress };
        self.running.insert(contract, running);
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
            place,
        };
        let failed = inputs.clone();
        let level = self.nice;
        let spawned = std::thread::Builder::new().name(format!("exec-{contract}")).spawn(move || {
            if let Err(error) = nice::lower(level) {
                tracing::debug!(%error, level, "an execution has the priority of the node");
            }
            // A defect of the executor ends this one execution, and the buyer hears of it.
            let execution = catch_unwind(AssertUnwindSafe(|| run.execute_all(&reins)));
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
        if let Some(Running { reins, .. }) = self.running.get(&contract) {
            reins.pull(Control::stop);
        }
    }

    /// Lets the program of an execution that runs come to its end, and none begin after it.
    pub(crate) fn recall(&self, contract: ContractId) {
        if let Some(Running { reins, .. }) = self.running.get(&contract) {
            reins.recall();
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
        if let Some(Running { reins, .. }) = self.running.get(&contract) {
            reins.pull(Control::pause);
        }
    }

    /// Lets an execution run for `percent` of the time.
    pub(crate) fn pace(&self, contract: ContractId, percent: u32) {
        if let Some(Running { reins, .. }) = self.running.get(&contract) {
            reins.pull(|control| control.pace(percent));
        }
    }

    pub(crate) fn stop_all(&self) {
        self.running.values().for_each(|running| running.reins.pull(Control::stop));
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
            |contract, running: &Running| Cycles(running.reins.cycles().0.saturating_add(earlier(contract)));
        self.running.iter().map(|(contract, running)| (*contract, cycles(contract, running))).collect()
    }

    /// How far the programs say that they are, in millionths.
    pub(crate) fn done(&self) -> Vec<(ContractId, u32)> {
        let done = |running: &Running| progress::read(running.place.get()?, running.progress.as_deref()?);
        self.running.iter().filter_map(|(contract, running)| Some((*contract, done(running)?))).collect()
    }

    /// What the first program of a contract has printed from byte `from` on.
    pub(crate) fn tail(&self, contract: ContractId, stream: Stream, from: u64) -> Option<Vec<u8>> {
        let control = self.running.get(&contract)?.reins.first();
        let tap = match stream {
            Stream::Output => control.stdout(),
            Stream::Error => control.stderr(),
        };
        Some(tap.tail(from, MAX_TAIL))
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
        let (control, place) = (Control::default(), Arc::default());
        Run { executors, base, job, store, control, runtime, saver: None, place }.execute_in(&mut None)
    }
}

/// The directories of a program.
struct Places {
    scratch: Scratch,
    /// For temporary files, where its kind has any.
    temporary: Option<Scratch>,
}

impl Places {
    fn new(base: &Path, runtime: Runtime) -> io::Result<Self> {
        let has_temporary = runtime != Runtime::WebAssembly;
        let temporary = has_temporary.then(|| Scratch::new(base)).transpose()?;
        Ok(Self { scratch: Scratch::new(base)?, temporary })
    }

    fn renewed(self) -> io::Result<Self> {
        let temporary = self.temporary.map(Scratch::renewed).transpose()?;
        Ok(Self { scratch: self.scratch.renewed()?, temporary })
    }
}

fn abandoned(what: &str, why: &dyn std::fmt::Display) -> service::Execution {
    service::Execution::nothing(Outcome::Abandoned(format!("{what}: {why}")))
}

#[derive(Clone)]
struct Run {
    executors: Executors,
    base: PathBuf,
    job: Job,
    store: Arc<Store>,
    control: Control,
    runtime: Handle,
    saver: Option<Arc<Saver>>,
    place: Arc<OnceLock<PathBuf>>,
}

impl Run {
    /// Executes the job and then its repeats, up to the first that does not succeed: what was done before it counts. Where
    /// that has to do with this machine and not with the program, the execution is cut.
    fn execute_all(self, reins: &Reins) -> service::Execution {
        let (started, wall) = (Instant::now(), self.job.limits.wall);
        let mut runs = self.job.runs();
        let first = runs.next().map(|job| Self { job, ..self.clone() });
        let mut places = None;
        let mut whole = first.as_ref().unwrap_or(&self).execute_in(&mut places);
        for job in runs {
            if whole.outcome != Outcome::Succeeded {
                break;
            }
            let left =
                wall.0.saturating_sub(u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX));
            let next = reins.next(whole.cycles).map(|control| {
                let mut next = Self { job, control, ..self.clone() };
                next.job.limits.wall = Span(left);
                next.execute_in(&mut places)
            });
            let next = next.unwrap_or_else(|| service::Execution::nothing(Outcome::Cancelled));
            let service::Execution { outcome, cycles, outputs, stdout, stderr, .. } = next;
            if outcome != Outcome::Succeeded {
                whole.is_cut = outcome == Outcome::Cancelled || outcome.is_worth_retrying();
                break;
            }
            whole.cycles = Cycles(whole.cycles.0.saturating_add(cycles.0));
            whole.more.push(Product { cycles, outputs, stdout, stderr });
        }
        whole
    }

    /// Executes in new directories, or in those of the run before it in the same contract, which are emptied.
    fn execute_in(&self, places: &mut Option<Places>) -> service::Execution {
        let made = match places.take() {
            None => Places::new(&self.base, self.job.runtime),
            Some(former) => former.renewed(),
        };
        match made {
            Ok(made) => self.execute(places.insert(made)),
            Err(error) => abandoned("no scratch directory could be made", &error),
        }
    }

    fn execute(&self, places: &Places) -> service::Execution {
        let scratch = &places.scratch;
        // It is set once.
        let _ = self.place.set(scratch.path().to_path_buf());
        let mut execution = match self.stage(places) {
            Ok(execution) => execution,
            Err(why) => return service::Execution::nothing(Outcome::NotFetched(why)),
        };
        // What is decrypted lies beside the scratch directory until the program has gone on from it.
        let (resumed, _plain) = match self.resume(scratch, &mut execution) {
            Ok(resumed) => resumed,
            Err(why) => return service::Execution::nothing(Outcome::NotResumed(why)),
        };
        let ended = self.run(places, execution, resumed);
        self.collect(scratch, ended)
            .unwrap_or_else(|error| abandoned("the outputs could not be kept", &error))
    }

    /// Puts the program where its state was saved, if it is to go on from one.
    fn resume(
        &self,
        scratch: &Scratch,
        execution: &mut Execution,
    ) -> Result<(Streams, Vec<tempfile::NamedTempFile>), String> {
        let sealed = std::mem::take(&mut execution.resume);
        if sealed.is_empty() {
            return Ok(Default::default());
        }
        let saver = self.saver.as_ref().ok_or("the offer has no key for it")?;
        let (streams, plain) = saver.resume(&sealed, scratch, &self.base)?;
        execution.resume = plain.iter().map(|plain| plain.path().to_path_buf()).collect();
        Ok((streams, plain))
    }

    /// Runs a program to its end: one that saves itself once more each time that it has done so, with no temporary files of
    /// the time before, which another seller would not have.
    fn run(&self, places: &Places, mut execution: Execution, mut streams: Streams) -> Ended {
        let Places { scratch, temporary } = places;
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
                    if let Some(Err(error)) = temporary.as_ref().map(Scratch::empty) {
                        ended.outcome = Outcome::Abandoned(format!("its temporary files: {error}"));
                        return streams.into(ended);
                    }
                    execution.resume.clear();
                }
                Some(Saved::Files) => {
                    ended.outcome = Outcome::Cancelled;
                    return streams.into(ended);
                }
                Some(Saved::Snapshot(snapshot)) => {
                    let sealed = saver.seal_snapshot(snapshot);
                    if let Ok(state) = sealed.and_then(|sealed| self.runtime.block_on(saver.put(sealed))) {
                        ended.outcome = Outcome::Migrated(state.checkpoint);
                    }
                    return ended;
                }
                None => return streams.into(ended),
            }
        }
    }

    fn stage(&self, Places { scratch, temporary }: &Places) -> Result<Execution, String> {
        let find = |blob: &Blob| {
            let missing = || format!("{:#} is not in this seller's store any more", blob.hash);
            self.store.path(&blob.hash).ok_or_else(missing)
        };
        for input in &self.job.inputs {
            scratch.place(&input.name, &find(&input.blob)?).map_err(|e| e.to_string())?;
        }
        let resume = self.job.resume.into_iter().flat_map(Checkpoint::contents);
        let variables = self.job.environment.iter().map(|v| (v.name.clone(), v.value.clone()));
        Ok(Execution {
            program: find(&self.job.program)?,
            program_hash: self.job.program.hash,
            program_name: "program".into(),
            arguments: self.job.arguments.clone(),
            environment: variables.collect(),
            stdin: self.job.stdin.as_ref().map(&find).transpose()?,
            scratch: scratch.path().to_path_buf(),
            temporary: temporary.as_ref().unwrap_or(scratch).path().to_path_buf(),
            outputs: self.job.outputs.clone(),
            limits: self.job.limits,
            runtime: self.job.runtime,
            success: self.job.success,
            checkpoint: self.job.checkpoint.as_ref().map(|checkpoint| checkpoint.method.clone()),
            resume: resume.map(|blob| find(&blob)).collect::<Result<_, _>>()?,
        })
    }

    /// Puts what the program left into the store, where it is shown to nobody before its buyer has signed for it.
    fn collect(&self, scratch: &Scratch, ended: Ended) -> io::Result<service::Execution> {
        let keep = |bytes: &[u8]| -> io::Result<Option<Blob>> {
            let blob =
                (!bytes.is_empty()).then(|| self.runtime.block_on(self.store.withhold_bytes(bytes.to_vec())));
            blob.transpose().map_err(io::Error::other)
        };
        if matches!(ended.outcome, Outcome::Migrated(_)) {
            // All that there is so far belongs to its state.
            let Ended { outcome, cycles, .. } = ended;
            return Ok(service::Execution { cycles, ..service::Execution::nothing(outcome) });
        }
        let mut outputs = Vec::new();
        for name in &self.job.outputs {
            if let Some(path) = scratch.output(name) {
                let blob = self.runtime.block_on(self.store.withhold_file(path)).map_err(io::Error::other)?;
                outputs.push(NamedBlob { name: name.clone(), blob });
            }
        }
        let (stdout, stderr) = (keep(&ended.stdout)?, keep(&ended.stderr)?);
        tracing::debug!(outcome = %ended.outcome, cycles = ended.cycles.0, elapsed = %Span(ended.elapsed.0), "executed");
        let Ended { outcome, cycles, .. } = ended;
        let more = Vec::new();
        Ok(service::Execution { outcome, cycles, outputs, stdout, stderr, more, is_cut: false })
    }
}
