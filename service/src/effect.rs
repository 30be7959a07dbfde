//! What the two sides of a contract want done; the node carries it out.

use crate::dispatch::{Comparing, Examining, Testing};
use crate::event::Event;
use crate::journal::Note;
use proto::message::bank::Order;
use proto::message::market::Requirement;
use proto::message::service::{Blob, Job, ServiceMessage};
use proto::message::survey::Survey;
use proto::{Bundle, CommandId, ContractId, Peer, PublicKey, Rate};
use std::collections::VecDeque;

/// One thing to be done.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    Send { to: Peer, message: ServiceMessage },
    Buy { token: u64, tickets: Vec<CommandId>, requirement: Requirement, bid: Rate, avoid: Vec<PublicKey> },
    Survey { token: u64, survey: Box<Survey> },
    Take { ticket: CommandId },
    Retake { ticket: CommandId, buyer: PublicKey, part: Bundle },
    Free { ticket: CommandId },
    Order { id: CommandId, order: Order },
    Fetch { contract: ContractId, from: Peer, blobs: Vec<Blob> },
    Execute { contract: ContractId, job: Box<Job> },
    Stop { contract: ContractId },
    Recall { contract: ContractId },
    Migrate { contract: ContractId },
    Give { to: PublicKey, blobs: Vec<Blob> },
    Keep { contract: ContractId, blobs: Vec<Blob> },
    Drop { contract: ContractId, blobs: Vec<Blob> },
    Save { contract: ContractId },
    Warn { message: String },
    AskBalance,
    Open { contract: ContractId, job: Box<Job> },
    Compare { token: u64, comparing: Box<Comparing> },
    Examine { token: u64, examining: Box<Examining> },
    Test { contract: ContractId, testing: Box<Testing> },
    Pause { contract: ContractId },
    Pace { contract: ContractId, throttle_pct: u32 },
    Tell(Event),
    Append(Box<Note>),
}

/// Effects in the order in which they are to be carried out.
pub(crate) type Effects = VecDeque<Effect>;
