//! The node's key on disk: one file, readable by its owner only.

use proto::KeyPair;
use proto::id::{hex, unhex};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The key file's name in the data directory.
pub(crate) const KEY_FILE: &str = "node.key";
/// More than any key file holds; what is longer is not read.
const MAX_KEY_FILE: u64 = 256;

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityError {
    /// Others than the owner can read the key.
    #[error(
        "the key file {path} can be used by others than its owner (mode {mode:03o}); \
         make it private with `chmod 600 {path}`, or remove it if somebody may have copied it: a new identity is then made"
    )]
    NotPrivate {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a key.
    #[error(
        "the key file {path} does not hold a key (64 hexadecimal digits); \
         restore it from a copy, or remove it to start with a new identity and a new account"
    )]
    Malformed {
        /// The key file.
        path: PathBuf,
    },
    /// The system has no random numbers.
    #[error("the system gives no random numbers for a new key: {0}")]
    NoRandomness(getrandom::Error),
    /// The file system refuses.
    #[error(
        "cannot use the key file {path}: {source}; check that its directory exists and is writable for you"
    )]
    Io {
        /// The key file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

/// The key in `directory`, made and stored there (mode 0600) if there is none yet.
///
/// The file appears complete or not at all, and of two processes that start at once both get the same key.
///
/// # Errors
/// A key file that is not private or not a key, and what the file system refuses.
pub(crate) fn load_or_create(directory: &Path) -> Result<KeyPair, IdentityError> {
    let path = directory.join(KEY_FILE);
    match load(&path)? {
        Some(keys) => Ok(keys),
        None => {
            create(directory, &path)?;
            load(&path)?.ok_or_else(|| io_error(&path)(io::ErrorKind::NotFound.into()))
        }
    }
}

fn load(path: &Path) -> Result<Option<KeyPair>, IdentityError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(path)(error)),
    };
    let metadata = file.metadata().map_err(io_error(path))?;
    let mode = metadata.permissions().mode() & 0o777;
    if !metadata.is_file() {
        return Err(IdentityError::Malformed { path: path.into() });
    }
    if mode & 0o077 != 0 {
        return Err(IdentityError::NotPrivate { path: path.into(), mode });
    }
    let mut text = Vec::new();
    file.take(MAX_KEY_FILE).read_to_end(&mut text).map_err(io_error(path))?;
    let secret = std::str::from_utf8(&text).ok().and_then(|text| unhex(text.trim_end()));
    secret.map_or_else(
        || Err(IdentityError::Malformed { path: path.into() }),
        |secret| Ok(Some(KeyPair::from_secret(secret))),
    )
}

/// Writes a new key beside its place and links it there, which fails harmlessly if another process was faster.
fn create(directory: &Path, path: &Path) -> Result<(), IdentityError> {
    fs::create_dir_all(directory).map_err(io_error(path))?;
    let mut secret = [0; 32];
    let mut name = [0; 8];
    getrandom::fill(&mut secret).map_err(IdentityError::NoRandomness)?;
    getrandom::fill(&mut name).map_err(IdentityError::NoRandomness)?;
    let draft = directory.join(format!("{KEY_FILE}.{}", hex(&name)));
    let written = write_private(&draft, &format!("{}\n", hex(&secret))).and_then(|()| {
        match fs::hard_link(&draft, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    });
    let removed = fs::remove_file(&draft);
    written.and(removed).and_then(|()| File::open(directory)?.sync_all()).map_err(io_error(path))
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> IdentityError + use<> {
    let path = path.to_path_buf();
    move |source| IdentityError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_read_again() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("new");
        let first = load_or_create(&directory).unwrap();
        let again = load_or_create(&directory).unwrap();
        assert_eq!(first.public(), again.public());
        let names: Vec<_> =
            fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [KEY_FILE], "no draft is left behind");
        let mode = fs::metadata(directory.join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn processes_that_start_at_once_get_the_same_key() {
        let place = tempfile::tempdir().unwrap();
        let keys: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| load_or_create(place.path()))).collect();
            starts.into_iter().map(|start| start.join().unwrap().unwrap().public()).collect()
        });
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{keys:?}");
    }

    #[track_caller]
    fn check_refused(text: &str, mode: u32, expected: &str) {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(KEY_FILE);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = load_or_create(place.path()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "the file stays as it was");
    }

    #[test]
    fn a_key_file_that_is_not_private_or_not_a_key_is_refused() {
        let key = "07".repeat(32);
        check_refused(&key, 0o640, "chmod 600");
        check_refused(&key, 0o604, "(mode 604)");
        check_refused("", 0o600, "64 hexadecimal digits");
        check_refused(&key[1..], 0o600, "64 hexadecimal digits");
        check_refused(&key.replace('7', "x"), 0o600, "64 hexadecimal digits");
    }
}
