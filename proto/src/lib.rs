//! What the nodes say to each other: ids, units, money, time, typed messages, and their form on the wire.
//!
//! Every other room speaks these words. Types here are values: they hold no socket, no clock and no
//! randomness. The wire form is Protocol Buffers (`schema/compup2p/v1/*.proto`); [`wire`] turns the generated
//! structures into the typed ones and refuses whatever does not fit.

pub mod admission;
pub mod commodity;
pub mod id;
pub mod key;
pub mod message;
pub mod money;
pub mod platform;
pub mod quantity;
pub mod range;
pub mod refusal;
pub mod rules;
pub mod signed;
pub mod time;
pub mod wire;

pub use commodity::{Bundle, Commodity, Market, cmid};
pub use id::{CommandId, ContractId, Hash, Peer, RequestId, RingId};
pub use key::{KeyPair, PublicKey, Signature};
pub use message::Message;
pub use money::{Money, Rate};
pub use platform::{Layers, Release};
pub use quantity::{Bytes, Capacity, Cycles, Reputation};
pub use range::Range;
pub use refusal::{Refusal, RefusalCode};
pub use rules::{Placement, Rules};
pub use signed::Signed;
pub use time::{Span, Time};
