//! Transfers, orders of the operator and statements on the wire.

use super::super::{Field, WireError, wire_struct};
use crate::message::bank::{
    Entry, Freeze, Grant, How, Invitation, OpenAccount, Payment, Reason, RecordedReceipt, Statement,
    StatementQuery, Transfer,
};

wire_struct!(OpenAccount => OpenAccount { invitation, nonce });
wire_struct!(Invitation => Invitation { bank, account, expires });
wire_struct!(Payment => Payment { to, amount });
wire_struct!(Transfer => Transfer { payments, memo });
wire_struct!(Grant => Grant { to, amount, reason });
wire_struct!(Freeze => Freeze { account, is_frozen, reason });
wire_struct!(RecordedReceipt => RecordedReceipt { sequence, time });
wire_struct!(StatementQuery => StatementQuery { request, before, limit });
wire_struct!(Entry => Entry { sequence, time, reason, contract, other, available, held, memo, fee });
wire_struct!(Statement => Statement { request, entries, is_complete });

/// The numbers from here on are ends of contracts.
const ENDED: u32 = 16;

impl Field<u32> for Reason {
    fn to_field(&self) -> u32 {
        match self {
            Self::Opened => 1,
            Self::Granted => 2,
            Self::Transferred => 3,
            Self::HoldPlaced => 4,
            Self::BondPlaced => 5,
            Self::Disputed => 6,
            Self::Frozen => 7,
            Self::Freed => 8,
            Self::Ended(how) => ENDED + how.number(),
        }
    }
    fn from_field(form: u32) -> Result<Self, WireError> {
        Ok(match form {
            1 => Self::Opened,
            2 => Self::Granted,
            3 => Self::Transferred,
            4 => Self::HoldPlaced,
            5 => Self::BondPlaced,
            6 => Self::Disputed,
            7 => Self::Frozen,
            8 => Self::Freed,
            _ => {
                let how = form.checked_sub(ENDED).and_then(How::from_number);
                Self::Ended(how.ok_or(WireError::expected("has to be the number of a reason"))?)
            }
        })
    }
}
