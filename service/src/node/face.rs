//! What a node takes and what it gives.

use crate::directory::Findings;
use crate::dispatch::{Comparing, Examining, Experience, Submission, Testing};
use crate::event::{Difference, Event};
use crate::journal::{Kept, Note};
use crate::policy::Work;
use crate::worker::{Execution, Intake, Snapshot, Terms};
use market::{Overview, Supply};
use proto::message::Message;
use proto::message::bank::{BankOutcome, OpenAccount, Transfer};
use proto::message::contents::Naming;
use proto::message::service::{Blob, Job};
use proto::message::survey::Survey;
use proto::{CommandId, ContractId, Cycles, Money, Peer, PublicKey, Refusal, RingId, Rules, Signed};

/// What a node is made of.
#[derive(Clone, Debug)]
pub struct Config {
    /// The network's rules.
    pub rules: Rules,
    /// The bank, which is the bootstrap server too.
    pub bank: Peer,
    /// Periods and time-outs of the ring.
    pub chord: chord::Config,
    /// What the owner of the machine allows.
    pub terms: Terms,
    /// What the node opens its account with: the invitation and the proof of work that the rules ask for.
    pub opening: OpenAccount,
}

/// What comes into a node.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the sentence at each variant names its fields")]
pub enum Input {
    /// Enters the ring through these nodes; with none, makes a new ring.
    Start { via: Vec<Peer> },
    /// A message from whoever holds the key of `from`.
    Receive { from: Peer, message: Message },
    /// A message to `peer` could not be delivered, or the connection to it broke.
    Unreachable { peer: Peer },
    /// The bank, with the same key, is at this address from now on.
    Bank { peer: Peer },
    /// What there is to sell.
    Supply { supply: Option<Supply> },
    /// What the owner of the machine allows from now on.
    Terms { terms: Terms },
    /// What the policy decides on the work of others that is here, from now on.
    Decide { work: Work },
    /// What new work is taken from now on.
    Intake { intake: Intake },
    /// What a former run of the node has left; before it starts.
    Restore { kept: Box<Kept> },
    /// A task to be bought.
    Submit { submission: Submission },
    /// Ends a task.
    Cancel { task: ContractId },
    /// Forgets a task that has ended.
    Forget { task: ContractId },
    /// Contents that were to be fetched are in the store, or could not be had.
    Fetched { contract: ContractId, result: Result<(), String> },
    /// Whether a program could go on from what was opened, and if not, why.
    Opened { contract: ContractId, result: Result<(), String> },
    /// An execution is at `cycles`.
    Progressed { contract: ContractId, cycles: Cycles },
    /// The state of an execution was saved, as [`Output::Save`] or a hand-over asks; or could not be, and why.
    Saved { contract: ContractId, result: Result<Snapshot, String> },
    /// The program of an execution says how far it is, in millionths.
    Done { contract: ContractId, done: u32 },
    /// An execution ended.
    Executed { contract: ContractId, execution: Box<Execution> },
    /// Asks the bank for this node's balance.
    AskBalance,
    /// Pays others from this node's account, once however often it comes with the same id.
    Pay { id: CommandId, transfer: Transfer },
    /// Asks who answers for a key.
    Lookup { token: u64, key: RingId },
    /// Asks how markets stand, without buying.
    Survey { token: u64, survey: Box<Survey> },
    /// What a former run of this node has seen of sellers.
    Recall { records: Vec<(PublicKey, Experience)> },
    /// Two results were compared: nothing if they agree, or where they differ first.
    Compared { token: u64, difference: Option<Difference> },
    /// A result was looked into: what was found, in words, if it is there.
    Examined { token: u64, found: Option<String> },
    /// A result was shown to the program that tells whether it is right.
    Tested { contract: ContractId, result: Result<(), String> },
    /// Tells the ring from now on that this node has these public contents, and what these names of its own stand for.
    Advertise { contents: Vec<Blob>, namings: Vec<Signed<Naming>> },
    /// Asks what the ring knows of the point of a content or of a name.
    SearchContent { token: u64, point: RingId },
    /// Leaves the network in order.
    Leave,
    /// The moment of [`crate::Node::poll_timeout`] has come.
    Timeout,
}

/// What a node wants done, in order.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the sentence at each variant names its fields")]
pub enum Output {
    /// Write this down, and make it durable before anything that follows is carried out.
    Append { note: Box<Note> },
    /// Put this in the place of all that was written down, and make it durable before anything that follows is carried out.
    Replace { notes: Vec<Note> },
    /// Send a message.
    Send { to: Peer, message: Message },
    /// Bring these contents into the store.
    Fetch { contract: ContractId, from: Peer, blobs: Vec<Blob> },
    /// Execute a job whose contents are in the store.
    Execute { contract: ContractId, job: Box<Job> },
    /// Open the state that a job is to go on from, which is in the store, and tell with [`Input::Opened`] whether it is one.
    Open { contract: ContractId, job: Box<Job> },
    /// Stop an execution.
    Stop { contract: ContractId },
    /// Let the program of an execution that runs come to its end, and begin none of its repeats after it.
    Recall { contract: ContractId },
    /// End an execution for the owner's sake: with [`proto::message::service::Outcome::Migrated`] if it can hand a
    /// checkpoint over, or as if it was stopped.
    Migrate { contract: ContractId },
    /// From now on show these contents to whoever holds the key. What an execution left is shown to nobody before.
    Give { to: PublicKey, blobs: Vec<Blob> },
    /// Keep these contents as long as the contract is open.
    Keep { contract: ContractId, blobs: Vec<Blob> },
    /// These contents are no longer needed for the contract.
    Drop { contract: ContractId, blobs: Vec<Blob> },
    /// Save the state of an execution, at once or, where the program does that itself, at its next chance.
    Save { contract: ContractId },
    /// Tell the operator of the node, in words.
    Warn { message: String },
    /// Let an execution stand still, within a second.
    Pause { contract: ContractId },
    /// Let an execution go on, for this share of the time, in per cent.
    Pace { contract: ContractId, throttle_pct: u32 },
    /// Compare two results whose contents are in the store, and tell with [`Input::Compared`].
    Compare { token: u64, comparing: Box<Comparing> },
    /// Look for something in a result that is in the store, and tell with [`Input::Examined`].
    Examine { token: u64, examining: Box<Examining> },
    /// Show a result to a program, all in the store, and tell with [`Input::Tested`].
    Test { contract: ContractId, testing: Box<Testing> },
    /// Tell the user.
    Tell(Event),
    /// The bank's answer to [`Input::AskBalance`].
    Balance { available: Money, held: Money },
    /// The bank opens no account for this node, for this reason.
    NotOpened { refusal: Refusal },
    /// The bank's answer to [`Input::Pay`]. An order that is not answered is sent again until it is.
    Paid { id: CommandId, outcome: Box<BankOutcome> },
    /// The answer to [`Input::Lookup`].
    Found { token: u64, owner: Option<Peer>, hops: u32 },
    /// The answer to [`Input::Survey`].
    Surveyed { token: u64, overview: Box<Overview> },
    /// The answer to [`Input::SearchContent`].
    FoundContent { token: u64, findings: Box<Findings> },
    /// The node is in the ring.
    Joined,
    /// The node could not enter the ring and tries again.
    NotJoined { why: String },
    /// The node has left the ring.
    Left,
}

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Of the ring.
    #[error("ring: {0}")]
    Ring(chord::Violation),
    /// Of the market.
    #[error("market: {0}")]
    Market(market::Violation),
    /// A sub-task went from one state to another that the table does not allow.
    #[error("contract: a sub-task went from {from} to {to}")]
    Transition {
        /// From.
        from: &'static str,
        /// To.
        to: &'static str,
    },
    /// Contracts that no deadline watches.
    #[error("contract: {count} open contracts have no deadline")]
    Unwatched {
        /// How many.
        count: usize,
    },
    /// Sub-tasks that are said to be with a seller, and that no contract is for.
    #[error("contract: {count} sub-tasks are with a seller and under no contract")]
    Adrift {
        /// How many.
        count: usize,
    },
}
