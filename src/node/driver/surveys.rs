//! Commands that need to know how markets stand: they wait until their surveys have ended.

use super::super::market as words;
use super::super::tasks::{Quoted, answers, surveys};
use super::{Driver, Finished, Question};
use crate::control::{ExplainPartView, ExplainView, Failure, Quote, Reply, StandingView, TaskView};
use market::Overview;
use proto::message::survey::{Inquiry, Survey};
use proto::{Commodity, Market, Money, Rate, RequestId};
use service::{Input, State, Want};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long `status` waits for its rank.
const RANK_WITHIN: Duration = Duration::from_secs(2);
/// How long the bank may take to tell a balance for a quote.
const BALANCE_WITHIN: Duration = Duration::from_secs(10);
/// Listings that `market show` asks for.
const SHOWN: u32 = 32;
/// Different needs of one task that are asked about when somebody wants to know why it waits.
const MAX_EXPLAINED: usize = 32;

/// What waits for surveys, and what is known from the last one about this node's own market.
#[derive(Default)]
pub(super) struct Surveys {
    next: u64,
    open: Vec<Open>,
    ranked_at: Option<Instant>,
    standing: Option<StandingView>,
}

/// One command that waits.
struct Open {
    purpose: Purpose,
    /// The numbers of its surveys, in order.
    tokens: Vec<u64>,
    told: BTreeMap<u64, Overview>,
    since: Instant,
    question: Question,
}

enum Purpose {
    Markets,
    Market(Market),
    Quote { quoted: Box<Quoted>, available: Option<Money> },
    Explain { task: Box<TaskView>, wants: Vec<Want>, inquiries: Vec<Inquiry> },
    Status { market: Market, ask: Rate },
    Price { market: Market, ask: Rate },
}

impl Open {
    fn is_complete(&self) -> bool {
        let has_balance = !matches!(self.purpose, Purpose::Quote { available: None, .. });
        has_balance && self.told.len() == self.tokens.len()
    }
}

impl Driver {
    /// Shows all markets.
    pub(super) fn ask_markets(&mut self, question: Question) {
        let whole = |commodity: Commodity| {
            stretch(Market { commodity, class: 0 }, Market { commodity, class: commodity.classes() - 1 })
        };
        self.survey(Purpose::Markets, Commodity::ALL.map(whole).to_vec(), question);
    }

    /// Shows one market.
    pub(super) fn ask_market(&mut self, market: &str, question: Question) {
        let Some(market) = words::read_market(market) else {
            let message = format!("there is no market `{market}`");
            let hint = "`compup2p market list` shows those in which something is for sale";
            return question.answer(Reply::Error(Failure::new("no_market", message, 2).hint(hint)));
        };
        let survey = Survey { show: SHOWN, ..stretch(market, market) };
        self.survey(Purpose::Market(market), vec![survey], question);
    }

    /// Plans a task that is to be quoted, beside the node.
    pub(super) fn quote(&self, quote: Quote, question: Question) {
        let (finished, rules) = (self.finished.clone(), self.supplier.rules);
        tokio::spawn(async move {
            let quoted = super::super::tasks::quote(quote, rules).await;
            let _ = finished.send(Finished::Quoted(quoted.map(Box::new), question));
        });
    }

    /// Asks what a planned task would cost.
    pub(super) fn ask_quote(&mut self, quoted: Box<Quoted>, question: Question) {
        let asked = quoted.surveys();
        self.survey(Purpose::Quote { quoted, available: None }, asked, question);
        self.take(Input::AskBalance);
    }

    /// Tells why the sub-tasks of a task are where they are.
    pub(super) fn ask_why(&mut self, task: &str, question: Question) {
        let id = match self.tasks.find(task) {
            Ok(id) => id,
            Err(failure) => return question.answer(Reply::Error(failure)),
        };
        let contract = self.tasks.contract(id);
        let status = contract.and_then(|contract| self.node.task(contract));
        let Some(view) = self.tasks.view(id, status.as_ref()) else {
            return question.answer(Reply::Error(Failure::no_task(task)));
        };
        let wants = contract.map(|contract| self.node.wants(contract, self.clock.now())).unwrap_or_default();
        let mut inquiries: Vec<Inquiry> = Vec::new();
        for want in wants.iter().filter(|want| is_looking(want)) {
            let inquiry = inquiry(want);
            if inquiries.len() < MAX_EXPLAINED && !inquiries.contains(&inquiry) {
                inquiries.push(inquiry);
            }
        }
        let asked = surveys(&inquiries);
        self.survey(Purpose::Explain { task: Box::new(view), wants, inquiries }, asked, question);
    }

    /// Shows how the node is, with its rank if that is known or can be had soon; it is asked for once a renewal.
    pub(super) fn ask_status(&mut self, question: Question) {
        let renewal = Duration::from_micros(self.supplier.rules.renewal.0);
        let is_fresh = self.surveys.ranked_at.is_some_and(|at| at.elapsed() < renewal);
        match self.listed() {
            Some((market, ask)) if !is_fresh => {
                self.surveys.ranked_at = Some(Instant::now());
                let survey = Survey { ask, ..stretch(market, market) };
                self.survey(Purpose::Status { market, ask }, vec![survey], question);
            }
            _ => question.answer(Reply::Status(Box::new(self.view()))),
        }
    }

    /// Tells where the ask stands.
    pub(super) fn ask_price(&mut self, question: Question) {
        let Some((market, ask)) = self.listed() else {
            let ask = self.supplier.offered().and_then(|supply| supply.asks.compute);
            let cost = self.supplier.cost();
            let view = words::price(ask, None, None, cost.as_ref(), self.supplier.why_not().map(Into::into));
            return question.answer(Reply::Price(Box::new(view)));
        };
        let survey = Survey { ask, ..stretch(market, market) };
        self.survey(Purpose::Price { market, ask }, vec![survey], question);
    }

    /// Where and at what ask this node's compute power is listed.
    fn listed(&self) -> Option<(Market, Rate)> {
        self.node.market().listed().find(|(market, _)| market.commodity == Commodity::Compute)
    }

    /// Where this node's listing stands, as far as it was asked for lately.
    pub(super) fn standing(&self) -> Option<StandingView> {
        let listed = self.listed()?;
        let names = (listed.0.to_string(), listed.1.to_string());
        self.surveys
            .standing
            .clone()
            .filter(|standing| (&standing.market, &standing.ask) == (&names.0, &names.1))
    }

    /// A survey has ended.
    pub(super) fn surveyed(&mut self, token: u64, overview: Overview) {
        if let Some(open) = self.surveys.open.iter_mut().find(|open| open.tokens.contains(&token)) {
            open.told.insert(token, overview);
        }
        self.conclude();
    }

    /// The bank has told what is available.
    pub(super) fn told_balance(&mut self, told: Money) {
        for open in &mut self.surveys.open {
            if let Purpose::Quote { available, .. } = &mut open.purpose {
                *available = Some(told);
            }
        }
        self.conclude();
    }

    /// Commands that have waited for too long are answered with what there is.
    pub(super) fn look_at_surveys(&mut self) {
        let no_bank = Failure::no_bank(&self.bank.addr.to_string());
        let mut late = Vec::new();
        self.surveys.open.retain_mut(|open| {
            let waited = open.since.elapsed();
            match &open.purpose {
                Purpose::Quote { available: None, .. } if waited > BALANCE_WITHIN => {
                    open.question.answer(Reply::Error(no_bank.clone()));
                    false
                }
                Purpose::Status { .. } if waited > RANK_WITHIN => {
                    late.push(open.question.clone());
                    false
                }
                _ => !open.question.is_gone(),
            }
        });
        for question in late {
            question.answer(Reply::Status(Box::new(self.view())));
        }
    }

    fn survey(&mut self, purpose: Purpose, asked: Vec<Survey>, question: Question) {
        let is_status = matches!(purpose, Purpose::Status { .. });
        if !is_status && !asked.is_empty() && !self.node.chord().is_member() {
            return question.answer(Reply::Error(Failure::not_in_ring()));
        }
        let first = self.surveys.next;
        let tokens: Vec<u64> = (first..).take(asked.len()).collect();
        self.surveys.next += u64::try_from(asked.len()).unwrap_or(0);
        let since = Instant::now();
        let open = Open { purpose, tokens: tokens.clone(), told: BTreeMap::new(), since, question };
        self.surveys.open.push(open);
        for (token, survey) in tokens.into_iter().zip(asked) {
            self.take(Input::Survey { token, survey: Box::new(survey) });
        }
        self.conclude();
    }

    /// Answers what has everything that it waited for.
    fn conclude(&mut self) {
        let (done, open) = std::mem::take(&mut self.surveys.open).into_iter().partition(Open::is_complete);
        self.surveys.open = open;
        let done: Vec<Open> = done;
        for Open { purpose, told, question, .. } in done {
            let overviews: Vec<Overview> = told.into_values().collect();
            question.answer(self.reply(purpose, &overviews));
        }
    }

    fn reply(&mut self, purpose: Purpose, overviews: &[Overview]) -> Reply {
        let now = self.clock.now();
        let first = overviews.first();
        let is_blind = !overviews.is_empty() && overviews.iter().all(|overview| overview.markets.is_empty());
        match purpose {
            Purpose::Status { market, ask } => {
                self.surveys.standing = first.and_then(|overview| words::standing(overview, market, ask));
                Reply::Status(Box::new(self.view()))
            }
            _ if is_blind => Reply::Error(Failure::no_market()),
            Purpose::Markets => Reply::Markets(Box::new(words::markets(overviews, self.listings()))),
            Purpose::Market(market) => {
                let shown = first.and_then(|overview| words::shown(overview, market, now));
                shown.map_or_else(
                    || Reply::Error(Failure::no_market()),
                    |shown| Reply::Market(Box::new(shown)),
                )
            }
            Purpose::Quote { quoted, available } => {
                let available = available.unwrap_or(Money::ZERO);
                Reply::Quote(Box::new(quoted.view(overviews, available, &self.supplier.rules)))
            }
            Purpose::Explain { task, wants, inquiries } => {
                Reply::Why(Box::new(self.why(&task, &wants, &inquiries, overviews)))
            }
            Purpose::Price { market, ask } => {
                let standing = first.and_then(|overview| words::standing(overview, market, ask));
                let last = first.and_then(|overview| overview.last_price(market));
                let cost = self.supplier.cost();
                Reply::Price(Box::new(words::price(Some(ask), standing, last, cost.as_ref(), None)))
            }
        }
    }

    fn why(
        &self,
        task: &TaskView,
        wants: &[Want],
        inquiries: &[Inquiry],
        overviews: &[Overview],
    ) -> ExplainView {
        let rules = &self.supplier.rules;
        let silence = self.node.bank_silence(self.clock.now());
        let known: Vec<_> = inquiries.iter().zip(answers(overviews)).collect();
        let part = |want: &Want| {
            let asked = known.iter().find(|(asked, _)| is_looking(want) && **asked == inquiry(want));
            let shown = task.sub_tasks.iter().find(|sub_task| sub_task.name == want.name);
            let seller = shown.and_then(|shown| shown.sale.as_ref()).map(|sale| sale.address.as_str());
            let mut reasons = match asked {
                Some((inquiry, (overview, index))) => words::reasons(want, inquiry, overview, *index, rules),
                None if is_looking(want) => vec![want.why.clone()],
                None => vec![words::progress(want, seller, shown.map_or(0.0, |shown| shown.gcycles))],
            };
            reasons.extend(words::silence(want, silence));
            ExplainPartView {
                sub_task: want.name.clone(),
                count: 1,
                state: want.state.name().into(),
                reasons,
            }
        };
        let parts = if wants.is_empty() { words::ended(task) } else { words::gather(wants.iter().map(part)) };
        let state = task.state.name().into();
        ExplainView { id: task.id, name: task.name.clone(), state, parts }
    }
}

const fn is_looking(want: &Want) -> bool {
    matches!(want.state, State::Waiting | State::Matching)
}

fn inquiry(want: &Want) -> Inquiry {
    Inquiry { requirement: want.requirement.clone(), bid: want.bid, slices: 1 }
}

/// A survey of the markets from `from` to `to`.
fn stretch(from: Market, to: Market) -> Survey {
    Survey { request: RequestId(0), from, to, ask: Rate(0), inquiries: Vec::new(), show: 0 }
}
