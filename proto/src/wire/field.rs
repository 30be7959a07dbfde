//! How single fields go over the wire: numbers, byte strings of fixed length, texts, lists, nested messages.

use super::{Wire, WireError, v1};
use crate::admission::Admission;
use crate::commodity::{Commodity, Market};
use crate::id::{CommandId, Hash, Peer, RequestId, RingId};
use crate::key::{PublicKey, Signature};
use crate::message::service::CheckpointKey;
use crate::money::{Money, Rate};
use crate::platform::{Layers, Release};
use crate::quantity::{Bytes, Capacity, Cycles, Reputation};
use crate::refusal::{Refusal, RefusalCode};
use crate::rules::{Placement, PricingRule, PricingTerms, Rules};
use crate::signed::{Paper, Signed};
use crate::time::{Span, Time};
use std::net::{IpAddr, SocketAddr};

/// The longest text in one field, in bytes.
pub const MAX_TEXT: usize = 4_096;
/// The longest list in one field.
pub const MAX_REPEATED: usize = 8_192;

/// A value that is one field of a message, in the form `P`.
pub trait Field<P>: Sized {
    /// The form on the wire.
    fn to_field(&self) -> P;

    /// The value of a form.
    ///
    /// # Errors
    /// What was expected instead.
    fn from_field(form: P) -> Result<Self, WireError>;
}

macro_rules! plain_fields {
    ($($type:ty),*) => {$(
        impl Field<$type> for $type {
            fn to_field(&self) -> $type { *self }
            fn from_field(form: $type) -> Result<Self, WireError> { Ok(form) }
        }
    )*};
}
plain_fields!(u64, u32, i64, bool);

macro_rules! number_fields {
    ($($type:ident),*) => {$(
        impl Field<u64> for $type {
            fn to_field(&self) -> u64 { self.0 }
            fn from_field(form: u64) -> Result<Self, WireError> { Ok(Self(form)) }
        }
    )*};
}
number_fields!(Money, Rate, Time, Span, Cycles, Capacity, Bytes, RequestId);

macro_rules! byte_fields {
    ($($type:ident $expected:literal),*) => {$(
        impl Field<Vec<u8>> for $type {
            fn to_field(&self) -> Vec<u8> { self.0.to_vec() }
            fn from_field(form: Vec<u8>) -> Result<Self, WireError> {
                form.try_into().map(Self).map_err(|_| WireError::expected($expected))
            }
        }
        impl Field<Option<Vec<u8>>> for Option<$type> {
            fn to_field(&self) -> Option<Vec<u8>> { self.as_ref().map(Field::to_field) }
            fn from_field(form: Option<Vec<u8>>) -> Result<Self, WireError> {
                form.map(Field::from_field).transpose()
            }
        }
        impl Field<Vec<Vec<u8>>> for Vec<$type> {
            fn to_field(&self) -> Vec<Vec<u8>> { self.iter().map(Field::to_field).collect() }
            fn from_field(form: Vec<Vec<u8>>) -> Result<Self, WireError> { list(form) }
        }
    )*};
}
byte_fields!(
    RingId "has to be 20 bytes", Hash "has to be 32 bytes", PublicKey "has to be 32 bytes",
    Signature "has to be 64 bytes", CommandId "has to be 16 bytes", CheckpointKey "has to be 32 bytes"
);

impl Field<u32> for u8 {
    fn to_field(&self) -> u32 {
        u32::from(*self)
    }
    fn from_field(form: u32) -> Result<Self, WireError> {
        Self::try_from(form).map_err(|_| WireError::expected("has to be below 256"))
    }
}

impl Field<u32> for u16 {
    fn to_field(&self) -> u32 {
        u32::from(*self)
    }
    fn from_field(form: u32) -> Result<Self, WireError> {
        Self::try_from(form).map_err(|_| WireError::expected("has to be below 65536"))
    }
}

impl Field<String> for String {
    fn to_field(&self) -> String {
        self.clone()
    }
    fn from_field(form: String) -> Result<Self, WireError> {
        if form.len() > MAX_TEXT { Err(WireError::expected("is too long a text")) } else { Ok(form) }
    }
}

impl Field<Option<u32>> for Option<u32> {
    fn to_field(&self) -> Option<u32> {
        *self
    }
    fn from_field(form: Option<u32>) -> Result<Self, WireError> {
        Ok(form)
    }
}

impl Field<Option<String>> for Option<String> {
    fn to_field(&self) -> Option<String> {
        self.clone()
    }
    fn from_field(form: Option<String>) -> Result<Self, WireError> {
        form.map(Field::from_field).transpose()
    }
}

impl Field<Vec<String>> for Vec<String> {
    fn to_field(&self) -> Vec<String> {
        self.clone()
    }
    fn from_field(form: Vec<String>) -> Result<Self, WireError> {
        list(form)
    }
}

impl Field<Vec<u64>> for Vec<u64> {
    fn to_field(&self) -> Vec<u64> {
        self.clone()
    }
    fn from_field(form: Vec<u64>) -> Result<Self, WireError> {
        if form.len() > MAX_REPEATED { Err(WireError::expected("is too long a list")) } else { Ok(form) }
    }
}

impl<T: Wire> Field<Option<T::Pb>> for T {
    fn to_field(&self) -> Option<T::Pb> {
        Some(self.to_pb())
    }
    fn from_field(form: Option<T::Pb>) -> Result<Self, WireError> {
        T::from_pb(form.ok_or(WireError::expected("is missing"))?)
    }
}

impl<T: Wire> Field<Option<T::Pb>> for Option<T> {
    fn to_field(&self) -> Option<T::Pb> {
        self.as_ref().map(Wire::to_pb)
    }
    fn from_field(form: Option<T::Pb>) -> Result<Self, WireError> {
        form.map(T::from_pb).transpose()
    }
}

impl<T: Wire> Field<Vec<T::Pb>> for Vec<T> {
    fn to_field(&self) -> Vec<T::Pb> {
        self.iter().map(Wire::to_pb).collect()
    }
    fn from_field(form: Vec<T::Pb>) -> Result<Self, WireError> {
        if form.len() > MAX_REPEATED {
            return Err(WireError::expected("is too long a list"));
        }
        form.into_iter().map(T::from_pb).collect()
    }
}

impl Field<u32> for PricingRule {
    fn to_field(&self) -> u32 {
        match self {
            Self::Vickrey => 1,
            Self::FirstPrice => 2,
            Self::MaxMin => 3,
            Self::Posted => 4,
            Self::Uniform => 5,
            Self::Vcg => 6,
        }
    }
    fn from_field(form: u32) -> Result<Self, WireError> {
        match form {
            1 => Ok(Self::Vickrey),
            2 => Ok(Self::FirstPrice),
            3 => Ok(Self::MaxMin),
            4 => Ok(Self::Posted),
            5 => Ok(Self::Uniform),
            6 => Ok(Self::Vcg),
            _ => Err(WireError::expected("has to be the number of a pricing rule")),
        }
    }
}

impl Field<u32> for Placement {
    fn to_field(&self) -> u32 {
        match self {
            Self::Single => 1,
            Self::Processor => 2,
        }
    }
    fn from_field(form: u32) -> Result<Self, WireError> {
        match form {
            1 => Ok(Self::Single),
            2 => Ok(Self::Processor),
            _ => Err(WireError::expected("has to be the number of a placement scheme")),
        }
    }
}

impl Wire for Peer {
    type Pb = v1::Peer;

    fn to_pb(&self) -> v1::Peer {
        let ip = ip_bytes(self.addr.ip());
        v1::Peer { ip, port: self.addr.port().into(), slot: self.slot.into(), key: self.key.to_field() }
    }

    fn from_pb(pb: v1::Peer) -> Result<Self, WireError> {
        let ip = ip_from(&pb.ip).map_err(|e| e.inside("ip"))?;
        let port = u16::from_field(pb.port).map_err(|e| e.inside("port"))?;
        let slot = u16::from_field(pb.slot).map_err(|e| e.inside("slot"))?;
        let key = PublicKey::from_field(pb.key).map_err(|e| e.inside("key"))?;
        Ok(Self::new(SocketAddr::new(ip, port), slot, key))
    }
}

impl Field<u32> for Commodity {
    fn to_field(&self) -> u32 {
        match self {
            Self::Compute => 1,
            Self::Memory => 2,
            Self::Disk => 3,
        }
    }
    fn from_field(form: u32) -> Result<Self, WireError> {
        match form {
            1 => Ok(Self::Compute),
            2 => Ok(Self::Memory),
            3 => Ok(Self::Disk),
            _ => Err(WireError::expected("has to be the number of a commodity")),
        }
    }
}

impl Field<u64> for Release {
    fn to_field(&self) -> u64 {
        self.0
    }
    fn from_field(form: u64) -> Result<Self, WireError> {
        Ok(Self(form))
    }
}

impl Field<u32> for Layers {
    fn to_field(&self) -> u32 {
        self.bits().into()
    }
    fn from_field(form: u32) -> Result<Self, WireError> {
        let bits = u8::try_from(form).ok().and_then(Self::of_bits);
        bits.ok_or(WireError::expected("has to be the bits of layers that there are"))
    }
}

impl Field<u32> for Reputation {
    fn to_field(&self) -> u32 {
        self.0
    }
    fn from_field(form: u32) -> Result<Self, WireError> {
        if form > 1_000 {
            return Err(WireError::expected("has to be thousandths"));
        }
        Ok(Self(form))
    }
}

impl Wire for Market {
    type Pb = v1::MarketId;

    fn to_pb(&self) -> v1::MarketId {
        v1::MarketId { commodity: self.commodity.to_field(), class: self.class }
    }

    fn from_pb(pb: v1::MarketId) -> Result<Self, WireError> {
        let commodity = Commodity::from_field(pb.commodity).map_err(|e| e.inside("commodity"))?;
        if pb.class >= commodity.classes() {
            return Err(WireError::expected("is no class of the commodity").inside("class"));
        }
        Ok(Self { commodity, class: pb.class })
    }
}

impl Wire for Refusal {
    type Pb = v1::Refusal;

    fn to_pb(&self) -> v1::Refusal {
        let (message, hint) = (self.message.clone(), self.hint.clone());
        v1::Refusal { code: self.code.number(), message, hint, retryable: self.is_retryable }
    }

    fn from_pb(pb: v1::Refusal) -> Result<Self, WireError> {
        let code = RefusalCode::from_number(pb.code)
            .ok_or(WireError::expected("has to be the number of a refusal").inside("code"))?;
        let message = String::from_field(pb.message).map_err(|e| e.inside("message"))?;
        let hint = String::from_field(pb.hint).map_err(|e| e.inside("hint"))?;
        Ok(Self { code, message, hint, is_retryable: pb.retryable })
    }
}

impl<T: Paper> Wire for Signed<T> {
    type Pb = v1::Signed;

    fn to_pb(&self) -> v1::Signed {
        let (signer, signature) = (self.signer.to_field(), self.signature.to_field());
        v1::Signed { body: self.body.encode(), signer, signature }
    }

    fn from_pb(pb: v1::Signed) -> Result<Self, WireError> {
        let body = T::decode(&pb.body).map_err(|e| e.inside(T::DOMAIN))?;
        let signer = PublicKey::from_field(pb.signer).map_err(|e| e.inside("signer"))?;
        let signature = Signature::from_field(pb.signature).map_err(|e| e.inside("signature"))?;
        Ok(Self { body, signer, signature })
    }
}

super::wire_struct!(PricingTerms => PricingTerms { posted, weight, bonus, fixed, floor });
super::wire_struct!(Rules => Rules {
    slot_limit, successors, rule, owner_fee, initial_grant, renewal, lease, nominal_run, cost_model, replicas, placement,
    pricing, admission, bond_percent, dispute,
});
super::wire_struct!(Admission => Admission { per_address, work_bits, is_by_invitation });

/// The bytes of an ip address, 4 or 16.
pub(super) fn ip_bytes(ip: IpAddr) -> Vec<u8> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// The ip address of 4 or 16 bytes.
pub(super) fn ip_from(bytes: &[u8]) -> Result<IpAddr, WireError> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Ok(IpAddr::from(four));
    }
    let sixteen = <[u8; 16]>::try_from(bytes).map_err(|_| WireError::expected("has to be 4 or 16 bytes"))?;
    Ok(IpAddr::from(sixteen).to_canonical())
}

fn list<P, T: Field<P>>(form: Vec<P>) -> Result<Vec<T>, WireError> {
    if form.len() > MAX_REPEATED {
        return Err(WireError::expected("is too long a list"));
    }
    form.into_iter().map(T::from_field).collect()
}
