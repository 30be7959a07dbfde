//! A listing as it is kept: in one piece of memory, without what the books know anyway. Key and signer are one, names
//! have numbers, and most numbers take as many bytes as they need (seven bits in each, the lowest first).
//!
//! ```text
//! key 32 | signature 64 | commodity 1 | flags 1 | ip 4 or 16 | port 2 | the rest as numbers
//! ```
//!
//! The listing comes out again as it was signed, bit by bit. Of an IPv6 address flow and scope are not kept, as they are
//! not sent either.

use super::names::OS_AT;
use proto::message::market::{Listing, Platform, Standing};
use proto::{
    Bundle, Bytes, Capacity, Commodity, Layers, Market, Peer, PublicKey, Rate, Release, Signature, Signed,
    Span, Time,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const COMMODITY_AT: usize = 32 + 64;

const IS_HANDED: u8 = 1;
const IS_V6: u8 = 2;
/// All of the machine is offered.
const IS_WHOLE: u8 = 4;
const HAS_STANDING: u8 = 8;
/// The standing is of somebody else.
const OF_OTHER: u8 = 16;
/// The standing is signed by somebody else than the bank.
const BY_OTHER: u8 = 32;

/// What the books know beside the bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    /// Who signs standings.
    pub(crate) bank: Option<PublicKey>,
}

/// A listing read.
#[derive(Debug)]
pub(crate) struct Unpacked {
    /// All but the platform's names.
    pub(crate) listing: Signed<Listing>,
    /// The platform's word.
    pub(crate) platform: u64,
    pub(crate) is_handed: bool,
}

/// The seller's key.
pub(crate) fn key(paper: &[u8]) -> Option<PublicKey> {
    paper.first_chunk().copied().map(PublicKey)
}

pub(crate) fn commodity(paper: &[u8]) -> Option<Commodity> {
    let number = usize::from(*paper.get(COMMODITY_AT)?);
    Commodity::ALL.get(number).copied()
}

/// The bytes of a listing that its seller has signed and whose platform has this word. They are put together in
/// `scratch`, so that what is kept is allocated once and at its size.
pub(crate) fn pack(
    listing: &Signed<Listing>,
    platform: u64,
    is_handed: bool,
    context: Context,
    scratch: &mut Vec<u8>,
) -> Box<[u8]> {
    let Signed { body, signature, .. } = listing;
    scratch.clear();
    let mut out = Writer(scratch);
    out.raw(&body.seller.key.0);
    out.raw(&signature.0);
    let number = Commodity::ALL.iter().position(|commodity| *commodity == body.market.commodity);
    out.raw(&[number.and_then(|number| u8::try_from(number).ok()).unwrap_or(u8::MAX)]);
    let standing = body.standing.as_ref();
    let flag = |is_so: bool, flag: u8| if is_so { flag } else { 0 };
    let flags = flag(is_handed, IS_HANDED)
        | flag(body.seller.addr.is_ipv6(), IS_V6)
        | flag(body.whole == body.offered(), IS_WHOLE)
        | flag(standing.is_some(), HAS_STANDING)
        | flag(standing.is_some_and(|standing| standing.body.account != body.seller.key), OF_OTHER)
        | flag(standing.is_some_and(|standing| Some(standing.signer) != context.bank), BY_OTHER);
    out.raw(&[flags]);
    match body.seller.addr.ip() {
        IpAddr::V4(ip) => out.raw(&ip.octets()),
        IpAddr::V6(ip) => out.raw(&ip.octets()),
    }
    out.raw(&body.seller.addr.port().to_be_bytes());
    out.number(body.version);
    out.number(body.expires.0);
    for number in [u64::from(body.seller.slot), body.market.class.into(), body.per_core.0, body.ask.0] {
        out.number(number);
    }
    out.bundle(body.offered());
    // The names by themselves: both numbers are small.
    out.number(platform >> OS_AT);
    out.number(platform & ((1 << OS_AT) - 1));
    out.number(body.longest.0);
    out.round(body.platform.release.0);
    out.number(body.platform.layers.bits().into());
    if flags & IS_WHOLE == 0 {
        out.bundle(body.whole);
    }
    if let Some(standing) = standing {
        out.standing(standing, flags);
    }
    scratch.as_slice().into()
}

/// The listing of these bytes; its platform has no names.
pub(crate) fn unpack(paper: &[u8], context: Context) -> Option<Unpacked> {
    let mut from = Reader(paper);
    let key = PublicKey(from.raw()?);
    let signature = Signature(from.raw()?);
    let [number] = from.raw()?;
    let commodity = *Commodity::ALL.get(usize::from(number))?;
    let [flags] = from.raw()?;
    let ip = if flags & IS_V6 == 0 {
        IpAddr::V4(Ipv4Addr::from(from.raw::<4>()?))
    } else {
        IpAddr::V6(Ipv6Addr::from(from.raw::<16>()?))
    };
    let addr = SocketAddr::new(ip, u16::from_be_bytes(from.raw()?));
    let (version, expires) = (from.number()?, Time(from.number()?));
    let seller = Peer::new(addr, u16::try_from(from.number()?).ok()?, key);
    let market = Market { commodity, class: u32::try_from(from.number()?).ok()? };
    let (per_core, ask) = (Capacity(from.number()?), Rate(from.number()?));
    let offered = from.bundle()?;
    let platform = (from.number()? << OS_AT) | from.number()?;
    let longest = Span(from.number()?);
    let release = Release(from.round()?);
    let layers = Layers::of_bits(u8::try_from(from.number()?).ok()?)?;
    let whole = if flags & IS_WHOLE == 0 { from.bundle()? } else { offered };
    let standing = if flags & HAS_STANDING == 0 { None } else { Some(from.standing(key, flags, context)?) };
    let Bundle { cores, memory, disk } = offered;
    let body = Listing {
        seller,
        version,
        market,
        cores,
        per_core,
        ask,
        memory,
        disk,
        platform: Platform { release, layers, ..Platform::default() },
        longest,
        standing,
        whole,
        expires,
    };
    let listing = Signed { body, signer: key, signature };
    Some(Unpacked { listing, platform, is_handed: flags & IS_HANDED != 0 })
}

struct Writer<'a>(&'a mut Vec<u8>);

impl Writer<'_> {
    fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn number(&mut self, mut number: u64) {
        // The lowest seven bits, and a mark where more follow.
        while number >= 0x80 {
            let [low, ..] = number.to_le_bytes();
            self.0.push(0x80 | low);
            number >>= 7;
        }
        let [low, ..] = number.to_le_bytes();
        self.0.push(low);
    }

    fn bundle(&mut self, bundle: Bundle) {
        let Bundle { cores, memory, disk } = bundle;
        self.number(cores.into());
        // Mostly so many MiB or GiB.
        self.round(memory.0);
        self.round(disk.0);
    }

    /// A number that mostly ends with zeros in base two: these are counted.
    fn round(&mut self, number: u64) {
        let zeros = number.trailing_zeros() % u64::BITS;
        self.number(zeros.into());
        self.number(number >> zeros);
    }

    fn standing(&mut self, standing: &Signed<Standing>, flags: u8) {
        let Signed { body: Standing { account, kept, broken, expires }, signer, signature } = standing;
        if flags & OF_OTHER != 0 {
            self.raw(&account.0);
        }
        if flags & BY_OTHER != 0 {
            self.raw(&signer.0);
        }
        self.raw(&signature.0);
        for number in [*kept, *broken, expires.0] {
            self.number(number);
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn raw<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = self.raw()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn bundle(&mut self) -> Option<Bundle> {
        let cores = u32::try_from(self.number()?).ok()?;
        Some(Bundle { cores, memory: Bytes(self.round()?), disk: Bytes(self.round()?) })
    }

    fn round(&mut self) -> Option<u64> {
        let zeros = u32::try_from(self.number()?).ok()?;
        self.number()?.checked_shl(zeros)
    }

    fn standing(&mut self, seller: PublicKey, flags: u8, context: Context) -> Option<Signed<Standing>> {
        let account = if flags & OF_OTHER == 0 { seller } else { PublicKey(self.raw()?) };
        let signer = if flags & BY_OTHER == 0 { context.bank? } else { PublicKey(self.raw()?) };
        let signature = Signature(self.raw()?);
        let (kept, broken, expires) = (self.number()?, self.number()?, Time(self.number()?));
        Some(Signed { body: Standing { account, kept, broken, expires }, signer, signature })
    }
}

#[cfg(test)]
mod tests;
