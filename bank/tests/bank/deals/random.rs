//! Random orders by honest people and by liars, on many contracts at once. After each record: money is conserved, each
//! contract ends at most once, and in the end everything is over and nobody has lost more than the table allows.

use super::{endings, judge};
use crate::papers::{Deal, declined, release};
use crate::world::{BANK, RULES, World, hold, id, key, keys, open, peer, signed};
use bank::{
    ARBITER_WAIT, Bank, COMPENSATION_PERCENT, Config, Input, MAX_ARBITERS, OUTAGE_GRACE, Replay, audit,
};
use proptest::prelude::*;
use proto::message::bank::{
    AcceptHold, BankMessage, BankRequest, Claim, Departed, Dispute, Ending, Enter, Finding, How, Order,
    Settle,
};
use proto::message::service::{Offer, Outcome, Report, Taken, Verdict};
use proto::{Cycles, Money, RequestId, Rules, Signed, Span, Time};
use std::collections::BTreeMap;

const DISPUTE: Span = Span::secs(100);
const LONGEST: Span = Span::secs(90);
/// People 1 and 5 buy, 2 and 6 sell, 3 owns the market, 7 to 9 may be arbiters.
const NODES: [u8; 7] = [1, 2, 5, 6, 7, 8, 9];

#[derive(Clone, Debug)]
enum Act {
    Hold {
        buyer: u8,
        seller: u8,
        amount: u64,
        secs: u64,
    },
    /// An order about one of the contracts, perhaps by somebody else, perhaps with wrong papers.
    Order {
        pick: usize,
        what: What,
        who: Who,
        cycles: u64,
        lie: Lie,
    },
    Enter {
        who: u8,
    },
    Leave {
        who: u8,
    },
    Wait {
        secs: u64,
    },
    /// The bank is away for so long, and comes back from a snapshot.
    Restart {
        secs: u64,
    },
    /// The account spends what it has, so that it is broke.
    Spend {
        who: u8,
    },
}

#[derive(Clone, Copy, Debug)]
enum What {
    Accept,
    Deliver,
    Claim,
    Settle,
    Release,
    Dispute,
    Confirm,
    Refute,
    Unfetched,
}

/// Who gives the order: whose it is, or somebody else.
#[derive(Clone, Copy, Debug)]
enum Who {
    Right,
    Other(u8),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    None,
    Ticket,
    Report,
    Taken,
    Offer,
}

/// A contract that was placed.
#[derive(Clone, Copy, Debug)]
struct Contract {
    buyer: u8,
    seller: u8,
    amount: u64,
    placed: Time,
    /// What was reported last.
    cycles: u64,
}

struct Stage {
    world: World,
    config: Config,
    contracts: BTreeMap<u32, Contract>,
    number: u32,
    away: Span,
}

impl Stage {
    fn new(bond_percent: u16) -> Self {
        let rules = Rules { bond_percent, dispute: DISPUTE, ..RULES };
        let mut world = World::under(rules);
        for who in NODES {
            world.order(who, 9_000 + u32::from(who), open());
        }
        let config = Config { keys: keys(BANK), rules };
        Self { world, config, contracts: BTreeMap::new(), number: 0, away: Span(0) }
    }

    fn input(&mut self, from: u8, message: BankMessage) {
        let before = self.world.journal.len();
        self.world.input(Input::Receive { from: peer(from), message });
        let ends = endings(&self.world.journal[before..]);
        assert!(ends.iter().all(|ending| ending.shares.is_balanced()));
    }

    fn send(&mut self, who: u8, order: Order) -> u32 {
        self.number += 1;
        let command = signed(who, self.number, order);
        self.input(who, BankMessage::Request(Box::new(BankRequest { command })));
        self.number
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Hold { buyer, seller, amount, secs } => {
                let order = hold(seller, deal(buyer, seller, 0).ticket().hash(), amount, secs);
                let placed = self.world.now;
                let number = self.send(buyer, order);
                let placed_now = |event: &bank::Event| match event {
                    bank::Event::HoldPlaced { command, .. } => command.body.id == id(number),
                    _ => false,
                };
                if self.world.journal.iter().rev().take(2).any(|record| placed_now(&record.event)) {
                    let contract = Contract { buyer, seller, amount, placed, cycles: 0 };
                    self.contracts.insert(number, contract);
                }
            }
            Act::Order { pick, what, who, cycles, lie } => self.order(pick, what, who, cycles, lie),
            Act::Enter { who } => {
                let listen = peer(who).addr;
                let enter = Enter { request: RequestId(1), listen, slot: None, is_member: true };
                self.input(who, BankMessage::Enter(enter));
            }
            Act::Leave { who } => self.input(who, BankMessage::Departed(Departed {})),
            Act::Wait { secs } => self.world.wait(Span::secs(secs)),
            Act::Restart { secs } => {
                let away = Span::secs(secs);
                self.away = Span(self.away.0 + away.0 + OUTAGE_GRACE.0);
                self.world.now = self.world.now.after(away);
                let mut replay = Replay::new(key(BANK));
                self.world.journal.iter().try_for_each(|record| replay.follow(record)).unwrap();
                let replay = Replay::from_snapshot(key(BANK), &replay.snapshot()).unwrap();
                let (config, seed) = (self.config.clone(), [3; 32]);
                self.world.bank = Bank::resume(config, seed, self.world.now, replay).unwrap();
                self.world.wait(Span(0));
            }
            Act::Spend { who } => {
                let (available, _) = self.world.money(who).unwrap();
                let other = if who == 9 { 8 } else { 9 };
                self.send(who, hold(other, proto::Hash([9; 32]), available, 1));
            }
        }
    }

    fn order(&mut self, pick: usize, what: What, who: Who, cycles: u64, lie: Lie) {
        let Some(number) = self.contracts.keys().rev().nth(pick).copied() else { return };
        let Contract { buyer, seller, cycles: reported, .. } = self.contracts[&number];
        let cycles = match what {
            What::Deliver | What::Claim => cycles,
            _ => reported,
        };
        let deal = deal(buyer, seller, cycles);
        let papers = Papers { number, deal: &deal, lie };
        let (right, order) = match what {
            What::Accept => (seller, Order::AcceptHold(AcceptHold { hold: id(number) })),
            What::Deliver => (seller, papers.claim(false)),
            What::Claim => (seller, papers.claim(true)),
            What::Settle => (buyer, papers.settle()),
            What::Release => (buyer, release(number, Some(declined(seller, number)), None)),
            What::Dispute => (buyer, papers.dispute()),
            What::Confirm | What::Refute | What::Unfetched => {
                let arbiter = self.arbiter(number).unwrap_or(8);
                (arbiter, judge_of(arbiter, number, &papers, what))
            }
        };
        let who = match who {
            Who::Right => right,
            Who::Other(who) => who,
        };
        let before = self.world.journal.len();
        self.send(who, order);
        let is_claimed = self.world.journal[before..]
            .iter()
            .any(|record| matches!(record.event, bank::Event::HoldClaimed { .. }));
        if let Some(contract) = self.contracts.get_mut(&number).filter(|_| is_claimed) {
            contract.cycles = cycles;
        }
    }

    /// Who was named last.
    fn arbiter(&self, number: u32) -> Option<u8> {
        let named = self.world.journal.iter().rev().find_map(|record| match record.event {
            bank::Event::ArbiterNamed { hold, arbiter, .. } if hold == id(number) => Some(arbiter),
            _ => None,
        })?;
        NODES.into_iter().find(|who| key(*who) == named)
    }

    /// Nothing is open when the longest way of every contract has passed, and the journal says who lost what.
    fn close(mut self) {
        let longest = LONGEST.0 + DISPUTE.0 + ARBITER_WAIT.0 + DISPUTE.0 * MAX_ARBITERS as u64;
        let newest = self.contracts.values().map(|contract| contract.placed).max().unwrap_or(self.world.now);
        let end = newest.after(Span(longest + self.away.0));
        self.world.wait(end.since(self.world.now).max(Span::secs(2)));
        crate::shelf::check_sums(&self.world);
        crate::shelf::check_receipts(&self.world);
        assert_eq!(self.world.bank.totals().open_holds, 0, "nothing outlives the sum of its deadlines");
        assert_eq!(self.world.bank.totals().held, Money(0));
        let mut ends: BTreeMap<_, Ending> = BTreeMap::new();
        for ending in endings(&self.world.journal) {
            assert_eq!(ends.insert(ending.hold, ending), None, "each ends once");
        }
        for (number, contract) in &self.contracts {
            bounds(&ends[&id(*number)], contract);
        }
        let totals = (self.world.bank.totals(), self.world.bank.head());
        assert_eq!(audit(key(BANK), self.world.journal.clone()), Ok(totals));
        let replayed = Bank::replay(self.config, [1; 32], self.world.now, self.world.journal).unwrap();
        assert_eq!(replayed.accounts().collect::<Vec<_>>(), self.world.bank.accounts().collect::<Vec<_>>());
    }
}

/// What each may lose by an end at most, in micro-credits (`docs/bank/deals.md`).
fn bounds(ending: &Ending, contract: &Contract) {
    let shares = ending.shares;
    let price = deal(contract.buyer, contract.seller, 0).clearing;
    let cost = proto::Rate(price).cost(Cycles(contract.cycles)).0;
    let second = cost.clamp(1, contract.amount);
    let deposit = shares.buyer_held.0 - contract.amount;
    let buyer_lost = shares.buyer_held.0.saturating_sub(shares.buyer.0);
    let buyer_gained = shares.buyer.0.saturating_sub(shares.buyer_held.0);
    let seller_lost = shares.seller_held.0.saturating_sub(shares.seller.0);
    assert!(deposit == 0 || deposit == second, "{ending:?}");
    assert!(buyer_gained <= contract.amount * COMPENSATION_PERCENT / 100, "{ending:?}");
    assert!(buyer_lost <= contract.amount + deposit, "{ending:?}");
    match ending.how {
        How::Settled => {
            assert_eq!((seller_lost, shares.pool.0), (0, 0), "{ending:?}");
            assert!(shares.arbiter.0 == 0 || shares.arbiter.0 == deposit, "{ending:?}");
        }
        How::Lapsed | How::Undecided => {
            assert_eq!((seller_lost, shares.arbiter.0, shares.pool.0), (0, 0, 0), "{ending:?}");
            assert!(buyer_lost <= contract.amount, "{ending:?}");
        }
        How::Released => {
            let seller_pays = shares.seller_held.0.min(shares.arbiter.0);
            assert_eq!((seller_lost, buyer_gained, shares.pool.0), (seller_pays, 0, 0), "{ending:?}");
            assert_eq!(buyer_lost, shares.arbiter.0 - seller_pays, "{ending:?}");
        }
        How::Expired => {
            assert_eq!((buyer_lost, buyer_gained, seller_lost), (0, 0, 0), "{ending:?}");
        }
        How::NoShow => {
            assert_eq!((buyer_lost, shares.seller.0), (0, 0), "{ending:?}");
            assert_eq!(buyer_gained + shares.pool.0, shares.seller_held.0, "{ending:?}");
        }
        How::Upheld => {
            assert_eq!((seller_lost, shares.arbiter.0), (0, deposit), "{ending:?}");
            let pay = cost.min(contract.amount - RULES.owner_fee.0.min(contract.amount));
            assert_eq!(shares.seller.0, shares.seller_held.0 + pay, "an honest seller is paid");
        }
        How::Overturned => {
            let seller_pays = shares.seller_held.0.min(deposit);
            assert_eq!(shares.arbiter.0, deposit, "an arbiter is paid whoever is right");
            assert_eq!(
                buyer_lost,
                deposit - seller_pays,
                "an honest buyer pays what a broke seller does not"
            );
            assert_eq!((shares.seller.0, shares.owner.0), (0, 0), "{ending:?}");
        }
    }
}

fn deal(buyer: u8, seller: u8, cycles: u64) -> Deal {
    Deal { buyer, seller, cycles: Cycles(cycles), ..Deal::default() }
}

/// The papers of one contract, with a lie in one of them.
struct Papers<'a> {
    number: u32,
    deal: &'a Deal,
    lie: Lie,
}

impl Papers<'_> {
    fn offer(&self) -> Signed<Offer> {
        let body = Offer { contract: id(self.number), ..super::offer(self.deal).body };
        let attempt = if self.lie == Lie::Offer { 2 } else { 1 };
        Signed::new(Offer { attempt, ..body }, &keys(self.deal.buyer))
    }

    fn report(&self) -> Signed<Report> {
        let right = Self { lie: Lie::None, ..*self };
        let body = Report { offer: right.offer().hash(), ..self.deal.report(self.number).body };
        let mut report = Signed::new(body, &keys(self.deal.seller));
        if self.lie == Lie::Report {
            report.body.cycles.0 += 1;
        }
        report
    }

    fn ticket(&self) -> Signed<proto::message::market::Ticket> {
        let bid = if self.lie == Lie::Ticket { 4_000_000 } else { self.deal.bid };
        Deal { bid, ..self.deal.clone() }.ticket()
    }

    fn claim(&self, is_taken: bool) -> Order {
        let (report, contract) = (self.report(), id(self.number));
        let of = if self.lie == Lie::Taken { proto::Hash([1; 32]) } else { report.hash() };
        let taken = is_taken.then(|| Signed::new(Taken { contract, report: of }, &keys(self.deal.buyer)));
        Order::Claim(Box::new(Claim { hold: contract, ticket: self.ticket(), report, taken }))
    }

    fn settle(&self) -> Order {
        let (report, contract) = (self.report(), id(self.number));
        let is_accepted = self.lie != Lie::Taken;
        let verdict = Verdict { contract, report: report.hash(), is_accepted, reason: String::new() };
        let verdict = Signed::new(verdict, &keys(self.deal.buyer));
        Order::Settle(Box::new(Settle { hold: contract, ticket: self.ticket(), report, verdict }))
    }

    fn dispute(&self) -> Order {
        let reason = String::new();
        Order::Dispute(Box::new(Dispute { hold: id(self.number), offer: self.offer(), reason }))
    }
}

fn judge_of(arbiter: u8, number: u32, papers: &Papers<'_>, what: What) -> Order {
    let report = papers.report();
    let hash = report.hash();
    let Report { contract, outcome, cycles, outputs, stdout, stderr, more, .. } = report.body;
    let mut finding = Finding { contract, report: hash, outcome, cycles, outputs, stdout, stderr, more };
    match what {
        What::Refute => finding.cycles.0 ^= 1,
        What::Unfetched => finding.outcome = Outcome::NotFetched("gone".into()),
        _ => {}
    }
    let Order::Judge(mut order) = judge(arbiter, finding) else { panic!("no judgement") };
    order.hold = id(number);
    Order::Judge(order)
}

fn act() -> impl Strategy<Value = Act> {
    let node = || proptest::sample::select(NODES.to_vec());
    let cycles = || prop_oneof![Just(0_u64), 1..4_000_000_000_u64, Just(u64::MAX - 1)];
    let amount = prop_oneof![1..40_000_u64, 1_000_000..9_000_000_u64];
    let parties = (proptest::sample::select(vec![1_u8, 5]), proptest::sample::select(vec![2_u8, 6]));
    let place = (parties, amount, 1..90_u64).prop_map(|((buyer, seller), amount, secs)| Act::Hold {
        buyer,
        seller,
        amount,
        secs,
    });
    let what = prop_oneof![
        2 => Just(What::Accept),
        1 => Just(What::Deliver),
        4 => Just(What::Claim),
        1 => Just(What::Settle),
        1 => Just(What::Release),
        4 => Just(What::Dispute),
        2 => Just(What::Confirm),
        2 => Just(What::Refute),
        1 => Just(What::Unfetched),
    ];
    let who = prop_oneof![6 => Just(Who::Right), 1 => node().prop_map(Who::Other)];
    let lie = prop_oneof![
        12 => Just(Lie::None),
        1 => Just(Lie::Ticket),
        1 => Just(Lie::Report),
        1 => Just(Lie::Taken),
        1 => Just(Lie::Offer),
    ];
    let order = (0..3_usize, what, who, cycles(), lie)
        .prop_map(|(pick, what, who, cycles, lie)| Act::Order { pick, what, who, cycles, lie });
    prop_oneof![
        4 => place,
        16 => order,
        3 => node().prop_map(|who| Act::Enter { who }),
        1 => node().prop_map(|who| Act::Leave { who }),
        2 => (0..60_u64).prop_map(|secs| Act::Wait { secs }),
        1 => (0..200_u64).prop_map(|secs| Act::Restart { secs }),
        1 => node().prop_map(|who| Act::Spend { who }),
    ]
}

fn play(bond_percent: u16, acts: &[Act]) -> BTreeMap<How, u32> {
    let mut stage = Stage::new(bond_percent);
    for act in acts {
        stage.act(act);
    }
    let mut hows = BTreeMap::new();
    for ending in endings(&stage.world.journal) {
        *hows.entry(ending.how).or_default() += 1;
    }
    stage.close();
    hows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 256, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_people_order_each_contract_ends_once_and_nobody_loses_more_than_the_table_says(
        bond_percent in proptest::sample::select(vec![0_u16, 1, 40, 200]),
        acts in proptest::collection::vec(act(), 1..60),
    ) {
        play(bond_percent, &acts);
    }
}

#[test]
fn the_random_orders_come_to_every_end() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut hows: BTreeMap<How, u32> = BTreeMap::new();
    let strategy = proptest::collection::vec(act(), 50..60);
    for round in 0..60_u16 {
        let acts = strategy.new_tree(&mut runner).unwrap().current();
        for (how, count) in play(if round % 2 == 0 { 0 } else { 40 }, &acts) {
            *hows.entry(how).or_default() += count;
        }
    }
    for how in How::ALL {
        assert!(hows.contains_key(&how), "{how:?} never happened: {hows:?}");
    }
}
