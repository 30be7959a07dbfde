//! What a buyer needs, held against what a seller lists.

use proto::message::market::{Listing, Requirement};
use proto::{Bundle, Capacity, Commodity, Market};

/// The longest name of an operating system or an architecture, in bytes.
pub const MAX_NAME: usize = 64;

/// The cores a requirement asks for: what it says, and of compute power at least one.
#[must_use]
pub fn cores(requirement: &Requirement) -> u32 {
    match requirement.commodity {
        Commodity::Compute => requirement.cores.max(1),
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

/// The market a listing belongs into: the class of the power of all its cores.
#[must_use]
pub fn market_of(listing: &Listing) -> Market {
    market_of_power(listing.cores, listing.per_core)
}

/// The class of the power of `cores` cores of `per_core` each.
#[must_use]
pub fn market_of_power(cores: u32, per_core: Capacity) -> Market {
    Market::of_capacity(power_of(cores, per_core))
}

/// Whether the names in a requirement are short enough to be one.
#[must_use]
pub fn is_well_formed(requirement: &Requirement) -> bool {
    requirement.os.len() <= MAX_NAME && requirement.arch.len() <= MAX_NAME
}

/// Whether a slice of `listing` with `free` of its cores left meets `requirement`.
///
/// A program of one core gains nothing from a second one, so the power has to come from exactly the cores
/// asked for. Power, memory and disk are compared with ≥. An empty name stands for any. A native program needs
/// a seller that runs native programs; the others run everywhere.
#[must_use]
pub fn fits(listing: &Listing, free: u32, requirement: &Requirement) -> bool {
    let cores = cores(requirement);
    let same = |wanted: &str, given: &str| wanted.is_empty() || wanted == given;
    free >= cores
        && power_of(cores, listing.per_core) >= requirement.power
        && listing.memory >= requirement.memory
        && listing.disk >= requirement.disk
        && (listing.platform.native || !requirement.native)
        && same(&requirement.os, &listing.platform.os)
        && same(&requirement.arch, &listing.platform.arch)
}
