//! What the first process in a room does to it before it shuts itself in: it stands in the new process namespace, and is
//! the only one who can show its processes.

use crate::exec::native::launch::{SECRETS, WORK};
use nix::sched::{CloneFlags, unshare};
use rustix::fd::AsFd as _;
use rustix::fs::{Mode, OFlags, openat};
use rustix::mount::{MountFlags, mount, mount_bind};
use rustix::process::setsid;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// Completes the room around this process, and makes it a user that has none of its privileges outside. The room cannot
/// be changed after that, and no further user namespace be made in it.
///
/// # Errors
/// What the kernel does not let us do.
pub(in crate::exec::native) fn complete() -> io::Result<()> {
    // That of the builder's namespace, where this process has a number too; it is out of sight after the next step.
    let seen_by_builder = File::open("/proc")?;
    // To be read only: it has what would change the machine, and some of that belongs to the user whose node it is.
    let shut = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::RDONLY;
    mount("proc", "/proc", "proc", shut, c"")?;
    for path in SECRETS {
        if Path::new(path).exists() {
            mount_bind("/dev/null", path)?;
        }
    }
    unshare(CloneFlags::CLONE_NEWUSER)?;
    for (name, text) in
        [("self/uid_map", "1000 0 1"), ("self/gid_map", "1000 0 1"), ("sys/user/max_user_namespaces", "0")]
    {
        let file = openat(seen_by_builder.as_fd(), name, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
        File::from(file).write_all(text.as_bytes())?;
    }
    setsid()?;
    std::env::set_current_dir(WORK)
}
