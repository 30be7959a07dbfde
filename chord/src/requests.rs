//! Questions that wait for their answers.

use crate::config::Config;
use crate::handle::Handle;
use crate::small::SmallMap;
use proto::message::chord::{ArcQuery, ChordMessage, FindNext, Ping, StateQuery};
use proto::{RequestId, RingId, Span, Time};

/// A deadline that does not come.
const NEVER: Time = Time(u64::MAX);

/// What a question is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Step A of stabilize: the successor's state.
    AskSuccessor,
    /// Step B of stabilize: the state of the successor's predecessor.
    AskBetween,
    /// Whether the predecessor lives.
    ProbePredecessor,
    /// The state of the predecessor-to-be.
    JoinBehind,
    /// One hop of the lookup with this number.
    Hop(u64, RingId),
    /// Whether a node answers for the key of this lookup.
    Confirm(u64),
    /// The successor list of the key's predecessor, for this lookup.
    Heirs(u64),
    /// To take this lookup over.
    Relay(u64),
    /// The nodes after a finger.
    Alternates,
    /// How far away a node is, or whether it lives.
    Gauge,
    /// What it knows of an arc.
    Compare,
}

impl Purpose {
    /// The lookup that it serves.
    pub(crate) const fn lookup(self) -> Option<u64> {
        match self {
            Self::Hop(number, _) | Self::Confirm(number) | Self::Heirs(number) | Self::Relay(number) => {
                Some(number)
            }
            _ => None,
        }
    }

    /// Whether only a member wants to know it, besides its lookups.
    pub(crate) const fn is_members(self) -> bool {
        matches!(
            self,
            Self::AskSuccessor
                | Self::AskBetween
                | Self::ProbePredecessor
                | Self::Alternates
                | Self::Gauge
                | Self::Compare
        )
    }

    /// Whether it is one of the nodes that a lookup goes through.
    pub(crate) const fn is_way(self) -> bool {
        matches!(self, Self::Hop(..) | Self::Relay(_))
    }

    const fn message<P>(self, request: RequestId) -> ChordMessage<P> {
        match self {
            Self::AskSuccessor | Self::AskBetween | Self::JoinBehind | Self::Heirs(_) | Self::Alternates => {
                ChordMessage::StateQuery(StateQuery { request })
            }
            Self::Confirm(_) => ChordMessage::ArcQuery(ArcQuery { request }),
            Self::Hop(_, key) => ChordMessage::FindNext(FindNext { request, key }),
            Self::ProbePredecessor | Self::Relay(_) | Self::Gauge | Self::Compare => {
                ChordMessage::Ping(Ping { request })
            }
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// The node counts as dead.
    Dead,
    /// The node lives, but its own step took too long.
    StillBusy,
}

/// A question without an answer.
#[derive(Clone, Debug)]
pub(crate) struct Pending<P> {
    pub(crate) to: P,
    pub(crate) purpose: Purpose,
    sent: Time,
    due: Time,
    /// When somebody else is asked as well.
    patience: Time,
    tries_left: u32,
    is_repeated: bool,
    is_busy: bool,
    /// Whether somebody else has been asked as well.
    is_slow: bool,
}

impl<P> Pending<P> {
    /// Put once, and over; `patience` is how long nobody else is asked, for ever if there is none.
    fn new(to: P, purpose: Purpose, patience: Option<Span>, now: Time) -> Self {
        Self {
            to,
            purpose,
            sent: now,
            due: now,
            patience: patience.map_or(NEVER, |patience| now.after(patience)),
            tries_left: 0,
            is_repeated: false,
            is_busy: false,
            is_slow: false,
        }
    }
}

/// What has become of the questions whose deadline has passed.
#[derive(Debug)]
pub(crate) struct Due<P> {
    /// To be put again.
    pub(crate) again: Vec<(P, ChordMessage<P>)>,
    /// Given up.
    pub(crate) silent: Vec<(Pending<P>, Silence)>,
    /// The lookups that somebody lets wait for longer than usual.
    pub(crate) slow: Vec<u64>,
}

/// All questions without an answer. Their number is bounded by what asks: one step, one probe, one join, a few
/// measurements, and at most [`crate::lookup::MAX_ASKED`] for each of the bounded lookups.
#[derive(Clone, Debug)]
pub(crate) struct Requests<P> {
    next: u64,
    pending: SmallMap<RequestId, Pending<P>>,
}

impl<P: Handle> Requests<P> {
    /// Numbers start at a random place, so that they are not confused with a former life's.
    pub(crate) fn new(first: u64) -> Self {
        Self { next: first, pending: SmallMap::new() }
    }

    /// Registers a question and returns the message that puts it.
    pub(crate) fn ask(
        &mut self,
        config: &Config,
        to: P,
        purpose: Purpose,
        patience: Option<Span>,
        now: Time,
    ) -> ChordMessage<P> {
        let due = now.after(config.try_every());
        let tries_left = config.request_tries.saturating_sub(1);
        let pending = Pending { due, tries_left, ..Pending::new(to, purpose, patience, now) };
        purpose.message(self.put(pending))
    }

    /// Registers a question that is put once, in words of the caller's, who has to carry the number.
    pub(crate) fn ask_once(
        &mut self,
        config: &Config,
        to: P,
        purpose: Purpose,
        patience: Option<Span>,
        now: Time,
    ) -> RequestId {
        let due = now.after(Span(config.request_timeout.0.max(1)));
        self.put(Pending { due, ..Pending::new(to, purpose, patience, now) })
    }

    fn put(&mut self, pending: Pending<P>) -> RequestId {
        let request = RequestId(self.next);
        self.next = self.next.wrapping_add(1);
        self.pending.insert(request, pending);
        request
    }

    /// How long `from` took, if `request` was put to it once and is still open.
    pub(crate) fn round_trip(&self, request: RequestId, from: P, now: Time) -> Option<Span> {
        let asked = self.pending.get(request)?;
        let is_clear = asked.to == from && !asked.is_repeated && !asked.is_busy;
        is_clear.then(|| now.since(asked.sent))
    }

    /// How many nodes on the way of a lookup are asked; and how many of them have not been slow.
    pub(crate) fn on_way(&self, lookup: u64) -> (usize, usize) {
        let is_mine = |asked: &&Pending<P>| asked.purpose.is_way() && asked.purpose.lookup() == Some(lookup);
        self.pending
            .values()
            .filter(is_mine)
            .fold((0, 0), |(all, swift), asked| (all + 1, swift + usize::from(!asked.is_slow)))
    }

    /// Takes out the question that `from` answers; none if it was not asked that, or not any more.
    pub(crate) fn answered(
        &mut self,
        request: RequestId,
        from: P,
        fits: impl Fn(Purpose) -> bool,
    ) -> Option<Purpose> {
        let asked = self.pending.get(request).filter(|asked| asked.to == from && fits(asked.purpose))?;
        let purpose = asked.purpose;
        self.pending.remove(request);
        Some(purpose)
    }

    /// Notes that `from` lives and answers later. Returns what it was asked for, the first time.
    pub(crate) fn delayed(
        &mut self,
        config: &Config,
        request: RequestId,
        from: P,
        now: Time,
    ) -> Option<Purpose> {
        let asked = self.pending.get_mut(request).filter(|asked| asked.to == from && !asked.is_busy)?;
        if !matches!(asked.purpose, Purpose::AskSuccessor | Purpose::AskBetween | Purpose::JoinBehind) {
            return None;
        }
        asked.is_busy = true;
        asked.tries_left = 0;
        asked.due = now.after(config.busy_wait);
        Some(asked.purpose)
    }

    /// Questions that nobody needs answered any more.
    pub(crate) fn cancel(&mut self, is_needless: impl Fn(Purpose) -> bool) {
        self.pending.take(|asked| is_needless(asked.purpose));
    }

    /// Takes out all questions to `peer`.
    pub(crate) fn lost(&mut self, peer: P) -> Vec<Pending<P>> {
        self.pending.take(|asked| asked.to == peer).into_iter().map(|(_, asked)| asked).collect()
    }

    /// Deals with all deadlines that have passed.
    pub(crate) fn due(&mut self, config: &Config, now: Time) -> Due<P> {
        let mut again = Vec::new();
        for (request, asked) in self.pending.iter_mut() {
            if asked.due <= now && asked.tries_left > 0 {
                asked.tries_left -= 1;
                asked.is_repeated = true;
                asked.due = now.after(config.try_every());
                again.push((asked.to, asked.purpose.message(request)));
            }
        }
        let silent = self.pending.take(|asked| asked.due <= now).into_iter().map(|(_, asked)| {
            let silence = if asked.is_busy { Silence::StillBusy } else { Silence::Dead };
            (asked, silence)
        });
        let silent = silent.collect();
        let mut slow = Vec::new();
        for (_, asked) in self.pending.iter_mut().filter(|(_, asked)| asked.patience <= now) {
            (asked.patience, asked.is_slow) = (NEVER, true);
            slow.extend(asked.purpose.lookup());
        }
        Due { again, silent, slow }
    }

    /// The earliest deadline.
    pub(crate) fn next_due(&self) -> Option<Time> {
        self.pending.values().map(|asked| asked.due.min(asked.patience)).min()
    }

    /// The numbers of the lookups of which somebody is asked.
    pub(crate) fn hops(&self) -> impl Iterator<Item = u64> {
        self.pending.values().filter_map(|asked| asked.purpose.lookup())
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Bytes on the heap.
    pub(crate) fn footprint(&self) -> usize {
        self.pending.footprint()
    }

    /// Whether a stabilize step waits for a busy node that `is_meant`.
    pub(crate) fn has_busy(&self, is_meant: impl Fn(P) -> bool) -> bool {
        let is_step = |purpose| matches!(purpose, Purpose::AskSuccessor | Purpose::AskBetween);
        self.pending.values().any(|asked| asked.is_busy && is_step(asked.purpose) && is_meant(asked.to))
    }

    /// Whether `peer` is asked for this purpose.
    pub(crate) fn asks(&self, peer: P, fits: impl Fn(Purpose) -> bool) -> bool {
        self.pending.values().any(|asked| asked.to == peer && fits(asked.purpose))
    }

    /// Whether something is asked for this purpose.
    pub(crate) fn has(&self, fits: impl Fn(Purpose) -> bool) -> bool {
        self.pending.values().any(|asked| fits(asked.purpose))
    }
}
