//! What the owner has ordered by hand, on disk.

use crate::control::Failure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The name of the file in a node's directory. There is none while nothing is ordered.
const FILE: &str = "orders.json";
/// The longest such file in bytes; ours has less than a hundred.
const MAX_FILE: u64 = 4 << 10;

/// What the owner has ordered by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Order {
    /// Nothing: the policy decides.
    Share,
    /// Work of others stands still.
    Pause {
        /// Until then; none: until `resume`.
        until: Option<Timestamp>,
    },
    /// No new work is taken, until `resume`.
    Drain,
}

impl Order {
    /// A pause of so many seconds, or until it is taken back.
    ///
    /// # Errors
    /// If that is no duration, or ends beyond all calendars.
    pub(crate) fn pause(seconds: Option<f64>) -> Result<Self, Failure> {
        let Some(seconds) = seconds else { return Ok(Self::Pause { until: None }) };
        let wrong = || Failure::new("malformed", format!("{seconds} seconds are no time to pause for"), 2);
        let length = jiff::SignedDuration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
        let until = Timestamp::now().checked_add(length).map_err(|_| wrong())?;
        Ok(Self::Pause { until: Some(until) })
    }
}

/// The order in force, and where it is written down.
pub(super) struct Orders {
    current: Order,
    file: PathBuf,
}

impl Orders {
    /// Reads what is written down in `home`.
    ///
    /// # Errors
    /// If it cannot be read: an owner who has paused the node must not find it at work.
    pub(super) fn open(home: &Path) -> io::Result<Self> {
        let file = home.join(FILE);
        let current = match std::fs::File::open(&file) {
            Ok(opened) => {
                let mut text = String::new();
                opened.take(MAX_FILE).read_to_string(&mut text)?;
                serde_json::from_str(&text).map_err(|error| {
                    let message = format!("{} is not as it was written: {error}", file.display());
                    io::Error::new(ErrorKind::InvalidData, message)
                })?
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Order::Share,
            Err(error) => return Err(error),
        };
        Ok(Self { current, file })
    }

    pub(super) const fn current(&self) -> Order {
        self.current
    }

    /// Gives an order, which takes the place of the one before.
    ///
    /// # Errors
    /// If it cannot be written down; it is in force all the same.
    pub(super) fn set(&mut self, order: Order) -> io::Result<()> {
        self.current = order;
        if order == Order::Share {
            return match std::fs::remove_file(&self.file) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        let directory = self.file.parent().unwrap_or_else(|| Path::new("."));
        let mut new = tempfile::NamedTempFile::new_in(directory)?;
        serde_json::to_writer(&mut new, &order)?;
        new.flush()?;
        new.as_file().sync_all()?;
        new.persist(&self.file)?;
        Ok(())
    }

    /// Ends an order whose time is over.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let is_over = matches!(self.current, Order::Pause { until: Some(until) } if until <= now);
        if is_over && let Err(error) = self.set(Order::Share) {
            tracing::warn!(%error, "a pause that is over could not be removed from the disk");
        }
    }
}
