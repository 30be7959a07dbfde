//! Identifiers: points of the circle, hashes, requests, commands, and the peers behind them.

use crate::key::PublicKey;
use sha1::{Digest, Sha1};
use std::cmp::Ordering;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// A point of the identifier circle of 2^160 points: node ids and keys alike (Chord, ToN 2003, IV).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RingId(pub [u8; 20]);

/// A BLAKE3 hash: the name of a content.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

/// The number by which a node recognises the answer to its own request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// The caller's name for a command to the bank; the same id and content is the same command.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub [u8; 16]);

/// The name of a contract: the id of the hold that pays for it.
pub type ContractId = CommandId;

/// A place in the ring: an address, a slot at it, and the key of whoever runs there.
///
/// The node id is not carried but computed, SHA-1(ip ‖ slot), so that a place cannot be claimed by words.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// The node id.
    id: RingId,
    /// Where the node listens.
    pub addr: SocketAddr,
    /// Which of the places behind one ip address.
    pub slot: u16,
    /// The key of its channel, its account and its signatures.
    pub key: PublicKey,
}

impl RingId {
    /// SHA-1 of `bytes`.
    #[must_use]
    pub fn hash(bytes: &[u8]) -> Self {
        Self(Sha1::digest(bytes).into())
    }

    /// The point that lies `part` of `of` equal parts after zero; zero for no parts.
    #[must_use]
    pub fn fraction(part: u32, of: u32) -> Self {
        let high = (u128::MAX / u128::from(of.max(1))).saturating_mul(u128::from(part));
        let mut point = [0; 20];
        for (to, from) in point.iter_mut().zip(high.to_be_bytes()) {
            *to = from;
        }
        Self(point)
    }

    /// This point moved on by `offset`, around the circle.
    #[must_use]
    pub const fn plus(self, offset: Self) -> Self {
        let ((a_high, a_low), (b_high, b_low)) = (self.halves(), offset.halves());
        let (low, carry) = a_low.overflowing_add(b_low);
        let high = a_high.wrapping_add(b_high).wrapping_add(carry as u32);
        Self::from_halves(high, low)
    }

    /// The first 32 and the last 128 bits.
    const fn halves(self) -> (u32, u128) {
        let [a, b, c, d, low @ ..] = self.0;
        (u32::from_be_bytes([a, b, c, d]), u128::from_be_bytes(low))
    }

    const fn from_halves(high: u32, low: u128) -> Self {
        let [a, b, c, d] = high.to_be_bytes();
        let [e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = low.to_be_bytes();
        Self([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t])
    }

    /// The point 2^`exponent` further on; `exponent` below 160 (a larger one leaves the point as it is).
    #[must_use]
    pub fn plus_power(self, exponent: u32) -> Self {
        let mut offset = [0; 20];
        let byte = usize::try_from(exponent / 8).ok().and_then(|low| 19_usize.checked_sub(low));
        if let Some(digit) = byte.and_then(|index| offset.get_mut(index)) {
            *digit = 1 << (exponent % 8);
        }
        self.plus(Self(offset))
    }
}

/// As numbers, not byte by byte: points are compared more often than anything else in a ring.
impl Ord for RingId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.halves().cmp(&other.halves())
    }
}

impl PartialOrd for RingId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash {
    /// BLAKE3 of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The hash as 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        unhex(text).map(Self)
    }
}

impl Peer {
    /// The place `slot` at `addr`, run by `key`.
    #[must_use]
    pub fn new(addr: SocketAddr, slot: u16, key: PublicKey) -> Self {
        let mut place = match addr.ip().to_canonical() {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        place.extend(slot.to_be_bytes());
        Self { id: RingId::hash(&place), addr, slot, key }
    }

    /// The node id, SHA-1(ip ‖ slot).
    #[must_use]
    pub const fn id(&self) -> RingId {
        self.id
    }
}

/// Lower-case hexadecimal digits of `bytes`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes behind exactly 2·N hexadecimal digits.
#[must_use]
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = high << 4 | low;
    }
    Some(bytes)
}

macro_rules! hexadecimal {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            /// The first eight digits; `{:#}` shows all.
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                let all = hex(&self.0);
                if out.alternate() { out.pad(&all) } else { out.pad(all.get(..8).unwrap_or(&all)) }
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{self}")
            }
        }
    )*};
}
hexadecimal!(RingId, Hash, CommandId);

impl fmt::Display for Peer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}@{}#{}", self.key, self.addr, self.slot)
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}={self}", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_carry_and_wrap() {
        assert_eq!(RingId([0xff; 20]).plus_power(0), RingId([0; 20]));
        let mut expected = [0; 20];
        expected[0] = 0x80;
        assert_eq!(RingId([0; 20]).plus_power(159), RingId(expected));
        assert_eq!(RingId([0; 20]).plus_power(160), RingId([0; 20]));
    }

    #[test]
    fn hexadecimal_text_must_fit_exactly() {
        assert_eq!(unhex::<2>("00ff"), Some([0, 255]));
        for text in ["00f", "00ff0", "00fg", ""] {
            assert_eq!(unhex::<2>(text), None, "{text}");
        }
    }

    #[test]
    fn a_mapped_address_is_the_same_place() {
        let key = PublicKey([1; 32]);
        let plain = Peer::new("10.0.0.1:7740".parse().unwrap(), 3, key);
        let mapped = Peer::new("[::ffff:10.0.0.1]:7740".parse().unwrap(), 3, key);
        assert_eq!(plain.id(), mapped.id());
    }
}
