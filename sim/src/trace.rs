//! The trace of a run: every event in one running hash, and the last ones to look at.

use proto::wire::Wire;
use proto::{Hash, Message, Time};
use std::collections::VecDeque;

/// How many events a violation shows.
pub(crate) const SHOWN: usize = 20;
/// The longest line of an event that is shown, in characters.
const WIDTH: usize = 400;

/// The trace of a run.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    hasher: blake3::Hasher,
    count: u64,
    last: VecDeque<Entry>,
}

/// One event.
#[derive(Clone, Debug)]
struct Entry {
    number: u64,
    time: Time,
    what: String,
    message: Vec<u8>,
}

impl Default for Trace {
    fn default() -> Self {
        Self { hasher: blake3::Hasher::new(), count: 0, last: VecDeque::with_capacity(SHOWN) }
    }
}

impl Trace {
    /// Takes an event in: when, what, and the encoded message if it is one (otherwise empty).
    pub(crate) fn note(&mut self, time: Time, what: String, message: Vec<u8>) {
        let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes();
        self.hasher.update(&time.0.to_le_bytes());
        for part in [what.as_bytes(), &message] {
            self.hasher.update(&length(part)).update(part);
        }
        self.count += 1;
        if self.last.len() >= SHOWN {
            self.last.pop_front();
        }
        self.last.push_back(Entry { number: self.count, time, what, message });
    }

    /// How many events there were.
    #[must_use]
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// The hash over all events.
    #[must_use]
    pub(crate) fn hash(&self) -> Hash {
        Hash(*self.hasher.finalize().as_bytes())
    }

    /// The last [`SHOWN`] events, the oldest first.
    #[must_use]
    pub(crate) fn last(&self) -> Vec<String> {
        self.last.iter().map(Entry::line).collect()
    }
}

impl Entry {
    fn line(&self) -> String {
        let seconds = self.time.since(Time(0)).as_secs_f64();
        let mut line = format!("#{} {seconds:.6} s {}", self.number, self.what);
        if !self.message.is_empty() {
            let message = Message::decode(&self.message);
            let shown = message.map_or_else(|error| error.to_string(), |message| format!("{message:?}"));
            line.push(' ');
            line.extend(shown.chars().take(WIDTH));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::message::chord::{ChordMessage, Notify};

    #[test]
    fn time_text_message_and_order_are_in_the_hash() {
        let trace = |events: &[(u64, &str, &[u8])]| {
            let mut trace = Trace::default();
            for (time, what, message) in events {
                trace.note(Time(*time), (*what).into(), message.to_vec());
            }
            trace.hash()
        };
        let base: [(u64, &str, &[u8]); 2] = [(1, "a", b"x"), (2, "b", b"y")];
        assert_eq!(trace(&base), trace(&base));
        for other in [
            [(1, "a", b"x".as_slice()), (3, "b", b"y")],
            [(1, "a", b"x"), (2, "c", b"y")],
            [(1, "a", b"x"), (2, "b", b"z")],
            [(2, "b", b"y"), (1, "a", b"x")],
            [(1, "ax", b""), (2, "b", b"y")],
        ] {
            assert_ne!(trace(&base), trace(&other), "{other:?}");
        }
    }

    #[test]
    fn the_last_events_are_shown_with_their_messages() {
        let mut trace = Trace::default();
        for number in 0..30 {
            trace.note(Time(number), format!("event {number}"), Vec::new());
        }
        trace.note(Time(31), "to node 1".into(), Message::Chord(ChordMessage::Notify(Notify {})).encode());
        let last = trace.last();
        assert_eq!((last.len(), trace.count()), (SHOWN, 31));
        assert_eq!(last[0], "#12 0.000011 s event 11");
        assert_eq!(last[19], "#31 0.000031 s to node 1 Chord(Notify(Notify))");
    }
}
