//! Whether a file is what somebody said that it is.

use crate::control::Failure;
use proto::Hash;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// How much of a file is read at once, in bytes.
const BUFFER: usize = 1 << 20;

/// Checks a file against the SHA-256 that the task file pins.
///
/// # Errors
/// Another one, or a file that cannot be read.
pub(crate) async fn check(path: &Path, pin: [u8; 32]) -> Result<(), Failure> {
    let mut hasher = Sha256::new();
    let file = path.to_path_buf();
    let read = tokio::task::spawn_blocking(move || {
        each(&file, |bytes| hasher.update(bytes))?;
        Ok::<[u8; 32], io::Error>(hasher.finalize().into())
    });
    let digest = read.await.map_err(Failure::from_display("disk"))?;
    let digest = digest.map_err(|error| Failure::no_file(path, &error))?;
    if digest == pin {
        return Ok(());
    }
    let (is, wanted) = (proto::id::hex(&digest), proto::id::hex(&pin));
    let message = format!("{} has the SHA-256 {is}, and the task file wants {wanted}", path.display());
    Err(Failure::new("other_content", message, 2).hint("it was changed, or is not the file that is meant"))
}

/// Checks a file against its name in the network.
///
/// # Errors
/// In words: other bytes, or a file that cannot be read.
pub(crate) async fn check_name(path: &Path, name: Hash) -> Result<(), String> {
    let file = path.to_path_buf();
    let read = tokio::task::spawn_blocking(move || {
        let mut hasher = blake3::Hasher::new();
        each(&file, |bytes| {
            hasher.update(bytes);
        })?;
        Ok::<Hash, io::Error>(Hash(*hasher.finalize().as_bytes()))
    });
    let is = read.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    if is == name { Ok(()) } else { Err("it sent other bytes; they were thrown away".into()) }
}

fn each(path: &Path, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let (mut file, mut buffer) = (File::open(path)?, vec![0; BUFFER]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => take(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn other_bytes_are_told_from_the_right_ones() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        // FIPS 180-2, appendix B.1.
        let pin = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let pin = proto::id::unhex(pin).unwrap();
        check(&path, pin).await.unwrap();
        assert_eq!(check(&path, [0; 32]).await.unwrap_err().code, "other_content");
        assert_eq!(check(&place.path().join("none"), pin).await.unwrap_err().code, "no_file");
        check_name(&path, Hash::of(b"abc")).await.unwrap();
        assert!(check_name(&path, Hash::of(b"abd")).await.is_err());
    }
}
