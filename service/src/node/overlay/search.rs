//! Searches for the asked or the nearest larger market with listings, of this node's buyer and of others.
//!
//! Whoever is a member looks up itself; others ask a member (paper, IV-A2). A way that goes around zero means that
//! nobody is listed at or above the asked market. That is believed only of one who has been a member long enough, and of a
//! stranger only when a second one, if there is one, says the same. Which market it is comes from the overlay; who owns
//! it is asked of the base ring, so that a buyer deals with nobody else than in the single overlay scheme.

use super::{Effect, Overlay, Purpose};
use market::placement;
use proto::message::overlay::{OverlayMessage, Seek, Sought, Stand, Unsure};
use proto::{Commodity, Market, Peer, Placement, RequestId, Time};
use rand_chacha::rand_core::Rng;

/// Searches of others that are under way at the same time.
pub(super) const MAX_SERVED: usize = 256;
/// Of one asker.
pub(super) const MAX_SERVED_OF_ONE: usize = 32;
/// Strangers that have to say that there is nothing, if so many are known.
const MAX_DENIALS: u32 = 2;
/// Members that are asked in one search.
const MAX_ASKED: usize = 4;

/// A search of this node's buyer.
#[derive(Debug)]
pub(super) struct Search {
    at_least: Market,
    step: Step,
    asked: Vec<Peer>,
    has_called: bool,
    denials: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// An own virtual node looks up.
    Inside,
    /// A member has been asked.
    Asking { request: RequestId, guide: Peer, until: Time },
    /// The meeting point has been asked.
    Calling,
    /// The base ring is asked who owns the market.
    Verifying,
}

/// For whom an own virtual node looks up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Inner {
    Own { search: u64 },
    Other { asker: Peer, request: RequestId, commodity: Commodity },
}

impl Search {
    pub(super) const fn due(&self) -> Option<Time> {
        match self.step {
            Step::Asking { until, .. } => Some(until),
            Step::Inside | Step::Calling | Step::Verifying => None,
        }
    }
}

impl Overlay {
    /// This node's buyer wants the smallest market with listings at or above `at_least`.
    pub(in crate::node) fn search(&mut self, token: u64, at_least: Market, now: Time) {
        let (asked, step) = (Vec::new(), Step::Calling);
        self.searches.insert(token, Search { at_least, step, asked, has_called: false, denials: 0 });
        if self.own_members(at_least.commodity).is_empty() {
            self.ask_guide(token, now);
        } else {
            self.set_step(token, Step::Inside);
            self.look_inside(Inner::Own { search: token }, at_least, now);
        }
        self.settle(now);
    }

    /// Another node asks.
    pub(super) fn serve(&mut self, from: Peer, seek: Seek, now: Time) {
        let Seek { request, at_least } = seek;
        let is_of = |inner: &&Inner| matches!(inner, Inner::Other { asker, .. } if *asker == from);
        let is_full =
            self.inner.len() >= MAX_SERVED || self.inner.values().filter(is_of).count() >= MAX_SERVED_OF_ONE;
        let commodity = at_least.commodity;
        if is_full || self.own_members(commodity).is_empty() {
            return self.send(from, OverlayMessage::Unsure(Unsure { request }));
        }
        self.look_inside(Inner::Other { asker: from, request, commodity }, at_least, now);
    }

    fn look_inside(&mut self, inner: Inner, at_least: Market, now: Time) {
        let token = self.number();
        self.inner.insert(token, inner);
        if !self.host.look_up(at_least.commodity, token, at_least.cmid(), now) {
            self.looked_up(token, None, now);
        }
    }

    /// An own virtual node has looked up: the next market on the circle, and whether the way went around zero.
    pub(super) fn looked_up(&mut self, token: u64, found: Option<(Market, bool)>, now: Time) {
        let Some(inner) = self.inner.remove(&token) else { return };
        let commodity = match inner {
            Inner::Own { search } => self.searches.get(&search).map(|search| search.at_least.commodity),
            Inner::Other { commodity, .. } => Some(commodity),
        };
        let is_settled = commodity.is_some_and(|commodity| self.is_settled(commodity, now));
        // None: it is not known.
        let market = match found {
            Some((market, false)) => Some(Some(market)),
            Some((_, true)) if is_settled => Some(None),
            _ => None,
        };
        match (inner, market) {
            (Inner::Other { asker, request, .. }, Some(market)) => {
                self.send(asker, OverlayMessage::Sought(Sought { request, market }));
            }
            (Inner::Other { asker, request, .. }, None) => {
                self.send(asker, OverlayMessage::Unsure(Unsure { request }));
            }
            (Inner::Own { search }, Some(Some(market))) => self.market_found(search, market),
            (Inner::Own { search }, Some(None)) => self.end(search, Effect::Nobody { token: search }),
            (Inner::Own { search }, None) => self.ask_guide(search, now),
        }
    }

    /// A member has answered.
    pub(super) fn sought(&mut self, from: Peer, sought: Sought, now: Time) {
        let Some(token) = self.asking(from, sought.request) else { return };
        let Some(search) = self.searches.get_mut(&token) else { return };
        let least = search.at_least;
        match sought.market {
            Some(market) if market.commodity == least.commodity && market.class >= least.class => {
                self.market_found(token, market);
            }
            // A market below the asked one is no answer.
            Some(_) => self.ask_guide(token, now),
            None => {
                search.denials += 1;
                self.ask_guide(token, now);
            }
        }
    }

    pub(super) fn guide_failed(&mut self, from: Peer, request: RequestId, now: Time) {
        if let Some(token) = self.asking(from, request) {
            self.ask_guide(token, now);
        }
    }

    /// Asks the next member that is known, or the meeting point for some; ends when there is nobody left to ask.
    fn ask_guide(&mut self, token: u64, now: Time) {
        let Some(search) = self.searches.get(&token) else { return };
        let (at_least, denials) = (search.at_least, search.denials);
        let commodity = at_least.commodity;
        let known = self.calls.get(&commodity).map(|call| call.guides.as_slice()).unwrap_or_default();
        let is_new = |guide: &&Stand| !search.asked.contains(&guide.owner);
        let guides: Vec<Peer> = known.iter().filter(is_new).map(|guide| guide.owner).collect();
        let count = u64::try_from(guides.len()).unwrap_or(u64::MAX);
        let pick = self.rng.next_u64().checked_rem(count).and_then(|pick| usize::try_from(pick).ok());
        let guide = pick.and_then(|pick| guides.get(pick)).copied();
        let guide = guide.filter(|_| search.asked.len() < MAX_ASKED && denials < MAX_DENIALS);
        let is_first_call = !search.has_called;
        match guide {
            Some(guide) => {
                let request = self.request();
                let until = now.after(self.periods.answer);
                self.set_step(token, Step::Asking { request, guide, until });
                if let Some(search) = self.searches.get_mut(&token) {
                    search.asked.push(guide);
                }
                self.send(guide, OverlayMessage::Seek(Seek { request, at_least }));
            }
            None if denials > 0 => self.end(token, Effect::Nobody { token }),
            None if is_first_call => {
                self.set_step(token, Step::Calling);
                if let Some(search) = self.searches.get_mut(&token) {
                    search.has_called = true;
                }
                self.call(commodity, now);
            }
            None => self.end(token, Effect::Failed { token }),
        }
    }

    /// The meeting point has answered: whether it is sure that there is no overlay. None: it has not answered.
    pub(super) fn searches_called(&mut self, commodity: Commodity, is_nobody: Option<bool>, now: Time) {
        let waits = |search: &Search| search.step == Step::Calling && search.at_least.commodity == commodity;
        for token in self.tokens(waits) {
            match is_nobody {
                Some(true) => self.end(token, Effect::Nobody { token }),
                Some(false) => self.ask_guide(token, now),
                None => self.end(token, Effect::Failed { token }),
            }
        }
    }

    fn market_found(&mut self, token: u64, market: Market) {
        self.set_step(token, Step::Verifying);
        let key = placement::key(Placement::Processor, market);
        self.look_up(Purpose::Owner { search: token, market }, key);
    }

    /// The base ring has said who owns the market that was found.
    pub(super) fn owner_found(&mut self, token: u64, market: Market, owner: Option<Peer>, now: Time) {
        self.note_owner(market, owner, now);
        let effect = match owner {
            Some(owner) => Effect::Found { token, market, owner },
            None => Effect::Failed { token },
        };
        self.end(token, effect);
    }

    pub(super) fn searches_due(&mut self, now: Time) {
        let is_late = |search: &Search| search.due().is_some_and(|until| until <= now);
        for token in self.tokens(is_late) {
            self.drop_guide(token);
            self.ask_guide(token, now);
        }
    }

    pub(super) fn search_unreachable(&mut self, peer: Peer, now: Time) {
        let asks = |search: &Search| matches!(search.step, Step::Asking { guide, .. } if guide == peer);
        for token in self.tokens(asks) {
            self.ask_guide(token, now);
        }
    }

    /// Who does not answer is no guide any more.
    fn drop_guide(&mut self, token: u64) {
        let Some(search) = self.searches.get(&token) else { return };
        if let (Step::Asking { guide, .. }, Some(call)) =
            (search.step, self.calls.get_mut(&search.at_least.commodity))
        {
            call.forget(guide);
        }
    }

    fn end(&mut self, token: u64, effect: Effect) {
        if self.searches.remove(&token).is_some() {
            self.effects.push_back(effect);
        }
    }

    fn asking(&self, from: Peer, answered: RequestId) -> Option<u64> {
        let asks = |search: &Search| matches!(search.step, Step::Asking { request, guide, .. } if (request, guide) == (answered, from));
        self.tokens(asks).first().copied()
    }

    fn tokens(&self, is_meant: impl Fn(&Search) -> bool) -> Vec<u64> {
        self.searches.iter().filter(|(_, search)| is_meant(search)).map(|(token, _)| *token).collect()
    }

    fn set_step(&mut self, token: u64, step: Step) {
        if let Some(search) = self.searches.get_mut(&token) {
            search.step = step;
        }
    }
}
