//! The step into the sandbox: a process of this program that shuts itself in and then starts the foreign one.
//!
//! With a process namespace around it, it is the namespace's first process, which nothing within can end; without one it
//! stays outside, with the program in a process of its own that Landlock keeps from reaching it. In both cases it sees
//! the program end, ends what that has left behind, and tells the node (see [`Record`]).

use super::builder;
use super::confine::{close_inherited, confine};
use super::orders::{Orders, Stage, VERSION};
use super::record::{End, Record};
use super::tree;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{
    DumpableBehavior, Signal, WaitOptions, WaitStatus, getpid, set_child_subreaper, set_dumpable_behavior,
    set_parent_process_death_signal, wait,
};
use rustix::stdio::{dup2_stderr, dup2_stdout};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// Why a program is not started whose arguments the kernel does not take.
pub(super) const TOO_LONG: &str = "its arguments and environment are too long";
/// The exit status of a step that was not taken.
pub(super) const NOT_TAKEN: u8 = 125;
/// How often a program is started again whose file another process of the node seems to have open for writing: one that
/// was forked while the file was written, and has not become another program yet.
const TRIES: u32 = 100;
/// The pause between two of them.
const AGAIN: Duration = Duration::from_millis(5);

/// Does what the arguments behind [`super::orders::WORD`] order.
pub(crate) fn enter(words: impl Iterator<Item = OsString>) -> ExitCode {
    let mut words = words.peekable();
    match words.peek().and_then(|word| Stage::read(word)) {
        Some(Stage::Trial) => {
            let is_said = io::stdout().write_all(VERSION.as_bytes()).is_ok();
            return if is_said { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Some(Stage::Builder) => return builder::serve::run(),
        _ => {}
    }
    let told = match Orders::read(words) {
        Ok(orders) if orders.stage == Stage::Outer => outer(&orders),
        Ok(orders) if orders.stage == Stage::Inner => Err(inner(&orders)),
        Ok(orders) => whole(&orders, None, None),
        Err(why) => Err(Record::Failed(why)),
    };
    ExitCode::from(tell(told, &mut io::stderr()))
}

/// Takes the step as the first process in a room of our builder's, with these for standard output and error; tells the end
/// by a `way` of its own. Begins the program in the control group that `group` is the door of. Returns the exit status.
pub(super) fn in_room(
    orders: &Orders,
    [stdout, stderr]: &[OwnedFd; 2],
    way: OwnedFd,
    group: Option<OwnedFd>,
) -> u8 {
    let streams = dup2_stdout(stdout).and_then(|()| dup2_stderr(stderr)).map_err(io::Error::from);
    let told = streams
        .and_then(|()| builder::room::complete())
        .map_err(|error| Record::Failed(error.to_string()))
        .and_then(|()| whole(orders, Some(way.as_fd()), group));
    tell(told, &mut File::from(way))
}

fn tell(told: Result<Record, Record>, way: &mut impl Write) -> u8 {
    let (record, code) = match told {
        Ok(record) => (record, 0),
        Err(record) => (record, NOT_TAKEN),
    };
    // Who cannot tell its node how it ended has failed.
    let is_told = way.write_all(record.to_string().as_bytes()).is_ok();
    if is_told { code } else { NOT_TAKEN }
}

fn whole(orders: &Orders, way: Option<BorrowedFd<'_>>, group: Option<OwnedFd>) -> Result<Record, Record> {
    hide().map_err(Record::Failed)?;
    let kept: Vec<BorrowedFd<'_>> = way.into_iter().chain(group.as_ref().map(OwnedFd::as_fd)).collect();
    confine(orders, &kept).map_err(Record::Failed)?;
    if let Some(group) = group {
        // As late as can be, so that what is counted there is the program's.
        let entered = File::from(group).write_all(b"0");
        entered.map_err(|error| Record::Failed(format!("the control group: {error}")))?;
    }
    let mut tries = 0;
    let child = loop {
        match program(orders).spawn() {
            Err(error) if is_busy(&error, &mut tries) => {}
            other => break other.map_err(|error| not_started(&error))?,
        }
    };
    see_the_end(child.id())
}

fn outer(orders: &Orders) -> Result<Record, Record> {
    hide().map_err(Record::Failed)?;
    close_inherited(&[]).map_err(Record::Failed)?;
    let failed = |error: io::Error| Record::Failed(error.to_string());
    // The node ends it when this process is where it is to be, in its control group.
    io::copy(&mut io::stdin(), &mut io::sink()).map_err(failed)?;
    set_child_subreaper(Some(getpid())).map_err(|error| failed(error.into()))?;
    let own = std::env::current_exe().map_err(failed)?;
    let inner = Orders { stage: Stage::Inner, ..orders.clone() };
    let child = Command::new(own).args(inner.arguments()).env_clear().spawn().map_err(failed)?;
    see_the_end(child.id())
}

/// Becomes the program, or says why not.
fn inner(orders: &Orders) -> Record {
    let dies = set_parent_process_death_signal(Some(Signal::KILL));
    if let Err(error) = dies.and_then(|()| rustix::process::setsid().map(drop)) {
        return Record::Failed(error.to_string());
    }
    if let Err(why) = confine(orders, &[]) {
        return Record::Failed(why);
    }
    let mut tries = 0;
    loop {
        let error = program(orders).exec();
        if !is_busy(&error, &mut tries) {
            return not_started(&error);
        }
    }
}

/// Ends with the node, and cannot be looked into.
fn hide() -> Result<(), String> {
    let hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .and_then(|()| set_parent_process_death_signal(Some(Signal::KILL)));
    hidden.map_err(|error| error.to_string())
}

fn program(orders: &Orders) -> Command {
    let mut command = Command::new(&orders.program);
    let environment = orders.environment.iter().map(|(name, value)| (name, value));
    command.arg0(&orders.name).args(&orders.arguments).env_clear().envs(environment);
    command
}

fn is_busy(error: &io::Error, tries: &mut u32) -> bool {
    let is_busy = error.kind() == io::ErrorKind::ExecutableFileBusy && *tries < TRIES;
    if is_busy {
        *tries += 1;
        std::thread::sleep(AGAIN);
    }
    is_busy
}

fn not_started(error: &io::Error) -> Record {
    match error.kind() {
        io::ErrorKind::NotFound => Record::NotRunnable(
            "neither the program nor its interpreter is there on this seller, or it is not a program".into(),
        ),
        io::ErrorKind::ArgumentListTooLong => Record::NotRunnable(TOO_LONG.into()),
        io::ErrorKind::OutOfMemory | io::ErrorKind::WouldBlock => Record::Failed(error.to_string()),
        _ => Record::NotRunnable(error.to_string()),
    }
}

/// Waits for the program, then ends everything that it has left.
fn see_the_end(program: u32) -> Result<Record, Record> {
    let failed = |error: Errno| Record::Failed(error.to_string());
    let program = i32::try_from(program).map_err(|error| Record::Failed(error.to_string()))?;
    let status = loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid.as_raw_pid() == program => break status,
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(failed(error)),
        }
    };
    let own = getpid().as_raw_pid();
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => {
                tree::kill(own);
                // What it says is said again.
                let _ = wait(WaitOptions::empty());
            }
            Err(Errno::CHILD) => break,
            Err(error) => return Err(failed(error)),
        }
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| Record::Failed(error.to_string()))?;
    let cpu = usage.user_time().num_microseconds().saturating_add(usage.system_time().num_microseconds());
    let (cpu, most) = (u64::try_from(cpu).unwrap_or(0), u64::try_from(usage.max_rss()).unwrap_or(0));
    Ok(Record::Ended { end: end(status), cpu, most })
}

fn end(status: WaitStatus) -> End {
    match (status.exit_status(), status.terminating_signal()) {
        (_, Some(signal)) => End::Signalled(signal),
        (status, None) => End::Exited(status.unwrap_or(-1)),
    }
}
