//! Looks at results for the buyer's core: whether two of them agree, whether one is right, and whether a saved state is
//! one.
//!
//! Contents come from strangers. So what is read is bounded, no two comparisons more than [`AT_ONCE`] run at a time, a
//! decoder that fails is a difference and not the end of the node, and the user's own programs run where those of
//! others do: in the executor, without a way out.

mod image;
mod numeric;
mod program;
mod search;
mod text;

use crate::net::store::{Pins, Store};
use crate::node::executions::Executions;
use crate::node::saver;
use proto::ContractId;
use proto::message::service::{Blob, Job};
use service::task::Comparison;
use service::{Comparing, Difference, Examining, Input, Testing};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// The largest content that is looked at; larger ones agree only if they are the same.
const LARGEST: u64 = 256 << 20;
/// Comparisons at a time: each may hold two contents, and the pictures in them.
const AT_ONCE: usize = 2;
/// How much of a line or a value is shown, in bytes.
const SHOWN: usize = 120;

static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);
/// For saved states, which must not wait for the user's programs: their sellers are paid after it, or not.
static OPENINGS: Semaphore = Semaphore::const_new(AT_ONCE);

/// Where two contents differ first, in words, and what stands there in the one and in the other.
type Found = Option<(String, String, String)>;

/// Compares two results beside the node; what came out arrives as an input.
pub(crate) fn compare(
    token: u64,
    comparing: Comparing,
    executions: &Executions,
    store: Arc<Store>,
    inputs: mpsc::UnboundedSender<Input>,
) {
    let runner = executions.runner();
    beside(&PLACES, move || {
        let look = || match &comparing.method {
            Comparison::Command(_) => program::compare(&comparing, &runner, &store),
            _ => first_difference(&comparing, &store),
        };
        let failed = |_| Some(fault("the comparison has failed".into()));
        let difference = catch_unwind(AssertUnwindSafe(look)).unwrap_or_else(failed);
        // The driver may have ended meanwhile; then nobody waits for this.
        let _ = inputs.send(Input::Compared { token, difference });
    });
}

/// Shows a result to the user's program beside the node; what it says arrives as an input.
pub(crate) fn test(
    contract: ContractId,
    testing: Testing,
    executions: &Executions,
    store: Arc<Store>,
    inputs: mpsc::UnboundedSender<Input>,
) {
    let runner = executions.runner();
    beside(&PLACES, move || {
        let look = || program::test(&testing, &runner, &store);
        let failed = |_| Err("the program could not be run".to_owned());
        let result = catch_unwind(AssertUnwindSafe(look)).unwrap_or_else(failed);
        // The driver may have ended meanwhile; then nobody waits for this.
        let _ = inputs.send(Input::Tested { contract, result });
    });
}

/// Opens a saved state beside the node; whether it is one arrives as an input.
pub(crate) fn open(contract: ContractId, job: Job, store: Arc<Store>, inputs: mpsc::UnboundedSender<Input>) {
    beside(&OPENINGS, move || {
        let failed = |_| Err("it could not be read".to_owned());
        let result = catch_unwind(AssertUnwindSafe(|| saver::open(&job, &store))).unwrap_or_else(failed);
        // The driver may have ended meanwhile; then nobody waits for this.
        let _ = inputs.send(Input::Opened { contract, result });
    });
}

/// Looks for something in a result beside the node; what is found arrives as an input.
pub(crate) fn examine(
    token: u64,
    examining: Examining,
    pins: Pins,
    store: Arc<Store>,
    inputs: mpsc::UnboundedSender<Input>,
) {
    beside(&PLACES, move || {
        let look =
            || search::search(&examining.condition, &examining.name, &read(&examining.blob, &store).ok()?);
        let found = catch_unwind(AssertUnwindSafe(look)).unwrap_or_default();
        drop(pins);
        // The driver may have ended meanwhile; then nobody waits for this.
        let _ = inputs.send(Input::Examined { token, found });
    });
}

/// Does something on a thread of its own, as soon as there is a place.
fn beside(places: &'static Semaphore, work: impl FnOnce() + Send + 'static) {
    tokio::spawn(async move {
        // The semaphore is never closed.
        let _place = places.acquire().await;
        let _ = tokio::task::spawn_blocking(work).await;
    });
}

/// The first output that differs, and where.
fn first_difference(comparing: &Comparing, store: &Store) -> Option<Difference> {
    comparing.pairs.iter().find_map(|(output, one, other)| {
        let (one, other) = match (one, other) {
            (one, other) if one == other => return None,
            (Some(one), Some(other)) => (one, other),
            (one, other) => {
                let found = (String::new(), presence(*one), presence(*other));
                return Some(difference(output, found));
            }
        };
        match (read(one, store), read(other, store)) {
            (Ok(one), Ok(other)) => {
                contents(&comparing.method, &one, &other).map(|found| difference(output, found))
            }
            (Err(why), _) | (_, Err(why)) => Some(Difference { output: output.clone(), ..fault(why) }),
        }
    })
}

/// Where two contents differ first by a method that needs no program.
fn contents(method: &Comparison, one: &[u8], other: &[u8]) -> Found {
    match method {
        Comparison::Text => text::compare(one, other),
        Comparison::Numeric { abs, rel } => numeric::compare(one, other, abs.to_f64(), rel.to_f64()),
        Comparison::Image { channel, pixels } => image::compare(one, other, *channel, pixels.to_f64()),
        Comparison::Exact | Comparison::Command(_) => {
            let place = one.iter().zip(other).position(|(one, other)| one != other);
            let place = place.unwrap_or(one.len().min(other.len()));
            (one != other).then(|| (format!("byte {place}"), byte(one, place), byte(other, place)))
        }
    }
}

fn byte(bytes: &[u8], place: usize) -> String {
    bytes.get(place).map_or_else(|| "the end".into(), |byte| format!("{byte:#04x}"))
}

/// A content that is not too large to be looked at.
fn read(blob: &Blob, store: &Store) -> Result<Vec<u8>, String> {
    if blob.size.0 > LARGEST {
        return Err(format!("{} is too large to be compared; at most {LARGEST} bytes are", blob.size));
    }
    let path = store.path(&blob.hash).ok_or("it is not in the store any more")?;
    std::fs::read(path).map_err(|error| format!("it cannot be read: {error}"))
}

fn presence(blob: Option<Blob>) -> String {
    blob.map_or("nothing", |_| "a file").into()
}

fn difference(output: &str, (place, expected, found): (String, String, String)) -> Difference {
    Difference { output: output.into(), place, expected, found }
}

/// What could not be compared is not the same.
fn fault(why: String) -> Difference {
    Difference { found: why, expected: "a result that can be compared".into(), ..Difference::default() }
}

/// A part of a content, for people.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.get(..SHOWN).unwrap_or(bytes)).into_owned();
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if bytes.len() > SHOWN { format!("`{text}…`") } else { format!("`{text}`") }
}

#[cfg(test)]
mod tests;
