//! Random orders on the bank and on a small ledger that is written from the rules alone: every answer, every
//! balance, and the journal behind them have to agree.

use crate::papers::{Deal, declined, release};
use crate::reference::{Answer, Model, Moved};
use crate::shelf::check_sums;
use crate::world::{BANK, RULES, World, config, freeze, grant, hold, key, open, pay, signed};
use bank::{Bank, Replay, audit, journal};
use proptest::prelude::*;
use proto::message::bank::{BankCommand, BankOutcome, Order, ReleasedReceipt, SettledReceipt};
use proto::message::service::Outcome;
use proto::{Cycles, Money, RefusalCode, Signed, Span, Time};

/// People 1 to 4 trade, 3 owns the market; 5 never opens an account.
#[derive(Clone, Debug)]
enum Act {
    Open {
        who: u8,
    },
    Hold {
        who: u8,
        seller: u8,
        amount: u64,
        secs: u64,
    },
    Pay {
        who: u8,
        payments: Vec<(u8, u64)>,
    },
    Grant {
        who: u8,
        to: u8,
        amount: u64,
    },
    Freeze {
        who: u8,
        account: u8,
        is_frozen: bool,
    },
    Release {
        who: Role,
        pick: usize,
        paper: Paper,
    },
    Settle {
        who: Role,
        pick: usize,
        cycles: u64,
        flaw: Flaw,
    },
    /// Sends an earlier command again, perhaps on another's channel, perhaps with its signer changed.
    Repeat {
        pick: usize,
        from: Option<u8>,
    },
    /// Uses the id of an earlier command for a new one.
    Reuse {
        pick: usize,
        who: u8,
        amount: u64,
    },
    Wait {
        secs: u64,
    },
    Back {
        secs: u64,
    },
}

/// Who gives an order about a hold.
#[derive(Clone, Copy, Debug)]
enum Role {
    Buyer,
    Seller,
    Anybody(u8),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Paper {
    None,
    Declined,
    Failed,
    Succeeded,
    ByAnother,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flaw {
    None,
    Ticket,
    Report,
    Verdict,
    Rejected,
}

/// The pick of a hold that never was.
const NEVER: usize = 8;

/// The deal on which every hold between the two rests: 2 credits, which is a micro-credit for 500 cycles.
fn deal(buyer: u8, seller: u8) -> Deal {
    Deal { buyer, seller, ..Deal::default() }
}

fn settlement(hold: u32, (buyer, seller): (u8, u8), cycles: u64, flaw: Flaw) -> Order {
    let right = Deal { cycles: Cycles(cycles), ..deal(buyer, seller) };
    let rejecting = Deal { is_accepted: false, ..right.clone() };
    let mut papers = right.papers(hold);
    match flaw {
        Flaw::None => {}
        Flaw::Ticket => papers.ticket = Deal { bid: 9_000_000, ..right }.ticket(),
        Flaw::Report => papers.report.body.cycles.0 += 500,
        Flaw::Verdict => papers.verdict = right.verdict(hold + 1),
        Flaw::Rejected => papers.verdict = rejecting.verdict(hold),
    }
    Order::Settle(Box::new(papers))
}

fn giving_back(hold: u32, seller: u8, paper: Paper) -> Order {
    let reporting = |outcome| Deal { outcome, ..deal(1, seller) }.report(hold);
    match paper {
        Paper::None => release(hold, None, None),
        Paper::Declined => release(hold, Some(declined(seller, hold)), None),
        Paper::Failed => release(hold, None, Some(reporting(Outcome::Exited(1)))),
        Paper::Succeeded => release(hold, None, Some(reporting(Outcome::Succeeded))),
        Paper::ByAnother => release(hold, Some(declined(9, hold)), None),
    }
}

/// The bank and the model, side by side.
struct Pair {
    world: World,
    model: Model,
    /// What was sent so far: the number of a command is its place, from 1.
    sent: Vec<(u8, Signed<BankCommand>)>,
}

impl Pair {
    fn next(&self) -> u32 {
        u32::try_from(self.sent.len()).unwrap() + 1
    }

    /// One of the holds that were placed, the newest for 0, with its parties and the one of them that `role`
    /// is; a hold that never was for [`NEVER`].
    fn pick(&self, pick: usize, role: Role) -> (u32, (u8, u8), u8) {
        let hold = self.model.holds.iter().rev().nth(pick % self.model.holds.len().max(1));
        let hold = hold.filter(|_| pick < NEVER);
        let (number, parties) = hold.map_or((99_999, (1, 2)), |(id, hold)| (*id, (hold.buyer, hold.seller)));
        let who = match role {
            Role::Buyer => parties.0,
            Role::Seller => parties.1,
            Role::Anybody(who) => who,
        };
        (number, parties, who)
    }

    fn send(&mut self, who: u8, command: Signed<BankCommand>, expected: Answer) {
        self.sent.push((who, command.clone()));
        let outcome = self.world.command(who, command);
        assert_eq!(self.read(outcome, who), expected);
    }

    fn read(&self, outcome: BankOutcome, who: u8) -> Answer {
        match outcome {
            BankOutcome::Opened(balance) => {
                assert_eq!(balance.account, key(who));
                Ok(Moved::Opened { available: balance.available.0, held: balance.held.0 })
            }
            BankOutcome::Held(receipt) => {
                assert!(receipt.is_genuine_by(key(BANK)));
                Ok(Moved::Held { amount: receipt.body.amount.0, expires: receipt.body.expires })
            }
            BankOutcome::Released(ReleasedReceipt { returned, .. }) => Ok(Moved::Released(returned.0)),
            BankOutcome::Settled(SettledReceipt { seller_paid, owner_paid, returned, .. }) => {
                Ok(Moved::Settled(seller_paid.0, owner_paid.0, returned.0))
            }
            BankOutcome::Recorded(receipt) => {
                let record = &self.world.journal[usize::try_from(receipt.sequence).unwrap()];
                assert_eq!(record.time, receipt.time);
                Ok(Moved::Recorded(receipt.time))
            }
            BankOutcome::Refused(refusal) => Err(refusal.code),
            other => panic!("{other:?}"),
        }
    }

    fn act(&mut self, act: &Act) {
        let (number, now) = (self.next(), self.world.now);
        if !matches!(act, Act::Wait { .. } | Act::Back { .. }) {
            self.model.expire(now);
        }
        match *act {
            Act::Open { who } => {
                let expected = self.model.open(who, number, now);
                self.send(who, signed(who, number, open()), expected);
            }
            Act::Hold { who, seller, amount, secs } => {
                let expected = self.model.place((who, seller), amount, secs, number, now);
                let order = hold(seller, deal(who, seller).ticket().hash(), amount, secs);
                self.send(who, signed(who, number, order), expected);
            }
            Act::Pay { who, ref payments } => {
                let expected = self.model.pay(who, payments, number, now);
                self.send(who, signed(who, number, pay(payments, "model")), expected);
            }
            Act::Grant { who, to, amount } => {
                let expected = self.model.grant(who, to, amount, number, now);
                self.send(who, signed(who, number, grant(to, amount)), expected);
            }
            Act::Freeze { who, account, is_frozen } => {
                let expected = self.model.freeze(who, account, is_frozen, number, now);
                self.send(who, signed(who, number, freeze(account, is_frozen)), expected);
            }
            Act::Release { who, pick, paper } => {
                let (hold, (_, seller), who) = self.pick(pick, who);
                let expected = self.model.release(who, hold, paper, number, now);
                self.send(who, signed(who, number, giving_back(hold, seller, paper)), expected);
            }
            Act::Settle { who, pick, cycles, flaw } => {
                let (hold, parties, who) = self.pick(pick, who);
                let expected = self.model.settle(who, hold, cycles, flaw, number, now);
                self.send(who, signed(who, number, settlement(hold, parties, cycles, flaw)), expected);
            }
            Act::Repeat { pick, from } => self.repeat(pick, from),
            Act::Reuse { pick, who, amount } => self.reuse(pick, who, amount),
            Act::Wait { secs } => {
                self.world.wait(Span::secs(secs));
                self.model.wait(now, self.world.now);
            }
            Act::Back { secs } => self.world.now = Time(now.0 - Span::secs(secs).0.min(now.0)),
        }
        self.compare();
    }

    /// Only what was executed has the same answer again; what was refused is not repeated here, because it may
    /// be executed now.
    fn repeat(&mut self, pick: usize, from: Option<u8>) {
        let executed: Vec<u32> = self.model.executed.keys().copied().collect();
        let Some(number) = executed.get(pick % executed.len().max(1)) else { return };
        let (who, moved) = self.model.executed[number];
        let (_, command) = self.sent[usize::try_from(*number).unwrap() - 1].clone();
        let Some(other) = from.filter(|other| *other != who) else {
            let outcome = self.world.command(who, command);
            assert_eq!(self.read(outcome, who), Ok(moved));
            return;
        };
        let stolen = Signed { signer: key(other), ..command.clone() };
        for command in [command, stolen] {
            let outcome = self.world.command(other, command);
            assert_eq!(self.read(outcome, other), Err(RefusalCode::NotYours));
        }
    }

    fn reuse(&mut self, pick: usize, who: u8, amount: u64) {
        let executed: Vec<u32> = self.model.executed.keys().copied().collect();
        let Some(number) = executed.get(pick % executed.len().max(1)) else { return };
        let order = hold(9, proto::Hash::of(b"another"), amount, 60);
        let outcome = self.world.order(who, *number, order);
        assert_eq!(self.read(outcome, who), Err(RefusalCode::IdReused));
    }

    fn compare(&self) {
        for who in 1..=5 {
            let expected = self.model.available.get(&who).map(|available| (*available, self.model.held(who)));
            assert_eq!(self.world.money(who), expected, "person {who}");
        }
        let open = self.model.holds.values().filter(|hold| hold.closed.is_none()).count();
        assert_eq!(self.world.bank.totals().open_holds, open);
    }

    /// The journal, through its bytes, gives the same ledger; an auditor agrees.
    fn close(self) {
        check_sums(&self.world);
        let bytes: Vec<u8> = self.world.journal.iter().flat_map(journal::encode).collect();
        let (records, tail) = journal::read(&bytes).unwrap();
        assert_eq!((&records, tail.torn), (&self.world.journal, 0));
        let bank = Bank::replay(config(), [0; 32], Time(0), records.clone()).unwrap();
        assert_eq!(bank.accounts().collect::<Vec<_>>(), self.world.bank.accounts().collect::<Vec<_>>());
        let mut replay = Replay::new(key(BANK));
        records.iter().try_for_each(|record| replay.follow(record)).unwrap();
        let mut quick = Replay::new(key(BANK));
        records.iter().try_for_each(|record| quick.follow_encoded(&record.encode())).unwrap();
        assert_eq!(quick.state_hash(), replay.state_hash());
        let loaded = Replay::from_snapshot(key(BANK), &replay.snapshot()).unwrap();
        assert_eq!((loaded.next(), loaded.state_hash()), (replay.next(), bank.state_hash()));
        assert_eq!(bank.state_hash(), self.world.bank.state_hash());
        assert_eq!((bank.totals(), bank.head()), (self.world.bank.totals(), self.world.bank.head()));
        assert_eq!(audit(key(BANK), records), Ok((bank.totals(), bank.head())));
        let granted = u64::try_from(self.model.granted.len()).unwrap();
        assert_eq!(bank.totals().issued, Money(RULES.initial_grant.0 * granted + self.model.issued));
    }
}

fn act() -> impl Strategy<Value = Act> {
    let who = || 1_u8..=4;
    let amount =
        prop_oneof![6 => 1_u64..9_000_000, 2 => 1_u64..40_000_000, 1 => 0_u64..20_000, 1 => Just(43_500_000)];
    let role = || {
        prop_oneof![
            3 => Just(Role::Buyer), 3 => Just(Role::Seller), 1 => who().prop_map(Role::Anybody),
        ]
    };
    let paper = prop_oneof![
        2 => Just(Paper::Declined), 2 => Just(Paper::Failed), 1 => Just(Paper::None),
        1 => Just(Paper::Succeeded), 1 => Just(Paper::ByAnother),
    ];
    let flaw = prop_oneof![
        6 => Just(Flaw::None), 1 => Just(Flaw::Ticket), 1 => Just(Flaw::Report),
        1 => Just(Flaw::Verdict), 1 => Just(Flaw::Rejected),
    ];
    let seller = prop_oneof![3 => Just(2_u8), 3 => Just(4), 2 => who(), 1 => Just(5)];
    let operator = || prop_oneof![4 => Just(BANK), 1 => who()];
    let pays =
        proptest::collection::vec((1_u8..=5, prop_oneof![8 => 1_u64..5_000_000, 1 => any::<u64>()]), 0..4);
    let (seller_of_grant, grants) = (1_u8..=4, prop_oneof![8 => 0_u64..9_000_000, 1 => any::<u64>()]);
    let secs = prop_oneof![9 => 1_u64..90, 1 => Just(0)];
    let cycles = prop_oneof![3 => 0_u64..9_000_000_000, 1 => Just(u64::MAX - 500)];
    prop_oneof![
        1 => who().prop_map(|who| Act::Open { who }),
        6 => (who(), seller, amount, secs)
            .prop_map(|(who, seller, amount, secs)| Act::Hold { who, seller, amount, secs }),
        3 => (who(), pays).prop_map(|(who, payments)| Act::Pay { who, payments }),
        1 => (operator(), seller_of_grant, grants).prop_map(|(who, to, amount)| Act::Grant { who, to, amount }),
        1 => (operator(), 1_u8..=5, prop::bool::weighted(0.4))
            .prop_map(|(who, account, is_frozen)| Act::Freeze { who, account, is_frozen }),
        3 => (role(), 0_usize..=NEVER, paper).prop_map(|(who, pick, paper)| Act::Release { who, pick, paper }),
        5 => (role(), 0_usize..=NEVER, cycles, flaw)
            .prop_map(|(who, pick, cycles, flaw)| Act::Settle { who, pick, cycles, flaw }),
        2 => (any::<usize>(), proptest::option::of(who()))
            .prop_map(|(pick, from)| Act::Repeat { pick, from }),
        1 => (any::<usize>(), who(), 1_u64..9)
            .prop_map(|(pick, who, amount)| Act::Reuse { pick, who, amount }),
        2 => (0_u64..30).prop_map(|secs| Act::Wait { secs }),
        1 => (0_u64..30).prop_map(|secs| Act::Back { secs }),
    ]
}

/// Plays with three accounts open from the start; that of the market owner is opened by an act, or by a fee.
fn play(acts: &[Act]) {
    let world = World::new();
    let mut pair = Pair { world, model: Model::default(), sent: Vec::new() };
    [1, 2, 4].map(|who| Act::Open { who }).iter().chain(acts).for_each(|act| pair.act(act));
    pair.close();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_bank_agrees_with_a_small_ledger(acts in proptest::collection::vec(act(), 1..50)) {
        play(&acts);
    }
}

#[test]
fn a_hold_that_runs_out_between_two_inputs_expires_at_the_second() {
    let hold = |secs| Act::Hold { who: 1, seller: 2, amount: 5, secs };
    let wait = Act::Wait { secs: 1 };
    play(&[hold(1), wait.clone(), hold(60), hold(60), hold(60), wait, hold(60)]);
}
