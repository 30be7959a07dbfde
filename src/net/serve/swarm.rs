//! Who is given a content, what each of them is offered, and which contents are public.
//!
//! A content's owner offers each piece to one node only. The others have it from that node, to which they are introduced;
//! so a content that many fetch at a time leaves its owner about once. A node that says that it gets on no more is
//! offered what was given to others a while ago, whatever may have become of them.

use crate::net::store::Pieces;
use proto::message::service::Blob;
use proto::{Hash, Peer, PublicKey};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Contents whose swarms are remembered.
const MAX_SWARMS: usize = 1_024;
/// Nodes of one swarm that are introduced to newcomers.
const MAX_MEMBERS: usize = 64;
/// Nodes that one is introduced to at a time.
const MAX_INTRODUCED: usize = 16;
/// How long a node that was given a content is taken to have it.
const REMEMBER: Duration = Duration::from_secs(600);
/// Pieces that one node is offered before it has got the last ones.
const AHEAD: usize = 4;
/// Contents of fewer pieces are offered whole: to wait for others would take longer.
const LEAST_PIECES: u32 = 4;
/// How long others may take to pass on a piece that was sent.
const PASS_ON: Duration = Duration::from_secs(3);
/// How long a piece that was offered may wait to be asked for and sent.
const UNSENT: Duration = Duration::from_secs(60);
/// Public contents of one node.
pub(crate) const MAX_PUBLIC: usize = 1_024;

/// All swarms of a node.
#[derive(Debug, Default)]
pub(crate) struct Swarms {
    swarms: Mutex<BTreeMap<Hash, Arc<Swarm>>>,
    public: Mutex<BTreeMap<Hash, Blob>>,
}

/// Those who are given one content.
#[derive(Debug)]
struct Swarm {
    state: Mutex<State>,
    /// Grows with every newcomer.
    news: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    members: Vec<(Peer, Instant)>,
    given: BTreeMap<u32, Given>,
    used: Instant,
}

/// What became of a piece.
#[derive(Clone, Copy, Debug)]
struct Given {
    times: u32,
    offered: Instant,
    sent: Option<Instant>,
}

/// One visitor's place in a swarm.
#[derive(Debug)]
pub(super) struct Seat {
    swarm: Arc<Swarm>,
    key: PublicKey,
    /// What it is offered; none: everything.
    rationed: Option<Pieces>,
    of: u32,
    /// What it has, by its own words.
    has: Pieces,
    /// Offered, and not sent yet.
    due: BTreeSet<u32>,
}

impl Swarms {
    /// Gives a content to a visitor that others can reach at `place`.
    pub(super) fn enter(
        &self,
        hash: Hash,
        pieces: u32,
        is_own: bool,
        place: Option<Peer>,
        key: PublicKey,
    ) -> Seat {
        let now = Instant::now();
        let mut swarms = self.swarms();
        if swarms.len() >= MAX_SWARMS {
            swarms.retain(|_, swarm| Arc::strong_count(swarm) > 1 || !swarm.is_old(now));
        }
        let swarm = match swarms.get(&hash) {
            Some(swarm) => Arc::clone(swarm),
            None => {
                let swarm = Arc::new(Swarm::new(now));
                if swarms.len() < MAX_SWARMS {
                    swarms.insert(hash, Arc::clone(&swarm));
                }
                swarm
            }
        };
        drop(swarms);
        if let Some(place) = place {
            swarm.add(place, now);
        }
        let is_rationed = is_own && pieces >= LEAST_PIECES && place.is_some();
        let rationed = is_rationed.then(|| Pieces::none(pieces));
        Seat { swarm, key, rationed, of: pieces, has: Pieces::none(pieces), due: BTreeSet::new() }
    }

    pub(super) fn is_public(&self, hash: &Hash) -> bool {
        self.publics().contains_key(hash)
    }

    pub(crate) fn note_public(&self, blob: Blob) {
        let mut public = self.publics();
        if public.len() >= MAX_PUBLIC && !public.contains_key(&blob.hash) {
            public.pop_first();
        }
        public.insert(blob.hash, blob);
    }

    pub(crate) fn forget_public(&self, hash: &Hash) {
        self.publics().remove(hash);
    }

    pub(crate) fn public(&self) -> Vec<Blob> {
        self.publics().values().copied().collect()
    }

    fn swarms(&self) -> MutexGuard<'_, BTreeMap<Hash, Arc<Swarm>>> {
        self.swarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publics(&self) -> MutexGuard<'_, BTreeMap<Hash, Blob>> {
        self.public.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Swarm {
    fn new(now: Instant) -> Self {
        let state = State { members: Vec::new(), given: BTreeMap::new(), used: now };
        Self { state: Mutex::new(state), news: watch::Sender::new(0) }
    }

    fn is_old(&self, now: Instant) -> bool {
        now.duration_since(self.state().used) > REMEMBER
    }

    fn add(&self, place: Peer, now: Instant) {
        let mut state = self.state();
        if now.duration_since(state.used) > REMEMBER {
            state.given.clear();
        }
        state.used = now;
        state.members.retain(|(peer, at)| peer.key != place.key && now.duration_since(*at) <= REMEMBER);
        if state.members.len() >= MAX_MEMBERS {
            state.members.remove(0);
        }
        state.members.push((place, now));
        drop(state);
        self.news.send_modify(|news| *news += 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Tells when there may be others to introduce.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.swarm.news.subscribe()
    }

    /// The others, the newest first.
    pub(super) fn others(&self) -> Vec<Peer> {
        let state = self.swarm.state();
        let others = state.members.iter().rev().map(|(peer, _)| *peer).filter(|peer| peer.key != self.key);
        others.take(MAX_INTRODUCED).collect()
    }

    /// What the visitor is offered of `have`.
    pub(super) fn offer(&mut self, have: &Pieces, now: Instant) -> Pieces {
        if self.rationed.is_none() {
            return have.clone();
        }
        self.allot(|given| given.is_none(), now)
    }

    /// A piece was sent.
    pub(super) fn sent(&mut self, piece: u32, now: Instant) {
        self.due.remove(&piece);
        if self.rationed.is_some() {
            let mut state = self.swarm.state();
            state.used = now;
            if let Some(given) = state.given.get_mut(&piece) {
                given.sent = Some(now);
            }
        }
    }

    /// The visitor, which has these pieces, is offered nothing that it lacks: it gets what others have kept for long.
    pub(super) fn stuck(&mut self, has: Pieces, now: Instant) {
        if self.rationed.is_none() {
            return;
        }
        // What it has from elsewhere it does not ask for any more.
        self.due.retain(|piece| !has.has(*piece));
        self.has = has;
        let is_late = |given: Given| match given.sent {
            // On a slow line, or a machine that has much to do, others take longer as well.
            Some(sent) => now.duration_since(sent) >= PASS_ON + 4 * sent.duration_since(given.offered),
            None => now.duration_since(given.offered) >= UNSENT,
        };
        self.allot(|given| given.is_none_or(is_late), now);
    }

    /// Offers more pieces, of those that `may` be, the least given first.
    fn allot(&mut self, may: impl Fn(Option<Given>) -> bool, now: Instant) -> Pieces {
        let Some(rationed) = &mut self.rationed else { return Pieces::default() };
        let mut state = self.swarm.state();
        while self.due.len() < AHEAD {
            let free = (0..self.of).filter(|piece| !rationed.has(*piece) && !self.has.has(*piece));
            let free = free.map(|piece| (piece, state.given.get(&piece).copied()));
            let best = free.filter(|(_, given)| may(*given));
            let best = best.min_by_key(|(_, given)| given.map_or(0, |given| given.times));
            let Some((piece, given)) = best else { break };
            let times = given.map_or(0, |given| given.times).saturating_add(1);
            state.given.insert(piece, Given { times, offered: now, sent: None });
            rationed.insert(piece);
            self.due.insert(piece);
        }
        rationed.clone()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.swarm.state();
        for piece in &self.due {
            let is_unsent = state.given.get(piece).is_some_and(|given| given.sent.is_none());
            if is_unsent {
                state.given.remove(piece);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: Hash = Hash([1; 32]);

    fn place(number: u8) -> Peer {
        Peer::new(([127, 0, 0, number], 7_740).into(), 0, PublicKey([number; 32]))
    }

    fn seat(swarms: &Swarms, number: u8, pieces: u32) -> Seat {
        swarms.enter(HASH, pieces, true, Some(place(number)), PublicKey([number; 32]))
    }

    fn offered(seat: &mut Seat) -> Vec<u32> {
        let offered = seat.offer(&Pieces::all(seat.of), Instant::now());
        (0..seat.of).filter(|piece| offered.has(*piece)).collect()
    }

    #[test]
    fn each_piece_is_offered_to_one_and_sent_once() {
        let swarms = Swarms::default();
        let (mut one, mut two) = (seat(&swarms, 1, 10), seat(&swarms, 2, 10));
        assert_eq!((offered(&mut one), offered(&mut two)), (vec![0, 1, 2, 3], vec![4, 5, 6, 7]));
        one.sent(0, Instant::now());
        one.sent(1, Instant::now());
        assert_eq!(offered(&mut one), [0, 1, 2, 3, 8, 9]);
        two.sent(4, Instant::now());
        assert_eq!(offered(&mut two), [4, 5, 6, 7], "everything is given");
        assert_eq!(two.others(), [place(1)]);
    }

    #[test]
    fn what_was_not_sent_to_one_that_is_gone_is_offered_to_another() {
        let swarms = Swarms::default();
        let (mut one, mut two) = (seat(&swarms, 1, 6), seat(&swarms, 2, 6));
        assert_eq!((offered(&mut one), offered(&mut two)), (vec![0, 1, 2, 3], vec![4, 5]));
        one.sent(2, Instant::now());
        drop(one);
        assert_eq!(offered(&mut two), [0, 1, 4, 5]);
        two.sent(0, Instant::now());
        assert_eq!(offered(&mut two), [0, 1, 3, 4, 5]);
    }

    #[test]
    fn who_is_stuck_gets_what_others_do_not_pass_on() {
        let swarms = Swarms::default();
        let (mut one, mut two) = (seat(&swarms, 1, 4), seat(&swarms, 2, 4));
        offered(&mut one);
        let sent = Instant::now() + Duration::from_secs(1);
        one.sent(0, sent);
        let mut has = Pieces::none(4);
        two.stuck(has.clone(), sent + PASS_ON);
        assert_eq!(
            offered(&mut two),
            [0_u32; 0],
            "it took a second to send, so it may take longer to be passed on"
        );
        two.stuck(has.clone(), sent + PASS_ON + Duration::from_secs(5));
        assert_eq!(offered(&mut two), [0]);
        has.insert(1);
        two.stuck(has, sent + UNSENT);
        assert_eq!(offered(&mut two), [0, 2, 3]);
    }

    #[test]
    fn who_goes_on_is_offered_what_it_lacks() {
        let swarms = Swarms::default();
        let mut one = seat(&swarms, 1, 9);
        let mut has = Pieces::none(9);
        [0, 1, 2, 3, 4, 6].iter().for_each(|piece| has.insert(*piece));
        one.stuck(has, Instant::now());
        assert_eq!(offered(&mut one), [5, 7, 8]);
    }

    #[test]
    fn small_contents_and_those_of_others_are_offered_whole() {
        let swarms = Swarms::default();
        let mut small = seat(&swarms, 1, 3);
        assert_eq!(offered(&mut small), [0, 1, 2]);
        let mut of_others = swarms.enter(HASH, 5, false, Some(place(2)), PublicKey([2; 32]));
        assert_eq!(offered(&mut of_others), [0, 1, 2, 3, 4]);
        let mut unreachable = swarms.enter(HASH, 5, true, None, PublicKey([3; 32]));
        assert_eq!(offered(&mut unreachable), [0, 1, 2, 3, 4]);
    }
}
