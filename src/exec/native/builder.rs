//! Namespaces that we make ourselves: a process beside the node, the builder, makes a room for each program.
//!
//! | stands here | does |
//! |---|---|
//! | [`Builder`] | the node's side: starts the process when it is needed, asks it for rooms |
//! | `serve` | the process: goes to and fro between its namespaces, makes rooms, sees them end |
//! | `ground` | the mounts that all rooms have alike |
//! | `room` | the last part, by the first process in a room |
//! | `frame` | what the two say to each other |
//!
//! The walls are those that bubblewrap puts up ([`super::launch`]); what is saved is that nearly everything is made once
//! and not for each program. Why nothing goes from one program to the next: each has a mount, a process and a user
//! namespace and one for objects between processes of its own, and a network that nobody else is in meanwhile.

mod frame;
mod ground;
pub(super) mod room;
pub(super) mod serve;

use super::launch::Scene;
use super::orders::{Stage, VERSION, WORD};
use super::started::abandoned;
use frame::{Frame, receive, send};
use proto::message::service::Outcome;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long the builder may take to answer. It does nothing that waits for a program; a machine under load may be slow.
const ANSWER: Duration = Duration::from_secs(60);

/// The node's side of a builder.
#[derive(Debug)]
pub(super) struct Builder {
    helper: PathBuf,
    private: PathBuf,
    /// The way to the process, where there is one. It ends when this is closed.
    socket: Mutex<Option<UnixStream>>,
    is_used: AtomicBool,
}

impl Builder {
    /// One whose rooms have `private` as their `/etc`; `helper` is the file of this program.
    pub(super) fn new(helper: &Path, private: &Path) -> Self {
        Self {
            helper: helper.into(),
            private: private.into(),
            socket: Mutex::default(),
            is_used: AtomicBool::new(false),
        }
    }

    /// Starts the process, if there can be one here.
    ///
    /// # Errors
    /// Why not, in words.
    pub(super) fn start(&self) -> Result<(), String> {
        let socket = self.open().map_err(|error| error.to_string())?;
        *self.socket() = Some(socket);
        Ok(())
    }

    /// Ends the process unless it has ever made a room, since programs may be in those; who asks for one later starts it again.
    pub(super) fn stop_unused(&self) {
        let mut socket = self.socket();
        if !self.is_used.load(Ordering::Relaxed) {
            *socket = None;
        }
    }

    fn socket(&self) -> MutexGuard<'_, Option<UnixStream>> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a room for `scene` and starts this program in it with `arguments`, and with these for its standard streams:
    /// the way by which it tells its end in place of the input, then output and error; behind them the door of its control
    /// group, if it has one. Returns the number of the room's first process, as it is where the node is.
    ///
    /// # Errors
    /// What goes wrong with it, as the verdict on the execution.
    pub(super) fn room(
        &self,
        scene: &Scene,
        arguments: Vec<OsString>,
        files: &[OwnedFd],
    ) -> Result<i32, Outcome> {
        let path = |path: Option<&PathBuf>| path.map(OsString::from).unwrap_or_default();
        let places =
            [Some(&scene.scratch), Some(&scene.temporary), scene.program.as_ref(), scene.stdin.as_ref()];
        let words: Vec<OsString> = places.map(path).into_iter().chain(arguments).collect();
        let files: Vec<BorrowedFd<'_>> = files.iter().map(OwnedFd::as_fd).collect();
        let mut socket = self.socket();
        self.is_used.store(true, Ordering::Relaxed);
        let mut answer: io::Result<Frame> = Err(io::ErrorKind::NotConnected.into());
        // One that has ended since it was last asked is started again, once.
        for _ in 0..2 {
            if socket.is_none() {
                *socket = Some(self.open().map_err(abandoned)?);
            }
            answer = socket.as_ref().map_or(Err(io::ErrorKind::NotConnected.into()), |socket| {
                send(socket, &words, &files)?;
                receive(socket)?.ok_or(io::ErrorKind::UnexpectedEof.into())
            });
            match &answer {
                Err(error) if error.kind() == io::ErrorKind::ArgumentListTooLong => break,
                Err(_) => *socket = None,
                Ok(_) => break,
            }
        }
        drop(socket);
        first(answer)
    }

    /// Starts the process, and hears from it that it is ready.
    fn open(&self) -> io::Result<UnixStream> {
        let (ours, theirs) = UnixStream::pair()?;
        for limit in [UnixStream::set_read_timeout, UnixStream::set_write_timeout] {
            limit(&ours, Some(ANSWER))?;
        }
        let mut command = Command::new(&self.helper);
        // Programs see it as that of the first process in their room: it names nothing of the host.
        command.arg0("compup2p").args([WORD, Stage::Builder.word()]).env_clear();
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
        let (started, is_started) = sync_channel(1);
        // The process ends with the thread that has started it, at the latest: this one sees it end.
        let see_it_end = move || {
            let child = command.spawn();
            // Our copy of its end of the socket would keep that open.
            drop(command);
            match child {
                Ok(mut child) => {
                    let _ = started.send(Ok(()));
                    let _ = child.wait();
                }
                Err(error) => drop(started.send(Err(error))),
            }
        };
        thread::Builder::new().name("builder".into()).spawn(see_it_end)?;
        is_started.recv().map_err(io::Error::other)??;
        send(&ours, &[self.private.clone().into()], &[])?;
        match receive(&ours)? {
            None => Err(io::Error::other("the builder of rooms has ended before it was ready")),
            Some(frame) => match first_word(&frame) {
                serve::DONE if frame.words.get(1).is_some_and(|word| word == VERSION) => Ok(ours),
                serve::DONE => Err(io::Error::other("its file is of another version: start the node again")),
                _ => Err(io::Error::other(why(&frame))),
            },
        }
    }
}

fn first_word(frame: &Frame) -> &str {
    frame.words.first().and_then(|word| word.to_str()).unwrap_or_default()
}

fn why(frame: &Frame) -> String {
    frame.words.get(1).map_or_else(|| "it is not said why".into(), |why| why.to_string_lossy().into_owned())
}

/// The number of the first process, by the builder's answer.
fn first(answer: io::Result<Frame>) -> Result<i32, Outcome> {
    let mut frame = answer.map_err(abandoned)?;
    let handle = frame.files.pop();
    match (first_word(&frame), handle) {
        (serve::DONE, Some(handle)) => {
            // One that has ended already needs none.
            Ok(number(&handle).unwrap_or(0))
        }
        _ => Err(abandoned(io::Error::other(why(&frame)))),
    }
}

/// The number that the process behind a handle has where we are; it has another one where the builder is.
fn number(handle: &OwnedFd) -> Option<i32> {
    let told = fs::read_to_string(format!("/proc/self/fdinfo/{}", handle.as_raw_fd())).ok()?;
    let number = told.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().parse().ok()?;
    (number > 0).then_some(number)
}
