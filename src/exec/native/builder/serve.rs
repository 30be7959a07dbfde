//! The builder itself: a process of this program that stands in a user namespace of its own, so that it may make the others,
//! and does nothing but to make rooms until its node has gone.
//!
//! It has one thread, as the kernel requires of who changes its namespaces, and as a process has to that copies itself: the
//! first process of each room is a copy of it, since to load a program again costs as much as all the rest of a room. It
//! reads nothing that a program has written. It is the first process of a process namespace: when it ends, by whatever,
//! every room ends with it.

use super::frame::{Frame, receive, send};
use super::ground;
use crate::exec::native::enter;
use crate::exec::native::filter;
use crate::exec::native::launch::{OWN, SHARED_MEMORY, TEMPORARY, WORK};
use crate::exec::native::orders::{Orders, VERSION};
use fork::{Fork, fork};
use nix::sched::{CloneFlags, setns, unshare};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getgid, getuid, kill_process, pidfd_open,
    set_parent_process_death_signal, setsid, waitpid,
};
use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The answers: it is ready, or a room is; this went wrong.
pub(super) const DONE: &str = "done";
pub(super) const FAILED: &str = "failed";

/// What a program has to itself, besides what its first process makes: files, and objects of the older kind between
/// processes (System V, POSIX queues).
const OF_A_ROOM: CloneFlags = CloneFlags::CLONE_NEWNS.union(CloneFlags::CLONE_NEWIPC);
/// What the builder has to itself. The name of the machine and its view of control groups are the same in every room: nobody
/// in one can change them.
const OF_THE_BUILDER: CloneFlags = CloneFlags::CLONE_NEWUSER
    .union(OF_A_ROOM)
    .union(CloneFlags::CLONE_NEWPID)
    .union(CloneFlags::CLONE_NEWNET)
    .union(CloneFlags::CLONE_NEWUTS)
    .union(CloneFlags::CLONE_NEWCGROUP);
/// Most empty networks that are kept for later rooms.
const MAX_NETWORKS: usize = 64;

/// What a process of this program does that was started as a builder.
pub(in crate::exec::native) fn run() -> ExitCode {
    let Ok(socket) = rustix::stdio::stdin().try_clone_to_owned() else { return ExitCode::FAILURE };
    let socket = UnixStream::from(socket);
    let Err(error) = begin(&socket) else { return ExitCode::SUCCESS };
    // Nobody else can be told.
    let _ = send(&socket, &[FAILED.into(), error.to_string().into()], &[]);
    ExitCode::FAILURE
}

/// Shuts this process in, and lets a copy of it build as the first process in there; sees that end.
///
/// # Errors
/// What the kernel does not let us do.
fn begin(socket: &UnixStream) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // What a terminal sends to the node's group is the node's business, which may end its programs in order.
    setsid()?;
    let (user, group) = (getuid().as_raw(), getgid().as_raw());
    unshare(OF_THE_BUILDER)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))?;
    // Another user's, as it is now, hears nothing of its parent's end otherwise.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    match fork()? {
        Fork::Child => serve(socket),
        Fork::Parent(builder) => Ok(waitpid(Pid::from_raw(builder), WaitOptions::empty()).map(drop)?),
    }
}

/// Makes rooms until the node has gone.
///
/// # Errors
/// If there can be none, or the node is gone.
fn serve(socket: &UnixStream) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    setsid()?;
    // Not on the command line, which programs see in `/proc`.
    let Some(private) = receive(socket)?.and_then(|mut frame| frame.words.pop()) else { return Ok(()) };
    let mut builder = Builder::new(Path::new(&private))?;
    send(socket, &[DONE.into(), VERSION.into()], &[])?;
    loop {
        builder.rest(socket)?;
        let Some(frame) = receive(socket)? else { return Ok(()) };
        match builder.room(frame) {
            Ok(room) => send(socket, &[DONE.into()], &[room.as_fd()])?,
            Err(error) => send(socket, &[FAILED.into(), error.to_string().into()], &[])?,
        }
    }
}

/// The namespaces that the builder goes to and fro between, and the rooms that there are.
struct Builder {
    host: File,
    ground: File,
    processes: File,
    networks: Vec<File>,
    rooms: Vec<Room>,
}

/// One that has been made, and has not been seen to end.
struct Room {
    first: Pid,
    handle: OwnedFd,
    network: File,
}

impl Builder {
    fn new(private: &Path) -> io::Result<Self> {
        let own = |name: &str| File::open(format!("/proc/self/ns/{name}"));
        rustix::system::sethostname(b"compup2p")?;
        // What is mounted on the host later is seen, what is mounted here is not seen there.
        mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?;
        let (host, processes, network) = (own("mnt")?, own("pid")?, own("net")?);
        ground::make(private)?;
        let ground = own("mnt")?;
        setns(&host, CloneFlags::CLONE_NEWNS)?;
        // Whether it can be applied, each room sees for itself.
        let _ = filter::prepared(true);
        Ok(Self { host, ground, processes, networks: vec![network], rooms: Vec::new() })
    }

    /// Sees rooms end until there is something to read.
    fn rest(&mut self, socket: &UnixStream) -> io::Result<()> {
        loop {
            let mut wanted = vec![PollFd::new(socket, PollFlags::IN)];
            wanted.extend(self.rooms.iter().map(|room| PollFd::new(&room.handle, PollFlags::IN)));
            match poll(&mut wanted, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let is_asked = wanted.first().is_some_and(|socket| !socket.revents().is_empty());
            let has_ended: Vec<bool> = wanted.iter().skip(1).map(|room| !room.revents().is_empty()).collect();
            self.leave(&has_ended);
            if is_asked {
                return Ok(());
            }
        }
    }

    /// Takes the rooms away that have ended, and keeps their networks: see [`Self::network`].
    fn leave(&mut self, has_ended: &[bool]) {
        let rooms = std::mem::take(&mut self.rooms).into_iter().enumerate();
        for (at, room) in rooms {
            let is_over = has_ended.get(at) == Some(&true)
                && matches!(waitpid(Some(room.first), WaitOptions::NOHANG), Ok(Some(_)));
            if !is_over {
                self.rooms.push(room);
            } else if self.networks.len() < MAX_NETWORKS {
                self.networks.push(room.network);
            }
        }
    }

    /// Makes the room that `frame` asks for and starts its first process; returns a handle on that.
    fn room(&mut self, frame: Frame) -> io::Result<OwnedFd> {
        let request = Request::read(frame).ok_or(io::ErrorKind::InvalidData)?;
        let trees = request.places.iter().map(|(from, to)| Ok((ground::tree(from)?, *to)));
        let trees = trees.collect::<io::Result<Vec<(OwnedFd, &str)>>>()?;
        let network = self.network()?;
        setns(&self.ground, CloneFlags::CLONE_NEWNS)?;
        let first = self.furnish(&trees).and_then(|()| start(request));
        // Whatever has come of it, the next one is begun where this one was.
        setns(&self.host, CloneFlags::CLONE_NEWNS)?;
        let first = first?;
        match handle(first) {
            Ok((handle, copy)) => {
                self.rooms.push(Room { first, handle, network });
                Ok(copy)
            }
            Err(error) => {
                let _ = kill_process(first, Signal::KILL)
                    .and_then(|()| waitpid(Some(first), WaitOptions::empty()).map(drop));
                Err(error)
            }
        }
    }

    /// Puts on a copy of the ground what is the program's own.
    fn furnish(&self, trees: &[(OwnedFd, &str)]) -> io::Result<()> {
        unshare(OF_A_ROOM)?;
        for (tree, to) in trees {
            let to = Path::new(to);
            ground::put(tree, to)?;
            let kept = if to.starts_with(OWN) { MountFlags::RDONLY } else { MountFlags::empty() };
            ground::restrict(to, kept | MountFlags::NOSUID | MountFlags::NODEV)?;
        }
        let shut = MountFlags::NOSUID | MountFlags::NODEV;
        let size = CString::new(format!("mode=755,size={SHARED_MEMORY}"))?;
        mount("shared-memory", "/dev/shm", "tmpfs", shut, size.as_c_str())?;
        let terminals = c"newinstance,ptmxmode=0666,mode=620";
        mount("terminals", "/dev/pts", "devpts", MountFlags::NOSUID | MountFlags::NOEXEC, terminals)?;
        // The next process that is started is the first one of a process namespace.
        setns(&self.processes, CloneFlags::CLONE_NEWPID)?;
        Ok(unshare(CloneFlags::CLONE_NEWPID)?)
    }

    /// Goes into a network that nothing else is in: without interfaces but the one to itself, which is down.
    ///
    /// To make one and take it away costs more than all the rest of a room, so they are kept. Nothing is left in one that
    /// the next program could find: whoever was in it had no privilege to set anything, its filter lets no sockets through
    /// but local ones, and those with a name end with their processes, all of which have ended before it is kept.
    fn network(&mut self) -> io::Result<File> {
        if let Some(kept) = self.networks.pop() {
            setns(&kept, CloneFlags::CLONE_NEWNET)?;
            return Ok(kept);
        }
        unshare(CloneFlags::CLONE_NEWNET)?;
        File::open("/proc/self/ns/net")
    }
}

/// What the node asks for.
struct Request {
    /// What of the host is put where.
    places: Vec<(PathBuf, &'static str)>,
    /// Standard output and error.
    streams: [OwnedFd; 2],
    /// Through which the first process tells how it ended.
    told: OwnedFd,
    /// The door of its control group.
    group: Option<OwnedFd>,
    orders: Orders,
}

/// Where the directories and files of a room are in it, in the order in which a request names them.
const PLACES: [&str; 4] = [WORK, TEMPORARY, "/run/compup2p/program", "/run/compup2p/stdin"];

impl Request {
    fn read(frame: Frame) -> Option<Self> {
        let mut files = frame.files.into_iter();
        let [told, stdout, stderr] = [files.next()?, files.next()?, files.next()?];
        let mut words = frame.words.into_iter();
        let mut places = Vec::new();
        for place in PLACES {
            let from = words.next()?;
            if !from.is_empty() {
                places.push((from.into(), place));
            }
        }
        // The first one names the command, which nobody has to be told here.
        let orders = Orders::read(words.skip(1)).ok()?;
        Some(Self { places, streams: [stdout, stderr], told, group: files.next(), orders })
    }
}

/// Starts the first process of a room, as a copy of this one.
fn start(request: Request) -> io::Result<Pid> {
    let Request { streams, told, group, orders, .. } = request;
    match fork()? {
        Fork::Parent(first) => Pid::from_raw(first).ok_or(io::ErrorKind::NotFound.into()),
        Fork::Child => {
            // What this process has of the builder's is never used again, and nothing of it may be dropped: its files are
            // closed by their numbers.
            std::process::exit(enter::in_room(&orders, &streams, told, group).into())
        }
    }
}

/// A handle on a child, twice.
fn handle(child: Pid) -> io::Result<(OwnedFd, OwnedFd)> {
    let handle = pidfd_open(child, PidfdFlags::empty())?;
    let copy = handle.try_clone()?;
    Ok((handle, copy))
}
