//! What happens to a hold between its placing and its end, on the wire.

use super::super::service::{flatten, unflatten};
use super::super::{Field, Wire, WireError, v1, wire_struct};
use crate::message::bank::{
    AcceptHold, Appointed, Appointment, BondReceipt, Claim, ClaimReceipt, DealReceipt, Dispute,
    DisputeReceipt, Ended, Ending, Finding, How, Judge, ReceiptQuery, ReceiptReply, Shares,
};
use crate::quantity::Cycles;

wire_struct!(AcceptHold => AcceptHold { hold });
wire_struct!(Claim => Claim { hold, ticket, report, taken });
wire_struct!(Dispute => Dispute { hold, offer, reason });
wire_struct!(Judge => Judge { hold, finding });
wire_struct!(Appointment => Appointment { bank, contract, offer, report, arbiter, fee, until });
wire_struct!(Appointed => Appointed { appointment, offer });
wire_struct!(BondReceipt => BondReceipt { hold, bank, seller, bond });
wire_struct!(ClaimReceipt => ClaimReceipt { hold, report, is_taken, until });
wire_struct!(DisputeReceipt => DisputeReceipt { hold, deposit, stake });
wire_struct!(Shares => Shares { buyer_held, seller_held, buyer, seller, owner, arbiter, pool });
wire_struct!(Ending => Ending { hold, how, buyer, seller, owner, arbiter, shares });
wire_struct!(Ended => Ended { ending });
wire_struct!(ReceiptQuery => ReceiptQuery { request, contract });
wire_struct!(DealReceipt => DealReceipt { bank, ending, sequence, time, chain, placed, papers, claim });
wire_struct!(ReceiptReply => ReceiptReply { request, receipt });

impl Field<u32> for How {
    fn to_field(&self) -> u32 {
        self.number()
    }
    fn from_field(form: u32) -> Result<Self, WireError> {
        Self::from_number(form).ok_or(WireError::expected("has to be the number of an end"))
    }
}

impl Wire for Finding {
    type Pb = v1::Finding;

    fn to_pb(&self) -> v1::Finding {
        let (outcome, detail, what) = flatten(&self.outcome);
        v1::Finding {
            contract: self.contract.to_field(),
            report: self.report.to_field(),
            outcome,
            detail,
            what,
            cycles: self.cycles.to_field(),
            outputs: self.outputs.to_field(),
            stdout: self.stdout.to_field(),
            stderr: self.stderr.to_field(),
            more: self.more.to_field(),
        }
    }

    fn from_pb(pb: v1::Finding) -> Result<Self, WireError> {
        let what = String::from_field(pb.what).map_err(|e| e.inside("what"))?;
        Ok(Self {
            contract: Field::from_field(pb.contract).map_err(|e| e.inside("contract"))?,
            report: Field::from_field(pb.report).map_err(|e| e.inside("report"))?,
            outcome: unflatten(pb.outcome, pb.detail, what)?,
            cycles: Cycles(pb.cycles),
            outputs: Field::from_field(pb.outputs).map_err(|e| e.inside("outputs"))?,
            stdout: Field::from_field(pb.stdout).map_err(|e| e.inside("stdout"))?,
            stderr: Field::from_field(pb.stderr).map_err(|e| e.inside("stderr"))?,
            more: Field::from_field(pb.more).map_err(|e| e.inside("more"))?,
        })
    }
}
