//! What a listing lacks of what is asked for, which one lacks least, and how that is said.

use crate::requirement::{self, MAX_NAME, power_of};
use proto::message::market::{Listing, Requirement};
use proto::message::survey::{Inquiry, Lack, Nearest};
use proto::{Bundle, Commodity, Rate, Release, Reputation};

/// What `listing`, of which `has` counts, lacks of `requirement`; with a `bid`, its ask counts too. Its seller's
/// `reputation` is what the books know of it. It lacks nothing where [`requirement::fits`] says that it fits.
pub(crate) fn lacks(
    requirement: &Requirement,
    listing: &Listing,
    has: Bundle,
    reputation: Reputation,
    bid: Option<Rate>,
) -> Vec<Lack> {
    let platform = &listing.platform;
    let slice = requirement::slice(requirement);
    let power = power_of(slice.cores, listing.per_core);
    let differs = |wanted: &str, given: &str| !wanted.is_empty() && wanted != given;
    let missing = requirement.layers.without(platform.layers);
    let all = [
        (bid.is_some_and(|bid| listing.ask > bid), Lack::Price(listing.ask)),
        (differs(&requirement.os, &platform.os), Lack::Os(platform.os.clone())),
        (differs(&requirement.arch, &platform.arch), Lack::Arch(platform.arch.clone())),
        (requirement.native && !platform.native, Lack::Native),
        (platform.release < requirement.release, Lack::Release(platform.release)),
        (!missing.is_empty(), Lack::Layers(missing)),
        (has.cores < slice.cores, Lack::Cores(has.cores)),
        (power < requirement.power, Lack::Power(power)),
        (has.memory < slice.memory, Lack::Memory(has.memory)),
        (has.disk < slice.disk, Lack::Disk(has.disk)),
        (listing.longest < requirement.run_time, Lack::RunTime(listing.longest)),
        (reputation < requirement.reputation, Lack::Reputation(reputation)),
    ];
    all.into_iter().filter(|(is_lacking, _)| *is_lacking).map(|(_, lack)| lack).collect()
}

/// Keeps the nearer one of `kept` and `other`; of two that are equally near the first.
pub(crate) fn keep_nearer(kept: &mut Option<Nearest>, other: Nearest, inquiry: &Inquiry) {
    let distance = distance(&other, inquiry);
    if kept.as_ref().is_none_or(|kept| distance < self::distance(kept, inquiry)) {
        *kept = Some(other);
    }
}

/// How far a listing is from what is asked for: first the things that no amount makes up for, then the largest share
/// that is missing (or asked too much), in thousandths of what is asked for, then how much is lacking.
fn distance(nearest: &Nearest, inquiry: &Inquiry) -> (usize, u64, usize) {
    let of_kind = |lack: &&Lack| {
        matches!(lack, Lack::Os(_) | Lack::Arch(_) | Lack::Native | Lack::Release(_) | Lack::Layers(_))
    };
    let share = |lack: &Lack| {
        let (has, asked) = figures(lack, inquiry);
        let missing = u128::from(has.abs_diff(asked)) * 1_000 / u128::from(asked.max(1));
        u64::try_from(missing).unwrap_or(u64::MAX)
    };
    let worst = nearest.lacks.iter().map(share).max().unwrap_or(0);
    (nearest.lacks.iter().filter(of_kind).count(), worst, nearest.lacks.len())
}

/// What a listing has, and what is asked for, of an amount; equal for everything else.
fn figures(lack: &Lack, inquiry: &Inquiry) -> (u64, u64) {
    let Requirement { power, memory, disk, run_time, reputation, .. } = &inquiry.requirement;
    match lack {
        Lack::Price(ask) => (ask.0, inquiry.bid.0),
        Lack::Cores(cores) => (u64::from(*cores), u64::from(requirement::cores(&inquiry.requirement))),
        Lack::Power(has) => (has.0, power.0),
        Lack::Memory(has) => (has.0, memory.0),
        Lack::Disk(has) => (has.0, disk.0),
        Lack::RunTime(longest) => (longest.0, run_time.0),
        Lack::Reputation(has) => (u64::from(has.0), u64::from(reputation.0)),
        Lack::Os(_) | Lack::Arch(_) | Lack::Native | Lack::Release(_) | Lack::Layers(_) => (0, 0),
    }
}

/// A listing that does not fit, in words: `10.0.0.7:7740 has 4.0 GiB of memory, 8.0 GiB are asked for`.
#[must_use]
pub fn describe(nearest: &Nearest, inquiry: &Inquiry) -> String {
    let lacks: Vec<String> = nearest.lacks.iter().map(|lack| phrase(lack, inquiry)).collect();
    format!("{} {}", nearest.seller.addr, lacks.join("; "))
}

fn phrase(lack: &Lack, inquiry: &Inquiry) -> String {
    let asked = &inquiry.requirement;
    let name = |name: &str| -> String { name.chars().take(MAX_NAME).collect() };
    match lack {
        Lack::Price(ask) => {
            format!("asks {ask} credits per {}, {} are bid", unit(asked.commodity), inquiry.bid)
        }
        Lack::Cores(has) => {
            let (asked, cores) = (requirement::cores(asked), if *has == 1 { "core" } else { "cores" });
            format!("has {has} {cores}, {asked} {} asked for", if asked == 1 { "is" } else { "are" })
        }
        Lack::Power(has) => {
            let cores = requirement::cores(asked);
            let of = if cores == 1 { "one core".into() } else { format!("{cores} cores") };
            format!("has {has} on {of}, {} are asked for", asked.power)
        }
        Lack::Memory(has) => format!("has {has} of memory, {} are asked for", asked.memory),
        Lack::Disk(has) => format!("has {has} of disk, {} are asked for", asked.disk),
        Lack::Os(os) => format!("runs {}, {} is asked for", name(os), asked.os),
        Lack::Arch(arch) => format!("is of {}, {} is asked for", name(arch), asked.arch),
        Lack::Native => "runs no native programs".into(),
        Lack::Release(release) if *release == Release::default() => {
            format!("does not tell the version of its system, {} is asked for", asked.release)
        }
        Lack::Release(release) => format!("runs version {release} of it, {} is asked for", asked.release),
        Lack::Layers(missing) => format!("has no {missing} around native programs"),
        Lack::RunTime(longest) => {
            format!("runs a sub-task for {longest} at most, {} are asked for", asked.run_time)
        }
        Lack::Reputation(has) => {
            let share = |of: &Reputation| format!("{}.{:03}", of.0 / 1_000, of.0 % 1_000);
            format!("has a reputation of {}, {} is asked for", share(has), share(&asked.reputation))
        }
    }
}

/// What a rate of `commodity` is for.
#[must_use]
pub const fn unit(commodity: Commodity) -> &'static str {
    match commodity {
        Commodity::Compute => "Gc",
        Commodity::Memory | Commodity::Disk => "GiB and hour",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::tests::{Find, find, listing, reputation};
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        /// What surveys say of a listing is what matches find.
        #[test]
        fn a_listing_lacks_nothing_exactly_when_it_fits(
            listings in vec((listing(12), reputation()), 1..40),
            finds in vec(find(), 24),
        ) {
            for ((_, listing, _), reputation) in &listings {
                for Find { requirement, bid, .. } in &finds {
                    let free = listing.offered();
                    let lacks = |bid| lacks(requirement, listing, free, *reputation, bid);
                    let fits = requirement::fits(listing, free, *reputation, requirement);
                    prop_assert_eq!(lacks(None).is_empty(), fits);
                    prop_assert_eq!(lacks(Some(*bid)).is_empty(), fits && listing.ask <= *bid);
                }
            }
        }
    }
}
