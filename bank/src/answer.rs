//! The answer to a command that was executed, made from the command and what is remembered of it: the same at any time,
//! byte for byte.

use crate::deal::Claimed;
use crate::ledger::claimed;
use crate::memory::{Answer, End, Remembered};
use proto::message::bank::{
    Balance, BankCommand, BankOutcome, BondReceipt, ClaimReceipt, DisputeReceipt, HoldReceipt, Order,
    PlaceHold, RecordedReceipt, ReleasedReceipt, SettledReceipt,
};
use proto::{KeyPair, Signed, Time};

/// What was answered to `command`; none if `remembered` is of an order of another kind.
pub(crate) fn outcome(
    remembered: &Remembered,
    command: &Signed<BankCommand>,
    keys: &KeyPair,
) -> Option<BankOutcome> {
    Some(match (&remembered.executed.answer, &command.body.order) {
        (Answer::Opened(sides), Order::OpenAccount(_)) => {
            let (available, held) = **sides;
            BankOutcome::Opened(Balance { account: command.signer, available, held })
        }
        (Answer::Held(expires), Order::PlaceHold(order)) => held(command, order, *expires, keys),
        (Answer::Ended(end), Order::PlaceHold(order)) => {
            let End { expires, .. } = **end;
            held(command, order, expires, keys)
        }
        (Answer::Released(returned), Order::ReleaseHold(order)) => {
            BankOutcome::Released(ReleasedReceipt { hold: order.hold, returned: *returned })
        }
        (Answer::Settled(parts), Order::Settle(order)) => {
            let [seller_paid, owner_paid, returned] = **parts;
            BankOutcome::Settled(SettledReceipt { hold: order.hold, seller_paid, owner_paid, returned })
        }
        (Answer::Accepted(bond), Order::AcceptHold(order)) => {
            let (hold, bank, seller, bond) = (order.hold, keys.public(), command.signer, *bond);
            BankOutcome::Accepted(Signed::new(BondReceipt { hold, bank, seller, bond }, keys))
        }
        (Answer::Claimed(until), Order::Claim(order)) => {
            let Claimed { report, is_taken, until, .. } = claimed(order, *until);
            BankOutcome::Claimed(ClaimReceipt { hold: order.hold, report, is_taken, until })
        }
        (Answer::Disputed(sides), Order::Dispute(order)) => {
            let (deposit, stake) = **sides;
            BankOutcome::Disputed(DisputeReceipt { hold: order.hold, deposit, stake })
        }
        (
            Answer::Recorded(sequence),
            Order::Transfer(_) | Order::Grant(_) | Order::Freeze(_) | Order::Judge(_),
        ) => BankOutcome::Recorded(RecordedReceipt { sequence: *sequence, time: remembered.time }),
        _ => return None,
    })
}

fn held(command: &Signed<BankCommand>, order: &PlaceHold, expires: Time, keys: &KeyPair) -> BankOutcome {
    let PlaceHold { seller, ticket, amount, .. } = *order;
    let (hold, bank, buyer) = (command.body.id, keys.public(), command.signer);
    BankOutcome::Held(Signed::new(HoldReceipt { hold, bank, buyer, seller, ticket, amount, expires }, keys))
}
