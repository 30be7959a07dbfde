//! The idle hint of logind, asked over the system bus.
//!
//! The files that logind leaves under `/run/systemd/sessions` do not hold the hint, so it is asked; `bus` is all
//! that this takes.

use crate::sensor::At;
use crate::sensor::bus::{Bus, Property, Value};
use proto::Span;

const SERVICE: &str = "org.freedesktop.login1";
const OBJECT: &str = "/org/freedesktop/login1";
const INTERFACE: &str = "org.freedesktop.login1.Manager";
const HINT: Property = Property { service: SERVICE, object: OBJECT, interface: INTERFACE, name: "IdleHint" };
const SINCE: Property =
    Property { service: SERVICE, object: OBJECT, interface: INTERFACE, name: "IdleSinceHint" };

/// The time since all sessions are idle, 0 while one is not; nothing if logind does not answer, or has no session
/// that ever said anything. A desktop that never tells logind counts as touched for ever: the owner then takes
/// `logind` out of the sources.
pub(super) fn untouched(bus: &mut Bus, at: &At) -> Option<Span> {
    match (bus.ask(&HINT, at.moment.now)?, bus.ask(&SINCE, at.moment.now)?) {
        (Value::Bool(false), _) => Some(Span(0)),
        (Value::Bool(true), Value::U64(0)) => None,
        (Value::Bool(true), Value::U64(since)) => Some(at.wall.since(proto::Time(since))),
        _ => None,
    }
}
