//! One question over the system's D-Bus: what is this property? It is all that is needed of logind and of
//! NetworkManager, and a library for the whole of D-Bus would bring more code than this node has sensors.
//!
//! A service that does not run is not started for it. Who answers late is not waited for; who is not there is
//! left alone for a minute.

mod wire;

pub(super) use wire::Value;

use super::roots::Roots;
use proto::{Span, Time};
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long an answer may take. It comes from the same machine.
const ANSWER_WITHIN: Duration = Duration::from_millis(50);
/// How long a bus that was not there, or not in time, is left alone.
const PAUSE: Span = Span::secs(60);
/// The most messages that are passed over on the way to the answer.
const MAX_OTHERS: usize = 16;
/// The longest line of the greeting, in bytes.
const MAX_LINE: usize = 256;

/// A property of an object of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) service: &'static str,
    pub(super) object: &'static str,
    pub(super) interface: &'static str,
    pub(super) name: &'static str,
}

/// A connection to the bus, opened when there is something to ask.
#[derive(Debug)]
pub(super) struct Bus {
    socket: PathBuf,
    state: State,
    serial: u32,
}

#[derive(Debug)]
enum State {
    Closed,
    Open(UnixStream),
    /// Nobody was there; not asked again before this moment.
    Away(Time),
}

impl Bus {
    pub(super) fn new(roots: &Roots) -> Self {
        Self { socket: roots.run.join("dbus/system_bus_socket"), state: State::Closed, serial: 0 }
    }

    /// The value of a property; nothing if there is no bus, no such service or property, or no answer in time.
    pub(super) fn ask(&mut self, property: &Property, now: Time) -> Option<Value> {
        let mut stream = match std::mem::replace(&mut self.state, State::Closed) {
            State::Away(until) if now < until => {
                self.state = State::Away(until);
                return None;
            }
            State::Open(stream) => stream,
            State::Closed | State::Away(_) => match self.open() {
                Ok(stream) => stream,
                Err(_) => return self.gone(now),
            },
        };
        self.serial = self.serial.wrapping_add(1).max(1);
        match exchange(&mut stream, &wire::get(property, self.serial), self.serial) {
            Ok(answer) => {
                self.state = State::Open(stream);
                wire::variant(&answer)
            }
            Err(_) => self.gone(now),
        }
    }

    fn gone(&mut self, now: Time) -> Option<Value> {
        self.state = State::Away(now.after(PAUSE));
        None
    }

    /// Connects and says who we are: the kernel vouches for the user.
    fn open(&mut self) -> io::Result<UnixStream> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.set_write_timeout(Some(ANSWER_WITHIN))?;
        stream.write_all(b"\0AUTH EXTERNAL\r\n")?;
        expect(&mut stream, "DATA")?;
        stream.write_all(b"DATA\r\n")?;
        expect(&mut stream, "OK ")?;
        stream.write_all(b"BEGIN\r\n")?;
        self.serial = self.serial.wrapping_add(1).max(1);
        exchange(&mut stream, &wire::hello(self.serial), self.serial)?;
        Ok(stream)
    }
}

/// Sends a question and reads until its answer; an answer that is an error is empty.
fn exchange(stream: &mut UnixStream, question: &[u8], serial: u32) -> io::Result<Vec<u8>> {
    let asked = Instant::now();
    stream.write_all(question)?;
    for _ in 0..MAX_OTHERS {
        let message = wire::read(stream)?;
        if message.answers == Some(serial) {
            return Ok(message.body);
        }
        if asked.elapsed() > ANSWER_WITHIN {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// Reads one line of the greeting, which has to begin so.
fn expect(stream: &mut UnixStream, beginning: &str) -> io::Result<()> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < MAX_LINE {
        stream.read_exact(&mut byte)?;
        line.extend(byte);
        if line.ends_with(b"\r\n") {
            let is_so = line.starts_with(beginning.as_bytes());
            return if is_so { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) };
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}
