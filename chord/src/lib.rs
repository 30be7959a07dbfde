//! Who is responsible for a key, while nodes come and go.
//!
//! A [`Chord`] is one node's part of the ring: a pure state machine after Chord (Stoica et al., ToN 2003) with
//! the maintenance protocol that Zave proved correct (IEEE TSE 43(12), 2017). It reads no clock and opens no
//! socket: [`Input`]s with the time of their arrival go in, [`Output`]s and the next deadline come out.
//!
//! What Zave's proof gives (one ordered ring that every member reaches, whatever joins and fails) rests on
//! assumptions that this room cannot make true by itself:
//!
//! * at least `r + 1` members, `r` being the length of the successor list. A ring starts here with one
//!   node and grows, so until then the guarantee is weaker: see [`Chord::is_forming`];
//! * no failure leaves a member without a live entry in its list. Where that happens all the same, the node
//!   says [`Output::Isolated`] instead of waiting for ever;
//! * whoever does not answer in time is dead. Requests are repeated before that is concluded.

pub mod check;
mod config;
mod dice;
mod face;
mod fingers;
mod handle;
mod host;
pub mod interval;
mod learned;
mod lookup;
mod maintain;
mod node;
mod range;
mod requests;
mod small;
mod successors;
mod timers;

pub use check::Violation;
pub use config::{Config, MAX_SUCCESSORS, Patience, Routing, Style};
pub use face::{Input, JoinFailure, LookupFailure, Output};
pub use handle::Handle;
pub use host::{At, Host, HostError, MAX_PLACES_OF_HOST};
pub use learned::{MAX_ALTERNATES, MAX_PLACES};
pub use lookup::{MAX_CLOSER, MAX_HOPS, MAX_LOOKUPS, MAX_PARALLEL, MAX_RELAYS};
pub use maintain::{MAX_DELAYED, MAX_HINTS, MAX_VIA};
pub use node::{Chord, Neighbours};
