//! The ground that every room stands on: one root of mounts, made once for a builder.
//!
//! It has what all programs see alike, to be read only: the system, the private `/etc` and devices. What is
//! a program's own is put on a copy of it (see [`super::room`]).

use crate::exec::native::launch::{DEVICES, OWN, SYSTEM};
use nix::sched::{CloneFlags, unshare};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{CWD, StatVfsMountFlags, statvfs};
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount, mount_change,
    mount_remount, move_mount, open_tree, unmount,
};
use std::ffi::CStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Links of `/dev`, and where they lead.
const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];
/// Where the root of the host is for as long as the ground is being made.
const OLD: &str = "host";
/// Most of the ground's own files: directories and links, no data.
const SIZE: &CStr = c"mode=755,size=1m";

/// Makes the ground over the directory `private`, which becomes its `/etc`.
/// Leaves this process standing in it, in a mount namespace of its own.
///
/// # Errors
/// What the kernel does not let us do, and where.
pub(super) fn make(private: &Path) -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    let etc = tree(private)?;
    // What is mounted over the directory is seen here alone.
    mount("ground", private, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, SIZE)?;
    let at = |name: &str| private.join(name.trim_start_matches('/'));
    for name in [OLD, "etc", "proc", "dev", "work", "tmp", OWN] {
        fs::create_dir_all(at(name))?;
    }
    for path in SYSTEM {
        if let Ok(target) = fs::read_link(path) {
            symlink(target, at(path))?;
        } else if Path::new(path).is_dir() {
            fs::create_dir_all(at(path))?;
            put(&tree(Path::new(path))?, &at(path))?;
        }
    }
    put(&etc, &at("etc"))?;
    for name in ["program", "stdin"] {
        File::create(at(OWN).join(name))?;
    }
    devices(&at("dev"))?;
    // Nothing of it is hidden, as the kernel requires before it shows that of a new process namespace.
    let shut = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", at("proc"), "proc", shut, c"")?;
    std::env::set_current_dir(private)?;
    rustix::process::pivot_root(".", OLD)?;
    std::env::set_current_dir("/")?;
    let old = Path::new("/").join(OLD);
    unmount(&old, UnmountFlags::DETACH)?;
    fs::remove_dir(&old)?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    for place in mounts()? {
        if !place.starts_with("/dev") && !place.starts_with("/proc") {
            restrict(&place, MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV)?;
        }
    }
    restrict(Path::new("/dev"), MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NOEXEC)
}

/// What is at `path`, with all that is mounted below it, to be put elsewhere.
///
/// # Errors
/// If it is not there, or the kernel does not let us.
pub(super) fn tree(path: &Path) -> io::Result<OwnedFd> {
    let how = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    Ok(open_tree(CWD, path, how)?)
}

/// Puts it there.
///
/// # Errors
/// If there is no such place.
pub(super) fn put(tree: &OwnedFd, to: &Path) -> io::Result<()> {
    Ok(move_mount(tree.as_fd(), c"", CWD, to, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?)
}

/// Adds restrictions to what is mounted at `path`; those that it has stay, as the kernel requires.
///
/// # Errors
/// If nothing is mounted there.
pub(super) fn restrict(path: &Path, more: MountFlags) -> io::Result<()> {
    let has = statvfs(path)?.f_flag;
    let mut flags = more | MountFlags::BIND;
    for (bit, flag) in [
        (StatVfsMountFlags::RDONLY, MountFlags::RDONLY),
        (StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
    ] {
        if has.contains(bit) {
            flags |= flag;
        }
    }
    Ok(mount_remount(path, flags, c"")?)
}

/// Devices that hold nothing, in a directory that nobody can add to.
fn devices(dev: &Path) -> io::Result<()> {
    let shut = MountFlags::NOSUID | MountFlags::NOEXEC;
    mount("devices", dev, "tmpfs", shut, c"mode=755,size=64k")?;
    for path in DEVICES {
        let Some(name) = Path::new(path).file_name() else { continue };
        File::create(dev.join(name))?;
        put(&tree(Path::new(path))?, &dev.join(name))?;
    }
    for (name, target) in LINKS {
        symlink(target, dev.join(name))?;
    }
    fs::create_dir(dev.join("shm"))?;
    fs::create_dir(dev.join("pts"))
}

/// Where something is mounted in this namespace.
fn mounts() -> io::Result<Vec<PathBuf>> {
    let list = fs::read_to_string("/proc/self/mountinfo")?;
    Ok(list.lines().filter_map(|line| line.split(' ').nth(4)).map(plain).collect())
}

/// A path as the kernel writes it: what would end it has three octal digits.
fn plain(text: &str) -> PathBuf {
    let mut path = text.to_owned();
    for (written, meant) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        path = path.replace(written, meant);
    }
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_as_they_are_called() {
        for (text, expected) in
            [("/usr", "/usr"), ("/mnt/a\\040b\\011c", "/mnt/a b\tc"), ("/x\\134040", "/x\\040")]
        {
            assert_eq!(plain(text), Path::new(expected), "{text}");
        }
        assert!(mounts().unwrap().contains(&PathBuf::from("/")));
    }
}
