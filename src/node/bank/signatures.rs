//! The signatures of orders, verified on all cores at once: what is dear about an order, and what needs no ledger.

use super::intake::Waiting;
use bank::{Checked, Input};
use proto::message::bank::BankMessage;
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};

/// Fewer orders than so many are not worth waking another core: some 0.2 ms of work.
const WORTH_SHARING: usize = 4;

/// The inputs that messages are for the bank, in their order. Blocks until all signatures are verified.
pub(super) fn verified(messages: Vec<Waiting>) -> Vec<Input> {
    messages.into_par_iter().with_min_len(WORTH_SHARING).map(input).collect()
}

fn input(Waiting { from, message, .. }: Waiting) -> Input {
    match message {
        BankMessage::Request(request) => {
            Input::Checked { from, command: Box::new(Checked::new(request.command)) }
        }
        message => Input::Receive { from, message },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::bank::intake::Intake;
    use crate::node::bank::quota::Quotas;
    use proto::message::bank::{BalanceQuery, BankCommand, BankRequest, OpenAccount, Order};
    use proto::{CommandId, KeyPair, Peer, RequestId, Signed};
    use std::time::Instant;

    #[test]
    fn messages_keep_their_order_and_a_forged_signature_is_found() {
        let keys = KeyPair::from_secret([7; 32]);
        let from = Peer::new(([192, 0, 2, 1], 7000).into(), 0, keys.public());
        let command = |number: u8| {
            let order = Order::OpenAccount(Box::<OpenAccount>::default());
            let body = BankCommand { id: CommandId([number; 16]), bank: keys.public(), order };
            let mut command = Signed::new(body, &keys);
            command.signature.0[40] ^= u8::from(number.is_multiple_of(3));
            command
        };
        let message = |number: u8| match number % 5 {
            4 => BankMessage::BalanceQuery(BalanceQuery { request: RequestId(number.into()) }),
            _ => BankMessage::Request(Box::new(BankRequest { command: command(number) })),
        };
        let mut intake = Intake::new(Quotas::new(0));
        for number in 0..100 {
            assert_eq!(intake.offer(from, message(number), Instant::now()), []);
        }
        let waiting = std::iter::from_fn(|| intake.next()).collect();
        let expected: Vec<Input> = (0..100)
            .map(|number| match message(number) {
                BankMessage::Request(request) => {
                    let command = Checked::new(request.command);
                    assert_eq!(command.is_genuine(), !number.is_multiple_of(3), "{number}");
                    Input::Checked { from, command: Box::new(command) }
                }
                message => Input::Receive { from, message },
            })
            .collect();
        assert_eq!(verified(waiting), expected);
    }
}
