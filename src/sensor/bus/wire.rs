//! As much of D-Bus's encoding as a question for a property and its answer take (D-Bus specification 0.43,
//! "Marshaling" and "Message Protocol").

use super::Property;
use std::io::{self, Read};

/// The largest message that is read, in bytes; D-Bus would allow 128 MiB.
const MAX_MESSAGE: usize = 64 << 10;
/// A call of a method, and its answer.
const CALL: u8 = 1;
const RETURN: u8 = 2;
const ERROR: u8 = 3;
/// Do not start a service that does not run.
const NO_AUTO_START: u8 = 2;
/// Fields of a header.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;
/// The bytes of a header before its fields.
const FIXED: usize = 16;

/// A value of one of the kinds that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sensor) enum Value {
    Bool(bool),
    U32(u32),
    U64(u64),
}

/// What of a message is looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// The question that it answers.
    pub(super) answers: Option<u32>,
    /// The order of its bytes, then its content; empty if it is an error.
    pub(super) body: Vec<u8>,
}

/// The first words on every bus.
pub(super) fn hello(serial: u32) -> Vec<u8> {
    const BUS: &str = "org.freedesktop.DBus";
    call(
        serial,
        [
            (PATH, 'o', "/org/freedesktop/DBus"),
            (INTERFACE, 's', BUS),
            (MEMBER, 's', "Hello"),
            (DESTINATION, 's', BUS),
        ],
        &[],
    )
}

/// The question for a property.
pub(super) fn get(property: &Property, serial: u32) -> Vec<u8> {
    let fields = [
        (PATH, 'o', property.object),
        (INTERFACE, 's', "org.freedesktop.DBus.Properties"),
        (MEMBER, 's', "Get"),
        (DESTINATION, 's', property.service),
    ];
    call(serial, fields, &[property.interface, property.name])
}

fn call(serial: u32, fields: [(u8, char, &str); 4], arguments: &[&str]) -> Vec<u8> {
    let mut body = Vec::new();
    arguments.iter().for_each(|argument| string(&mut body, argument));
    let mut list = Vec::new();
    for (code, kind, text) in fields {
        align(&mut list, 8);
        list.extend([code, 1]);
        list.extend(kind.to_string().bytes());
        list.push(0);
        string(&mut list, text);
    }
    if !arguments.is_empty() {
        align(&mut list, 8);
        let signature = "s".repeat(arguments.len());
        list.extend([SIGNATURE, 1, b'g', 0]);
        list.extend(u8::try_from(signature.len()).ok());
        list.extend(signature.bytes().chain([0]));
    }
    let mut message = vec![b'l', CALL, NO_AUTO_START, 1];
    for number in [length(&body), serial, length(&list)] {
        message.extend(number.to_le_bytes());
    }
    message.extend(list);
    align(&mut message, 8);
    message.extend(body);
    message
}

fn string(out: &mut Vec<u8>, text: &str) {
    align(out, 4);
    out.extend(length(text.as_bytes()).to_le_bytes());
    out.extend(text.bytes().chain([0]));
}

fn align(out: &mut Vec<u8>, to: usize) {
    out.resize(out.len().next_multiple_of(to), 0);
}

/// A length of ours, which is always short.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// Reads one message.
pub(super) fn read(from: &mut impl Read) -> io::Result<Message> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    let mut fixed = vec![0; FIXED];
    from.read_exact(&mut fixed)?;
    let order = *fixed.first().ok_or_else(invalid)?;
    let kind = fixed.get(1).copied();
    let mut header = Reader { order, bytes: &fixed, at: 4 };
    let (body, _, fields) = (header.u32(), header.u32(), header.u32());
    let size = |number: Option<u32>| number.and_then(|number| usize::try_from(number).ok());
    let (body, fields) = size(body).zip(size(fields)).ok_or_else(invalid)?;
    if body > MAX_MESSAGE || fields > MAX_MESSAGE {
        return Err(invalid());
    }
    let mut rest = vec![0; fields.next_multiple_of(8) + body];
    from.read_exact(&mut rest)?;
    let content = rest.split_off(fields.next_multiple_of(8));
    rest.truncate(fields);
    let answers = matches!(kind, Some(RETURN | ERROR)).then(|| reply_serial(order, &rest)).flatten();
    let body = if kind == Some(RETURN) { [vec![order], content].concat() } else { Vec::new() };
    Ok(Message { answers, body })
}

/// The question that a message with these fields answers.
fn reply_serial(order: u8, fields: &[u8]) -> Option<u32> {
    let mut reader = Reader { order, bytes: fields, at: 0 };
    loop {
        reader.align(8);
        let code = reader.u8()?;
        let kind = reader.signature()?;
        match (code, kind) {
            (REPLY_SERIAL, b"u") => return reader.u32(),
            (_, b"u") => drop(reader.u32()?),
            (_, b"s" | b"o") => {
                let length = usize::try_from(reader.u32()?).ok()?;
                reader.take(length.checked_add(1)?)?;
            }
            (_, b"g") => drop(reader.signature()?),
            _ => return None,
        }
    }
}

/// The value of a body that is one variant: the order of its bytes, then they.
pub(super) fn variant(body: &[u8]) -> Option<Value> {
    let (order, bytes) = body.split_first()?;
    let mut reader = Reader { order: *order, bytes, at: 0 };
    match reader.signature()? {
        b"b" => match reader.u32()? {
            0 => Some(Value::Bool(false)),
            1 => Some(Value::Bool(true)),
            _ => None,
        },
        b"u" => reader.u32().map(Value::U32),
        b"t" => reader.u64().map(Value::U64),
        _ => None,
    }
}

/// Reads values where D-Bus puts them.
struct Reader<'a> {
    order: u8,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u32(&mut self) -> Option<u32> {
        self.align(4);
        let bytes = self.take(4)?.try_into().ok()?;
        Some(if self.order == b'B' { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn u64(&mut self) -> Option<u64> {
        self.align(8);
        let bytes = self.take(8)?.try_into().ok()?;
        Some(if self.order == b'B' { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }

    fn signature(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.u8()?);
        let signature = self.take(length)?;
        (self.u8()? == 0).then_some(signature)
    }
}
