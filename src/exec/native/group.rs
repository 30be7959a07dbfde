//! Control groups of version 2, where one is delegated to the node: the kernel then holds a program as a whole to its memory
//! and its processes, and counts its processor time, whoever waits for whom and however short they live.
//!
//! A group that has controllers for those below it may not hold processes itself. So of the one that the node begins in
//! come, below it:
//!
//! | group | holds |
//! |---|---|
//! | [`NODE`] | the node, and the builder of rooms that it starts later |
//! | `run-1`, `run-2` … | a program each, until it has ended |
//!
//! Nothing here fails a node that has no such group: it looks at its programs as [`super::watch`] does, and says why.

use super::watch::DYING;
use proto::message::service::Limits;
use rustix::fs::{Access, FlockOperation, access, flock};
use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The kernel's word on processes.
pub(super) const PROC: &str = "/proc";
/// Where the node itself is. A service manager may have put it there already (systemd: `DelegateSubgroup=node`).
const NODE: &str = "node";
/// What the groups of programs are called, before their numbers.
const RUN: &str = "run-";
/// The processes of a group, one a line; who is written here is moved.
const PROCESSES: &str = "cgroup.procs";
/// What those below a group have of controllers.
const CONTROL: &str = "cgroup.subtree_control";
/// Ends all that is in a group (Linux 5.14). The machine's own group has none.
const KILL: &str = "cgroup.kill";
/// Beyond its memory limit, what a program's group may have, in bytes. Counted with it are what the kernel keeps for its
/// processes, which is not the program's, and files that it has read, which make room when there is none. What counts for the
/// limit itself is the same on every seller (see [`super::space`]).
const BESIDE: u64 = 16 << 20;
/// The same for each process and thread that it may have: stacks and tables of pages in the kernel.
const BESIDE_EACH: u64 = 256 << 10;
/// The pause between two looks whether it has come.
const AGAIN: Duration = Duration::from_millis(1);

/// A group that may be divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Where the groups below it are made.
    pub(super) base: PathBuf,
    /// Whether this process is in [`NODE`] already.
    is_settled: bool,
    pub(super) has_memory: bool,
    pub(super) has_processes: bool,
}

impl Place {
    /// The group of this process, by the files in `proc`, if it can be divided; nothing is changed.
    ///
    /// # Errors
    /// Why not, in words.
    pub(super) fn find(proc: &Path) -> Result<Self, String> {
        let read =
            |name: &str| fs::read_to_string(proc.join(name)).map_err(|error| format!("{name}: {error}"));
        let (groups, mounts) = (read("self/cgroup")?, read("self/mountinfo")?);
        let path = groups.lines().find_map(|line| line.strip_prefix("0::"));
        let own = path.and_then(|path| mounts.lines().find_map(|line| directory(line, path)));
        let own = own.ok_or("this machine has control groups of version 1 only")?;
        let is_settled = own.ends_with(NODE);
        let base = own.parent().filter(|_| is_settled).unwrap_or(&own).to_path_buf();
        if !base.join(KILL).exists() {
            return Err(not_delegated("it is in the machine's own group, or Linux is older than 5.14"));
        }
        let is_ours = |path: &Path| access(path, Access::WRITE_OK).is_ok();
        if ![base.clone(), base.join(PROCESSES), base.join(CONTROL)].iter().all(|path| is_ours(path)) {
            return Err(not_delegated("it may not divide its group"));
        }
        let listed = |path: &Path, name: &str| fs::read_to_string(path.join(name)).unwrap_or_default();
        let own_number = std::process::id().to_string();
        let others = listed(&base, PROCESSES);
        if others.split_ascii_whitespace().any(|number| is_settled || number != own_number) {
            return Err(not_delegated("other processes are in its group"));
        }
        let controllers = listed(&base, "cgroup.controllers");
        let has = |wanted: &str| controllers.split_ascii_whitespace().any(|one| one == wanted);
        Ok(Self { has_memory: has("memory"), has_processes: has("pids"), base, is_settled })
    }

    /// Whether all that programs are held to is there, or what is not.
    ///
    /// # Errors
    /// What is not, in words.
    pub(super) fn is_whole(&self) -> Result<(), String> {
        let all = [(self.has_memory, "`memory`"), (self.has_processes, "`pids`")];
        let missing: Vec<&str> =
            all.iter().filter(|(is_there, _)| !is_there).map(|(_, name)| *name).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!("the node's control group lacks {}; what it has is used", missing.join(" and ")))
    }

    /// The words that give those below it what it has.
    fn controllers(&self) -> String {
        let words = [(self.has_memory, "+memory"), (self.has_processes, "+pids")];
        words
            .into_iter()
            .filter_map(|(is_there, word)| is_there.then_some(word))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// The group's directory, if this line of `mountinfo` is of a file system of groups and has it.
fn directory(line: &str, path: &str) -> Option<PathBuf> {
    let (mount, kind) = line.split_once(" - ")?;
    let mut fields = mount.split(' ').skip(3);
    let (root, point) = (fields.next()?, fields.next()?);
    let below = Path::new(path).strip_prefix(root).ok().filter(|_| kind.starts_with("cgroup2 "))?;
    // Where this process is outside what it may see, there is nothing for it.
    let is_seen = !below.starts_with("..");
    is_seen.then(|| Path::new(point).join(below))
}

fn not_delegated(why: &str) -> String {
    format!(
        "no control group of version 2 with memory and pids is delegated to this process ({why}); with systemd: \
         `Delegate=yes`"
    )
}

/// The groups of a node.
#[derive(Debug)]
pub(super) struct Groups {
    pub(super) place: Place,
    /// Nobody else divides it meanwhile.
    _lock: File,
    made: AtomicU64,
}

impl Groups {
    /// Divides the group that this process is in: moves it, and ends and removes what an earlier one has left.
    /// To be called before it starts others.
    ///
    /// # Errors
    /// Why that cannot be, in words; then everything is as it was.
    pub(super) fn claim(proc: &Path) -> Result<Self, String> {
        let place = Place::find(proc)?;
        let lock = File::open(&place.base).map_err(|error| not_delegated(&error.to_string()))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| not_delegated("another node has its group"))?;
        place.clear();
        place.settle().map_err(|error| not_delegated(&format!("it cannot divide its group: {error}")))?;
        Ok(Self { place, _lock: lock, made: AtomicU64::new(0) })
    }

    /// A group for a program with these limits, `supervisors` processes of ours beside it.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn group(&self, limits: &Limits, supervisors: u32) -> io::Result<Group> {
        let group = loop {
            let number = self.made.fetch_add(1, Ordering::Relaxed).saturating_add(1);
            let path = self.place.base.join(format!("{RUN}{number}"));
            match fs::create_dir(&path) {
                Ok(()) => break Group(path),
                // One that an earlier node has left and that could not be removed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        };
        if self.place.has_memory {
            let beside = BESIDE.saturating_add(u64::from(limits.processes).saturating_mul(BESIDE_EACH));
            group.set("memory.max", limits.memory.0.saturating_add(beside))?;
            // Not there where the kernel does not count swap; and without the other one only a part of it would be ended.
            let _ = group.set("memory.swap.max", 0);
            let _ = group.set("memory.oom.group", 1);
        }
        if self.place.has_processes {
            group.set("pids.max", limits.processes.saturating_add(supervisors))?;
        }
        Ok(group)
    }
}

impl Place {
    /// Removes the groups of programs of an earlier node.
    fn clear(&self) {
        let entries = fs::read_dir(&self.base).into_iter().flatten().flatten();
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_left = |entry: &fs::DirEntry| {
            entry.file_name().to_string_lossy().strip_prefix(RUN).is_some_and(is_number)
        };
        entries.filter(is_left).for_each(|entry| drop(Group(entry.path())));
    }

    /// Moves this process out of the way, and gives what is below its group the controllers.
    fn settle(&self) -> io::Result<()> {
        let node = self.base.join(NODE);
        if !self.is_settled {
            fs::create_dir(&node).or_else(|error| if node.is_dir() { Ok(()) } else { Err(error) })?;
            fs::write(node.join(PROCESSES), "0")?;
        }
        let given = fs::write(self.base.join(CONTROL), self.controllers());
        if given.is_err() && !self.is_settled {
            let _ = fs::write(self.base.join(PROCESSES), "0").and_then(|()| fs::remove_dir(&node));
        }
        given
    }
}

/// The group of a program. With it ends what is left in there.
#[derive(Debug)]
pub(super) struct Group(PathBuf);

impl Group {
    fn set(&self, name: &str, value: impl Display) -> io::Result<()> {
        fs::write(self.0.join(name), value.to_string())
    }

    /// The way into it, for a process that cannot see it and writes a `0`.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn door(&self) -> io::Result<File> {
        OpenOptions::new().write(true).open(self.0.join(PROCESSES))
    }

    /// Moves a process into it; what that starts from now on is in it too.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn take_in(&self, pid: i32) -> io::Result<()> {
        self.door()?.write_all(pid.to_string().as_bytes())
    }

    /// Processor time of all that is or was in it, in µs.
    pub(super) fn time(&self) -> Option<u64> {
        self.number("cpu.stat", "usage_usec")
    }

    /// Whether the kernel has ended something in it since it had all the memory that it may have.
    pub(super) fn is_out_of_memory(&self) -> bool {
        let has_been = |name| self.number("memory.events", name).is_some_and(|count| count > 0);
        // Where the machine as a whole was out of memory, only the second is counted here.
        has_been("oom") && has_been("oom_kill")
    }

    /// Ends all that is in it.
    pub(super) fn kill(&self) {
        // What is told by the end of its processes.
        let _ = self.set(KILL, 1);
    }

    /// A number that stands behind its name in one of its files.
    fn number(&self, file: &str, name: &str) -> Option<u64> {
        let text = fs::read_to_string(self.0.join(file)).ok()?;
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?.parse().ok()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let deadline = Instant::now() + DYING;
        // Who is on the way to the end may still be in it. What stays is removed by the next node.
        while fs::remove_dir(&self.0).is_err_and(|error| error.kind() == io::ErrorKind::ResourceBusy)
            && Instant::now() < deadline
        {
            self.kill();
            thread::sleep(AGAIN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::message::service::Limits;
    use proto::{Bytes, Cycles, Span};
    use tempfile::TempDir;

    /// A machine whose group `/a/b`, or the one that is named, is divided; files are changed by name, or taken away.
    fn machine(own: &str, changes: &[(&str, Option<&str>)]) -> TempDir {
        let dir = TempDir::new().unwrap();
        let groups = dir.path().join("sys");
        let (own, pid) = (format!("4:memory:/x\n0::{own}\n"), format!("{}\n", std::process::id()));
        let mounts = format!(
            "22 1 8:1 / / rw - ext4 /dev/sda rw\n23 22 0:21 / {} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
            groups.display()
        );
        let usual = [
            ("proc/self/cgroup", Some(own.as_str())),
            ("proc/self/mountinfo", Some(mounts.as_str())),
            ("sys/a/b/cgroup.kill", Some("")),
            ("sys/a/b/cgroup.procs", Some(pid.as_str())),
            ("sys/a/b/cgroup.subtree_control", Some("")),
            ("sys/a/b/cgroup.controllers", Some("cpuset cpu memory pids\n")),
        ];
        for (name, text) in usual.iter().chain(changes) {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            text.map_or_else(|| fs::remove_file(&path), |text| fs::write(&path, text)).unwrap();
        }
        dir
    }

    fn find(machine: &TempDir) -> Result<Place, String> {
        Place::find(&machine.path().join("proc"))
    }

    fn claim(machine: &TempDir) -> Result<Groups, String> {
        Groups::claim(&machine.path().join("proc"))
    }

    fn read(machine: &TempDir, name: &str) -> String {
        fs::read_to_string(machine.path().join("sys/a/b").join(name)).unwrap_or_else(|_| "none".into())
    }

    #[test]
    fn a_group_that_may_be_divided_is_found_and_of_another_it_is_said_why_not() {
        let (version_1, foreign) =
            ("this machine has control groups of version 1 only", "other processes are in its group");
        let (small, shut) =
            ("it is in the machine's own group, or Linux is older than 5.14", "it may not divide its group");
        for (own, changes, expected) in [
            ("/a/b", &[][..], Ok((false, true, true))),
            ("/a/b", &[("sys/a/b/cgroup.controllers", Some("memory\n"))], Ok((false, true, false))),
            ("/a/b", &[("sys/a/b/cgroup.controllers", Some("cpu pids\n"))], Ok((false, false, true))),
            ("/a/b/node", &[("sys/a/b/cgroup.procs", Some(""))], Ok((true, true, true))),
            ("/a/b/node", &[], Err(not_delegated(foreign))),
            ("/a/b", &[("sys/a/b/cgroup.procs", Some("1\n"))], Err(not_delegated(foreign))),
            ("/a/b", &[("sys/a/b/cgroup.kill", None)], Err(not_delegated(small))),
            ("/a/b", &[("sys/a/b/cgroup.subtree_control", None)], Err(not_delegated(shut))),
            ("/a/b", &[("sys/a/b/cgroup.controllers", Some("cpu\n"))], Ok((false, false, false))),
            ("/", &[], Err(not_delegated(small))),
            ("/../c", &[], Err(version_1.into())),
            ("/a/b", &[("proc/self/cgroup", Some("4:memory:/x\n"))], Err(version_1.into())),
            (
                "/a/b",
                &[("proc/self/mountinfo", Some("23 22 0:21 / /sys rw - cgroup cgroup rw,pids\n"))],
                Err(version_1.into()),
            ),
        ] {
            let machine = machine(own, changes);
            let expected = expected.map(|(is_settled, has_memory, has_processes)| Place {
                base: machine.path().join("sys/a/b"),
                is_settled,
                has_memory,
                has_processes,
            });
            assert_eq!(find(&machine), expected, "{own}: {changes:?}");
        }
    }

    #[test]
    fn where_a_file_system_of_groups_shows_only_a_part_paths_start_there() {
        let line = |root: &str| format!("23 22 0:21 {root} /sys/fs/cgroup rw - cgroup2 cgroup2 rw");
        for (root, path, expected) in [
            ("/", "/a/b", Some("/sys/fs/cgroup/a/b")),
            ("/a", "/a/b", Some("/sys/fs/cgroup/b")),
            ("/a/b", "/a/b", Some("/sys/fs/cgroup")),
            ("/c", "/a/b", None),
            ("/", "/../b", None),
        ] {
            assert_eq!(directory(&line(root), path), expected.map(PathBuf::from), "{root} {path}");
        }
    }

    #[test]
    fn what_is_there_of_the_controllers_is_said() {
        for (controllers, missing) in [
            ("memory pids", None),
            ("memory", Some("`pids`")),
            ("pids", Some("`memory`")),
            ("", Some("`memory` and `pids`")),
        ] {
            let machine = machine("/a/b", &[("sys/a/b/cgroup.controllers", Some(controllers))]);
            let lacks = |missing| format!("the node's control group lacks {missing}; what it has is used");
            let expected = missing.map(lacks);
            assert_eq!(find(&machine).unwrap().is_whole().err(), expected);
        }
    }

    #[test]
    fn the_node_goes_out_of_the_way_and_what_an_earlier_one_left_is_removed() {
        for (own, controllers, moved, given) in [
            ("/a/b", "memory pids", "0", "+memory +pids"),
            ("/a/b", "pids", "0", "+pids"),
            ("/a/b/node", "memory", "none", "+memory"),
        ] {
            let none = Some("").filter(|_| own != "/a/b");
            let machine = machine(own, &[("sys/a/b/cgroup.controllers", Some(controllers))]);
            none.iter()
                .for_each(|none| fs::write(machine.path().join("sys/a/b/cgroup.procs"), none).unwrap());
            for left in ["run-3", "run-u3.scope", "other"] {
                fs::create_dir(machine.path().join("sys/a/b").join(left)).unwrap();
            }
            let groups = claim(&machine).unwrap();
            let told = ["node/cgroup.procs", "cgroup.subtree_control"].map(|name| read(&machine, name));
            assert_eq!(told, [moved, given], "{own}");
            let stands = ["run-3", "run-u3.scope", "other"].map(|left| groups.place.base.join(left).exists());
            assert_eq!(stands, [false, true, true]);
            assert_eq!(claim(&machine).err(), Some(not_delegated("another node has its group")));
            drop(groups);
            assert!(claim(&machine).is_ok());
        }
    }

    #[test]
    fn a_group_that_cannot_be_divided_after_all_is_left_as_it_was() {
        let machine = machine("/a/b", &[("sys/a/b/cgroup.subtree_control", None)]);
        // The kernel refuses it while others are in the group; a directory cannot be written to either.
        fs::create_dir(machine.path().join("sys/a/b/cgroup.subtree_control")).unwrap();
        let why = claim(&machine).unwrap_err();
        assert!(why.contains("it cannot divide its group: "), "{why}");
        assert_eq!(read(&machine, "cgroup.procs"), "0");
    }

    #[test]
    fn a_group_is_told_the_limits_of_its_program() {
        let limits = Limits {
            wall: Span::secs(1),
            memory: Bytes::mib(64),
            disk: Bytes::mib(1),
            output: Bytes::mib(1),
            cycles: Cycles::giga(1),
            processes: 32,
            cores: 1,
        };
        let files = ["memory.max", "memory.swap.max", "memory.oom.group", "pids.max"];
        for (controllers, expected) in [
            ("memory pids", ["92274688", "0", "1", "34"]),
            ("memory", ["92274688", "0", "1", "none"]),
            ("pids", ["none", "none", "none", "34"]),
        ] {
            let machine = machine("/a/b", &[("sys/a/b/cgroup.controllers", Some(controllers))]);
            let groups = claim(&machine).unwrap();
            for number in 1..3 {
                let group = groups.group(&limits, 2).unwrap();
                let told = files.map(|file| read(&machine, &format!("run-{number}/{file}")));
                assert_eq!(told, expected, "{controllers}");
                group.kill();
                assert_eq!(read(&machine, &format!("run-{number}/cgroup.kill")), "1");
            }
        }
    }

    #[test]
    fn what_the_kernel_counted_is_read() {
        let events = |oom: u32, killed: u32| {
            format!("low 0\nhigh 0\nmax 9\noom {oom}\noom_kill {killed}\noom_group_kill 7\n")
        };
        for (time, events, expected) in [
            (Some("usage_usec 1234\nuser_usec 1\n"), Some(events(2, 0)), (Some(1_234), false)),
            (Some("user_usec 1\nusage_usec 5\n"), Some(events(2, 2)), (Some(5), true)),
            (Some("usage_usec 5\n"), Some(events(0, 1)), (Some(5), false)),
            (Some("usage_usec x\n"), Some("oom_kill\n".into()), (None, false)),
            (None, None, (None, false)),
        ] {
            let dir = TempDir::new().unwrap();
            let files = [("cpu.stat", time.map(str::to_owned)), ("memory.events", events)];
            for (name, text) in files.iter().filter_map(|(name, text)| Some((name, text.as_ref()?))) {
                fs::write(dir.path().join(name), text).unwrap();
            }
            let group = Group(dir.path().into());
            assert_eq!((group.time(), group.is_out_of_memory()), expected, "{files:?}");
        }
    }
}
