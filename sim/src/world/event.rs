//! What can happen in the world.

use crate::place::Place;
use proto::message::service::Blob;
use proto::wire::Wire;
use proto::{ContractId, Message, Peer, Time};
use service::Execution;

/// Something that happens. `life` says which life of a process it is meant for.
#[derive(Debug)]
pub(crate) enum Event {
    /// A message arrives.
    Deliver { source: Place, from: Peer, to: Place, message: Box<Message> },
    /// A node notices that another cannot be reached.
    Unreachable { host: usize, life: u32, peer: Peer },
    /// The moment of a deadline has come.
    Wake { place: Place, life: u32, at: Time },
    /// A node asks the bootstrap server for its place.
    Boot { host: usize, life: u32 },
    /// A driver measures and asks its executions how far they are.
    Look { host: usize, life: u32 },
    /// A transfer of contents ends; `from` is nobody if it was clear at the start that it fails.
    Fetched { host: usize, life: u32, contract: ContractId, from: Option<usize>, blobs: Vec<Blob> },
    /// What is to be gone on from was opened, and is a state, or is not, for this reason.
    Opened { host: usize, life: u32, contract: ContractId, result: Result<(), String> },
    /// The state of an execution is saved.
    Saved { host: usize, life: u32, contract: ContractId },
    /// An execution ends.
    Executed { host: usize, life: u32, contract: ContractId, execution: Box<Execution> },
    /// Records of the bank are durable.
    Synced { life: u32 },
    /// The bank starts again.
    BankStarts,
    /// A fault of the schedule comes due.
    Fault { index: usize },
    /// A flood pours for the `number`-th time.
    Pour { index: usize, number: u64 },
    /// A buyer submits its task.
    Submit { host: usize },
}

impl Event {
    /// What stands in the trace: a line, and the encoded message if it is one.
    pub(crate) fn label(&self) -> (String, Vec<u8>) {
        let line = match self {
            Self::Deliver { source, to, message, .. } => {
                return (format!("{source} to {to}:"), message.encode());
            }
            Self::Unreachable { host, peer, .. } => format!("node {host} cannot reach {peer}"),
            Self::Wake { place, .. } => format!("{place} is woken"),
            Self::Boot { host, .. } => format!("node {host} starts"),
            Self::Look { host, .. } => format!("node {host} measures"),
            Self::Fetched { host, contract, from, blobs, .. } => {
                format!("node {host} ends a transfer for {contract:#} from {from:?}: {blobs:?}")
            }
            Self::Opened { host, contract, result, .. } => {
                format!("node {host} opens {contract:#}: {result:?}")
            }
            Self::Saved { host, contract, .. } => format!("node {host} has saved {contract:#}"),
            Self::Executed { host, contract, execution, .. } => {
                format!("node {host} ends {contract:#}: {execution:?}")
            }
            Self::Synced { life } => format!("records of the bank's life {life} are durable"),
            Self::BankStarts => "the bank starts again".into(),
            Self::Fault { index } => format!("fault {index} comes due"),
            Self::Pour { index, number } => format!("flood {index} pours, {number}"),
            Self::Submit { host } => format!("node {host} submits its task"),
        };
        (line, Vec::new())
    }
}
