//! What is written down of the saved states of a sub-task, and of the room that was bought for them.

use proto::message::market::Ticket;
use proto::message::service::{Checkpoint, CheckpointKey, Report};
use proto::wire::v1::note::Body;
use proto::wire::{Field, Wire, WireError, v1};
use proto::{ContractId, Cycles, Money, Peer, Signed, Time};

/// One thing that a buyer must not forget of the states of a sub-task, which is the one `sub_task` of `task`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the sentence at each variant names its fields")]
pub enum Saving {
    /// From these states it can go on when it loses its seller.
    States { task: ContractId, sub_task: u32, states: States },
    /// Room for them is found, and the bank is about to be asked for the hold of `amount`, at the time `since`.
    Room { task: ContractId, sub_task: u32, ticket: Box<Signed<Ticket>>, amount: Money, since: Time },
    /// The bill for room is accepted, and the bank is about to be asked to pay it.
    Billed { bill: Box<Signed<Report>> },
    /// A contract of storage is over, and has cost so much.
    Vacated { task: ContractId, sub_task: u32, contract: ContractId, cost: Money },
}

/// What a sub-task can go on from (DESIGN §5.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct States {
    /// Under this id states are kept at the buyer's node.
    pub id: ContractId,
    /// With what they are encrypted.
    pub key: CheckpointKey,
    /// The work that was done before the present attempt.
    pub base: Cycles,
    /// Oldest first.
    pub states: Vec<SavedState>,
}

/// One state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedState {
    /// The state.
    pub checkpoint: Checkpoint,
    /// The work that is done in it, from the start of the sub-task.
    pub total: Cycles,
    /// Who has made it.
    pub maker: Peer,
    /// Who has said that it is there.
    pub holders: Vec<Peer>,
    /// Whether it is in the store of the buyer's node.
    pub is_here: bool,
    /// Whether the user was told of it.
    pub is_told: bool,
}

impl SavedState {
    /// Whether somebody beside its maker has it.
    pub(crate) const fn is_whole(&self) -> bool {
        self.is_here || !self.holders.is_empty()
    }

    /// After a restart of the node `me`: what was here may have made room for others meanwhile, so that it is looked for
    /// before it is offered; here first. The state, if it was here.
    pub(crate) fn look_at(&mut self, me: Peer) -> Option<Checkpoint> {
        let was_here = self.is_here || self.holders.iter().any(|holder| holder.key == me.key);
        self.is_here = false;
        self.holders.retain(|holder| holder.key != me.key);
        was_here.then(|| self.holders.insert(0, me))?;
        Some(self.checkpoint)
    }
}

impl Wire for SavedState {
    type Pb = v1::StateNote;

    fn to_pb(&self) -> v1::StateNote {
        v1::StateNote {
            checkpoint: Some(self.checkpoint.to_pb()),
            total: self.total.0,
            maker: Some(self.maker.to_pb()),
            holders: self.holders.to_field(),
            is_here: self.is_here,
            is_told: self.is_told,
        }
    }

    fn from_pb(pb: v1::StateNote) -> Result<Self, WireError> {
        Ok(Self {
            checkpoint: Field::from_field(pb.checkpoint).map_err(|e| e.inside("checkpoint"))?,
            total: Cycles(pb.total),
            maker: Field::from_field(pb.maker).map_err(|e| e.inside("maker"))?,
            holders: Field::from_field(pb.holders).map_err(|e| e.inside("holders"))?,
            is_here: pb.is_here,
            is_told: pb.is_told,
        })
    }
}

/// As the body of a note.
pub(super) fn body(saving: &Saving) -> Body {
    match saving {
        Saving::States { task, sub_task, states } => Body::States(v1::StatesNote {
            task: task.to_field(),
            sub_task: *sub_task,
            id: states.id.to_field(),
            key: states.key.to_field(),
            base: states.base.0,
            states: states.states.to_field(),
        }),
        Saving::Room { task, sub_task, ticket, amount, since } => Body::Room(v1::RoomNote {
            task: task.to_field(),
            sub_task: *sub_task,
            ticket: Some(ticket.to_pb()),
            amount: amount.0,
            since: since.0,
        }),
        Saving::Billed { bill } => Body::Billed(v1::ReportMessage { report: Some(bill.to_pb()) }),
        Saving::Vacated { task, sub_task, contract, cost } => Body::Vacated(v1::VacatedNote {
            task: task.to_field(),
            sub_task: *sub_task,
            contract: contract.to_field(),
            cost: cost.0,
        }),
    }
}

/// What such a body says; any other body is given back.
pub(super) fn saving(body: Body) -> Result<Result<Saving, Body>, WireError> {
    Ok(Ok(match body {
        Body::States(note) => Saving::States {
            task: Field::from_field(note.task).map_err(|e| e.inside("task"))?,
            sub_task: note.sub_task,
            states: States {
                id: Field::from_field(note.id).map_err(|e| e.inside("id"))?,
                key: Field::from_field(note.key).map_err(|e| e.inside("key"))?,
                base: Cycles(note.base),
                states: Field::from_field(note.states).map_err(|e| e.inside("states"))?,
            },
        },
        Body::Room(note) => Saving::Room {
            task: Field::from_field(note.task).map_err(|e| e.inside("task"))?,
            sub_task: note.sub_task,
            ticket: Field::from_field(note.ticket).map_err(|e| e.inside("ticket"))?,
            amount: Money(note.amount),
            since: Time(note.since),
        },
        Body::Billed(note) => {
            Saving::Billed { bill: Field::from_field(note.report).map_err(|e| e.inside("report"))? }
        }
        Body::Vacated(note) => Saving::Vacated {
            task: Field::from_field(note.task).map_err(|e| e.inside("task"))?,
            sub_task: note.sub_task,
            contract: Field::from_field(note.contract).map_err(|e| e.inside("contract"))?,
            cost: Money(note.cost),
        },
        other => return Ok(Err(other)),
    }))
}
