//! Containers: images of their own making, and images that are made to get out.

use super::{Bench, WIDE, told};
use proto::message::service::{Outcome, Runtime};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use tar::{Builder, EntryType, Header};

/// An archive of these files: path, mode, content; a directory where the path ends so.
fn archive(files: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, mode, content) in files {
        let mut header = Header::new_gnu();
        header.set_mode(*mode);
        header.set_size(content.len() as u64);
        header.set_entry_type(if path.ends_with('/') { EntryType::Directory } else { EntryType::Regular });
        builder.append_data(&mut header, path, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn link(builder: &mut Builder<Vec<u8>>, path: &str, target: &str, kind: EntryType) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    header.set_mode(0o777);
    builder.append_link(&mut header, path, target).unwrap();
}

/// A root file system with one program in it.
fn busybox() -> Vec<u8> {
    let program = ["/bin/busybox", "/usr/bin/busybox"].iter().find_map(|path| fs::read(path).ok());
    let program = program.expect("busybox-static is needed here: `apt install busybox-static`");
    archive(&[("bin/", 0o755, b""), ("bin/busybox", 0o755, &program), ("data", 0o644, b"of the image\n")])
}

fn container(image: &[u8], command: &[&str]) -> Bench {
    let mut bench = Bench::new(image, command, WIDE);
    bench.execution.runtime = Runtime::Container;
    bench
}

fn check(image: &[u8], command: &[&str], expected: (&Outcome, &str)) {
    let ended = container(image, command).contain();
    let stdout = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert_eq!((&ended.outcome, stdout.as_str()), expected, "{}", told(&ended));
}

/// The same image as a layer of an OCI layout, above one that it changes.
fn layout(compress: bool) -> Vec<u8> {
    let below =
        archive(&[("data", 0o644, b"of the layer below\n"), ("gone", 0o644, b"x"), ("dir/a", 0o644, b"x")]);
    let mut above = busybox();
    if compress {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&above).unwrap();
        above = gzip.finish().unwrap();
    }
    let whiteouts =
        archive(&[(".wh.gone", 0o644, b""), ("dir/.wh..wh..opq", 0o644, b""), ("dir/b", 0o644, b"y")]);
    let digest = |number: u32| format!("sha256:{number:064x}");
    let layers: Vec<String> = (1..=3).map(|n| format!("{{\"digest\":\"{}\"}}", digest(n))).collect();
    let manifest = format!("{{\"layers\":[{}]}}", layers.join(","));
    let index = format!("{{\"manifests\":[{{\"digest\":\"{}\"}}]}}", digest(9));
    let blob = |number: u32| format!("blobs/sha256/{number:064x}");
    archive(&[
        ("oci-layout", 0o644, b"{\"imageLayoutVersion\":\"1.0.0\"}"),
        ("index.json", 0o644, index.as_bytes()),
        (&blob(9), 0o644, manifest.as_bytes()),
        (&blob(1), 0o644, &below),
        (&blob(2), 0o644, &above),
        (&blob(3), 0o644, &whiteouts),
    ])
}

#[test]
fn a_root_file_system_runs_whatever_it_is_compressed_with() {
    let image = busybox();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&image).unwrap();
    for image in [image, gzip.finish().unwrap()] {
        let command =
            ["/bin/busybox", "sh", "-c", "cat /data; pwd; id -u; ls /usr 2>/dev/null; echo 1 > result"];
        let mut bench = container(&image, &command);
        bench.execution.outputs = vec!["result".into()];
        let ended = bench.contain();
        assert_eq!(ended.outcome, Outcome::Succeeded, "{}", told(&ended));
        assert_eq!(String::from_utf8_lossy(&ended.stdout), "of the image\n/work\n1000\n", "{}", told(&ended));
    }
}

#[test]
fn an_oci_layout_runs_with_its_layers_in_order() {
    for compress in [false, true] {
        let command = ["/bin/busybox", "sh", "-c", "cat /data; ls /gone /dir 2>/dev/null; exit 3"];
        check(&layout(compress), &command, (&Outcome::Exited(3), "of the image\n/dir:\nb\n"));
    }
}

#[test]
fn an_image_is_the_same_for_the_next_and_cannot_be_changed() {
    let image = busybox();
    let script =
        "echo x > /data; echo x > /new; touch /bin/new; rm /data; cat /data; ls / | grep new; exit 0";
    let bench = container(&image, &["/bin/busybox", "sh", "-c", script]);
    let both = super::Container(std::sync::Arc::new(super::governed()));
    for _ in 0..2 {
        let ended = bench.contain_by(&both);
        assert_eq!(String::from_utf8_lossy(&ended.stdout), "of the image\n", "{}", told(&ended));
    }
    // The archive was unpacked once: the directory of the image is the only one beside those of the run.
    let beside = fs::read_dir(bench.base.path()).unwrap().count();
    assert_eq!(beside, 4, "program, the two directories, image");
    drop(both);
    assert_eq!(fs::read_dir(bench.base.path()).unwrap().count(), 3);
}

#[test]
fn an_image_has_no_network_and_nothing_of_the_host() {
    let script = "ls /home /root /usr 2>/dev/null; ip addr 2>/dev/null | grep -c inet; ls /proc | grep -c '^[0-9]'; exit 0";
    let ended = container(&busybox(), &["/bin/busybox", "sh", "-c", script]).contain();
    let text = String::from_utf8_lossy(&ended.stdout).into_owned();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("0"), "{}", told(&ended));
    assert!(lines.next().unwrap().parse::<u32>().unwrap() < 8, "{}", told(&ended));
}

#[test]
fn what_is_no_image_or_has_no_command_is_told() {
    for (image, command, expected) in [
        (&b"no archive at all"[..], &["x"][..], "the image cannot be unpacked"),
        (&archive(&[("a", 0o644, b"")]), &[], "an image has no command"),
        (&archive(&[("a", 0o644, b"")]), &["/bin/sh"], "neither the program nor its interpreter"),
        (
            &archive(&[("oci-layout", 0o644, b"{}"), ("index.json", 0o644, b"{")]),
            &["x"],
            "the papers of the image",
        ),
    ] {
        let ended = container(image, command).contain();
        assert!(
            matches!(&ended.outcome, Outcome::NotRunnable(why) if why.contains(expected)),
            "{}",
            told(&ended)
        );
    }
}

#[test]
fn an_image_cannot_be_unpacked_anywhere_else() {
    let outside = tempfile::TempDir::new().unwrap();
    let place = outside.path().to_str().unwrap();
    let mut through_link = Builder::new(Vec::new());
    link(&mut through_link, "way", place, EntryType::Symlink);
    let mut header = Header::new_gnu();
    header.set_size(4);
    header.set_mode(0o644);
    through_link.append_data(&mut header, "way/evil", &b"evil"[..]).unwrap();

    let mut hard = Builder::new(Vec::new());
    fs::write(outside.path().join("key"), b"secret").unwrap();
    link(&mut hard, "stolen", &format!("{place}/key"), EntryType::Link);

    let mut upward = archive(&[("xx/evil", 0o644, b"evil")]);
    // The library does not write such a path: it is put there by hand, with its checksum.
    let mut header = Header::new_gnu();
    header.set_size(4);
    header.set_mode(0o644);
    header.as_old_mut().name[..10].copy_from_slice(b"../../evil");
    header.set_cksum();
    upward[..512].copy_from_slice(header.as_bytes());
    for image in [through_link.into_inner().unwrap(), hard.into_inner().unwrap(), upward] {
        let ended = container(&image, &["/stolen"]).contain();
        assert!(matches!(ended.outcome, Outcome::NotRunnable(_)), "{}", told(&ended));
    }
    let left: Vec<_> =
        fs::read_dir(outside.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["key"]);
    assert!(!Path::new("/tmp/evil").exists());
}

#[test]
fn mount_points_of_an_image_that_lead_elsewhere_are_replaced() {
    let mut image = Builder::new(Vec::new());
    for (path, target) in [("work", "/proc"), ("tmp", "/etc"), ("etc", "/usr"), ("run", "/dev")] {
        link(&mut image, path, target, EntryType::Symlink);
    }
    let program = fs::read("/bin/busybox").or_else(|_| fs::read("/usr/bin/busybox")).unwrap();
    let mut header = Header::new_gnu();
    header.set_size(program.len() as u64);
    header.set_mode(0o755);
    image.append_data(&mut header, "busybox", &program[..]).unwrap();
    let image = image.into_inner().unwrap();
    check(
        &image,
        &["/busybox", "sh", "-c", "pwd; echo x > here; ls"],
        (&Outcome::Succeeded, "/work\nhere\n"),
    );
}
