//! Room for states after a restart of the buyer's node: contracts of storage are taken up again, paid and ended.
//!
//! The note of a room is written before its hold is ordered. The order is the same at any time, and the bank gives its
//! first answer to it again; so a room is taken up where its hold was about to be ordered, whatever had become of it.

use super::{Dispatch, Room, Stage};
use crate::journal::{Note, Saving};
use crate::plan::HOLD_MARGIN;
use proto::message::market::Requirement;
use proto::{ContractId, Money, Time};
use std::collections::BTreeMap;

impl Dispatch {
    /// What a journal has to say of rooms.
    pub(in crate::dispatch) fn notes_of_rooms(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        for room in self.rooms.values() {
            let Some(ticket) = room.ticket().cloned().map(Box::new) else { continue };
            let Room { task, index: sub_task, amount, since, .. } = *room;
            notes.push(Note::Saving(Saving::Room { task, sub_task, ticket, amount, since }));
            if let Stage::Settling { bill, .. } = &room.stage {
                notes.push(Note::Saving(Saving::Billed { bill: bill.clone() }));
            }
        }
        notes
    }

    /// What was written down of states and of the room for them.
    pub(in crate::dispatch) fn recall_saving(&mut self, saving: &Saving) {
        match saving {
            Saving::States { task, sub_task, states } => self.recall_states(*task, *sub_task, states),
            Saving::Room { task, sub_task, ticket, amount, since } => {
                let Requirement { disk, run_time, .. } = ticket.body.requirement;
                let stage = Stage::Holding((**ticket).clone());
                let (task, index, amount, since) = (*task, *sub_task, *amount, *since);
                let room = Room { task, index, size: disk, amount, term: run_time, since, stage };
                self.rooms.insert(ticket.body.id, room);
            }
            Saving::Billed { bill } => {
                if let Some(room) = self.rooms.get_mut(&bill.body.contract)
                    && let Some(ticket) = room.ticket().cloned()
                {
                    room.stage = Stage::Settling { ticket, bill: bill.clone() };
                }
            }
            Saving::Vacated { task, sub_task, contract, cost } => {
                self.rooms.remove(contract);
                if let Some(task) = self.tasks.get_mut(task) {
                    task.pay_room(*sub_task, *cost);
                }
                if let Some(keeping) = self.keepings.get_mut(&(*task, *sub_task)) {
                    keeping.budget = Money(keeping.budget.0.saturating_sub(cost.0));
                }
            }
        }
    }

    /// After a restart: holds that were ordered are ordered once more, and so are payments. What storage nodes keep is asked
    /// for again when the bank has answered. `replicas` tells the numbers that replicas have now: room for one that has
    /// ended is for nobody, so that it is paid and given back.
    pub(in crate::dispatch) fn take_up_rooms(
        &mut self,
        replicas: &BTreeMap<(ContractId, u32), Option<u32>>,
        now: Time,
    ) {
        for contract in self.rooms.keys().copied().collect::<Vec<_>>() {
            let Some(room) = self.rooms.get_mut(&contract) else { continue };
            if self.tasks.get(&room.task).is_some_and(|run| room.index >= run.sub_tasks()) {
                let index = replicas.get(&(room.task, room.index)).copied().flatten();
                room.index = index.unwrap_or(u32::MAX);
            }
            if let Some(keeping) = self.keepings.get_mut(&(room.task, room.index)) {
                keeping.budget = Money(keeping.budget.0.saturating_sub(room.amount.0));
            }
            let is_settling = matches!(room.stage, Stage::Settling { .. });
            if is_settling {
                self.pay_bill(contract);
            } else if room.since.after(room.term).after(HOLD_MARGIN) > now {
                self.order_hold(contract);
            } else {
                // Its money has come back.
                self.close_room(contract, Money::ZERO, now);
            }
        }
    }
}
