//! The system bus, played by a thread.

use crate::sensor::bus::{Bus, Property, Value};
use crate::sensor::fake::Tree;
use crate::sensor::idleness::Idleness;
use crate::sensor::network::is_metered;
use crate::sensor::{At, Sensor};
use proto::{Span, Time};
use service::policy::{Moment, Weekday};
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread::JoinHandle;

const PROPERTY: Property = Property { service: "a.b", object: "/a/b", interface: "a.b.C", name: "D" };

/// What is answered to a question: the kind of the message, the signature of its body, and the body.
type Answer = (u8, &'static str, Vec<u8>);

/// A bus that greets, and then answers each question in turn. It ends with its answers.
fn play(tree: &Tree, answers: Vec<Answer>) -> JoinHandle<Vec<Vec<u8>>> {
    std::fs::create_dir_all(tree.path("run/dbus")).unwrap();
    let listener = UnixListener::bind(tree.path("run/dbus/system_bus_socket")).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for (heard, said) in
            [("\0AUTH EXTERNAL\r\n", "DATA\r\n"), ("DATA\r\n", "OK 0123\r\n"), ("BEGIN\r\n", "")]
        {
            let mut line = vec![0; heard.len()];
            stream.read_exact(&mut line).unwrap();
            assert_eq!(line, heard.as_bytes());
            stream.write_all(said.as_bytes()).unwrap();
        }
        let (hello, _) = question(&mut stream);
        // The bus tells our name twice: as the answer, and as a signal before it.
        stream.write_all(&message(4, 99, "s", &text(":1.7"))).unwrap();
        stream.write_all(&message(2, hello, "s", &text(":1.7"))).unwrap();
        let mut questions = Vec::new();
        for (kind, signature, body) in answers {
            let (serial, asked) = question(&mut stream);
            questions.push(asked);
            stream.write_all(&message(kind, serial, signature, &body)).unwrap();
        }
        questions
    })
}

/// Reads one message: its number and its body.
fn question(stream: &mut UnixStream) -> (u32, Vec<u8>) {
    let mut fixed = [0; 16];
    stream.read_exact(&mut fixed).unwrap();
    assert_eq!(fixed[..4], *b"l\x01\x02\x01");
    let number = |at: usize| u32::from_le_bytes(fixed[at..at + 4].try_into().unwrap());
    let [body, serial, fields] = [number(4), number(8), number(12)];
    let mut rest = vec![0; (fields.next_multiple_of(8) + body) as usize];
    stream.read_exact(&mut rest).unwrap();
    (serial, rest.split_off(fields.next_multiple_of(8) as usize))
}

fn text(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap();
    [&length.to_le_bytes(), text.as_bytes(), b"\0"].concat()
}

fn message(kind: u8, answers: u32, signature: &str, body: &[u8]) -> Vec<u8> {
    let mut fields = vec![5, 1, b'u', 0];
    fields.extend(answers.to_le_bytes());
    fields.extend([8, 1, b'g', 0, u8::try_from(signature.len()).unwrap()]);
    fields.extend(signature.bytes().chain([0]));
    let mut message = vec![b'l', kind, 1, 1];
    for number in [body.len(), 1, fields.len()] {
        message.extend(u32::try_from(number).unwrap().to_le_bytes());
    }
    message.extend(&fields);
    message.resize(message.len().next_multiple_of(8), 0);
    message.extend(body);
    message
}

/// A variant of a kind that is aligned to `to` bytes.
fn variant(kind: u8, to: usize, value: &[u8]) -> Answer {
    let mut body = vec![1, kind, 0];
    body.resize(body.len().next_multiple_of(to), 0);
    body.extend(value);
    (2, "v", body)
}

fn bool(value: bool) -> Answer {
    variant(b'b', 4, &u32::from(value).to_le_bytes())
}

fn u64(value: u64) -> Answer {
    variant(b't', 8, &value.to_le_bytes())
}

fn u32(value: u32) -> Answer {
    variant(b'u', 4, &value.to_le_bytes())
}

const ERROR: Answer = (3, "s", Vec::new());

#[test]
fn a_property_is_asked_and_its_value_understood() {
    for (answer, expected) in [
        (bool(true), Some(Value::Bool(true))),
        (bool(false), Some(Value::Bool(false))),
        (u32(3), Some(Value::U32(3))),
        (u64(1 << 40), Some(Value::U64(1 << 40))),
        (variant(b's', 4, b"\x01\0\0\0x\0"), None),
        (variant(b'b', 4, &[2, 0, 0, 0]), None),
        (variant(b't', 8, &[1, 2]), None),
        ((2, "v", vec![]), None),
        ((2, "v", vec![9]), None),
        (ERROR, None),
    ] {
        let tree = Tree::new();
        let shown = format!("{answer:?}");
        let played = play(&tree, vec![answer, u32(7)]);
        let mut bus = Bus::new(&tree.roots());
        assert_eq!(bus.ask(&PROPERTY, Time(0)), expected, "{shown}");
        // Whatever it was, the connection goes on.
        assert_eq!(bus.ask(&PROPERTY, Time(0)), Some(Value::U32(7)), "{shown}");
        let asked = [text("a.b.C"), vec![0; 2], text("D")].concat();
        assert_eq!(played.join().unwrap(), [asked.clone(), asked]);
    }
}

#[test]
fn a_bus_that_breaks_or_is_silent_is_left_alone_for_a_minute() {
    for greeting in ["", "REJECTED EXTERNAL\r\n", "DATA", "DATA\r\nOK\r\nxx", "\r\n\r\n"] {
        let tree = Tree::new();
        std::fs::create_dir_all(tree.path("run/dbus")).unwrap();
        let listener = UnixListener::bind(tree.path("run/dbus/system_bus_socket")).unwrap();
        listener.set_nonblocking(true).unwrap();
        let mut bus = Bus::new(&tree.roots());
        let mut first = None;
        for (secs, connects) in [(0, true), (59, false), (60, true)] {
            let client = std::thread::scope(|scope| {
                let answer = scope.spawn(|| {
                    let answer = bus.ask(&PROPERTY, Time(secs * 1_000_000));
                    assert_eq!(answer, None, "{greeting:?}");
                });
                let mut accepted = None;
                while !answer.is_finished() {
                    if let Ok((mut stream, _)) = listener.accept() {
                        stream.write_all(greeting.as_bytes()).unwrap();
                        accepted = Some(stream);
                    }
                    std::thread::yield_now();
                }
                accepted
            });
            assert_eq!(client.is_some(), connects, "{greeting:?} at {secs} s");
            first = first.or(client);
        }
        assert!(first.is_some());
    }
}

#[test]
fn logind_says_since_when_nobody_is_there() {
    for (answers, expected) in [
        (vec![bool(false), u64(0)], Some(0)),
        (vec![bool(false), u64(900_000_000)], Some(0)),
        (vec![bool(true), u64(900_000_000)], Some(100)),
        // It was never told, or the clock was set back.
        (vec![bool(true), u64(0)], None),
        (vec![bool(true), u64(2_000_000_000)], Some(0)),
        (vec![ERROR], None),
        (vec![u32(1), u32(1)], None),
    ] {
        let tree = Tree::new();
        let shown = format!("{answers:?}");
        let played = play(&tree, answers);
        let now = Time(1_000_000_000);
        let at = At { moment: Moment { now, weekday: Weekday::Mon, minute: 0 }, wall: now };
        let mut bus = Bus::new(&tree.roots());
        let found = Idleness::default().look(&tree.roots(), &mut bus, &[Sensor::Logind].into(), &at);
        assert_eq!(found, expected.map(Span::secs), "{shown}");
        played.join().unwrap();
    }
}

#[test]
fn networkmanager_says_whether_the_network_is_metered() {
    for (answer, expected) in [
        (u32(0), None),
        (u32(1), Some(true)),
        (u32(2), Some(false)),
        (u32(3), Some(true)),
        (u32(4), Some(false)),
        (u32(5), None),
        (bool(true), None),
        (ERROR, None),
    ] {
        let tree = Tree::new();
        let shown = format!("{answer:?}");
        let played = play(&tree, vec![answer]);
        assert_eq!(is_metered(&mut Bus::new(&tree.roots()), Time(0)), expected, "{shown}");
        played.join().unwrap();
    }
}
