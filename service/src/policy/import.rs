//! Preferences of other systems as policies.

mod boinc;
mod hours;
mod tags;

pub use boinc::{Imported, boinc};
