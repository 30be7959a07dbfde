//! The rules of a network, as its bank keeps them: what the founder decided holds for good.

use crate::cli::{Founding, exit};
use crate::control::Failure;
use proto::Rules;
use proto::wire::Wire as _;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// The file's name in the bank's directory. It holds the canonical encoding of the rules.
const FILE: &str = "rules";
/// No rules are larger than this, in bytes.
const LARGEST: usize = 1_024;

/// The rules that the network of the bank in `home` was founded with; it is founded with `base` and the founder's
/// decisions if it was not yet.
///
/// # Errors
/// A file that cannot be read or written, and decisions that are not those of the founder.
pub(super) fn of_network(home: &Path, base: Rules, founding: &Founding) -> Result<Rules, Failure> {
    let path = home.join(FILE);
    let wanted = founding.applied_to(base);
    match fs::read(&path) {
        Ok(bytes) => {
            let kept = Some(bytes).filter(|bytes| bytes.len() <= LARGEST);
            let kept = kept.and_then(|bytes| Rules::decode(&bytes).ok()).ok_or_else(|| unreadable(&path))?;
            if founding.is_some() && kept != wanted {
                return Err(decided(&kept));
            }
            Ok(kept)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            write(&path, &wanted).map_err(|error| Failure::disk("write", &path, &error))?;
            Ok(wanted)
        }
        Err(error) => Err(Failure::disk("read", &path, &error)),
    }
}

/// Keeps the rules of the bank that this standby follows.
///
/// # Errors
/// Other rules are kept already, or a file that cannot be read or written.
pub(super) fn adopt(home: &Path, rules: &Rules) -> Result<(), Failure> {
    let path = home.join(FILE);
    match fs::read(&path) {
        Ok(bytes) if bytes == rules.encode() => Ok(()),
        Ok(_) => Err(Rules::decode(&fs::read(&path).unwrap_or_default())
            .map_or_else(|_| unreadable(&path), |kept| decided(&kept))),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            write(&path, rules).map_err(|error| Failure::disk("write", &path, &error))
        }
        Err(error) => Err(Failure::disk("read", &path, &error)),
    }
}

/// All at once: a file that was cut off by a crash would keep the bank from starting.
fn write(path: &Path, rules: &Rules) -> std::io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&draft)?;
    file.write_all(&rules.encode())?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

fn unreadable(path: &Path) -> Failure {
    Failure::new("rules", format!("{} does not hold the rules of a network", path.display()), exit::FAILED)
        .hint("restore it from a copy, or remove it to start with the rules that the command line gives")
}

fn decided(kept: &Rules) -> Failure {
    let message = format!(
        "this network was founded with other rules: pricing {}, an owner fee of {} credits, the {} overlay, a grant of \
         {} credits, {} accounts a day for an address, {} bits of work, {}, a bond of {} %, {} to object",
        kept.rule.name(),
        kept.owner_fee,
        kept.placement.name(),
        kept.initial_grant,
        if kept.admission.per_address == 0 {
            "any number of".into()
        } else {
            kept.admission.per_address.to_string()
        },
        kept.admission.work_bits,
        if kept.admission.is_by_invitation { "by invitation" } else { "without invitation" },
        kept.bond_percent,
        kept.dispute,
    );
    Failure::new("rules", message, exit::USAGE).hint(
        "leave the rules away to go on with it, or found another network in another directory with --home",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Money;

    #[test]
    fn a_network_keeps_the_rules_that_it_was_founded_with() {
        let home = tempfile::tempdir().unwrap();
        let dear = Founding { owner_fee: Some(Money(7)), ..Founding::default() };
        let founded = Rules { owner_fee: Money(7), ..Rules::LOCAL };
        assert_eq!(of_network(home.path(), Rules::LOCAL, &dear), Ok(founded));
        assert_eq!(of_network(home.path(), Rules::LOCAL, &dear), Ok(founded));
        assert_eq!(of_network(home.path(), Rules::LOCAL, &Founding::default()), Ok(founded));
        let other = Founding { owner_fee: Some(Money(8)), ..Founding::default() };
        let refused = of_network(home.path(), Rules::LOCAL, &other).unwrap_err();
        assert_eq!((refused.code.as_str(), refused.exit), ("rules", exit::USAGE));
        fs::write(home.path().join(FILE), b"\xff").unwrap();
        let broken = of_network(home.path(), Rules::LOCAL, &dear).unwrap_err();
        assert_eq!(broken.exit, exit::FAILED);
    }
}
