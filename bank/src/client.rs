//! The other side of the counter: how nodes write commands, and what a seller checks on a hold's receipt.

use proto::message::bank::{BankCommand, HoldReceipt, Order};
use proto::{CommandId, Hash, KeyPair, Money, PublicKey, Refusal, RefusalCode, Signed, Time};

/// A signed command. A repetition of it has to carry the same `id`.
#[must_use]
pub fn command(keys: &KeyPair, bank: PublicKey, id: CommandId, order: Order) -> Signed<BankCommand> {
    Signed::new(BankCommand { id, bank, order }, keys)
}

/// What a seller wants to see on the receipt of the hold that pays it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The network's bank.
    pub bank: PublicKey,
    /// Who offers the work.
    pub buyer: PublicKey,
    /// Who is to be paid.
    pub seller: PublicKey,
    /// Which contract.
    pub contract: CommandId,
    /// Hash of the signed ticket.
    pub ticket: Hash,
    /// The least that has to be set aside.
    pub amount: Money,
    /// The moment until which the hold has to last at least.
    pub until: Time,
}

/// Checks a receipt against what the seller wants.
///
/// # Errors
/// The first thing that does not fit, in the words with which the offer is declined.
pub fn verify_receipt(receipt: &Signed<HoldReceipt>, wanted: &Wanted) -> Result<(), Refusal> {
    let refuse = |code, message: String| Err(Refusal::new(code, message, ""));
    let body = &receipt.body;
    if !receipt.is_genuine_by(wanted.bank) || body.bank != wanted.bank {
        return refuse(RefusalCode::NotYours, format!("the hold is not signed by the bank {}", wanted.bank));
    }
    if body.hold != wanted.contract {
        let message = format!("the hold is {}, the contract {}", body.hold, wanted.contract);
        return refuse(RefusalCode::Mismatch, message);
    }
    if body.buyer != wanted.buyer {
        let message = format!("the hold is of buyer {}, the offer of {}", body.buyer, wanted.buyer);
        return refuse(RefusalCode::Mismatch, message);
    }
    if body.seller != wanted.seller {
        let message = format!("the hold is for seller {}, this is {}", body.seller, wanted.seller);
        return refuse(RefusalCode::Mismatch, message);
    }
    if body.ticket != wanted.ticket {
        return refuse(RefusalCode::Mismatch, "the hold was placed for another ticket".into());
    }
    if body.amount < wanted.amount {
        let message = format!("the hold is of {} credits, {} are needed", body.amount, wanted.amount);
        return refuse(RefusalCode::NotEnoughMoney, message);
    }
    if body.expires <= wanted.until {
        let missing = wanted.until.since(body.expires);
        return refuse(RefusalCode::Expired, format!("the hold ends too early by {missing}"));
    }
    Ok(())
}
