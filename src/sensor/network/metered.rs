//! Whether the network is paid for by volume, as NetworkManager knows or guesses it.

use crate::sensor::bus::{Bus, Property, Value};
use proto::Time;

/// The state of all that NetworkManager is connected to.
const METERED: Property = Property {
    service: "org.freedesktop.NetworkManager",
    object: "/org/freedesktop/NetworkManager",
    interface: "org.freedesktop.NetworkManager",
    name: "Metered",
};

/// Whether the network is paid for by volume; nothing if NetworkManager does not run or does not know. Its guesses
/// count: it takes the network of a telephone for metered.
pub(in crate::sensor) fn is_metered(bus: &mut Bus, now: Time) -> Option<bool> {
    // `NMMetered`: 0 unknown, 1 yes, 2 no, 3 probably yes, 4 probably no.
    match bus.ask(&METERED, now)? {
        Value::U32(1 | 3) => Some(true),
        Value::U32(2 | 4) => Some(false),
        _ => None,
    }
}
