//! The command that starts a program behind the walls of this machine.

use super::orders::{Orders, Stage};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where things are in the sandbox.
pub(super) const WORK: &str = "/work";
pub(super) const TEMPORARY: &str = "/tmp";
pub(super) const OWN: &str = "/run/compup2p";
/// Size of `/dev/shm`, in bytes: for the semaphores of runtimes, not for data, since it counts for nobody.
pub(super) const SHARED_MEMORY: u64 = 16 << 20;
/// What of the system programs see, where it is there. Each may be a symbolic link, as most are by now.
pub(super) const SYSTEM: [&str; 9] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store"];
/// What of `/etc` they need: where libraries are, and which of several programs a name means.
pub(super) const SETTINGS: [&str; 4] =
    ["/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"];
/// Devices that a program may use where it sees those of the host.
pub(super) const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
/// Parts of `/proc` that tell of the machine what is its owner's business: they belong to root, and so does a program of a
/// node that is run by root. Nothing of `/proc` can be written to.
pub(super) const SECRETS: [&str; 2] = ["/proc/kcore", "/proc/timer_list"];

/// The private files of `/etc`: a user without a name of the host's, and no name but this machine's.
pub(super) const PRIVATE: [(&str, &str); 6] = [
    (
        "passwd",
        "root:x:0:0::/:/bin/sh\ncompup2p:x:1000:1000::/work:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
    ),
    ("group", "root:x:0:\ncompup2p:x:1000:\nnogroup:x:65534:\n"),
    ("hosts", "127.0.0.1 localhost compup2p\n"),
    ("hostname", "compup2p\n"),
    ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
    ("machine-id", "00000000000000000000000000000000\n"),
];

/// What the program runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// The system of this machine, as far as programs need it.
    Host,
    /// An unpacked image.
    Image(PathBuf),
}

/// Where everything is on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scene {
    /// This program, and the libraries it is linked with, its loader among them.
    pub(super) helper: PathBuf,
    pub(super) libraries: Vec<PathBuf>,
    pub(super) root: Root,
    /// The directory with [`PRIVATE`] and [`SETTINGS`].
    pub(super) private: PathBuf,
    /// The scratch directory, and the one for temporary files.
    pub(super) scratch: PathBuf,
    pub(super) temporary: PathBuf,
    /// The program: a file that may be executed, or none where the image has it.
    pub(super) program: Option<PathBuf>,
    pub(super) stdin: Option<PathBuf>,
}

impl Scene {
    /// A scene without a program.
    pub(super) fn trial(helper: &Path) -> Self {
        let none = PathBuf::new;
        let (private, scratch, temporary) = (none(), none(), none());
        let (program, stdin, libraries) = (None, None, Vec::new());
        Self {
            helper: helper.into(),
            libraries,
            root: Root::Host,
            private,
            scratch,
            temporary,
            program,
            stdin,
        }
    }

    /// The orders for this scene within namespaces: paths as they are in there.
    pub(super) fn within(&self, orders: Orders, has_landlock: bool) -> Orders {
        let own = |name: &str| Path::new(OWN).join(name);
        let paths =
            |list: &[&str]| if has_landlock { list.iter().map(PathBuf::from).collect() } else { Vec::new() };
        Orders {
            stage: Stage::Whole,
            stdin: self.stdin.as_ref().map(|_| own("stdin")),
            readable: paths(&["/"]),
            writable: paths(&[WORK, TEMPORARY, "/dev"]),
            has_local_sockets: true,
            program: self.program.as_ref().map_or(orders.program, |_| own("program")),
            ..orders
        }
    }

    /// The orders without namespaces: paths of the host.
    pub(super) fn beside(&self, orders: Orders, has_landlock: bool) -> Orders {
        let seen = SYSTEM.iter().chain(&SETTINGS).map(PathBuf::from);
        let seen = seen.chain(self.program.clone()).chain(self.stdin.clone());
        let writable = [self.scratch.clone(), self.temporary.clone()];
        let writable = writable.into_iter().chain(DEVICES.map(PathBuf::from));
        Orders {
            stage: Stage::Outer,
            stdin: self.stdin.clone(),
            readable: if has_landlock { seen.collect() } else { Vec::new() },
            writable: if has_landlock { writable.collect() } else { Vec::new() },
            has_local_sockets: false,
            lays_down: has_landlock,
            program: self.program.clone().unwrap_or(orders.program),
            ..orders
        }
    }

    /// The options of bubblewrap for this scene.
    pub(super) fn options(&self) -> Vec<OsString> {
        let mut options = Options::default();
        options.walls();
        match &self.root {
            Root::Host => {
                options.system();
                options.bind("--ro-bind", &self.private, "/etc");
            }
            Root::Image(root) => {
                options.bind("--ro-bind", root, "/");
                for (name, _) in PRIVATE {
                    options.bind("--ro-bind", &self.private.join(name), &format!("/etc/{name}"));
                }
            }
        }
        options.kernel();
        options.bind("--bind", &self.scratch, WORK);
        options.bind("--bind", &self.temporary, TEMPORARY);
        options.own(self);
        options.words(&["--chdir", WORK]);
        options.0
    }

    /// The command within the sandbox that takes [`Orders`].
    pub(super) fn helper(&self) -> Vec<OsString> {
        let own = |name: &str| OsString::from(format!("{OWN}/{name}"));
        match (&self.root, self.loader()) {
            // An image has libraries of its own, or none: ours come with us.
            (Root::Image(_), Some(_)) => {
                vec![own("lib/loader"), "--library-path".into(), own("lib"), own("enter")]
            }
            _ => vec![own("enter")],
        }
    }

    /// The loader among the libraries.
    fn loader(&self) -> Option<&PathBuf> {
        let is_loader = |path: &&PathBuf| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("ld-"))
        };
        self.libraries.iter().find(is_loader)
    }
}

/// The command line of a trial: the walls and the system, and a helper that does nothing.
pub(super) fn trial(scene: &Scene) -> Vec<OsString> {
    let mut options = Options::default();
    options.walls();
    options.system();
    options.kernel();
    options.bind("--ro-bind", &scene.helper, &format!("{OWN}/enter"));
    let mut words = options.0;
    words.push("--".into());
    words.extend(scene.helper());
    words.extend(Orders { stage: Stage::Trial, ..Orders::default() }.arguments().into_iter().take(2));
    words
}

/// The libraries that this process is linked with: what is mapped into it.
pub(super) fn own_libraries() -> Vec<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let paths = maps.lines().filter_map(|line| line.find('/').and_then(|at| line.get(at..)));
    let is_library = |path: &&str| path.rsplit('/').next().is_some_and(|name| name.contains(".so"));
    let mut paths: Vec<PathBuf> = paths.filter(is_library).map(PathBuf::from).collect();
    paths.sort();
    paths.dedup();
    paths
}

#[derive(Default)]
struct Options(Vec<OsString>);

impl Options {
    fn words(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(OsString::from));
    }

    fn bind(&mut self, how: &str, from: &Path, to: &str) {
        self.0.extend([how.into(), from.into(), to.into()]);
    }

    /// Namespaces of its own for everything, and no way to make more.
    fn walls(&mut self) {
        self.words(&[
            "--unshare-all",
            "--unshare-user",
            "--disable-userns",
            "--die-with-parent",
            "--new-session",
        ]);
        self.words(&[
            "--as-pid-1",
            "--hostname",
            "compup2p",
            "--uid",
            "1000",
            "--gid",
            "1000",
            "--cap-drop",
            "ALL",
        ]);
    }

    fn system(&mut self) {
        for path in SYSTEM {
            match std::fs::read_link(path) {
                Ok(target) => self.bind("--symlink", &target, path),
                Err(_) => self.bind("--ro-bind-try", Path::new(path), path),
            }
        }
    }

    /// `/proc` and `/dev` of the sandbox's own, to be read only.
    fn kernel(&mut self) {
        self.words(&["--proc", "/proc"]);
        for path in SECRETS {
            if Path::new(path).exists() {
                self.bind("--ro-bind", Path::new("/dev/null"), path);
            }
        }
        self.words(&["--remount-ro", "/proc"]);
        self.words(&["--dev", "/dev", "--size", &SHARED_MEMORY.to_string(), "--tmpfs", "/dev/shm"]);
        self.words(&["--remount-ro", "/dev"]);
    }

    /// What is ours in the sandbox; after it nothing can be put into its root.
    fn own(&mut self, scene: &Scene) {
        self.bind("--ro-bind", &scene.helper, &format!("{OWN}/enter"));
        for (from, name) in [(&scene.program, "program"), (&scene.stdin, "stdin")] {
            if let Some(from) = from {
                self.bind("--ro-bind", from, &format!("{OWN}/{name}"));
            }
        }
        if matches!(scene.root, Root::Image(_)) {
            let loader = scene.loader();
            for library in &scene.libraries {
                let name = if Some(library) == loader {
                    Some("loader".into())
                } else {
                    library.file_name().map(|n| n.to_string_lossy())
                };
                let name: Option<std::borrow::Cow<'_, str>> = name;
                if let Some(name) = name {
                    self.bind("--ro-bind", library, &format!("{OWN}/lib/{name}"));
                }
            }
        }
        self.words(&["--remount-ro", "/"]);
    }
}
