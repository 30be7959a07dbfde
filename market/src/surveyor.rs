//! Who only wants to know: walks over the owners of a commodity's markets and puts their answers together.
//!
//! A survey is cut into a few stretches of markets that are walked at the same time. On each, the owner of the first
//! market that is not known yet is looked up and asked about all the rest of the stretch; it tells of those that are
//! its own. So a ring of few nodes costs few messages, and one of many at most one question a market. A market
//! counts once, as its owner told it first. What could not be reached is said.

pub(crate) mod overview;

use crate::Output;
use crate::placement;
use crate::post::Post;
use crate::survey::{MAX_INQUIRIES, MAX_SHOWN};
use overview::Overview;
use proto::message::market::{MarketMessage, RefusedRequest};
use proto::message::survey::{Survey, Surveyed};
use proto::{Market, Peer, RequestId, Span, Time};
use std::collections::{BTreeMap, VecDeque};

/// Stretches of a survey that are walked at the same time.
pub const WALKERS: u32 = 4;
/// Surveys that are under way at the same time; the rest waits in order.
pub const MAX_SURVEYS: usize = 4;
/// Surveys that wait; beyond it the answer is at once that nothing was reached.
pub const MAX_WAITING: usize = 1_024;
/// How long an owner has to answer.
pub const ASK_TIMEOUT: Span = Span::secs(2);
/// How long a lookup may take before it counts as failed.
pub const LOOKUP_TIMEOUT: Span = Span::secs(10);
/// How often a market is tried before it counts as not reached.
pub const ASK_TRIES: u32 = 4;
/// The first pause after a failure; doubled with every further one.
pub const FIRST_PAUSE: Span = Span::millis(200);
/// The longest pause.
pub const LONGEST_PAUSE: Span = Span::secs(2);
/// After this long a survey ends with what it has.
pub const SURVEY_DEADLINE: Span = Span::secs(20);

/// The surveys under way.
#[derive(Debug, Default)]
pub(crate) struct Surveyor {
    walks: BTreeMap<u64, Walk>,
    legs: BTreeMap<u64, Leg>,
    waiting: VecDeque<(u64, Survey)>,
}

/// One survey.
#[derive(Debug)]
struct Walk {
    token: u64,
    survey: Survey,
    overview: Overview,
    deadline: Time,
}

/// A stretch of a survey's markets.
#[derive(Clone, Copy, Debug)]
struct Leg {
    walk: u64,
    /// The market that is asked for; those before it are known, or could not be reached.
    market: Market,
    to: Market,
    tries: u32,
    step: Step,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    LookingUp {
        token: u64,
        until: Time,
    },
    Asking {
        request: RequestId,
        owner: Peer,
        until: Time,
    },
    /// Waits before it tries again.
    Waiting {
        until: Time,
    },
}

impl Step {
    const fn until(self) -> Time {
        match self {
            Self::LookingUp { until, .. } | Self::Asking { until, .. } | Self::Waiting { until } => until,
        }
    }
}

impl Surveyor {
    pub(crate) fn next_due(&self) -> Option<Time> {
        let legs = self.legs.values().map(|leg| leg.step.until());
        self.walks.values().map(|walk| walk.deadline).chain(legs).min()
    }

    /// Takes a survey on. One that no owner would answer ends at once, and so does one too many.
    pub(crate) fn start(&mut self, post: &mut Post, token: u64, survey: Survey, now: Time) {
        let is_askable = placement::is_market(survey.from)
            && placement::is_market(survey.to)
            && survey.from.commodity == survey.to.commodity
            && survey.from.class <= survey.to.class
            && survey.inquiries.len() <= MAX_INQUIRIES;
        if !is_askable || self.waiting.len() >= MAX_WAITING {
            let mut overview = Overview::default();
            overview.give_up(survey.from);
            return post.put(Output::Surveyed { token, overview: Box::new(overview) });
        }
        self.waiting.push_back((token, survey));
        self.begin(post, now);
    }

    /// Begins with what waits while there is room.
    fn begin(&mut self, post: &mut Post, now: Time) {
        while self.walks.len() < MAX_SURVEYS {
            let Some((token, survey)) = self.waiting.pop_front() else { return };
            let (from, to) = (survey.from, survey.to);
            let walk = post.number();
            let deadline = now.after(SURVEY_DEADLINE);
            self.walks.insert(walk, Walk { token, survey, overview: Overview::default(), deadline });
            let count = to.class - from.class + 1;
            let length = count.div_ceil(WALKERS);
            let firsts = (from.class..=to.class).step_by(usize::try_from(length).unwrap_or(1));
            let started: Vec<u64> = firsts
                .map(|first| {
                    let last = first.saturating_add(length - 1).min(to.class);
                    let at = |class| Market { class, ..from };
                    let step = Step::Waiting { until: deadline };
                    let number = post.number();
                    self.legs.insert(number, Leg { walk, market: at(first), to: at(last), tries: 0, step });
                    number
                })
                .collect();
            for leg in started {
                self.look_up(post, leg, now);
            }
        }
    }

    /// Whether the lookup was ours.
    pub(crate) fn found(&mut self, post: &mut Post, token: u64, owner: Option<Peer>, now: Time) -> bool {
        let ours = |leg: &Leg| matches!(leg.step, Step::LookingUp { token: ours, .. } if ours == token);
        let Some(leg) = self.numbers(ours).first().copied() else { return false };
        match owner {
            Some(owner) => self.ask(post, leg, owner, now),
            None => self.fail(post, leg, now),
        }
        true
    }

    pub(crate) fn surveyed(&mut self, post: &mut Post, from: Peer, surveyed: Surveyed, now: Time) {
        let Some(number) = self.asked(from, surveyed.request) else { return };
        let Some(leg) = self.legs.get(&number).copied() else { return };
        let Some(walk) = self.walks.get_mut(&leg.walk) else { return };
        walk.overview.take(from, surveyed, &walk.survey, leg.market..=leg.to);
        if walk.overview.markets.contains_key(&leg.market) {
            self.go_on(post, number, now);
        } else {
            // An owner that leaves out the market it was asked for does not answer for it.
            self.fail(post, number, now);
        }
    }

    pub(crate) fn refused(&mut self, post: &mut Post, from: Peer, refused: &RefusedRequest, now: Time) {
        if let Some(number) = self.asked(from, refused.request) {
            self.fail(post, number, now);
        }
    }

    pub(crate) fn unreachable(&mut self, post: &mut Post, peer: Peer, now: Time) {
        for number in self.numbers(|leg| matches!(leg.step, Step::Asking { owner, .. } if owner == peer)) {
            self.fail(post, number, now);
        }
    }

    pub(crate) fn tick(&mut self, post: &mut Post, now: Time) {
        let late: Vec<u64> =
            self.walks.iter().filter(|(_, walk)| walk.deadline <= now).map(|(walk, _)| *walk).collect();
        for walk in late {
            for number in self.numbers(|leg| leg.walk == walk) {
                let Some(leg) = self.legs.remove(&number) else { continue };
                let Some(walk) = self.walks.get_mut(&leg.walk) else { continue };
                while let Some(market) = walk.overview.first_unknown(leg.market, leg.to) {
                    walk.overview.give_up(market);
                }
            }
            self.end(post, walk, now);
        }
        for number in self.numbers(|leg| leg.step.until() <= now) {
            match self.legs.get(&number).map(|leg| leg.step) {
                Some(Step::Waiting { .. }) => self.look_up(post, number, now),
                Some(_) => self.fail(post, number, now),
                None => {}
            }
        }
    }

    fn look_up(&mut self, post: &mut Post, number: u64, now: Time) {
        let Some(leg) = self.legs.get_mut(&number) else { return };
        let token = post.number();
        leg.step = Step::LookingUp { token, until: now.after(LOOKUP_TIMEOUT) };
        post.put(Output::Lookup { token, key: placement::key(post.rules.placement, leg.market) });
    }

    fn ask(&mut self, post: &mut Post, number: u64, owner: Peer, now: Time) {
        let Some(leg) = self.legs.get_mut(&number) else { return };
        let Some(walk) = self.walks.get(&leg.walk) else { return };
        let request = post.request();
        leg.step = Step::Asking { request, owner, until: now.after(ASK_TIMEOUT) };
        let survey = Survey {
            request,
            from: leg.market,
            to: leg.to,
            show: walk.survey.show.min(MAX_SHOWN),
            ..walk.survey.clone()
        };
        post.send(owner, MarketMessage::Survey(Box::new(survey)));
    }

    /// One attempt came to nothing: pause and look up again, or leave this market out.
    fn fail(&mut self, post: &mut Post, number: u64, now: Time) {
        let Some(leg) = self.legs.get_mut(&number) else { return };
        leg.tries += 1;
        if leg.tries < ASK_TRIES {
            let until = post.again(FIRST_PAUSE, leg.tries - 1, LONGEST_PAUSE, now);
            leg.step = Step::Waiting { until };
            return;
        }
        if let Some(walk) = self.walks.get_mut(&leg.walk) {
            walk.overview.give_up(leg.market);
        }
        self.go_on(post, number, now);
    }

    /// Goes on with the next market of the stretch that is not known, or ends the stretch, and the survey with its last.
    fn go_on(&mut self, post: &mut Post, number: u64, now: Time) {
        let Some(leg) = self.legs.get_mut(&number) else { return };
        let Some(walk) = self.walks.get(&leg.walk) else { return };
        if let Some(market) = walk.overview.first_unknown(leg.market, leg.to) {
            (leg.market, leg.tries) = (market, 0);
            return self.look_up(post, number, now);
        }
        let walk = leg.walk;
        self.legs.remove(&number);
        if self.legs.values().all(|leg| leg.walk != walk) {
            self.end(post, walk, now);
        }
    }

    fn end(&mut self, post: &mut Post, walk: u64, now: Time) {
        if let Some(Walk { token, overview, .. }) = self.walks.remove(&walk) {
            post.put(Output::Surveyed { token, overview: Box::new(overview) });
            self.begin(post, now);
        }
    }

    fn asked(&self, from: Peer, answered: RequestId) -> Option<u64> {
        let is_asked = |leg: &Leg| match leg.step {
            Step::Asking { request, owner, .. } => (request, owner) == (answered, from),
            _ => false,
        };
        self.numbers(is_asked).first().copied()
    }

    fn numbers(&self, is_wanted: impl Fn(&Leg) -> bool) -> Vec<u64> {
        self.legs.iter().filter(|(_, leg)| is_wanted(leg)).map(|(number, _)| *number).collect()
    }
}
