//! Public contents: the directory of the ring, as a part of the node.

use super::{Node, OVERLAY, Output, USERS};
use crate::directory::Effect;
use proto::message::Message;
use proto::message::contents::ContentsMessage;
use proto::{ContractId, Peer, Time};

/// Tokens of lookups that the directory asked for have both bits; those of the market are below them.
pub(super) const CONTENTS: u64 = USERS | OVERLAY;

impl Node {
    /// Whether this node executes something for a contract: what it fetches for it belongs to whom it is fetched from. A
    /// state that it keeps for others belongs to nobody: it is encrypted, and its maker, from whom it comes, may be gone
    /// when the buyer needs it (DESIGN §5.8).
    #[must_use]
    pub fn is_hired(&self, contract: ContractId) -> bool {
        self.worker.works_for(contract)
    }

    pub(super) fn receive_contents(&mut self, from: Peer, message: ContentsMessage, now: Time) {
        let range = self.chord.range();
        let answers = |point| range.is_some_and(|range| range.contains(point));
        self.directory.receive(from, message, answers, now);
    }

    pub(super) fn route_directory(&mut self, effect: Effect, now: Time) {
        match effect {
            Effect::Send { to, message } => {
                self.outputs.push_back(Output::Send { to, message: Message::Contents(message) });
            }
            Effect::Lookup { token, key } => {
                self.chord.handle(chord::Input::Lookup { token: token | CONTENTS, key }, now);
            }
            Effect::Found { token, findings } => {
                self.outputs.push_back(Output::FoundContent { token, findings: Box::new(findings) });
            }
        }
    }
}
