//! What a command has to be before the ledger looks at its order.

use crate::record::MAX_COMMAND;
use proto::message::bank::BankCommand;
use proto::wire::Wire;
use proto::{PublicKey, Refusal, RefusalCode, Signed};

/// Whether `command` is a genuine one of `sender`, for the bank whose key is `bank`, of bearable size.
pub(crate) fn admit(
    command: &Signed<BankCommand>,
    sender: PublicKey,
    bank: PublicKey,
) -> Result<(), Refusal> {
    if command.signer != sender {
        let message = format!("the command is signed by {}, the channel is of {sender}", command.signer);
        return Err(Refusal::new(RefusalCode::NotYours, message, "send your own commands only"));
    }
    if command.body.bank != bank {
        let message = format!("the command is for the bank {}, this is {bank}", command.body.bank);
        return Err(Refusal::new(RefusalCode::Mismatch, message, ""));
    }
    let size = command.encode().len();
    if size > MAX_COMMAND {
        let message = format!("the command has {size} bytes, the bank keeps {MAX_COMMAND} at most");
        return Err(Refusal::new(RefusalCode::Malformed, message, "declare fewer outputs for the sub-task"));
    }
    if !command.is_genuine() {
        let message = format!("the command is not signed by {sender}");
        return Err(Refusal::new(RefusalCode::NotYours, message, ""));
    }
    Ok(())
}
