//! What a buyer needs, held against what a seller lists.

use proto::message::market::{Listing, Requirement, Standing};
use proto::{Bundle, Capacity, Commodity, Market, PublicKey, Reputation, Signed};

/// The longest name of an operating system or an architecture, in bytes.
pub const MAX_NAME: usize = 64;

/// The cores a requirement asks for: what it says, and at least one where compute power is asked for.
#[must_use]
pub fn cores(requirement: &Requirement) -> u32 {
    match requirement.commodity {
        Commodity::Compute => requirement.cores.max(1),
        Commodity::Memory | Commodity::Disk if requirement.power > Capacity(0) => requirement.cores.max(1),
        Commodity::Memory | Commodity::Disk => requirement.cores,
    }
}

/// The slice of a machine that a requirement takes.
#[must_use]
pub fn slice(requirement: &Requirement) -> Bundle {
    Bundle { cores: cores(requirement), memory: requirement.memory, disk: requirement.disk }
}

/// The smallest market in which a fitting listing can stand: the class of what is asked for of the commodity.
#[must_use]
pub fn market(requirement: &Requirement) -> Market {
    match requirement.commodity {
        Commodity::Compute => Market::of_capacity(requirement.power),
        commodity => Market::of(commodity, slice(requirement).amount_of(commodity, Capacity(0))),
    }
}

/// The power of `cores` cores of `per_core` each; saturates.
#[must_use]
pub fn power_of(cores: u32, per_core: Capacity) -> Capacity {
    Capacity(per_core.0.saturating_mul(u64::from(cores)))
}

/// The market a listing belongs into: the class of all that it offers of its commodity.
#[must_use]
pub fn market_of(listing: &Listing) -> Market {
    let commodity = listing.market.commodity;
    Market::of(commodity, listing.offered().amount_of(commodity, listing.per_core))
}

/// The class of the power of `cores` cores of `per_core` each.
#[must_use]
pub fn market_of_power(cores: u32, per_core: Capacity) -> Market {
    Market::of_capacity(power_of(cores, per_core))
}

/// Whether a requirement is one: its names are short enough, and it asks for some of its commodity.
#[must_use]
pub fn is_well_formed(requirement: &Requirement) -> bool {
    let is_named = requirement.os.len() <= MAX_NAME && requirement.arch.len() <= MAX_NAME;
    is_named && slice(requirement).amount_of(requirement.commodity, Capacity(1)) > 0
}

/// How many slices like `slice` `free` holds; no end of empty ones.
#[must_use]
pub fn slices(free: Bundle, slice: Bundle) -> u32 {
    let parts = [
        (u64::from(free.cores), u64::from(slice.cores)),
        (free.memory.0, slice.memory.0),
        (free.disk.0, slice.disk.0),
    ];
    let least = parts.into_iter().filter_map(|(free, part)| free.checked_div(part)).min();
    least.map_or(u32::MAX, |least| u32::try_from(least).unwrap_or(u32::MAX))
}

/// The reputation that a listing proves: what its standing says, if `bank` has signed that of this seller, and stands by
/// it until the listing ends; so it holds as long as the listing. Who proves nothing is unknown.
#[must_use]
pub fn reputation(listing: &Listing, bank: Option<PublicKey>) -> Reputation {
    let proves = |standing: &&Signed<Standing>| {
        standing.body.account == listing.seller.key
            && standing.body.expires >= listing.expires
            && bank.is_some_and(|bank| standing.is_genuine_by(bank))
    };
    let standing = listing.standing.as_ref().filter(proves);
    standing.map_or(Reputation::UNKNOWN, |standing| standing.body.reputation())
}

/// Whether a slice of `listing` with `free` of it left meets `requirement`.
///
/// A program of one core gains nothing from a second one, so the power has to come from exactly the cores
/// asked for. Power, memory, disk, the longest run and the [`reputation`] are compared with ≥; a run time of zero does not matter. An
/// empty name stands for any. A version of the operating system is compared with ≥ too, number by number, and all layers of
/// the sandbox that are asked for have to stand. A native program needs a seller that runs native programs; the others run everywhere.
#[must_use]
pub fn fits(listing: &Listing, free: Bundle, reputation: Reputation, requirement: &Requirement) -> bool {
    let slice = slice(requirement);
    let same = |wanted: &str, given: &str| wanted.is_empty() || wanted == given;
    listing.market.commodity == requirement.commodity
        && free.holds(slice)
        && power_of(slice.cores, listing.per_core) >= requirement.power
        && listing.longest >= requirement.run_time
        && reputation >= requirement.reputation
        && (listing.platform.native || !requirement.native)
        && listing.platform.release >= requirement.release
        && requirement.layers.without(listing.platform.layers).is_empty()
        && same(&requirement.os, &listing.platform.os)
        && same(&requirement.arch, &listing.platform.arch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Bytes;

    #[test]
    fn a_part_holds_as_many_slices_as_its_scarcest_good_allows() {
        let of = |cores, memory, disk| Bundle { cores, memory: Bytes(memory), disk: Bytes(disk) };
        for (free, slice, expected) in [
            (of(4, 9, 9), of(1, 2, 3), 3),
            (of(4, 9, 9), of(1, 0, 0), 4),
            (of(4, 1, 9), of(1, 2, 3), 0),
            (of(0, 7, 0), of(0, 2, 0), 3),
            (of(4, u64::MAX, 9), of(0, 1, 0), u32::MAX),
            (of(4, 9, 9), of(0, 0, 0), u32::MAX),
        ] {
            assert_eq!(slices(free, slice), expected, "{free:?} {slice:?}");
        }
    }

    #[test]
    fn who_asks_for_nothing_of_the_commodity_asks_for_nothing() {
        let gib = Bytes::gib(1);
        for (commodity, memory, disk, is_one) in [
            (Commodity::Compute, Bytes(0), Bytes(0), true),
            (Commodity::Memory, gib, Bytes(0), true),
            (Commodity::Memory, Bytes(0), gib, false),
            (Commodity::Disk, gib, Bytes(0), false),
            (Commodity::Disk, Bytes(0), gib, true),
        ] {
            let requirement = Requirement { commodity, memory, disk, ..Requirement::default() };
            assert_eq!(is_well_formed(&requirement), is_one, "{requirement:?}");
        }
    }
}
