//! Native programs (ELF, scripts) and containers, in a sandbox of the operating system: without root, without a daemon.
//!
//! | stands here | does |
//! |---|---|
//! | [`walls`] | which walls this machine has |
//! | [`builder`] | rooms: the namespaces of a program, made by a process of our own |
//! | [`launch`] | the command behind the walls: bubblewrap's options, paths within and beside |
//! | [`group`] | the control group of each program, where the node has one to divide |
//! | [`started`] | what has been started by either, and how its end is heard of |
//! | [`orders`], [`enter()`], [`confine`], [`filter`] | the step into the sandbox: this program once more, which shuts itself in |
//! | [`watch`], [`tree`], [`space`] | what the node does meanwhile: limits, time, standing still, the end |
//! | [`record`] | what the sandbox tells at the end |
//! | [`prepared`], [`image`] | programs as files, and images of containers as directories, that several runs share |
//!
//! What each wall stops, and what is left where it is missing: `docs/work/native.md`.

mod builder;
mod confine;
mod cores;
mod enter;
mod etc;
mod filter;
mod group;
mod image;
mod kind;
mod launch;
mod orders;
mod prepared;
mod print;
mod record;
mod signal;
mod space;
mod started;
#[cfg(test)]
mod tests;
mod tree;
mod variables;
mod walls;
mod watch;

pub(crate) use enter::enter;
pub(crate) use orders::WORD;
pub(crate) use walls::REQUIRED;

use super::control::Watch;
use super::saved::judge;
use super::scratch::Scratch;
use super::{Control, Ended, Execution, Executor, Layer, span_since};
use builder::Builder;
use cores::Cores;
use group::{Group, Groups, Place};
use launch::{Root, Scene};
use orders::Orders;
use prepared::{Prepared, place};
use print::Print;
use proto::message::service::{Limits, Outcome, Runtime};
use proto::{Capacity, Cycles};
use record::{End, Record};
use service::policy::{Policy, Sandbox};
use started::{Standing, Started};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tempfile::TempDir;
use walls::Walls;
use watch::{Guard, Halt, fills_too_much};

/// The name of a program in its directory.
const PROGRAM: &str = "program";
/// Of the memory that a program may have, in eighths, from which on its failure is taken for a lack of memory.
const NEARLY_ALL: u64 = 7;
/// Beyond its memory limit, what one process may reserve (not use), in bytes: for stacks of threads and the like.
const RESERVE: u64 = 256 << 20;

/// Runs native programs; one for a process.
pub(crate) struct Native {
    walls: Walls,
    builder: Builder,
    helper: PathBuf,
    /// Where the kernel counts programs, if it does.
    groups: Option<Groups>,
    /// The `/etc` of programs.
    private: TempDir,
    cores: Cores,
    images: Prepared,
    programs: Prepared,
    /// What a core executes, in Mc/s.
    per_core: AtomicU64,
    /// What the owner allows.
    terms: Mutex<Terms>,
}

/// What the owner allows.
#[derive(Clone, Copy, Debug)]
struct Terms {
    is_shared: bool,
    sandbox: Sandbox,
}

/// Runs containers with the same walls: their image takes the place of the host's system.
pub(crate) struct Container(pub(crate) Arc<Native>);

impl Native {
    /// Looks at the walls of this machine. `helper` is the file of this program, which takes the step into the sandbox, or a
    /// smaller one beside it.
    /// Nothing is run before [`Executor::govern`] has told that the owner allows it.
    ///
    /// # Errors
    /// If the private files cannot be written.
    pub(crate) fn new(helper: PathBuf) -> io::Result<Self> {
        let found = Place::find(Path::new(group::PROC)).and_then(|place| place.is_whole());
        Self::with(helper, None, found)
    }

    /// The same for a node, which divides the control group that it begins in: this process is moved, so it may not have
    /// started others.
    ///
    /// # Errors
    /// If the private files cannot be written.
    pub(crate) fn of_node(helper: PathBuf) -> io::Result<Self> {
        let claimed = Groups::claim(Path::new(group::PROC));
        let is_whole = claimed.as_ref().map_err(String::clone).and_then(|groups| groups.place.is_whole());
        Self::with(helper, claimed.ok(), is_whole)
    }

    fn with(helper: PathBuf, groups: Option<Groups>, has_groups: Result<(), String>) -> io::Result<Self> {
        let private = etc::prepare()?;
        let helper = walls::helper(helper);
        let builder = Builder::new(&helper, private.path());
        Ok(Self {
            walls: Walls::of_this_machine(&helper, &builder, has_groups),
            builder,
            helper,
            groups,
            private,
            cores: Cores::of_this_process(),
            images: Prepared::default(),
            programs: Prepared::default(),
            per_core: AtomicU64::new(0),
            terms: Mutex::new(Terms { is_shared: false, sandbox: Sandbox::Best }),
        })
    }

    /// The first wall that is missing of those that `limits.sandbox = "required"` asks for.
    pub(crate) fn missing(&self) -> Option<&'static str> {
        self.walls.missing()
    }

    fn terms(&self) -> Terms {
        *self.terms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The walls that are put up, as the owner has it.
    fn walls(&self) -> Walls {
        if self.terms().sandbox == Sandbox::None { Walls::none() } else { self.walls.clone() }
    }

    /// Why nothing is run here, if so.
    fn refusal_of(&self, runtime: Runtime) -> Option<String> {
        let Terms { is_shared, sandbox } = self.terms();
        if !is_shared {
            return Some("this seller's owner does not share it for native programs".into());
        }
        if runtime == Runtime::Container && self.walls().bubblewrap.is_err() {
            return Some("a container needs bubblewrap, and this seller has none that works".into());
        }
        match sandbox {
            Sandbox::Required => self.walls.missing().map(|layer| {
                format!("this seller's owner requires the whole sandbox, and its layer `{layer}` is missing")
            }),
            Sandbox::Best if !self.walls.hides_files() => {
                Some("nothing on this seller would keep a program from its owner's files".into())
            }
            Sandbox::Best if !self.walls.bound_processes() => Some(
                "this seller runs as root and has no namespaces: nothing bounds a program's processes".into(),
            ),
            Sandbox::Best | Sandbox::None => None,
        }
    }

    fn run_as(&self, runtime: Runtime, execution: &Execution, control: &Control) -> Ended {
        let started = Instant::now();
        if let Some(why) = self.refusal_of(runtime) {
            return Ended::before_start(Outcome::Abandoned(why));
        }
        let watch = Watch { control: control.clone(), started, wall: execution.limits.wall };
        let mut ended = self.start(runtime, execution, &watch).unwrap_or_else(Ended::before_start);
        ended.elapsed = span_since(started);
        ended
    }

    fn start(&self, runtime: Runtime, execution: &Execution, watch: &Watch) -> Result<Ended, Outcome> {
        if watch.control.is_stopped() {
            return Err(Outcome::Cancelled);
        }
        let base = execution.scratch.parent().unwrap_or(Path::new("/"));
        let image = match runtime {
            Runtime::Container => {
                let unpack = || image::unpacked(base, &execution.program, execution.program_hash);
                Some(self.images.of(execution.program_hash, unpack)?)
            }
            _ => None,
        };
        let fills = [execution.scratch.as_path(), execution.temporary.as_path()];
        if fills_too_much(&fills, 0, &execution.limits) {
            return Err(Outcome::DiskLimit(execution.limits.disk));
        }
        let program = match image {
            Some(_) => None,
            None => Some(self.program(base, execution)?),
        };
        let scene = Scene {
            helper: self.helper.clone(),
            libraries: if image.is_some() { launch::own_libraries() } else { Vec::new() },
            root: image.as_ref().map_or(Root::Host, |image| Root::Image(image.path().to_path_buf())),
            private: self.private.path().to_path_buf(),
            scratch: execution.scratch.clone(),
            temporary: execution.temporary.clone(),
            program: program.as_ref().map(|dir| dir.path().join(PROGRAM)),
            stdin: execution.stdin.clone(),
        };
        // Who was sold more cores than there are now gets all that there are.
        let taken = self.cores.take(usize::try_from(execution.limits.cores.max(1)).unwrap_or(usize::MAX));
        let orders = self.orders(execution, &scene, &taken.numbers)?;
        let prepared = span_since(watch.started);
        let started = self.launch(&scene, orders, &execution.limits)?;
        let mut ended = self.guard(started, execution, watch, fills)?;
        ended.prepared = prepared;
        // It stays at least as long as it runs.
        drop(program);
        Ok(ended)
    }

    /// The program as a file that may be executed, alone in a directory. Where there are no walls that keep it from being
    /// written to, each run has its own.
    fn program(&self, base: &Path, execution: &Execution) -> Result<Arc<Scratch>, Outcome> {
        let make = || {
            let dir = Scratch::new(base)
                .map_err(|error| Outcome::Abandoned(format!("no directory could be made: {error}")))?;
            place(execution, &dir.path().join(PROGRAM)).map(|()| dir)
        };
        if self.walls().has_namespaces() {
            self.programs.of(execution.program_hash, make)
        } else {
            make().map(Arc::new)
        }
    }

    /// What the program is told and given.
    fn orders(&self, execution: &Execution, scene: &Scene, cores: &[usize]) -> Result<Orders, Outcome> {
        let walls = self.walls();
        let limits = &execution.limits;
        let mut arguments = execution.arguments.clone();
        let (mut name, mut program) = (execution.program_name.clone(), PathBuf::new());
        if scene.program.is_none() {
            let none = "an image has no command: its first argument names one".to_owned();
            name = (!arguments.is_empty()).then(|| arguments.remove(0)).ok_or(Outcome::NotRunnable(none))?;
            program = PathBuf::from(&name);
        }
        let has_namespaces = walls.has_namespaces();
        let at_home = |inside: &str, path: &Path| {
            if has_namespaces { inside.into() } else { path.display().to_string() }
        };
        let environment = variables::variables(
            &at_home(launch::WORK, &scene.scratch),
            &at_home(launch::TEMPORARY, &scene.temporary),
            cores.len(),
            &execution.environment,
        );
        let is_sound = |(name, value): &(String, String)| {
            !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0')
        };
        if let Some((name, _)) = environment.iter().find(|variable| !is_sound(variable)) {
            return Err(Outcome::NotRunnable(format!(
                "`{name}` cannot be the name of a variable with this value"
            )));
        }
        let per_core = self.per_core().0.max(1);
        // Of use where the user of the namespace is no other's; the supervisor is one of the counted.
        let processes = has_namespaces.then(|| u64::from(limits.processes).saturating_add(1));
        let orders = Orders {
            processes,
            memory: limits.memory.0.saturating_mul(2).saturating_add(RESERVE),
            file: limits.disk.0.saturating_add(1),
            // A process alone may not have more; cycles are counted for all of them together.
            seconds: (limits.cycles.0 / per_core / 1_000_000).saturating_add(1).min(u64::from(u32::MAX)),
            cores: cores.to_vec(),
            // Of the thread that waits for it: the builder that starts it has the node's.
            nice: rustix::process::getpriority_process(None).unwrap_or(0),
            is_filtered: walls.has_filter,
            environment,
            name,
            program,
            arguments,
            ..Orders::default()
        };
        let has_landlock = walls.landlock > 0;
        Ok(if !has_namespaces {
            scene.beside(orders, has_landlock)
        } else if walls.rooms.is_ok() && scene.root == Root::Host {
            // bubblewrap takes the privileges away itself.
            Orders { lays_down: true, ..scene.within(orders, has_landlock) }
        } else {
            scene.within(orders, has_landlock)
        })
    }

    /// Starts the program. The options of bubblewrap are its input, so that no command line names the host's paths.
    fn launch(&self, scene: &Scene, orders: Orders, limits: &Limits) -> Result<Started, Outcome> {
        let walls = self.walls();
        if walls.rooms.is_ok() && scene.root == Root::Host {
            let group = self.group(limits, Standing::First)?;
            return Started::in_room(&self.builder, scene, orders.arguments(), group);
        }
        let Ok(bubblewrap) = walls.bubblewrap else {
            let group = self.group(limits, Standing::Beside)?;
            let mut command = Command::new(&self.helper);
            command.args(orders.arguments()).env_clear().current_dir(&scene.scratch);
            return Started::by(command, Standing::Beside, group, &[]);
        };
        let mut text = Vec::new();
        for word in scene.options() {
            text.extend_from_slice(word.as_encoded_bytes());
            text.push(0);
        }
        let group = self.group(limits, Standing::Above)?;
        let mut command = Command::new(bubblewrap);
        command.args(["--args", "0", "--"]).args(scene.helper()).args(orders.arguments());
        command.env_clear();
        Started::by(command, Standing::Above, group, &text)
    }

    /// The control group of a program, where it has one.
    fn group(&self, limits: &Limits, standing: Standing) -> Result<Option<Group>, Outcome> {
        // bubblewrap stays above the supervisor.
        let supervisors = if standing == Standing::Above { 2 } else { 1 };
        let group = self.groups.as_ref().map(|groups| groups.group(limits, supervisors)).transpose();
        group.map_err(|error| Outcome::Abandoned(format!("its control group could not be made: {error}")))
    }

    /// Runs what was started under guard, and says how it ended.
    fn guard(
        &self,
        mut started: Started,
        execution: &Execution,
        watch: &Watch,
        fills: [&Path; 2],
    ) -> Result<Ended, Outcome> {
        let limits = &execution.limits;
        let no_streams = || Outcome::Abandoned("the sandbox could not be started: it has no streams".into());
        let mut print =
            Print::of(started.streams.take().ok_or_else(no_streams)?, limits.output.0, &watch.control);
        let mut guard = Guard::new(&started, watch, limits, fills, &mut print);
        guard.per_core = self.per_core();
        let halt = guard.stand();
        let (seen, peak) = (guard.cycles(), guard.peak);
        let [stdout, mut stderr] = print.end();
        let group = started.group.take();
        // With the program the kernel has ended its supervisor, which tells nothing then.
        let halt = halt.or(group.filter(Group::is_out_of_memory).map(|_| Halt::Memory));
        let standing = started.standing;
        let record = started.record(&mut stderr);
        let told = Told { halt, standing, record: record.filter(|_| halt.is_none()), peak };
        let exact = if let Some(Record::Ended { cpu, .. }) = &told.record { *cpu } else { 0 };
        let exact = Cycles(exact.saturating_mul(self.per_core().0));
        let cycles = seen.max(exact).min(limits.cycles.max(Cycles(1)));
        watch.control.publish(cycles);
        let is_too_much = [&stdout, &stderr]
            .iter()
            .any(|text| u64::try_from(text.len()).is_ok_and(|l| l > limits.output.0));
        let most = usize::try_from(limits.output.0).unwrap_or(usize::MAX);
        let [stdout, stderr] = [stdout, stderr].map(|mut text| {
            text.truncate(most);
            text
        });
        let (outcome, saved) = if is_too_much && halt.is_none() {
            (Outcome::OutputLimit(limits.output), None)
        } else {
            told.verdict(execution, watch, fills, &stderr)
        };
        Ok(Ended { outcome, stdout, stderr, saved, cycles, ..Ended::before_start(Outcome::Cancelled) })
    }

    fn per_core(&self) -> Capacity {
        Capacity(self.per_core.load(Ordering::Relaxed))
    }
}

/// What came of a run.
struct Told {
    halt: Option<Halt>,
    standing: Standing,
    record: Option<Record>,
    peak: u64,
}

impl Told {
    fn verdict(
        self,
        execution: &Execution,
        watch: &Watch,
        fills: [&Path; 2],
        stderr: &[u8],
    ) -> super::saved::Judgement {
        let limits = &execution.limits;
        if let Some(halt) = self.halt {
            return (halt.outcome(limits), None);
        }
        let (end, most) = match self.record {
            Some(Record::Ended { end, most, .. }) => (end, most.saturating_mul(1024)),
            Some(Record::NotRunnable(why)) => return (Outcome::NotRunnable(why), None),
            Some(Record::Failed(why)) => {
                return (Outcome::Abandoned(format!("the sandbox could not be entered: {why}")), None);
            }
            None if self.standing == Standing::First => {
                let why = "the sandbox was ended from outside: its first process, or who had built it";
                return (Outcome::Abandoned(why.into()), None);
            }
            _ => {
                let said = String::from_utf8_lossy(stderr);
                let said: String =
                    said.lines().last().unwrap_or("it says nothing").chars().take(150).collect();
                return (Outcome::Abandoned(format!("the sandbox has failed: {said}")), None);
            }
        };
        if fills_too_much(&fills, 0, limits) {
            return (Outcome::DiskLimit(limits.disk), None);
        }
        let judgement = match end {
            End::Exited(status) => judge(execution, status),
            End::Signalled(signal) => (signal::outcome(signal, limits), None),
        };
        let is_failure = matches!(judgement, (Outcome::Exited(_) | Outcome::Trapped(_), None));
        if is_failure && watch.control.is_warned() {
            return (
                Outcome::Abandoned("its seller needed the machine, and it ended when it was told".into()),
                None,
            );
        }
        // A program that is denied memory dies of it in its own way, by a status or a signal of its own.
        if is_failure && self.peak.max(most) > limits.memory.0 / 8 * NEARLY_ALL {
            return (Outcome::MemoryLimit(limits.memory), None);
        }
        judgement
    }
}

impl Executor for Native {
    fn runtime(&self) -> Runtime {
        Runtime::Native
    }

    fn layers(&self) -> Vec<Layer> {
        self.walls.layers()
    }

    fn run(&self, execution: &Execution, control: &Control) -> Ended {
        self.run_as(Runtime::Native, execution, control)
    }

    fn govern(&self, policy: &Policy, per_core: Capacity) {
        let terms = Terms { is_shared: policy.share_native, sandbox: policy.sandbox };
        *self.terms.lock().unwrap_or_else(PoisonError::into_inner) = terms;
        self.per_core.store(per_core.0, Ordering::Relaxed);
        if !policy.share_native {
            self.builder.stop_unused();
        }
    }

    fn refusal(&self) -> Option<String> {
        self.refusal_of(Runtime::Native)
    }
}

impl Executor for Container {
    fn runtime(&self) -> Runtime {
        Runtime::Container
    }

    fn layers(&self) -> Vec<Layer> {
        self.0.walls.layers()
    }

    fn run(&self, execution: &Execution, control: &Control) -> Ended {
        self.0.run_as(Runtime::Container, execution, control)
    }

    fn refusal(&self) -> Option<String> {
        self.0.refusal_of(Runtime::Container)
    }
}
