//! A virtual machine: what a job comes to follows from the job, how long it takes from the machine.

mod program;
mod state;

pub(crate) use program::{Program, output};
pub(crate) use state::{Begin, States};

use crate::fault::Lie;
use proto::message::service::{Checkpoint, Job, Limits, NamedBlob, Outcome, Product};
use proto::{Bundle, Capacity, ContractId, Cycles, Hash, Span, Time};
use service::Execution;
use state::Base;
use std::collections::{BTreeMap, BTreeSet};

/// The executions of one node.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// Its cores.
    pub(crate) cores: u32,
    /// What one of them executes.
    pub(crate) per_core: Capacity,
    /// How many times as long as that says everything takes.
    pub(crate) slow: u64,
    /// How its owner lies, if it does.
    pub(crate) lie: Option<Lie>,
    running: BTreeMap<ContractId, Running>,
}

#[derive(Clone, Debug)]
struct Running {
    part: Bundle,
    /// How long it takes at full speed, and what it comes to; nothing if it never ends.
    end: Option<(Span, Execution)>,
    /// What of that time it has had.
    done: Span,
    /// Since when it runs, unless it stands still.
    since: Option<Time>,
    /// For which share of the time it runs, in per cent.
    pct: u32,
    /// What it executes, and where it began.
    job: Box<Job>,
    begin: Begin,
    /// What its next state is a difference to.
    base: Base,
}

impl Machine {
    /// An idle machine.
    #[must_use]
    pub(crate) const fn new(cores: u32, per_core: Capacity) -> Self {
        Self { cores, per_core, slow: 1, lie: None, running: BTreeMap::new() }
    }

    /// What a core really executes.
    fn speed(&self) -> Capacity {
        Capacity((self.per_core.0 / self.slow.max(1)).max(1))
    }

    /// Starts `job` in this part of the machine; how long it takes and how it ends, or nothing if it never does.
    /// The outputs are put into `store`.
    pub(crate) fn start(
        &mut self,
        contract: ContractId,
        part: Bundle,
        job: &Job,
        begin: Begin,
        store: &mut BTreeSet<Hash>,
        now: Time,
    ) -> Option<(Span, Execution)> {
        let denies = self.lie == Some(Lie::Denies) && begin != Begin::Start;
        let (span, mut execution) = execute(job, if denies { Begin::Nowhere } else { begin }, self.speed());
        match self.lie {
            Some(Lie::Cycles { times }) => {
                execution.cycles = Cycles(execution.cycles.0.saturating_mul(times))
            }
            Some(Lie::Absent | Lie::Wrong) => {
                for hash in hashes(&mut execution) {
                    *hash = Hash::of(&hash.0);
                }
            }
            Some(Lie::Own) => {
                for hash in hashes(&mut execution) {
                    let own: Vec<u8> = hash.0.into_iter().chain(contract.0).collect();
                    *hash = Hash::of(&own);
                }
            }
            Some(Lie::Hang | Lie::Silent | Lie::Mute | Lie::BadStates | Lie::NoStates | Lie::Denies)
            | None => {}
        }
        if self.lie != Some(Lie::Absent) {
            store.extend(hashes(&mut execution).map(|hash| *hash));
        }
        let is_endless = matches!(self.lie, Some(Lie::Hang | Lie::Silent | Lie::BadStates | Lie::NoStates));
        let end = (!is_endless).then_some((span, execution));
        let job = Box::new(job.clone());
        let running = Running {
            part,
            end,
            done: Span(0),
            since: Some(now),
            pct: 100,
            job,
            begin,
            base: Base::default(),
        };
        let ahead = running.ahead();
        self.running.insert(contract, running);
        ahead
    }

    /// Saves the state of an execution, if it is still there: the state, and the cycles that it has executed.
    pub(crate) fn save(
        &mut self,
        contract: ContractId,
        states: &mut States,
        store: &mut BTreeSet<Hash>,
        now: Time,
    ) -> Option<(Checkpoint, Cycles)> {
        let (speed, lie) = (self.speed(), self.lie);
        let running = self.running.get_mut(&contract)?;
        let cycles = speed.during(running.done_at(now));
        let done = Cycles(running.begin.done().0.saturating_add(cycles.0));
        let genuine = !matches!(lie, Some(Lie::BadStates | Lie::NoStates));
        let saved = running.base.save(&running.job, done, genuine);
        if genuine {
            states.note(saved, done);
        }
        if lie != Some(Lie::NoStates) {
            store.insert(saved.blob.hash);
        }
        Some((saved, cycles))
    }

    /// Lets an execution stand still.
    pub(crate) fn pause(&mut self, contract: ContractId, now: Time) {
        if let Some(running) = self.running.get_mut(&contract) {
            running.done = running.done_at(now);
            running.since = None;
        }
    }

    /// Lets an execution go on for `pct` per cent of the time; how long it takes from now on and how it ends.
    /// The time by which a slow one is over its limit is not modelled.
    pub(crate) fn pace(&mut self, contract: ContractId, pct: u32, now: Time) -> Option<(Span, Execution)> {
        let running = self.running.get_mut(&contract)?;
        running.done = running.done_at(now);
        running.since = Some(now);
        running.pct = pct.max(1);
        running.ahead()
    }

    /// Of an execution of several runs the one that is under way becomes the last: how long it takes from now on and how all
    /// ends, unless it is the last already or stands still.
    pub(crate) fn recall(&mut self, contract: ContractId, now: Time) -> Option<(Span, Execution)> {
        let speed = self.speed();
        let running = self.running.get_mut(&contract)?;
        let ended = running.ended_at(now, speed)?;
        let (_, part) = running.end.as_mut().filter(|(_, whole)| whole.more.len() > ended)?;
        hand_back(part, ended);
        running.job.repeats.truncate(ended);
        let (span, _) = execute(&running.job, running.begin, speed);
        running.end.as_mut()?.0 = span;
        running.since?;
        running.done = running.done_at(now);
        running.since = Some(now);
        running.ahead()
    }

    /// An execution comes to its end at `now`, unless it stands still or has been given another pace meanwhile.
    pub(crate) fn end(&mut self, contract: ContractId, now: Time) -> bool {
        let is_due = self.running.get(&contract).and_then(Running::due) == Some(now);
        is_due && self.running.remove(&contract).is_some()
    }

    /// Executions that do not stand still.
    pub(crate) fn moving(&self) -> impl Iterator<Item = ContractId> + '_ {
        let is_moving = |(_, running): &(&ContractId, &Running)| running.since.is_some();
        self.running.iter().filter(is_moving).map(|(contract, _)| *contract)
    }

    /// All executions.
    pub(crate) fn executions(&self) -> impl Iterator<Item = ContractId> + '_ {
        self.running.keys().copied()
    }

    /// Ends an execution, if there is one; what it has come to: of several runs those that are done, or nothing.
    pub(crate) fn stop(&mut self, contract: ContractId, now: Time) -> Option<Execution> {
        let running = self.running.remove(&contract)?;
        let more = running.ended_at(now, self.speed()).unwrap_or(0).checked_sub(1);
        let whole = running.end.map(|(_, execution)| execution);
        let Some((mut part, more)) = whole.zip(more) else {
            return Some(Execution::nothing(Outcome::Cancelled));
        };
        hand_back(&mut part, more);
        Some(part)
    }

    /// Whether it executes something for `contract`.
    #[must_use]
    pub(crate) fn executes(&self, contract: ContractId) -> bool {
        self.running.contains_key(&contract)
    }

    /// Ends everything.
    pub(crate) fn stop_all(&mut self) {
        self.running.clear();
    }

    /// Executions with the cycles metered so far.
    pub(crate) fn progress(&self, now: Time) -> impl Iterator<Item = (ContractId, Cycles)> + '_ {
        self.running
            .iter()
            .map(move |(contract, running)| (*contract, self.speed().during(running.done_at(now))))
    }

    /// What of it executes something.
    #[must_use]
    pub(crate) fn busy(&self) -> Bundle {
        self.running.values().fold(Bundle::default(), |sum, running| sum.plus(running.part))
    }
}

impl Running {
    /// What of its time at full speed it has had at `now`.
    fn done_at(&self, now: Time) -> Span {
        let since = self.since.map_or(Span(0), |since| now.since(since));
        self.done.plus(Span(since.0.saturating_mul(u64::from(self.pct)) / 100))
    }

    /// How many of its runs have ended well at `now`, unless one has ended badly.
    fn ended_at(&self, now: Time, speed: Capacity) -> Option<usize> {
        let had = Limits { wall: self.done_at(now), ..self.job.limits };
        let (_, done) = execute(&Job { limits: had, ..(*self.job).clone() }, self.begin, speed);
        match done.outcome {
            Outcome::Succeeded => Some(done.more.len() + 1),
            Outcome::WallLimit(_) => Some(0),
            _ => None,
        }
    }

    /// How long it takes from the start or the last change of pace, and how it ends.
    fn ahead(&self) -> Option<(Span, Execution)> {
        let (needed, execution) = self.end.as_ref()?;
        let left = needed.0.saturating_sub(self.done.0).saturating_mul(100);
        Some((Span(left.div_ceil(u64::from(self.pct))), execution.clone()))
    }

    /// When it ends, if it does not stand still.
    fn due(&self) -> Option<Time> {
        Some(self.since?.after(self.ahead()?.0))
    }
}

/// Leaves of an execution the first run and so many more.
fn hand_back(execution: &mut Execution, more: usize) {
    for undone in execution.more.split_off(more.min(execution.more.len())) {
        execution.cycles = Cycles(execution.cycles.0.saturating_sub(undone.cycles.0));
    }
    execution.is_cut = true;
}

/// The outputs of all runs.
fn hashes(execution: &mut Execution) -> impl Iterator<Item = &mut Hash> {
    let further = execution.more.iter_mut().flat_map(|product| &mut product.outputs);
    execution.outputs.iter_mut().chain(further).map(|output| &mut output.blob.hash)
}

/// How long a job takes with its repeats, and how it ends: as the node's own executor has it.
fn execute(job: &Job, begin: Begin, per_core: Capacity) -> (Span, Execution) {
    let mut runs = job.runs();
    let (mut span, mut whole) = runs
        .next()
        .map_or_else(|| execute_one(job, begin, per_core), |first| execute_one(&first, begin, per_core));
    for run in runs {
        if whole.outcome != Outcome::Succeeded {
            break;
        }
        let (took, Execution { outcome, cycles, outputs, stdout, stderr, .. }) =
            execute_one(&run, Begin::Start, per_core);
        span = span.plus(took);
        if span > job.limits.wall {
            return (job.limits.wall, Execution { is_cut: true, ..whole });
        }
        if outcome == Outcome::Succeeded {
            whole.cycles = Cycles(whole.cycles.0.saturating_add(cycles.0));
            whole.more.push(Product { cycles, outputs, stdout, stderr });
        } else {
            break;
        }
    }
    (span, whole)
}

fn execute_one(job: &Job, begin: Begin, per_core: Capacity) -> (Span, Execution) {
    let Program { work, exit } = Program::of(job);
    if begin == Begin::Nowhere {
        let outcome = Outcome::NotResumed("it is no state of this program".into());
        return (Span(1), Execution::nothing(outcome));
    }
    let work = Cycles(work.0.saturating_sub(begin.done().0));
    let Limits { wall, cycles: most, .. } = job.limits;
    let done = work.min(most);
    let needed = per_core.span_for(done).unwrap_or(Span(u64::MAX));
    let ended = |outcome, cycles, outputs| Execution {
        outcome,
        cycles,
        outputs,
        stdout: None,
        stderr: None,
        more: Vec::new(),
        is_cut: false,
    };
    if needed > wall {
        return (wall, ended(Outcome::WallLimit(wall), per_core.during(wall), Vec::new()));
    }
    if work > most {
        return (needed, ended(Outcome::CycleLimit(most), done, Vec::new()));
    }
    if exit != 0 {
        return (needed, ended(Outcome::Exited(exit), done, Vec::new()));
    }
    let named = |name: &String| NamedBlob { name: name.clone(), blob: output(job, name) };
    (needed, ended(Outcome::Succeeded, done, job.outputs.iter().map(named).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Bytes;
    use proto::message::service::Blob;

    const CONTRACT: ContractId = proto::CommandId([1; 16]);
    const ONE: Bundle = Bundle { cores: 1, memory: Bytes::mib(1), disk: Bytes::mib(1) };

    fn job(work: u64, exit: i32, wall: Span, cycles: u64) -> Job {
        let (memory, disk, output) = (Bytes::mib(1), Bytes::mib(1), Bytes::mib(1));
        Job {
            program: Blob { hash: Hash::of(b"program"), size: Bytes(10) },
            arguments: Program { work: Cycles(work), exit }.arguments(),
            environment: Vec::new(),
            inputs: Vec::new(),
            outputs: vec!["out".into()],
            stdin: None,
            limits: Limits { wall, memory, disk, output, cycles: Cycles(cycles), processes: 1, cores: 1 },
            resume: None,
            runtime: proto::message::service::Runtime::WebAssembly,
            success: 0,
            progress: None,
            checkpoint: None,
            repeats: Vec::new(),
        }
    }

    fn check(
        job: &Job,
        lie: Option<Lie>,
        span: u64,
        outcome: &Outcome,
        cycles: u64,
    ) -> (Execution, BTreeSet<Hash>) {
        let mut machine = Machine { lie, ..Machine::new(2, Capacity(1_000)) };
        let mut store = BTreeSet::new();
        let (took, execution) = machine.start(CONTRACT, ONE, job, Begin::Start, &mut store, Time(0)).unwrap();
        assert_eq!((took, &execution.outcome, execution.cycles), (Span(span), outcome, Cycles(cycles)));
        (execution, store)
    }

    #[test]
    fn time_and_end_follow_from_the_job() {
        let wall = Span::secs(10);
        for (job, span, outcome, cycles) in [
            (job(5_000_000, 0, wall, u64::MAX), 5_000, Outcome::Succeeded, 5_000_000),
            (job(5_000_001, 0, wall, u64::MAX), 5_001, Outcome::Succeeded, 5_000_001),
            (job(5_000_000, 3, wall, u64::MAX), 5_000, Outcome::Exited(3), 5_000_000),
            (job(5_000_000, 0, Span(10), u64::MAX), 10, Outcome::WallLimit(Span(10)), 10_000),
            (job(5_000_000, 0, wall, 2_000), 2, Outcome::CycleLimit(Cycles(2_000)), 2_000),
        ] {
            check(&job, None, span, &outcome, cycles);
        }
    }

    #[test]
    fn outputs_do_not_depend_on_the_limits_and_are_served() {
        let (one, store) = check(&job(7_000, 0, Span::secs(1), 8_000), None, 7, &Outcome::Succeeded, 7_000);
        let (other, _) = check(&job(7_000, 0, Span::secs(2), 9_000), None, 7, &Outcome::Succeeded, 7_000);
        assert_eq!(one.outputs, other.outputs);
        assert_eq!(store, BTreeSet::from([one.outputs[0].blob.hash]));
        assert_ne!(output(&job(7_000, 0, Span(1), 1), "a"), output(&job(7_000, 0, Span(1), 1), "b"));
        assert_ne!(output(&job(7_000, 0, Span(1), 1), "a"), output(&job(7_001, 0, Span(1), 1), "a"));
    }

    #[test]
    fn what_stands_still_takes_longer_and_comes_to_the_same() {
        let job = job(8_000_000, 0, Span::secs(60), u64::MAX);
        let mut machine = Machine::new(1, Capacity(1_000));
        let (took, whole) =
            machine.start(CONTRACT, ONE, &job, Begin::Start, &mut BTreeSet::new(), Time(0)).unwrap();
        assert_eq!(took, Span(8_000));
        machine.pause(CONTRACT, Time(3_000));
        assert!(!machine.end(CONTRACT, Time(8_000)));
        assert_eq!((machine.moving().count(), machine.executions().count()), (0, 1));
        assert_eq!(machine.progress(Time(9_000)).collect::<Vec<_>>(), [(CONTRACT, Cycles(3_000_000))]);
        assert_eq!(machine.pace(CONTRACT, 50, Time(10_000)), Some((Span(10_000), whole.clone())));
        assert_eq!(machine.progress(Time(12_000)).collect::<Vec<_>>(), [(CONTRACT, Cycles(4_000_000))]);
        assert_eq!(machine.pace(CONTRACT, 100, Time(12_000)), Some((Span(4_000), whole)));
        assert!(!machine.end(CONTRACT, Time(20_000)) && machine.end(CONTRACT, Time(16_000)));
    }

    #[test]
    fn a_saved_program_goes_on_where_it_was() {
        let job = |resume| Job { resume, ..job(8_000_000, 0, Span::secs(60), u64::MAX) };
        let (mut states, mut store) = (States::default(), BTreeSet::new());
        let mut machine = Machine::new(1, Capacity(1_000));
        let (_, whole) = machine.start(CONTRACT, ONE, &job(None), Begin::Start, &mut store, Time(0)).unwrap();
        let (whole_one, _) = machine.save(CONTRACT, &mut states, &mut store, Time(1_000)).unwrap();
        let (state, cycles) = machine.save(CONTRACT, &mut states, &mut store, Time(3_000)).unwrap();
        assert_eq!((whole_one.base, state.base), (None, Some(whole_one.blob)));
        assert_eq!((cycles, store.contains(&state.blob.hash)), (Cycles(3_000_000), true));
        let begin = states.begin(&job(Some(state)));
        assert_eq!(begin, Begin::At(cycles));
        // A difference to nothing or to something else is no state.
        for base in [None, Some(state.blob)] {
            let wrong = Checkpoint { base, ..state };
            assert_eq!(states.begin(&job(Some(wrong))), Begin::Nowhere);
        }
        let (took, rest) =
            machine.start(CONTRACT, ONE, &job(Some(state)), begin, &mut store, Time(0)).unwrap();
        assert_eq!((took, rest.cycles, rest.outputs), (Span(5_000), Cycles(5_000_000), whole.outputs));
        // Its own states count from the start of the program.
        let (later, _) = machine.save(CONTRACT, &mut states, &mut store, Time(1_000)).unwrap();
        assert_eq!(states.begin(&job(Some(later))), Begin::At(Cycles(4_000_000)));
        let none = Base::default().save(&job(None), cycles, false);
        assert_eq!(states.begin(&job(Some(none))), Begin::Nowhere);
        let (_, end) =
            machine.start(CONTRACT, ONE, &job(Some(none)), Begin::Nowhere, &mut store, Time(0)).unwrap();
        assert!(matches!(end.outcome, Outcome::NotResumed(_)));
    }

    #[test]
    fn liars_report_something_else() {
        let job = job(7_000, 0, Span::secs(1), u64::MAX);
        let truth = output(&job, "out").hash;
        check(&job, Some(Lie::Cycles { times: 3 }), 7, &Outcome::Succeeded, 21_000);
        let (wrong, store) = check(&job, Some(Lie::Wrong), 7, &Outcome::Succeeded, 7_000);
        assert!(wrong.outputs[0].blob.hash != truth && store.contains(&wrong.outputs[0].blob.hash));
        let (absent, store) = check(&job, Some(Lie::Absent), 7, &Outcome::Succeeded, 7_000);
        assert!(absent.outputs[0].blob.hash != truth && store.is_empty());
        let (own, _) = check(&job, Some(Lie::Own), 7, &Outcome::Succeeded, 7_000);
        assert!(own.outputs[0].blob.hash != truth && own.outputs != wrong.outputs);
        let mut machine = Machine { lie: Some(Lie::Hang), ..Machine::new(1, Capacity(1)) };
        assert_eq!(machine.start(CONTRACT, ONE, &job, Begin::Start, &mut BTreeSet::new(), Time(0)), None);
        assert_eq!(machine.busy(), ONE);
        assert_eq!(machine.progress(Time(5)).collect::<Vec<_>>(), [(CONTRACT, Cycles(5))]);
        let nothing = Execution::nothing(Outcome::Cancelled);
        assert_eq!(machine.stop(CONTRACT, Time(5)), Some(nothing));
        assert_eq!(machine.stop(CONTRACT, Time(5)), None);
    }
}
