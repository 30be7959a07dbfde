//! Contents that others have: the right to fetch them, and the directory in the ring of those that are public.
//!
//! A content's name is the BLAKE3 of its bytes. Who has a public one is written down at the node of the ring that answers
//! for the content's [`point`], which does not give the hash away: the hash is the right to read.

use super::service::Blob;
use crate::id::{Hash, Peer, RequestId, RingId};
use crate::key::PublicKey;
use crate::quantity::Bytes;
use crate::signed::{Paper, Signed};

/// The longest name of a public content, in bytes.
pub const MAX_NAME: usize = 128;
/// Papers of one kind in one message.
pub const MAX_PAPERS: usize = 32;

/// The owner of a content lets somebody have it from others that have it; signed by the owner. Whoever has fetched a
/// content from its owner serves it to who shows such a pass, and to nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Which content.
    pub content: Hash,
    /// Who may have it: the key of the channel has to be this one.
    pub bearer: PublicKey,
    /// Until when, in seconds since 1970.
    pub until: u64,
}

/// Somebody has a public content and gives it to whoever asks; signed by the holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The content's [`point`].
    pub point: RingId,
    /// Its size.
    pub size: Bytes,
    /// Where.
    pub holder: Peer,
}

/// A public content has a name; signed by whoever published it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    /// The name, at most [`MAX_NAME`] bytes.
    pub name: String,
    /// What it stands for.
    pub content: Blob,
    /// Of two of the same name the higher one counts: the time of publication, in seconds since 1970.
    pub serial: u64,
}

/// Asks the node that answers for the points of these papers to keep them for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertise {
    /// The asker's number.
    pub request: RequestId,
    /// Contents that the asker has.
    pub holdings: Vec<Signed<Holding>>,
    /// Names that the asker knows.
    pub namings: Vec<Signed<Naming>>,
}

/// The answer to [`Advertise`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertised {
    /// The asker's number.
    pub request: RequestId,
    /// Whether all of it is kept; if not, the node does not answer for it, or is full.
    pub is_kept: bool,
}

/// Asks for what is kept at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchContent {
    /// The asker's number.
    pub request: RequestId,
    /// The point of a content or of a name.
    pub point: RingId,
}

/// The answer to [`SearchContent`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundContent {
    /// The asker's number.
    pub request: RequestId,
    /// Who has the content.
    pub holdings: Vec<Signed<Holding>>,
    /// What the name stands for.
    pub namings: Vec<Signed<Naming>>,
}

impl Paper for Pass {
    const DOMAIN: &'static str = "pass";
}
impl Paper for Holding {
    const DOMAIN: &'static str = "holding";
}
impl Paper for Naming {
    const DOMAIN: &'static str = "naming";
}

/// A message about public contents.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is documented at its payload")]
pub enum ContentsMessage {
    Advertise(Box<Advertise>),
    Advertised(Advertised),
    Search(SearchContent),
    Found(Box<FoundContent>),
}

/// Where in the ring it is written down who has a content.
#[must_use]
pub fn point(content: &Hash) -> RingId {
    RingId::hash(&[b"compup2p/content/".as_slice(), &content.0].concat())
}

/// Where in the ring it is written down what a name of a publisher stands for.
#[must_use]
pub fn point_of_name(name: &str, publisher: &PublicKey) -> RingId {
    RingId::hash(&[b"compup2p/name/".as_slice(), &publisher.0, name.as_bytes()].concat())
}
