//! Whom a record concerns: what a store finds records by.

use crate::record::{Event, Record};
use proto::message::bank::Order;
use proto::{ContractId, Money, PublicKey};

impl Record {
    /// The accounts whose money the record moves, and an account that it freezes or frees; by key, each once. `bank` is
    /// the account of the bank itself, to which the rest of a penalty goes.
    #[must_use]
    pub fn accounts(&self, bank: PublicKey) -> Vec<PublicKey> {
        let mut accounts = match &self.event {
            Event::AccountOpened { command, .. }
            | Event::HoldPlaced { command, .. }
            | Event::HoldAccepted { command, .. } => vec![command.signer],
            Event::HoldDisputed { command, .. } => match &command.body.order {
                Order::Dispute(order) => vec![command.signer, order.offer.body.seller],
                _ => vec![command.signer],
            },
            Event::HoldClosed { ending, .. } => {
                let pool = Some(bank).filter(|_| ending.shares.pool > Money::ZERO);
                let others = [ending.owner, ending.arbiter, pool].into_iter().flatten();
                [ending.buyer, ending.seller].into_iter().chain(others).collect()
            }
            Event::Transferred { command } => match &command.body.order {
                Order::Transfer(order) => {
                    let paid = order.payments.iter().map(|payment| payment.to);
                    std::iter::once(command.signer).chain(paid).collect()
                }
                _ => vec![command.signer],
            },
            Event::Granted { command } => match &command.body.order {
                Order::Grant(order) => vec![order.to],
                _ => Vec::new(),
            },
            Event::Frozen { command } => match &command.body.order {
                Order::Freeze(order) => vec![order.account],
                _ => Vec::new(),
            },
            Event::HoldClaimed { .. } | Event::ArbiterNamed { .. } | Event::Resumed { .. } => Vec::new(),
        };
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    /// The contract that the record belongs to.
    #[must_use]
    pub fn contract(&self) -> Option<ContractId> {
        match &self.event {
            Event::HoldPlaced { command, .. } => Some(command.body.id),
            Event::HoldAccepted { command, .. }
            | Event::HoldClaimed { command, .. }
            | Event::HoldDisputed { command, .. } => match &command.body.order {
                Order::AcceptHold(order) => Some(order.hold),
                Order::Claim(order) => Some(order.hold),
                Order::Dispute(order) => Some(order.hold),
                _ => None,
            },
            Event::HoldClosed { ending, .. } => Some(ending.hold),
            Event::ArbiterNamed { hold, .. } => Some(*hold),
            Event::AccountOpened { .. }
            | Event::Transferred { .. }
            | Event::Granted { .. }
            | Event::Frozen { .. }
            | Event::Resumed { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::message::bank::{
        BankCommand, Ending, Freeze, Grant, How, Payment, PlaceHold, Shares, Transfer,
    };
    use proto::{CommandId, Hash, KeyPair, Signed, Span, Time};

    const BANK: PublicKey = PublicKey([9; 32]);
    const A: PublicKey = PublicKey([1; 32]);
    const B: PublicKey = PublicKey([2; 32]);
    const HOLD: CommandId = CommandId([7; 16]);

    fn command(order: Order) -> Box<Signed<BankCommand>> {
        let command = BankCommand { id: HOLD, bank: BANK, order };
        Box::new(Signed::new(command, &KeyPair::from_secret([3; 32])))
    }

    fn check(event: Event, accounts: &[PublicKey], contract: Option<ContractId>) {
        let record = Record::seal(0, Time(1), event, Hash::default());
        let expected = {
            let mut sorted = accounts.to_vec();
            sorted.sort_unstable();
            sorted
        };
        assert_eq!((record.accounts(BANK), record.contract()), (expected, contract), "{record:?}");
    }

    #[test]
    fn a_record_concerns_whose_money_it_moves_and_the_contract_it_belongs_to() {
        let me = KeyPair::from_secret([3; 32]).public();
        let pay = |to| Payment { to, amount: Money(1) };
        let transfer = Transfer { payments: vec![pay(B), pay(A), pay(B)], memo: String::new() };
        check(Event::Transferred { command: command(Order::Transfer(transfer)) }, &[me, A, B], None);
        let order = PlaceHold { seller: A, ticket: Hash::default(), amount: Money(1), expires_in: Span(1) };
        let placed = Event::HoldPlaced { command: command(Order::PlaceHold(order)), expires: Time(9) };
        check(placed, &[me], Some(HOLD));
        let grant = Grant { to: B, amount: Money(1), reason: String::new() };
        check(Event::Granted { command: command(Order::Grant(grant)) }, &[B], None);
        let freeze = Freeze { account: A, is_frozen: true, reason: String::new() };
        check(Event::Frozen { command: command(Order::Freeze(freeze)) }, &[A], None);
        check(Event::ArbiterNamed { hold: HOLD, arbiter: A, until: Time(3) }, &[], Some(HOLD));
        check(Event::Resumed { quiet_until: Time(3) }, &[], None);
    }

    #[test]
    fn the_end_of_a_hold_concerns_all_who_get_of_it_and_the_bank_only_for_a_penalty() {
        let closed = |pool| {
            let shares = Shares { buyer_held: Money(1), pool, ..Shares::default() };
            let (owner, arbiter) = (Some(A), None);
            let how = How::NoShow;
            let ending = Ending { hold: HOLD, how, buyer: A, seller: B, owner, arbiter, shares };
            Event::HoldClosed { command: None, ending: Box::new(ending) }
        };
        check(closed(Money::ZERO), &[A, B], Some(HOLD));
        check(closed(Money(1)), &[A, B, BANK], Some(HOLD));
    }
}
