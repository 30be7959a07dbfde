//! A node that has overheard everything: it sends the orders of others, orders with the papers of others, orders that it
//! has not signed, and many of its own.

use super::papers;
use super::party::Party;
use crate::dice::Dice;
use proto::message::bank::{
    AcceptHold, BalanceQuery, BankCommand, BankMessage, BankRequest, Order, Payment, Transfer,
};
use proto::{CommandId, Money, PublicKey, RequestId, Signed};

/// How many messages it sends each time it acts.
const AT_ONCE: u64 = 4;
/// How many orders of others it keeps.
pub(super) const OVERHEARD: usize = 256;

/// A forger.
#[derive(Debug)]
pub(super) struct Forger {
    pub(super) party: usize,
    dice: Dice,
    sent: u64,
}

impl Forger {
    pub(super) fn new(party: usize, seed: u64) -> Self {
        Self { party, dice: Dice::new(seed, "forger", u64::try_from(party).unwrap_or(0)), sent: 0 }
    }

    /// What it sends to the bank now.
    pub(super) fn act(
        &mut self,
        me: &Party,
        bank: PublicKey,
        overheard: &[Signed<BankCommand>],
    ) -> Vec<BankMessage> {
        (0..AT_ONCE).filter_map(|_| self.letter(me, bank, overheard)).collect()
    }

    fn letter(
        &mut self,
        me: &Party,
        bank: PublicKey,
        overheard: &[Signed<BankCommand>],
    ) -> Option<BankMessage> {
        let count = u64::try_from(overheard.len()).unwrap_or(0);
        let victim = overheard.get(usize::try_from(self.dice.below(count)).ok()?)?;
        self.sent += 1;
        let mut name = me.keys.public().0.to_vec();
        name.extend(self.sent.to_le_bytes());
        let id = papers::id("forged", &name);
        let mine = |id: CommandId, order: Order| bank::client::command(&me.keys, bank, id, order);
        let command = match self.dice.below(6) {
            0 => victim.clone(),
            1 => mine(id, victim.body.order.clone()),
            2 => mine(victim.body.id, victim.body.order.clone()),
            3 => Signed { signer: me.keys.public(), ..victim.clone() },
            4 => mine(id, Order::AcceptHold(AcceptHold { hold: victim.body.id })),
            _ => {
                let payments = vec![Payment { to: victim.signer, amount: Money(1) }];
                mine(id, Order::Transfer(Transfer { payments, memo: "take this".into() }))
            }
        };
        if self.sent.is_multiple_of(8) {
            return Some(BankMessage::BalanceQuery(BalanceQuery { request: RequestId(self.sent) }));
        }
        Some(BankMessage::Request(Box::new(BankRequest { command })))
    }
}
