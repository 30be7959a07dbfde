//! Which walls this machine has to put around a native program, and how to come by those that it has not.

use super::builder::Builder;
use super::confine::{has_filter, landlock_version};
use super::launch::{self, Scene};
use super::orders::{Stage, VERSION, WORD};
use crate::exec::{Layer, LayerState};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The walls without which `limits.sandbox = "required"` runs nothing.
pub(crate) const REQUIRED: [&str; 3] = ["namespaces", "landlock", "seccomp"];

/// The variable that names bubblewrap's file, which then makes all namespaces; empty for none.
const CHOSEN: &str = "COMPUP2P_BWRAP";
/// The name of the small program.
const SMALL: &str = "compup2p-enter";
/// Where bubblewrap is looked for when the search path does not have it.
const USUAL: [&str; 3] = ["/usr/bin", "/usr/local/bin", "/bin"];
/// The version of Landlock from which on TCP, signals and abstract sockets are held back too (Linux 6.12).
const WHOLE_LANDLOCK: u32 = 6;

/// The walls that stand here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Walls {
    /// Whether we make namespaces ourselves (see [`super::builder`]), or why not.
    pub(super) rooms: Result<(), String>,
    /// bubblewrap, where it works, or why not: for containers, and where there are no rooms.
    pub(super) bubblewrap: Result<PathBuf, String>,
    /// The version of Landlock; 0: none.
    pub(super) landlock: u32,
    /// Whether system calls can be filtered.
    pub(super) has_filter: bool,
    /// Whether this process is root's.
    pub(super) is_root: bool,
    /// Whether the kernel counts memory and processes of each program as a whole (see [`super::group`]), or why not.
    pub(super) groups: Result<(), String>,
}

impl Walls {
    /// Looks at this machine; `helper` is this program, which a trial is made with, as one is with `builder`.
    pub(super) fn of_this_machine(helper: &Path, builder: &Builder, groups: Result<(), String>) -> Self {
        let has_filter = has_filter();
        Self {
            rooms: rooms(has_filter, builder),
            bubblewrap: bubblewrap(helper),
            landlock: landlock_version(),
            has_filter,
            is_root: rustix::process::geteuid().is_root(),
            groups,
        }
    }

    /// None of them, as `limits.sandbox = "none"` has it.
    pub(super) fn none() -> Self {
        let off = || "the policy says `limits.sandbox = \"none\"`".to_owned();
        let (rooms, bubblewrap) = (Err(off()), Err(off()));
        Self { rooms, bubblewrap, landlock: 0, has_filter: false, is_root: false, groups: Err(off()) }
    }

    /// The first wall that is missing of those in [`REQUIRED`].
    pub(super) fn missing(&self) -> Option<&'static str> {
        let stands = [self.has_namespaces(), self.landlock > 0, self.has_filter];
        REQUIRED.into_iter().zip(stands).find(|(_, stands)| !stands).map(|(name, _)| name)
    }

    /// Whether programs get namespaces of their own, whoever makes them.
    pub(super) const fn has_namespaces(&self) -> bool {
        self.rooms.is_ok() || self.bubblewrap.is_ok()
    }

    /// Whether the number of a program's processes can be held down. For root the kernel does not count them, and who only
    /// looks now and then comes too late for a program that multiplies: in a namespace all of them end with its first one.
    pub(super) const fn bound_processes(&self) -> bool {
        self.has_namespaces() || !self.is_root
    }

    /// Whether at least one wall keeps a program from the owner's files, without which "best" runs nothing either.
    pub(super) const fn hides_files(&self) -> bool {
        self.has_namespaces() || self.landlock > 0
    }

    /// All of them, the outermost first.
    pub(super) fn layers(&self) -> Vec<Layer> {
        let state = |missing: Option<String>| missing.map_or(LayerState::Active, LayerState::Missing);
        let landlock = match self.landlock {
            0 => {
                Some("needs Linux 5.13 or later with `landlock` in the kernel's parameter `lsm=`".to_owned())
            }
            WHOLE_LANDLOCK.. => None,
            version => Some(format!(
                "version {version}: files are held back, {}signals and abstract sockets are not; needs Linux 6.12",
                if version < 4 { "TCP, " } else { "" }
            )),
        };
        let filter =
            (!self.has_filter).then(|| "needs a kernel with seccomp filters (CONFIG_SECCOMP_FILTER)".into());
        let root = self.is_root.then(|| "the node runs as root: give it a user of its own".to_owned());
        let layer = |name, what, state| Layer { name, what, state };
        vec![
            layer("own-user", "a node without privileges has none to lose", state(root)),
            layer(
                "namespaces",
                "no network, other processes, owner's files or devices to be seen",
                state(self.bubblewrap.clone().err().filter(|_| !self.has_namespaces())),
            ),
            layer(
                "rooms",
                "namespaces made by the node itself, where it may: they cost a part of bubblewrap's",
                state(self.rooms.clone().err()),
            ),
            layer(
                "bubblewrap",
                "namespaces of containers, and of programs where there are no rooms",
                state(self.bubblewrap.clone().err()),
            ),
            layer("landlock", "files, TCP and signals, once more by the kernel's own rules", state(landlock)),
            layer("seccomp", "calls that programs do not need to compute", state(filter)),
            layer(
                "limits",
                "memory, time, files and processes, looked at a hundred times a second",
                LayerState::Active,
            ),
            layer(
                "cgroups",
                "memory, processes and time of a program as a whole, counted by the kernel",
                state(self.groups.clone().err()),
            ),
        ]
    }
}

/// The small program for the step into the sandbox, where one of our version lies beside `own`, which is as good and only
/// costs more; beside, or one directory up, as for benches.
pub(super) fn helper(own: PathBuf) -> PathBuf {
    let places = own.ancestors().skip(1).take(2);
    let understands = |file: &PathBuf| {
        let told = Command::new(file).args([WORD, Stage::Trial.word()]).env_clear().output();
        told.is_ok_and(|told| told.status.success() && told.stdout == VERSION.as_bytes())
    };
    let found = places.map(|place| place.join(SMALL)).filter(|file| file.is_file()).find(understands);
    found.unwrap_or(own)
}

/// Whether a builder can be had. Who names what makes namespaces wants no other; and the filter is part of why a network
/// can be kept for the next program.
fn rooms(has_filter: bool, builder: &Builder) -> Result<(), String> {
    if env::var_os(CHOSEN).is_some() {
        return Err(format!("the variable `{CHOSEN}` says what makes namespaces"));
    }
    if !has_filter {
        return Err("they need a kernel with seccomp filters".into());
    }
    builder.start().map_err(|why| {
        format!(
            "the node may not make namespaces ({why}): see the sysctls `user.max_user_namespaces` and \
             `kernel.apparmor_restrict_unprivileged_userns`"
        )
    })
}

/// bubblewrap, if a trial with it succeeds.
fn bubblewrap(helper: &Path) -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain(USUAL.map(PathBuf::from));
    let found = match env::var_os(CHOSEN) {
        Some(chosen) => Some(PathBuf::from(chosen)).filter(|file| file.is_file()),
        None => places.map(|place| place.join("bwrap")).find(|file| file.is_file()),
    };
    let found = found.ok_or("bubblewrap is not installed; get it with `apt install bubblewrap`")?;
    let scene = Scene::trial(helper);
    let mut command = Command::new(&found);
    command.args(launch::trial(&scene)).env_clear();
    let output = command.output().map_err(|error| format!("{}: {error}", found.display()))?;
    if output.status.success() {
        return Ok(found);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().last().unwrap_or("it says nothing").to_owned();
    Err(format!(
        "bubblewrap does not work here ({said}); it needs user namespaces: see the sysctls \
         `user.max_user_namespaces` and `kernel.apparmor_restrict_unprivileged_userns`"
    ))
}
