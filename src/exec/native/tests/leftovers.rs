//! What one program leaves for the next: nothing.

use super::{Bench, WIDE, check, kinds, left, prints, told};
use crate::exec::native::tree::Process;
use proto::message::service::Outcome;
use std::fs::{self, File};
use std::path::Path;

/// How many processes of this machine work in a directory or have something in it open.
pub(super) fn processes_in(directory: &Path) -> usize {
    let mine =
        fs::metadata(directory).map(|metadata| std::os::unix::fs::MetadataExt::ino(&metadata)).unwrap_or(0);
    let is_in = |pid: i32| {
        let is_here = |path: std::path::PathBuf| {
            fs::metadata(path).is_ok_and(|metadata| std::os::unix::fs::MetadataExt::ino(&metadata) == mine)
        };
        let is_alive = Process::of(pid).is_some_and(|process| !process.is_over());
        is_alive && is_here(format!("/proc/{pid}/cwd").into())
    };
    let all =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    all.filter(|pid| is_in(*pid)).count()
}

#[test]
fn processes_that_a_program_leaves_behind_end_with_it() {
    for behind in kinds() {
        for script in [
            "sleep 1000 & exit 0",
            "setsid sleep 1000 & exit 0",
            // Twice away from its parent, with its streams closed, as daemons do.
            "(setsid sh -c 'exec >/dev/null 2>&1; trap \"\" TERM HUP; sleep 1000 & sleep 1000' &) ; sleep 0.2; exit 0",
        ] {
            let bench = Bench::shell(script, WIDE);
            let ended = check(&bench, behind, &Outcome::Succeeded);
            assert_eq!(processes_in(bench.scratch.path()), 0, "{behind:?}: {script}");
            assert!(ended.elapsed.as_secs_f64() < 10.0, "{behind:?}: {}", told(&ended));
        }
    }
}

#[test]
fn files_of_one_sub_task_are_not_there_for_the_next() {
    let leave = "for d in . $TMPDIR /tmp /var/tmp /dev/shm /run $HOME; do echo secret > $d/left-by-w6 2>/dev/null; done; exit 0";
    let find =
        "for d in . $TMPDIR /tmp /var/tmp /dev/shm /run $HOME; do ls $d/left-by-w6 2>/dev/null; done; exit 0";
    for behind in kinds() {
        let (first, second) = (Bench::shell(leave, WIDE), Bench::shell(find, WIDE));
        check(&first, behind, &Outcome::Succeeded);
        prints(&second, behind, "");
        // Nor in the directories of the run before it, as sub-tasks of one contract have them.
        let (mut first, find) = (first.renewed(), Bench::shell(find, WIDE));
        first.execution.program.clone_from(&find.execution.program);
        first.execution.program_hash = find.execution.program_hash;
        prints(&first, behind, "");
        // What it left in its own directories is gone with them; nothing else was made beside them.
        let base = first.base.path();
        drop((first.scratch, first.temporary));
        assert_eq!(left(base), ["program"]);
    }
}

#[test]
fn shared_memory_and_queues_of_the_system_are_not_there_to_be_left() {
    let make = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n\
        for call in (libc.shmget, libc.msgget, libc.semget):\n  \
        print(call(4242, 1024, 0o1666) if call is not libc.msgget else call(4242, 0o1666), ctypes.get_errno())";
    for behind in kinds() {
        prints(&Bench::python(make, WIDE), behind, "-1 1\n-1 1\n-1 1\n");
    }
}

#[test]
fn open_files_of_the_node_are_not_open_in_the_program() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), b"secret of the node").unwrap();
    let file = File::open(secret.path()).unwrap();
    // As whoever started the node may have left it: not closed for programs that it starts.
    rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty()).unwrap();
    for behind in kinds() {
        let list = "import os\nn = 0\nfor i in range(3, 1024):\n  try:\n    os.fstat(i)\n    n += 1\n  except OSError: pass\nprint(n)";
        // Python opens its script itself.
        prints(&Bench::python(list, WIDE), behind, "0\n");
    }
    drop(file);
}
