//! The cases that come with the program.

use super::case::{Arbiter, Buyer, Case, Expected, Owner, Roles, Seller, Upset};
use crate::net::Model;
use crate::network::Latency;
use proto::message::bank::How;
use proto::{Rules, Span};

/// Machines in one country, and one message in fifty lost, one in fifty doubled: 5 ms, and 15 ms on top in the mean.
const NET: Model = Model {
    latency: Latency::Exponential { least: Span::millis(5), mean: Span::millis(15) },
    loss: 20,
    duplication: 20,
};
/// Out of order, one in ten doubled, one in twenty lost.
const STORM: Model = Model {
    latency: Latency::Exponential { least: Span::millis(1), mean: Span::millis(200) },
    loss: 50,
    duplication: 100,
};
/// The rules of a network where sellers put up a fifth of each hold.
const BONDED: Rules = Rules { bond_percent: 20, ..Rules::LOCAL };
/// Contracts of a case where all are alike.
const DEALS: usize = 4;

impl Case {
    /// All cases, the simplest first.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = vec![even(
            "fair",
            "nobody lies: each contract is paid by its ticket",
            Roles::HONEST,
            How::Settled,
        )];
        all.extend(buyers());
        all.extend(sellers());
        all.extend(absentees());
        all.extend(bonded());
        all.extend(owners());
        all.extend(arbiters());
        all.push(forgers());
        all.extend(upsets());
        all
    }

    /// The case of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|case| case.name == name)
    }
}

/// Contracts that are all alike and all end in the same way.
fn even(name: &'static str, about: &'static str, roles: Roles, how: How) -> Case {
    Case {
        name,
        about,
        rules: Rules::LOCAL,
        net: NET,
        deals: vec![roles; DEALS],
        every: Span::secs(2),
        arbiters: vec![Arbiter::Honest],
        bystanders: 4,
        upsets: Vec::new(),
        forgers: 0,
        expected: Expected::All(how),
    }
}

const fn buys(buyer: Buyer) -> Roles {
    Roles { buyer, ..Roles::HONEST }
}

const fn sells(seller: Seller) -> Roles {
    Roles { seller, ..Roles::HONEST }
}

fn buyers() -> Vec<Case> {
    vec![
        even(
            "silence",
            "buyers take the outputs and never say a word: sellers claim, and are paid at the deadline",
            buys(Buyer::Silent),
            How::Lapsed,
        ),
        even(
            "absence",
            "buyers never take the outputs: nobody sees them, and the money goes back",
            buys(Buyer::Absent),
            How::Expired,
        ),
        even(
            "quarrel",
            "buyers dispute work that is right: a third node does it again, and they pay for that too",
            buys(Buyer::Quarrelsome),
            How::Upheld,
        ),
        even(
            "secrecy",
            "buyers dispute and give the work to no arbiter: who cannot be checked is not believed",
            buys(Buyer::Secretive),
            How::Upheld,
        ),
        even(
            "yielding_buyer",
            "buyers dispute work that is right and accept it before the finding: they pay the arbiter all the same",
            buys(Buyer::Yielding),
            How::Settled,
        ),
        even(
            "penniless",
            "buyers whose hold is all they have cannot put up the costs of a dispute, and pay for wrong work",
            Roles { buyer: Buyer::Broke, ..sells(Seller::Lazy) },
            How::Lapsed,
        ),
        even(
            "second_key",
            "buyers sell to themselves for a good name: what it costs is the market owner's fee",
            Roles { buyer: Buyer::OwnSeller, ..sells(Seller::Lazy) },
            How::Settled,
        ),
        even(
            "idle",
            "buyers set money aside and offer no work: it comes back",
            buys(Buyer::Idle),
            How::Expired,
        ),
    ]
}

fn sellers() -> Vec<Case> {
    vec![
        even(
            "lazy",
            "sellers report outputs of work that they have not done: overturned, and they pay the arbiter",
            sells(Seller::Lazy),
            How::Overturned,
        ),
        // All at once: who is drawn as an arbiter earns what it could put up.
        Case {
            every: Span::millis(1),
            net: Model { loss: 0, ..NET },
            ..even(
                "lazy_broke",
                "the same, and they have hidden their money before: the buyers pay the arbiter",
                sells(Seller::LazyBroke),
                How::Overturned,
            )
        },
        even(
            "inflation",
            "sellers report three times the cycles: overturned, and the work is not paid at all",
            sells(Seller::Inflating),
            How::Overturned,
        ),
        even(
            "withholding",
            "sellers do the work and keep the outputs that the buyers have taken: an arbiter comes to the same",
            sells(Seller::Withholding),
            How::Upheld,
        ),
        even(
            "hasty",
            "sellers claim without the buyer's word, for work that is wrong: nothing is paid",
            sells(Seller::Hasty),
            How::Expired,
        ),
        even(
            "former_word",
            "sellers claim with the buyer's word on another contract: refused",
            sells(Seller::Replaying),
            How::Expired,
        ),
    ]
}

fn absentees() -> Vec<Case> {
    vec![
        // Arbiters that never answer: the seller gives in before their time is over.
        Case {
            arbiters: vec![Arbiter::Silent],
            ..even(
                "yielding_seller",
                "sellers that are objected to give the money back before the finding: they pay the arbiter all the same",
                sells(Seller::Yielding),
                How::Released,
            )
        },
        even(
            "vanished",
            "sellers accept and vanish: the money goes back",
            sells(Seller::Vanishing),
            How::Expired,
        ),
        even(
            "late",
            "sellers deliver when the hold has ended: nothing is paid",
            sells(Seller::Late),
            How::Expired,
        ),
        even(
            "declined",
            "sellers decline: the money goes back at once",
            sells(Seller::Declining),
            How::Released,
        ),
        even(
            "failed",
            "programs fail by themselves: the money goes back",
            sells(Seller::Failing),
            How::Released,
        ),
        even(
            "handed_over",
            "sellers hand over after half of the work, and are paid by its cycles",
            sells(Seller::Migrating),
            How::Settled,
        ),
    ]
}

fn bonded() -> Vec<Case> {
    let bonded = |case: Case| Case { rules: BONDED, ..case };
    vec![
        bonded(even("bond", "sellers put bonds up and have them back", Roles::HONEST, How::Settled)),
        bonded(even(
            "no_show",
            "sellers put bonds up, accept and vanish: half of the bond compensates the buyer",
            sells(Seller::Vanishing),
            How::NoShow,
        )),
        bonded(even(
            "late_bond",
            "sellers put bonds up and deliver when the hold has ended: the bond is lost",
            sells(Seller::Late),
            How::NoShow,
        )),
        bonded(even(
            "kept_bond",
            "buyers never take the outputs: sellers show that they have delivered, and have their bonds back",
            buys(Buyer::Absent),
            How::Expired,
        )),
        bonded(even(
            "forfeit",
            "sellers report outputs of work that they have not done: the bond pays the arbiter",
            sells(Seller::Lazy),
            How::Overturned,
        )),
    ]
}

fn owners() -> Vec<Case> {
    let owned = |owner| Roles { owner, ..Roles::HONEST };
    vec![
        even(
            "greedy_owner",
            "market owners write ten times the fee into their tickets: the bank pays none of them",
            owned(Owner::Greedy),
            How::Expired,
        ),
        even(
            "invented_listing",
            "market owners invent the listing that makes the price: the bank pays none of them",
            owned(Owner::Inventive),
            How::Expired,
        ),
    ]
}

fn arbiters() -> Vec<Case> {
    let judged = |case: Case, arbiters: &[Arbiter]| Case { arbiters: arbiters.to_vec(), ..case };
    let some = Expected::OneOf(&[How::Overturned, How::Undecided]);
    vec![
        judged(
            even(
                "silent_arbiters",
                "no arbiter answers, of three that are asked: paid as claimed, and the deposits go back",
                sells(Seller::Lazy),
                How::Undecided,
            ),
            &[Arbiter::Silent],
        ),
        judged(
            even(
                "lying_arbiters",
                "arbiters say something false of work that is right: sellers lose its price and a stake",
                buys(Buyer::Quarrelsome),
                How::Overturned,
            ),
            &[Arbiter::Lying],
        ),
        judged(
            even(
                "collusion",
                "arbiters say what lying sellers say: buyers lose the price and their deposit, and no more",
                sells(Seller::Lazy),
                How::Upheld,
            ),
            &[Arbiter::Colluding],
        ),
        Case {
            expected: some,
            ..judged(
                even(
                    "some_silent",
                    "every second arbiter is silent: another one is asked",
                    sells(Seller::Lazy),
                    How::Overturned,
                ),
                &[Arbiter::Honest, Arbiter::Silent],
            )
        },
    ]
}

fn forgers() -> Case {
    Case {
        forgers: 3,
        ..even(
            "forgers",
            "three nodes send the orders of others, orders with the papers of others, and unsigned ones: all refused",
            Roles::HONEST,
            How::Settled,
        )
    }
}

/// Everybody with everybody.
fn mixed() -> Vec<Roles> {
    use Buyer::{Absent, Broke, Honest, Idle, OwnSeller, Quarrelsome, Secretive, Silent};
    let buyers = [Honest, Silent, Absent, Quarrelsome, Secretive, Broke, OwnSeller, Idle];
    let sellers = [
        Seller::Honest,
        Seller::Lazy,
        Seller::Inflating,
        Seller::Withholding,
        Seller::Hasty,
        Seller::Replaying,
        Seller::Vanishing,
        Seller::Late,
        Seller::Declining,
        Seller::Failing,
        Seller::Migrating,
    ];
    let pair = |(index, seller): (usize, &Seller)| {
        let buyer = buyers.iter().cycle().nth(index * 3).copied().unwrap_or(Honest);
        [Roles { buyer, ..sells(*seller) }, sells(*seller)]
    };
    let mut mixed: Vec<Roles> = sellers.iter().enumerate().flat_map(pair).collect();
    mixed.extend(buyers.map(buys));
    mixed
}

fn upsets() -> Vec<Case> {
    let kill = |at: u64, down: u64| (Span::millis(at), Upset::Kill { down: Span::millis(down) });
    let hour = Span::secs(3_600);
    let all = Case {
        deals: mixed(),
        bystanders: 6,
        every: Span::secs(1),
        arbiters: vec![Arbiter::Honest, Arbiter::Honest, Arbiter::Silent, Arbiter::Lying, Arbiter::Colluding],
        expected: Expected::AsRolesHaveIt,
        ..even("", "", Roles::HONEST, How::Settled)
    };
    let fair = Case { rules: BONDED, deals: vec![Roles::HONEST; 8], ..all.clone() };
    let paid = Expected::OneOf(&[How::Settled, How::Lapsed]);
    vec![
        Case {
            name: "court_storm",
            about: "everybody with everybody, while messages are lost, doubled and out of order, and two nodes forge",
            net: STORM,
            forgers: 2,
            ..all.clone()
        },
        Case {
            name: "court_crashes",
            about: "everybody with everybody under bonds, while the bank is killed eight times at work",
            rules: BONDED,
            upsets: vec![
                kill(5_000, 1_000),
                kill(17_000, 500),
                kill(22_000, 3_000),
                kill(28_000, 200),
                kill(33_000, 15_000),
                kill(60_000, 2_000),
                kill(75_000, 700),
                kill(100_000, 5_000),
            ],
            ..all.clone()
        },
        Case {
            name: "outage",
            about: "the bank is away for ten minutes, over all deadlines: no honest seller loses its bond",
            upsets: vec![kill(19_000, 600_000)],
            expected: paid,
            ..fair.clone()
        },
        Case {
            name: "outage_in_dispute",
            about: "the bank is away for ten minutes while everything is claimed and disputed",
            upsets: vec![kill(45_000, 600_000)],
            ..all.clone()
        },
        Case {
            name: "clock_back",
            about: "the bank's clock goes back by an hour: its time stands still, and nothing is decided twice",
            upsets: vec![(Span::secs(25), Upset::Backwards(hour))],
            expected: paid,
            ..fair.clone()
        },
        Case {
            name: "clock_ahead",
            about: "the bank's clock goes ahead by an hour while sellers have bonds up: that is as if it had been away",
            rules: BONDED,
            upsets: vec![(Span::secs(25), Upset::Forwards(hour))],
            ..all.clone()
        },
    ]
}
