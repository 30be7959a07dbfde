//! Whether a bank's directory serves, follows another, or was taken over: so that two processes with one key do not both
//! think that they are the bank.
//!
//! The epoch counts the take-overs. Whoever hears of a higher one than its own is no longer the bank.

use crate::cli::exit;
use crate::control::Failure;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// The file's name in the bank's directory.
const FILE: &str = "role.json";

/// What a bank's directory is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Role {
    /// How often the bank was taken over, and one.
    pub(super) epoch: u64,
    /// The bank that it follows (`HOST:PORT`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) follows: Option<String>,
    /// The bank that it was promoted over, as long as that one has not heard of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) former: Option<String>,
    /// The epoch of the bank that has taken over from this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fenced_by: Option<u64>,
}

impl Default for Role {
    fn default() -> Self {
        Self { epoch: 1, follows: None, former: None, fenced_by: None }
    }
}

impl Role {
    /// Of the bank in `home`; a bank that was never anything else serves.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(super) fn read(home: &Path) -> Result<Self, Failure> {
        let path = file(home);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                Failure::new("role", format!("{} is damaged: {error}", path.display()), exit::FAILED)
                    .hint("it says whether this directory may serve: restore it from a copy")
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Failure::disk("read", &path, &error)),
        }
    }

    /// Keeps it: durable, all or nothing.
    ///
    /// # Errors
    /// A directory that cannot be written.
    pub(super) fn write(&self, home: &Path) -> Result<(), Failure> {
        let path = file(home);
        let text = serde_json::to_vec(self).map_err(Failure::from_display("role"))?;
        let draft = path.with_extension("new");
        let written = || {
            let mut file = File::create(&draft)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            File::open(home)?.sync_all()
        };
        written().map_err(|error: std::io::Error| Failure::disk("write", &path, &error))
    }

    /// Whether it may serve.
    ///
    /// # Errors
    /// A standby that was not promoted, and a bank that was taken over.
    pub(super) fn may_serve(&self) -> Result<(), Failure> {
        if let Some(epoch) = self.fenced_by {
            return Err(taken_over(self.epoch, epoch));
        }
        let Some(leader) = &self.follows else { return Ok(()) };
        let message = format!("this is a standby of the bank at {leader} and does not serve by itself");
        Err(Failure::new("standby", message, exit::REFUSED).hint(
            "follow on with `bank serve --follow`; if that bank is gone for good, take over with `bank promote`",
        ))
    }

    /// The standby becomes the bank.
    pub(super) fn promoted(&self) -> Self {
        Self {
            epoch: self.epoch.saturating_add(1),
            follows: None,
            former: self.follows.clone(),
            fenced_by: None,
        }
    }

    /// The bank, or what was one, becomes a standby.
    pub(super) fn following(&self, leader: &str) -> Self {
        Self { follows: Some(leader.into()), former: None, fenced_by: None, ..self.clone() }
    }
}

/// Another process has taken the bank over.
pub(super) fn taken_over(epoch: u64, by: u64) -> Failure {
    let message = format!("another bank with this key has taken over (epoch {by}, this one is of {epoch})");
    Failure::new("taken_over", message, exit::REFUSED).hint(
        "it may follow the other one with `bank serve --follow`; the nodes have to know the other's address",
    )
}

fn file(home: &Path) -> PathBuf {
    home.join(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_serves_follows_is_promoted_and_is_fenced() {
        let home = tempfile::tempdir().unwrap();
        let new = Role::read(home.path()).unwrap();
        assert_eq!((new.epoch, new.may_serve()), (1, Ok(())));
        let standby = new.following("bank.example:7742");
        standby.write(home.path()).unwrap();
        assert_eq!(Role::read(home.path()), Ok(standby.clone()));
        assert_eq!(standby.may_serve().unwrap_err().code, "standby");
        let promoted = standby.promoted();
        let expected =
            Role { epoch: 2, follows: None, former: Some("bank.example:7742".into()), fenced_by: None };
        assert_eq!((promoted.clone(), promoted.may_serve()), (expected, Ok(())));
        let fenced = Role { fenced_by: Some(2), ..new };
        assert_eq!(fenced.may_serve().unwrap_err().exit, exit::REFUSED);
        assert_eq!(fenced.following("a:1").fenced_by, None);
    }

    #[test]
    fn a_damaged_file_is_no_permission_to_serve() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(FILE), b"{}").unwrap();
        assert_eq!(Role::read(home.path()).unwrap_err().code, "role");
    }
}
