//! What is done to a bank's directory when no process runs in it.

use super::role::Role;
use crate::cli::exit;
use crate::control::{Failure, PromotedView};
use std::path::Path;

/// Makes the bank of a standby: its directory may serve from now on, under a higher epoch.
///
/// # Errors
/// A directory that follows nobody, or cannot be written.
pub(crate) fn promote(home: &Path) -> Result<PromotedView, Failure> {
    let role = Role::read(home)?;
    let Some(former) = role.follows.clone() else {
        let message = format!("the bank in {} is no standby", home.display());
        return Err(Failure::new("not_a_standby", message, exit::USAGE)
            .hint("`bank serve --follow KEY@HOST:PORT` makes one"));
    };
    let promoted = role.promoted();
    promoted.write(home)?;
    Ok(PromotedView { home: home.display().to_string(), epoch: promoted.epoch, former, is_serving: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_standby_is_promoted_and_once() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(promote(home.path()).unwrap_err().code, "not_a_standby");
        Role::default().following("a:1").write(home.path()).unwrap();
        let promoted = promote(home.path()).unwrap();
        assert_eq!((promoted.epoch, promoted.former.as_str()), (2, "a:1"));
        assert_eq!(promote(home.path()).unwrap_err().exit, exit::USAGE);
    }
}
