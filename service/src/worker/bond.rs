//! The bond: where the network's rules ask for one, a seller puts it up before it takes an offer.

use super::{Errand, Stage, Work, Worker};
use crate::dispatch::follow_up;
use crate::effect::Effect;
use proto::message::bank::{AcceptHold, BankOutcome, Order};
use proto::{ContractId, Refusal, RefusalCode, Time};

impl Worker {
    /// Orders the bond for a contract.
    pub(super) fn put_up(&mut self, contract: ContractId) {
        let id = follow_up(&self.keys, contract, "accept");
        self.orders.insert(id, (contract, Errand::Bond));
        let order = Order::AcceptHold(AcceptHold { hold: contract });
        self.effects.push_back(Effect::Order { id, order });
    }

    /// The bank's answer: the work begins, or the offer is declined with the bank's sentence.
    pub(super) fn bond_answered(&mut self, contract: ContractId, outcome: BankOutcome, now: Time) {
        let (bank, me) = (self.bank, self.me.key);
        let Some(work) = self.works.get_mut(&contract) else { return };
        if !matches!(work.stage, Stage::Bonding) {
            return;
        }
        let refusal = match outcome {
            BankOutcome::Accepted(receipt)
                if receipt.is_genuine_by(bank)
                    && receipt.body.bank == bank
                    && receipt.body.hold == contract
                    && receipt.body.seller == me =>
            {
                work.bond = Some(receipt);
                self.begin(contract, now);
                return;
            }
            BankOutcome::Refused(refusal) => refusal,
            _ => {
                Refusal::new(RefusalCode::Mismatch, "the bank's word for the bond is for something else", "")
            }
        };
        let Some(Work { buyer, .. }) = self.works.remove(&contract) else { return };
        self.owner.gave_one_back();
        self.effects.push_back(Effect::Free { ticket: contract });
        let message = format!("the seller could not put up its bond: {}", refusal.message);
        self.decline(buyer, contract, Refusal { message, ..refusal }, now);
    }
}
