//! Commands about the node's account: balance, statement, receipts, payments.

mod receipt;
mod statement;

pub(super) use receipt::{receipt, verify};
pub(super) use statement::statement;

use super::arguments::{Global, Transfer};
use super::node::{ANSWER, ask_node};
use super::{Done, client, exit};
use crate::control::{BalanceView, Failure, Payment, Reply, Request};
use crate::output::Printer;
use proto::CommandId;

/// Shows the account.
pub(super) fn balance(global: &Global, printer: Printer) -> Done {
    printer.balance(&balance_of(global)?)?;
    Ok(exit::SUCCESS)
}

/// Pays another account.
pub(super) fn transfer(transfer: &Transfer, global: &Global, printer: Printer) -> Done {
    let id = match transfer.id {
        Some(id) => id,
        None => CommandId(crate::node::random::bytes()?),
    };
    let Transfer { account, credits, memo, .. } = transfer;
    let (to, amount, memo) = (account.to_hex(), credits.0, memo.clone());
    let payment = Payment { to, amount, memo, id: format!("{id:#}") };
    let reply = ask_node(global, &Request::Pay(payment), ANSWER);
    match reply.map_err(|failure| with_id(failure, id))? {
        (_, Reply::Paid(paid)) => printer.paid(&paid)?,
        (home, _) => return Err(client::unexpected(&home).into()),
    }
    Ok(exit::SUCCESS)
}

/// A failure after which nobody knows whether the order was carried out says how it is paid once.
fn with_id(failure: Failure, id: CommandId) -> Failure {
    let is_open =
        matches!(failure.code.as_str(), "bank_unreachable" | "node_unreachable" | "node_ended" | "timeout");
    if !is_open {
        return failure;
    }
    let hint =
        format!("repeat it with --id {id:#} and it is paid once; `bank statement` shows whether it was");
    failure.hint(hint)
}

/// What the account has.
fn balance_of(global: &Global) -> Result<BalanceView, Failure> {
    match ask_node(global, &Request::Balance, ANSWER)? {
        (_, Reply::Balance(balance)) => Ok(*balance),
        (home, _) => Err(client::unexpected(&home)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_whose_fate_is_unknown_can_be_repeated_with_its_id() {
        let id = CommandId([0xab; 16]);
        for (failure, is_open) in [
            (Failure::no_word("127.0.0.1:7742", 5), true),
            (Failure::new("node_ended", "it ended", 4), true),
            (Failure::new("timeout", "too late", 124), true),
            (Failure::new("no_node", "nobody there", 4), false),
            (Failure::new("not_enough_money", "not enough money", 6), false),
        ] {
            let told = with_id(failure.clone(), id);
            assert_eq!(told.hint.contains(&format!("--id {}", "ab".repeat(16))), is_open, "{told:?}");
            assert_eq!((told.code, told.message, told.exit), (failure.code, failure.message, failure.exit));
        }
    }
}
