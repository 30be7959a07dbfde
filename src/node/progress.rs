//! The progress file of a program (task file, `Progress`): how far it says that it is.

use crate::exec::scratch;
use rustix::fs::OFlags;
use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// As many bytes of the file as are read.
const MOST: u64 = 64;
/// A whole in millionths.
const WHOLE: f64 = 1_000_000.0;

/// The number from 0 to 1 in the first line of the file `name` in `place`, in millionths.
///
/// The file belongs to a program that nobody knows: it is opened without waiting for anybody, and a link is not followed.
pub(super) fn read(place: &Path, name: &str) -> Option<u32> {
    let path = scratch::output(place, name)?;
    let flags = i32::try_from((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits()).ok()?;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes).ok()?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Option<u32> {
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    let done: f64 = std::str::from_utf8(line).ok()?.trim().parse().ok()?;
    (0.0..=1.0).contains(&done).then(|| millionths(done))
}

/// A number from 0 to 1 in millionths.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1,000,000")]
fn millionths(done: f64) -> u32 {
    (done * WHOLE) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_a_number_from_0_to_1() {
        for (text, expected) in [
            ("0.5\n", Some(500_000)),
            (" 1 ", Some(1_000_000)),
            ("0\nrest", Some(0)),
            ("0.1234567", Some(123_456)),
            ("1.5", None),
            ("-0.1", None),
            ("NaN", None),
            ("half", None),
            ("", None),
        ] {
            assert_eq!(parse(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn only_a_file_of_the_program_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path();
        std::fs::write(place.join("p"), "0.25\n").unwrap();
        std::os::unix::fs::symlink(place.join("p"), place.join("link")).unwrap();
        std::fs::create_dir(place.join("d")).unwrap();
        for (name, expected) in
            [("p", Some(250_000)), ("link", None), ("d", None), ("none", None), ("../p", None)]
        {
            assert_eq!(read(place, name), expected, "{name}");
        }
    }
}
