//! What the overlay wants, carried to the other parts of a node.

use super::{Message, Node, OVERLAY, Output, Stay, overlay};
use proto::Time;

impl Node {
    /// Whether the overlay is to hear of other markets with listings. Who has left lists nothing any more, and hears no more.
    pub(super) fn has_other_markets(&self) -> bool {
        self.stay == Stay::Member && !self.market.markets().eq(self.markets.iter().copied())
    }

    pub(super) fn route_overlay(&mut self, effect: overlay::Effect, now: Time) {
        match effect {
            overlay::Effect::Send { to, message } => {
                self.outputs.push_back(Output::Send { to, message: Message::Overlay(message) });
            }
            overlay::Effect::Lookup { token, key } => {
                self.chord.handle(chord::Input::Lookup { token: token | OVERLAY, key }, now);
            }
            overlay::Effect::Found { token, market, owner } => {
                self.market.handle(market::Input::FoundMarket { token, market, owner }, now);
            }
            overlay::Effect::Nobody { token } => {
                self.market.handle(market::Input::NoMarket { token }, now);
            }
            overlay::Effect::Failed { token } => {
                self.market.handle(market::Input::NotFound { token }, now);
            }
        }
    }
}
