//! A program that has been started behind its walls, until its end has been seen.

use super::builder::Builder;
use super::enter::{NOT_TAKEN, TOO_LONG};
use super::group::Group;
use super::launch::Scene;
use super::record::{End, MAX_RECORD, Record};
use proto::message::service::Outcome;
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, PipeReader, Read as _, Write as _, pipe};
use std::process::{Child, Command, Stdio};

/// How the processes of a program stand to the one that the node knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is the first one of their process namespace, with which the others end.
    First,
    /// Its child is.
    Above,
    /// It is their supervisor, without a process namespace.
    Beside,
}

/// One program.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) pid: i32,
    pub(super) standing: Standing,
    /// Readable at its end.
    pub(super) end: OwnedFd,
    /// Standard output and error, until they are taken.
    pub(super) streams: Option<[PipeReader; 2]>,
    /// Where the kernel counts it, until that is taken.
    pub(super) group: Option<Group>,
    child: Option<Child>,
}

impl Started {
    /// In a room by our own builder.
    ///
    /// # Errors
    /// The verdict, if there is none to be had.
    pub(super) fn in_room(
        builder: &Builder,
        scene: &Scene,
        arguments: Vec<OsString>,
        group: Option<Group>,
    ) -> Result<Self, Outcome> {
        let pipes = || Ok([pipe()?, pipe()?, pipe()?]);
        let [(end, told), (stdout, out), (stderr, err)] = pipes().map_err(abandoned)?;
        let door = group.as_ref().map(Group::door).transpose().map_err(abandoned)?;
        let mut files: Vec<OwnedFd> = vec![told.into(), out.into(), err.into()];
        files.extend(door.map(OwnedFd::from));
        let pid = builder.room(scene, arguments, &files)?;
        let streams = Some([stdout, stderr]);
        Ok(Self { pid, standing: Standing::First, end: end.into(), streams, group, child: None })
    }

    /// By `command`, which is bubblewrap's, or the supervisor's own. It gets `input`, and starts nothing before that has ended.
    ///
    /// # Errors
    /// The verdict, if it cannot be started.
    pub(super) fn by(
        mut command: Command,
        standing: Standing,
        group: Option<Group>,
        input: &[u8],
    ) -> Result<Self, Outcome> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(abandoned)?;
        let streams = match (child.stdout.take(), child.stderr.take()) {
            (Some(stdout), Some(stderr)) => {
                Some([OwnedFd::from(stdout).into(), OwnedFd::from(stderr).into()])
            }
            _ => None,
        };
        let ready = handle(&child).and_then(|(pid, end)| {
            group.as_ref().map_or(Ok(()), |group| group.take_in(pid))?;
            child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(input))?;
            Ok((pid, end))
        });
        match ready {
            Ok((pid, end)) => Ok(Self { pid, standing, end, streams, group, child: Some(child) }),
            Err(error) => {
                let _ = child.kill().and_then(|()| child.wait());
                Err(abandoned(error))
            }
        }
    }

    /// What the supervisor told, when everything has ended; `printed` is where it does so on the standard error, which is
    /// then cut by that. Nothing, unless the supervisor has ended as it should.
    pub(super) fn record(self, printed: &mut Vec<u8>) -> Option<Record> {
        let Some(mut child) = self.child else { return told(self.end) };
        let is_whole = child.wait().is_ok_and(|status| status.success());
        let record = cut(printed);
        record.filter(|record| is_whole || !matches!(record, Record::Ended { .. }))
    }
}

/// What came by the record's own way: nobody but the supervisor can write to it.
fn told(way: OwnedFd) -> Option<Record> {
    let mut text = [0; MAX_RECORD];
    let count = File::from(way).read(&mut text).ok()?;
    Record::last(text.get(..count)?).map(|(record, _)| record)
}

/// Takes the record off the end of the standard error.
fn cut(stderr: &mut Vec<u8>) -> Option<Record> {
    let record = Record::last(stderr).map(|(record, at)| {
        stderr.truncate(at);
        record
    });
    // Where the supervisor stands beside the program, the step into the sandbox may have failed before it.
    let not_taken = End::Exited(i32::from(NOT_TAKEN));
    let is_of_step = |record: &Record| matches!(record, Record::Ended { end, .. } if *end == not_taken);
    let earlier = Record::last(stderr).filter(|(record, _)| !matches!(record, Record::Ended { .. }));
    match (record, earlier) {
        (Some(record), Some((earlier, at))) if is_of_step(&record) => {
            stderr.truncate(at);
            Some(earlier)
        }
        (record, _) => record,
    }
}

/// The number of a child, and a handle by which its end is waited for.
fn handle(child: &Child) -> io::Result<(i32, OwnedFd)> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
    Ok((pid.as_raw_pid(), pidfd_open(pid, PidfdFlags::empty())?))
}

/// The verdict on a start that fails.
#[expect(clippy::needless_pass_by_value, reason = "a function for `map_err`")]
pub(super) fn abandoned(error: io::Error) -> Outcome {
    if error.kind() == io::ErrorKind::ArgumentListTooLong {
        return Outcome::NotRunnable(TOO_LONG.into());
    }
    Outcome::Abandoned(format!("the sandbox could not be started: {error}"))
}
