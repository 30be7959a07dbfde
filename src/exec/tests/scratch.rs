//! What a program sees and leaves.

use super::{Bench, WIDE, example};
use crate::exec::scratch::{Scratch, Usage, is_plain, measure, output};
use proto::message::service::Outcome;
use rustix::fs::XattrFlags;
use std::path::Path;
use tempfile::TempDir;

#[test]
fn nothing_outside_is_reached() {
    let bench = Bench::new(&example("faults/escape.wasm"), &[], WIDE);
    let ended = bench.run();
    let report = String::from_utf8(ended.stdout).unwrap();
    assert!(!report.contains("OPENED"), "{report}");
    assert!(report.lines().count() >= 30, "{report}");
    assert!(report.ends_with("0 escaped\n"), "{report}");
    assert_eq!(ended.outcome, Outcome::Succeeded);
    assert_eq!(std::fs::read_dir(bench.scratch.path()).unwrap().count(), 0);
}

#[test]
fn a_scratch_directory_vanishes_with_all_that_is_in_it() {
    let base = TempDir::new().unwrap();
    let source = base.path().join("source");
    std::fs::write(&source, b"abc").unwrap();
    let scratch = Scratch::new(base.path()).unwrap();
    scratch.place("deep/er/file", &source).unwrap();
    let path = scratch.path().to_path_buf();
    assert_eq!(measure(&path).unwrap(), Usage { bytes: 3, entries: 3 });
    assert!(path.join("deep/er/file").is_file());
    drop(scratch);
    assert!(!path.exists());
    assert!(source.exists());
}

#[test]
fn a_renewed_directory_is_as_a_new_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let base = TempDir::new().unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let check = |leave: &dyn Fn(&Path) -> bool| {
        let scratch = Scratch::new(base.path()).unwrap();
        let former = scratch.path().to_path_buf();
        let may_stay = leave(&former);
        let renewed = scratch.renewed().unwrap();
        assert_eq!(renewed.path() == former, may_stay);
        assert_eq!(former.exists(), may_stay);
        assert_eq!((measure(renewed.path()).unwrap(), mode(renewed.path())), (Usage::default(), 0o700));
    };
    check(&|_| true);
    check(&|path| std::fs::create_dir_all(path.join("deep/er")).is_ok());
    check(&|path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o0)).is_ok());
    // Where the file system has attributes.
    check(&|path| rustix::fs::setxattr(path, "user.left", b"secret", XattrFlags::empty()).is_err());
    assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0);
}

#[test]
fn a_sweep_removes_scratch_directories_and_nothing_else() {
    let base = TempDir::new().unwrap();
    for dir in ["run-left", "kept"] {
        std::fs::create_dir(base.path().join(dir)).unwrap();
    }
    std::fs::write(base.path().join("run-file"), b"").unwrap();
    Scratch::sweep(base.path()).unwrap();
    let mut left: Vec<_> = std::fs::read_dir(base.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["kept", "run-file"]);
}

#[test]
fn names_that_lead_out_are_not_plain() {
    for (name, expected) in [
        ("a", true),
        ("a/b.txt", true),
        ("", false),
        (".", false),
        ("..", false),
        ("../a", false),
        ("a/../b", false),
        ("/a", false),
        ("./a", false),
        ("a\\b", false),
        ("a\0", false),
    ] {
        assert_eq!(is_plain(name), expected, "{name:?}");
    }
}

#[test]
fn an_input_is_a_copy_and_has_a_name_of_its_own() {
    let base = TempDir::new().unwrap();
    let source = base.path().join("source");
    std::fs::write(&source, b"abc").unwrap();
    let scratch = Scratch::new(base.path()).unwrap();
    scratch.place("copy", &source).unwrap();
    std::fs::write(scratch.path().join("copy"), b"changed").unwrap();
    assert_eq!(std::fs::read(&source).unwrap(), b"abc");
    assert!(scratch.place("copy", &source).is_err());
    assert!(scratch.place("../out", &source).is_err());
    assert!(!base.path().join("out").exists());
}

#[cfg(unix)]
#[test]
fn an_output_is_a_regular_file_and_no_link_leads_to_it() {
    use std::os::unix::fs::symlink;
    let base = TempDir::new().unwrap();
    std::fs::create_dir(base.path().join("outside")).unwrap();
    std::fs::write(base.path().join("outside/secret"), b"secret").unwrap();
    let scratch = Scratch::new(base.path()).unwrap();
    let path = scratch.path();
    std::fs::create_dir(path.join("dir")).unwrap();
    std::fs::write(path.join("dir/file"), b"").unwrap();
    symlink(base.path().join("outside"), path.join("way")).unwrap();
    symlink(base.path().join("outside/secret"), path.join("link")).unwrap();
    symlink("dir/file", path.join("inner")).unwrap();
    for (name, expected) in [
        ("dir/file", Some(path.join("dir/file"))),
        ("dir", None),
        ("none", None),
        ("link", None),
        ("inner", None),
        ("way/secret", None),
        ("../outside/secret", None),
    ] {
        assert_eq!(output(path, name), expected, "{name}");
    }
}
