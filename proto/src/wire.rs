//! From typed values to Protocol Buffers and back. What does not fit is refused with the field's path.
//!
//! The generated structures stay inside this module's [`v1`]; everything else speaks the typed ones. An
//! encoding is canonical: fields in the order of their numbers, no unknown fields (they are dropped on
//! reading, so a signature over them does not verify).

mod bank;
mod chord;
mod contents;
mod field;
mod market;
mod overlay;
mod service;
mod survey;

pub use field::{Field, MAX_REPEATED, MAX_TEXT};
use prost::Message as _;

/// The generated structures of `schema/compup2p/v1`.
#[expect(missing_docs, reason = "generated code")]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/compup2p.v1.rs"));
}

/// The largest encoded message that is read, in bytes.
pub const MAX_MESSAGE: usize = 4 << 20;

/// Why bytes are not a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Not Protocol Buffers of this schema.
    #[error("not a message of this protocol: {reason}")]
    NotDecodable {
        /// The decoder's words.
        reason: String,
    },
    /// Larger than any message may be.
    #[error("a message of {size} bytes; at most {MAX_MESSAGE} are read")]
    TooLarge {
        /// Its size.
        size: usize,
    },
    /// A field that is wrong or missing.
    #[error("field `{path}` {expected}")]
    Field {
        /// Where it is, from the outermost message inwards.
        path: String,
        /// What should be there.
        expected: &'static str,
    },
}

impl WireError {
    /// A complaint about the field at hand.
    #[must_use]
    pub const fn expected(expected: &'static str) -> Self {
        Self::Field { path: String::new(), expected }
    }

    /// The same complaint, seen from the message that holds the field.
    #[must_use]
    pub fn inside(self, field: &str) -> Self {
        match self {
            Self::Field { path, expected } if path.is_empty() => Self::Field { path: field.into(), expected },
            Self::Field { path, expected } => Self::Field { path: format!("{field}.{path}"), expected },
            other => other,
        }
    }
}

/// A typed value with a form on the wire.
pub trait Wire: Sized {
    /// The generated structure.
    type Pb: prost::Message + Default;

    /// The structure that stands for this value.
    fn to_pb(&self) -> Self::Pb;

    /// The value that a structure stands for.
    ///
    /// # Errors
    /// The first field that is missing or out of its range.
    fn from_pb(pb: Self::Pb) -> Result<Self, WireError>;

    /// The canonical encoding.
    #[must_use]
    fn encode(&self) -> Vec<u8> {
        self.to_pb().encode_to_vec()
    }

    /// Reads an encoding.
    ///
    /// # Errors
    /// Bytes that are too many, not of this schema, or with a field out of its range.
    fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > MAX_MESSAGE {
            return Err(WireError::TooLarge { size: bytes.len() });
        }
        let pb = Self::Pb::decode(bytes).map_err(|e| WireError::NotDecodable { reason: e.to_string() })?;
        Self::from_pb(pb)
    }
}

impl<T: Wire> Wire for Box<T> {
    type Pb = T::Pb;

    fn to_pb(&self) -> T::Pb {
        (**self).to_pb()
    }

    fn from_pb(pb: T::Pb) -> Result<Self, WireError> {
        T::from_pb(pb).map(Self::new)
    }
}

/// Writes [`Wire`] for a structure, field by field.
macro_rules! wire_struct {
    ($type:ident => $pb:ident { $($field:ident),* $(,)? }) => {
        impl $crate::wire::Wire for $type {
            type Pb = $crate::wire::v1::$pb;

            fn to_pb(&self) -> Self::Pb {
                $crate::wire::v1::$pb { $($field: $crate::wire::Field::to_field(&self.$field)),* }
            }

            fn from_pb(pb: Self::Pb) -> Result<Self, $crate::wire::WireError> {
                // Structures without fields have no other use for it.
                let _ = &pb;
                Ok(Self {
                    $($field: $crate::wire::Field::from_field(pb.$field).map_err(|e| e.inside(stringify!($field)))?),*
                })
            }
        }
    };
}

/// Writes [`Wire`] for an enumeration of messages, a `oneof` on the wire.
macro_rules! wire_oneof {
    ($type:ident => $pb:ident . $slot:ident in $module:ident :: $body:ident { $($variant:ident = $form:ident),* $(,)? }) => {
        impl $crate::wire::Wire for $type {
            type Pb = $crate::wire::v1::$pb;

            fn to_pb(&self) -> Self::Pb {
                use $crate::wire::v1::$module::$body as Body;
                let body = match self { $(Self::$variant(inner) => Body::$form($crate::wire::Wire::to_pb(inner)),)* };
                $crate::wire::v1::$pb { $slot: Some(body) }
            }

            fn from_pb(pb: Self::Pb) -> Result<Self, $crate::wire::WireError> {
                use $crate::wire::v1::$module::$body as Body;
                match pb.$slot {
                    $(Some(Body::$form(inner)) => $crate::wire::Wire::from_pb(inner)
                        .map(Self::$variant)
                        .map_err(|e| e.inside(stringify!($form))),)*
                    None => Err($crate::wire::WireError::expected("has to hold one of its messages")),
                }
            }
        }
    };
}
use {wire_oneof, wire_struct};

use crate::message::Message;

wire_oneof!(Message => Message . body in message::Body {
    Chord = Chord, Market = Market, Bank = Bank, Service = Service, Overlay = Overlay,
    Contents = Contents,
});

#[cfg(test)]
mod tests;
