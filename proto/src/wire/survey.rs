//! Surveys of markets on the wire.

use super::{Field as _, Wire, WireError, v1, wire_struct};
use crate::message::survey::{
    Asks, Fit, Inquiry, Lack, LastMatch, MarketState, Nearest, Offered, Survey, Surveyed,
};
use crate::{Bytes, Capacity, Layers, Rate, Release, Reputation, Span};

wire_struct!(Survey => Survey { request, from, to, ask, inquiries, show });
wire_struct!(Inquiry => Inquiry { requirement, bid, slices });
wire_struct!(Surveyed => Surveyed { request, markets, is_settling, listings });
wire_struct!(MarketState => MarketState { market, sellers, amount, asks, cheaper, matches, last, fits });
wire_struct!(Asks => Asks { lowest, median, highest });
wire_struct!(LastMatch => LastMatch { clearing, at });
wire_struct!(Fit => Fit {
    sellers, slices, offers, highest, too_dear, lowest_ask, could, compared, closest, closest_ever,
});
wire_struct!(Offered => Offered { ask, slices });
wire_struct!(Nearest => Nearest { seller, lacks });

/// What is lacking as a number, an amount and a name.
fn flatten(lack: &Lack) -> (u32, u64, String) {
    match lack {
        Lack::Price(ask) => (1, ask.0, String::new()),
        Lack::Cores(cores) => (2, u64::from(*cores), String::new()),
        Lack::Power(power) => (3, power.0, String::new()),
        Lack::Memory(memory) => (4, memory.0, String::new()),
        Lack::Disk(disk) => (5, disk.0, String::new()),
        Lack::Os(os) => (6, 0, os.clone()),
        Lack::Arch(arch) => (7, 0, arch.clone()),
        Lack::Native => (8, 0, String::new()),
        Lack::RunTime(longest) => (9, longest.0, String::new()),
        Lack::Reputation(reputation) => (10, u64::from(reputation.0), String::new()),
        Lack::Release(release) => (11, release.0, String::new()),
        Lack::Layers(layers) => (12, u64::from(layers.bits()), String::new()),
    }
}

impl Wire for Lack {
    type Pb = v1::Lack;

    fn to_pb(&self) -> v1::Lack {
        let (kind, has, name) = flatten(self);
        v1::Lack { kind, has, name }
    }

    fn from_pb(pb: v1::Lack) -> Result<Self, WireError> {
        let small = || {
            let small = u32::try_from(pb.has);
            small.map_err(|_| WireError::expected("has to be below 2^32").inside("has"))
        };
        let name = String::from_field(pb.name).map_err(|e| e.inside("name"))?;
        Ok(match pb.kind {
            1 => Self::Price(Rate(pb.has)),
            2 => Self::Cores(small()?),
            3 => Self::Power(Capacity(pb.has)),
            4 => Self::Memory(Bytes(pb.has)),
            5 => Self::Disk(Bytes(pb.has)),
            6 => Self::Os(name),
            7 => Self::Arch(name),
            8 => Self::Native,
            9 => Self::RunTime(Span(pb.has)),
            10 => Self::Reputation(Reputation::from_field(small()?).map_err(|e| e.inside("has"))?),
            11 => Self::Release(Release(pb.has)),
            12 => Self::Layers(Layers::from_field(small()?).map_err(|e| e.inside("has"))?),
            _ => return Err(WireError::expected("has to be the number of a lack").inside("kind")),
        })
    }
}
