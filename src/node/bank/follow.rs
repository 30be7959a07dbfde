//! Standbys: processes with the bank's own key that follow its journal, and can take over.
//!
//! What leaves the bank can be made to wait for a standby ([`Mode::Sync`]): then whatever anybody was told is on two
//! disks. Without a standby that answers, such a bank decides nothing new, so an old bank that comes back after a
//! take-over cannot promise anything either. There is no take-over by itself: the operator decides.

mod gate;
mod lead;
mod standby;
mod tail;

pub(super) use gate::Gate;
pub(super) use lead::{Lead, fence};
pub(super) use standby::{Followed, follow};
pub(super) use tail::{Standby, Tail};

use crate::cli::{Bootstrap, exit};
use crate::control::Failure;
use bank::store::{Store, StoreError};
use proto::PublicKey;
use std::sync::Arc;
use std::time::Duration;

/// How long a standby may be silent. A bank that waits for one refuses orders from then on.
pub(super) const SILENCE: Duration = Duration::from_secs(3);
/// How often either side shows that it is there.
pub(super) const BEAT: Duration = Duration::from_secs(1);

/// What the answers of a bank wait for besides its own disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// For nothing: what a standby has not got yet is lost with the bank.
    #[default]
    Async,
    /// For a standby, too: nothing that anybody was told is lost with the bank.
    Sync,
}

impl Mode {
    /// The word for it in commands and JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Async => "async",
            Self::Sync => "sync",
        }
    }
}

/// Opens the store once more, for reading only.
pub(super) type OpenReader = Arc<dyn Fn() -> Result<Box<dyn Store>, StoreError> + Send + Sync>;

/// Whether a bank with this key may follow `leader`: only itself, elsewhere.
pub(super) fn may_follow(leader: &Bootstrap, own: PublicKey) -> Result<(), Failure> {
    if leader.key.is_none_or(|key| key == own) {
        return Ok(());
    }
    let message = format!("the key in this directory is {}, that of the bank is another", own.to_hex());
    let hint = "a standby needs the bank's own key: copy the bank's node.key here, in private, before the first start";
    Err(Failure::new("not_yours", message, exit::USAGE).hint(hint))
}
