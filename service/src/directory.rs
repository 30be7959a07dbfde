//! The directory of public contents in the ring (P12, P21): what this node keeps for others, what it advertises, and what
//! it searches for.
//!
//! Who has a content, and what a name stands for, is kept by the node that answers for the point of it, for
//! [`KEEP_RENEWALS`] renewals; whoever has it says so again each renewal. So nothing is handed over when nodes come and go:
//! what a node that is gone kept is at its successor a renewal later, and what is not renewed is forgotten. Papers are
//! signed, so the node that keeps them cannot make them up; it can leave them out.

mod kept;

use kept::Kept;
use proto::message::contents::{
    Advertise, Advertised, ContentsMessage, FoundContent, Holding, MAX_NAME, MAX_PAPERS, Naming,
    SearchContent, point, point_of_name,
};
use proto::message::service::Blob;
use proto::{KeyPair, Peer, RequestId, RingId, Signed, Span, Time};
use std::collections::{BTreeMap, VecDeque};

/// Renewals for which papers are kept.
pub const KEEP_RENEWALS: u64 = 3;
/// Points that one node advertises at most; each costs a lookup a renewal.
pub const MAX_ADVERTISED: usize = 512;
/// Searches at a time.
pub const MAX_SEARCHES: usize = 256;
/// How long one may take, lookup included.
const SEARCH_WITHIN: Span = Span::secs(10);

/// What is known of a point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Who has the content.
    pub holdings: Vec<Signed<Holding>>,
    /// What the name stands for: at most one.
    pub namings: Vec<Signed<Naming>>,
}

/// What a directory wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Send { to: Peer, message: ContentsMessage },
    Lookup { token: u64, key: RingId },
    Found { token: u64, findings: Findings },
}

pub(crate) struct Directory {
    me: Peer,
    keys: KeyPair,
    renewal: Span,
    kept: Kept,
    advertised: BTreeMap<RingId, Findings>,
    renew_at: Option<Time>,
    next: u64,
    lookups: BTreeMap<u64, Errand>,
    searches: BTreeMap<u64, Search>,
    pub(crate) effects: VecDeque<Effect>,
}

/// What a lookup is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Errand {
    Advertise(RingId),
    Search(u64),
}

struct Search {
    point: RingId,
    until: Time,
    /// Who was asked, and by which number.
    asked: Option<(Peer, RequestId)>,
}

impl Directory {
    pub(crate) fn new(me: Peer, keys: KeyPair, renewal: Span) -> Self {
        Self {
            me,
            keys,
            renewal,
            kept: Kept::default(),
            advertised: BTreeMap::new(),
            renew_at: None,
            next: 0,
            lookups: BTreeMap::new(),
            searches: BTreeMap::new(),
            effects: VecDeque::new(),
        }
    }

    /// Tells the ring from now on that this node has `contents`, and what `namings` stand for; nothing else any more.
    pub(crate) fn advertise(&mut self, contents: &[Blob], namings: Vec<Signed<Naming>>, now: Time) {
        self.advertised.clear();
        for naming in namings.into_iter().take(MAX_ADVERTISED) {
            let point = point_of_name(&naming.body.name, &naming.signer);
            self.advertised.entry(point).or_default().namings = vec![naming];
        }
        for blob in contents.iter().take(MAX_ADVERTISED.saturating_sub(self.advertised.len())) {
            let point = point(&blob.hash);
            let holding = Holding { point, size: blob.size, holder: self.me };
            self.advertised.entry(point).or_default().holdings = vec![Signed::new(holding, &self.keys)];
        }
        self.renew_at = (!self.advertised.is_empty()).then_some(now);
    }

    /// Finds out what is known of a point; exactly one answer follows.
    pub(crate) fn search(&mut self, token: u64, point: RingId, now: Time) {
        if self.searches.len() >= MAX_SEARCHES || self.searches.contains_key(&token) {
            self.effects.push_back(Effect::Found { token, findings: Findings::default() });
            return;
        }
        let until = now.after(SEARCH_WITHIN);
        self.searches.insert(token, Search { point, until, asked: None });
        self.look_up(point, Errand::Search(token));
    }

    /// A lookup has ended: with who answers for the key, or with nobody.
    pub(crate) fn found(&mut self, token: u64, owner: Option<Peer>, now: Time) {
        match (self.lookups.remove(&token), owner) {
            (Some(Errand::Advertise(point)), Some(owner)) => self.advertise_at(point, owner, now),
            (Some(Errand::Search(search)), Some(owner)) => self.search_at(search, owner, now),
            (Some(Errand::Search(search)), None) => self.answer(search, Findings::default()),
            (Some(Errand::Advertise(_)) | None, _) => {}
        }
    }

    /// A message from whoever holds the key of `from`. `answers` tells whether this node answers for a point.
    pub(crate) fn receive(
        &mut self,
        from: Peer,
        message: ContentsMessage,
        answers: impl Fn(RingId) -> bool,
        now: Time,
    ) {
        match message {
            ContentsMessage::Advertise(advertise) => {
                let is_kept = self.keep(from, *advertise, answers, now);
                let (request, is_kept) = is_kept;
                let message = ContentsMessage::Advertised(Advertised { request, is_kept });
                self.effects.push_back(Effect::Send { to: from, message });
            }
            ContentsMessage::Search(SearchContent { request, point }) => {
                let Findings { holdings, namings } = self.kept.at(point, now);
                let found = Box::new(FoundContent { request, holdings, namings });
                self.effects.push_back(Effect::Send { to: from, message: ContentsMessage::Found(found) });
            }
            ContentsMessage::Found(found) => self.heard(from, *found),
            // It is said again at the next renewal in any case.
            ContentsMessage::Advertised(_) => {}
        }
    }

    pub(crate) fn handle_timeouts(&mut self, now: Time) {
        if self.renew_at.is_some_and(|at| at <= now) {
            self.renew_at = Some(now.after(self.renewal));
            let points: Vec<RingId> = self.advertised.keys().copied().collect();
            points.into_iter().for_each(|point| self.look_up(point, Errand::Advertise(point)));
        }
        let late = self.searches.iter().filter(|(_, search)| search.until <= now);
        for token in late.map(|(token, _)| *token).collect::<Vec<_>>() {
            self.answer(token, Findings::default());
        }
        self.kept.forget_until(now);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        let searches = self.searches.values().map(|search| search.until);
        searches.chain(self.renew_at).chain(self.kept.next_end()).min()
    }

    fn look_up(&mut self, key: RingId, errand: Errand) {
        // A lookup that never came back has no use for its place.
        if self.lookups.len() >= MAX_ADVERTISED + MAX_SEARCHES {
            self.lookups.pop_first();
        }
        let token = self.next;
        self.next += 1;
        self.lookups.insert(token, errand);
        self.effects.push_back(Effect::Lookup { token, key });
    }

    fn advertise_at(&mut self, point: RingId, owner: Peer, now: Time) {
        let Some(Findings { holdings, namings }) = self.advertised.get(&point).cloned() else { return };
        let advertise = Advertise { request: RequestId(self.next), holdings, namings };
        self.next += 1;
        if owner.key == self.me.key {
            self.keep(self.me, advertise, |_| true, now);
        } else {
            let message = ContentsMessage::Advertise(Box::new(advertise));
            self.effects.push_back(Effect::Send { to: owner, message });
        }
    }

    fn search_at(&mut self, token: u64, owner: Peer, now: Time) {
        let request = RequestId(self.next);
        self.next += 1;
        let Some(search) = self.searches.get_mut(&token) else { return };
        let point = search.point;
        search.asked = Some((owner, request));
        if owner.key == self.me.key {
            let findings = self.kept.at(point, now);
            self.answer(token, findings);
        } else {
            let message = ContentsMessage::Search(SearchContent { request, point });
            self.effects.push_back(Effect::Send { to: owner, message });
        }
    }

    /// An answer to a search, of which only what is signed and belongs there counts.
    fn heard(&mut self, from: Peer, found: FoundContent) {
        let is_asked = |search: &Search| {
            search.asked.is_some_and(|(of, request)| of.key == from.key && request == found.request)
        };
        let Some((token, search)) = self.searches.iter().find(|(_, search)| is_asked(search)) else { return };
        let (token, at) = (*token, search.point);
        let is_held =
            |paper: &Signed<Holding>| paper.body.point == at && paper.is_genuine_by(paper.body.holder.key);
        let is_named = |paper: &Signed<Naming>| {
            point_of_name(&paper.body.name, &paper.signer) == at && paper.is_genuine()
        };
        let holdings = found.holdings.into_iter().take(MAX_PAPERS).filter(is_held).collect();
        let namings = found.namings.into_iter().take(1).filter(is_named).collect();
        self.answer(token, Findings { holdings, namings });
    }

    fn answer(&mut self, token: u64, findings: Findings) {
        if self.searches.remove(&token).is_some() {
            self.effects.push_back(Effect::Found { token, findings });
        }
    }

    /// Keeps what somebody advertises, as far as it is right, is its own and belongs here.
    fn keep(
        &mut self,
        from: Peer,
        advertise: Advertise,
        answers: impl Fn(RingId) -> bool,
        now: Time,
    ) -> (RequestId, bool) {
        let until = now.after(self.renewal.times(KEEP_RENEWALS));
        let Advertise { request, holdings, namings } = advertise;
        let is_short = holdings.len() <= MAX_PAPERS && namings.len() <= MAX_PAPERS;
        let mut is_kept = is_short;
        for paper in holdings.into_iter().take(MAX_PAPERS) {
            let is_own = paper.body.holder.key == from.key && paper.body.holder.addr == from.addr;
            let is_right = is_own && answers(paper.body.point) && paper.is_genuine_by(from.key);
            is_kept &= is_right && self.kept.keep_holding(paper, until);
        }
        for paper in namings.into_iter().take(MAX_PAPERS) {
            let point = point_of_name(&paper.body.name, &paper.signer);
            let is_right = paper.body.name.len() <= MAX_NAME
                && paper.signer == from.key
                && answers(point)
                && paper.is_genuine();
            is_kept &= is_right && self.kept.keep_naming(point, paper, until);
        }
        (request, is_kept)
    }
}

#[cfg(test)]
mod tests;
