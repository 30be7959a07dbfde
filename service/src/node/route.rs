//! What one part of a node wants, carried to the others.

use super::contents::CONTENTS;
use super::{Node, OVERLAY, Output, REJOIN_AFTER, Stay, USERS, overlay};
use crate::effect::Effect;
use market::owner::MAX_SUCCESSORS;
use proto::Time;
use proto::message::Message;

impl Node {
    /// Carries outputs of the parts to each other until all are quiet.
    pub(super) fn route(&mut self, now: Time) {
        loop {
            if let Some(output) = self.chord.poll_output() {
                self.route_chord(output, now);
            } else if let Some(output) = self.market.poll_output() {
                self.route_market(output, now);
            } else if let Some(effect) = self.overlay.effects.pop_front() {
                self.route_overlay(effect, now);
            } else if self.dispatch.assign(now) {
                // Tickets that came together were given to the sub-tasks that they suit best.
            } else if let Some(effect) = self.directory.effects.pop_front() {
                self.route_directory(effect, now);
            } else if let Some(effect) = self.dispatch.effects.pop_front() {
                self.carry_out(effect, now);
            } else if let Some(effect) = self.worker.effects.pop_front() {
                self.carry_out(effect, now);
            } else if let Some(message) = self.desk.poll_message() {
                self.send_to_bank(message);
            } else if self.chord.heirs(MAX_SUCCESSORS) != self.successors {
                self.successors = self.chord.heirs(MAX_SUCCESSORS).to_vec();
                let peers = self.successors.clone();
                self.market.handle(market::Input::Successors { peers }, now);
            } else if self.stay == Stay::OverlayOnly && self.overlay.is_empty() {
                self.stay = Stay::Gone;
                self.outputs.push_back(Output::Left);
            } else if self.has_other_markets() {
                self.markets = self.market.markets().collect();
                self.overlay.want(&self.markets, now);
            } else if self.stay == Stay::Member && !self.overlay.open_markets().eq(self.open.iter().copied())
            {
                self.open = self.overlay.open_markets().collect();
                self.market.handle(market::Input::Opened { markets: self.open.clone() }, now);
            } else {
                return;
            }
        }
    }

    fn route_chord(&mut self, output: chord::Output, now: Time) {
        match output {
            chord::Output::Send { to, message } => {
                self.outputs.push_back(Output::Send { to, message: Message::Chord(message) });
            }
            chord::Output::RangeChanged { range, heir, donor } => {
                self.overlay.range_changed(range, now);
                self.market.handle(market::Input::RangeChanged { range, heir, donor }, now)
            }
            chord::Output::Found { token, owner, .. } if token & CONTENTS == CONTENTS => {
                self.directory.found(token & !CONTENTS, Some(owner), now);
            }
            chord::Output::NotFound { token, .. } if token & CONTENTS == CONTENTS => {
                self.directory.found(token & !CONTENTS, None, now);
            }
            chord::Output::Found { token, owner, hops, .. } if token & USERS != 0 => {
                self.outputs.push_back(Output::Found { token: token & !USERS, owner: Some(owner), hops });
            }
            chord::Output::NotFound { token, .. } if token & USERS != 0 => {
                self.outputs.push_back(Output::Found { token: token & !USERS, owner: None, hops: 0 });
            }
            chord::Output::Found { token, owner, .. } if token & OVERLAY != 0 => {
                self.overlay.found(token & !OVERLAY, Some(owner), now);
            }
            chord::Output::NotFound { token, .. } if token & OVERLAY != 0 => {
                self.overlay.found(token & !OVERLAY, None, now);
            }
            chord::Output::Found { token, owner, .. } => {
                self.market.handle(market::Input::Found { token, owner }, now);
            }
            chord::Output::NotFound { token, .. } => {
                self.market.handle(market::Input::NotFound { token }, now)
            }
            chord::Output::Joined => {
                self.enter_at = now;
                self.outputs.push_back(Output::Joined);
            }
            chord::Output::JoinFailed { reason } => {
                self.rejoin_at = Some(now.after(REJOIN_AFTER));
                self.outputs.push_back(Output::NotJoined { why: reason.to_string() });
            }
            chord::Output::Isolated { known } => {
                self.rejoin_at = Some(now.after(REJOIN_AFTER));
                if !known.is_empty() {
                    self.chord.handle(chord::Input::Join { via: known }, now);
                }
            }
            chord::Output::Left => {
                self.stay = Stay::OverlayOnly;
                self.overlay.depart(self.leave_by, now);
            }
        }
    }

    fn route_market(&mut self, output: market::Output, now: Time) {
        match output {
            market::Output::Send { to, message } => {
                self.outputs.push_back(Output::Send { to, message: Message::Market(message) });
            }
            market::Output::Lookup { token, key } => {
                let token = token & !USERS & !OVERLAY;
                self.chord.handle(chord::Input::Lookup { token, key }, now);
            }
            market::Output::LookupMarket { token, at_least } => self.overlay.search(token, at_least, now),
            market::Output::HandedOver => self.leave_ring(now),
            market::Output::Bought { ticket, .. } => self.dispatch.bought(*ticket, now),
            market::Output::NotBought { tickets, shortage, .. } => {
                self.dispatch.not_bought(&tickets, &shortage, now);
            }
            market::Output::Surveyed { token, overview } if token & USERS != 0 => {
                self.outputs.push_back(Output::Surveyed { token: token & !USERS, overview });
            }
            market::Output::Surveyed { token, overview } => self.dispatch.surveyed(token, &overview, now),
        }
    }

    fn carry_out(&mut self, effect: Effect, now: Time) {
        match effect {
            Effect::Send { to, message } => {
                self.outputs.push_back(Output::Send { to, message: Message::Service(message) });
            }
            // Who leaves would not see the end of it.
            Effect::Buy { .. } if self.is_leaving => {}
            Effect::Buy { token, tickets, requirement, bid, avoid } => {
                self.market.handle(market::Input::Buy { token, tickets, requirement, bid, avoid }, now);
            }
            Effect::Survey { token, survey } => {
                self.market.handle(market::Input::Survey { token, survey }, now);
            }
            Effect::Take { ticket } => self.market.handle(market::Input::Take { ticket }, now),
            Effect::Retake { ticket, buyer, part } => {
                self.market.handle(market::Input::Retake { ticket, buyer, part }, now);
            }
            Effect::Free { ticket } => self.market.handle(market::Input::Free { ticket }, now),
            Effect::Order { id, order } => self.desk.order(id, order, now),
            Effect::Fetch { contract, from, blobs } => {
                self.outputs.push_back(Output::Fetch { contract, from, blobs });
            }
            Effect::Execute { contract, job } => self.outputs.push_back(Output::Execute { contract, job }),
            Effect::Open { contract, job } => self.outputs.push_back(Output::Open { contract, job }),
            Effect::Stop { contract } => self.outputs.push_back(Output::Stop { contract }),
            Effect::Recall { contract } => self.outputs.push_back(Output::Recall { contract }),
            Effect::Migrate { contract } => self.outputs.push_back(Output::Migrate { contract }),
            Effect::Give { to, blobs } => self.outputs.push_back(Output::Give { to, blobs }),
            Effect::Keep { contract, blobs } => self.outputs.push_back(Output::Keep { contract, blobs }),
            Effect::Drop { contract, blobs } => self.outputs.push_back(Output::Drop { contract, blobs }),
            Effect::Save { contract } => self.outputs.push_back(Output::Save { contract }),
            Effect::Warn { message } => self.outputs.push_back(Output::Warn { message }),
            Effect::AskBalance => self.ask_balance(),
            Effect::Compare { token, comparing } => {
                self.outputs.push_back(Output::Compare { token, comparing });
            }
            Effect::Examine { token, examining } => {
                self.outputs.push_back(Output::Examine { token, examining });
            }
            Effect::Test { contract, testing } => self.outputs.push_back(Output::Test { contract, testing }),
            Effect::Pause { contract } => self.outputs.push_back(Output::Pause { contract }),
            Effect::Pace { contract, throttle_pct } => {
                self.outputs.push_back(Output::Pace { contract, throttle_pct });
            }
            Effect::Append(note) => self.outputs.push_back(Output::Append { note }),
            Effect::Tell(event) => self.outputs.push_back(Output::Tell(event)),
        }
    }

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
