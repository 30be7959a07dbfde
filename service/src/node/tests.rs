//! Two nodes and no network: a departure waits until the market has handed over.

mod survey;
mod total;

use super::*;
use crate::worker::Terms;
use market::{Supply, placement};
use proto::Placement;
use proto::message::market::{MarketMessage, Platform};
use proto::{Bytes, Capacity, Market, Rate, Rules};

const BANK: u16 = 99;

fn keys(n: u16) -> KeyPair {
    KeyPair::from_secret([u8::try_from(n).unwrap(); 32])
}

fn peer(n: u16) -> Peer {
    Peer::new(format!("10.4.0.{n}:7740").parse().unwrap(), 0, keys(n).public())
}

fn node(n: u16) -> Node {
    let (rules, chord) = (Rules::LOCAL, chord::Config::LOCAL);
    let config =
        Config { rules, bank: peer(BANK), chord, terms: Terms::default(), opening: OpenAccount::default() };
    Node::new(config, peer(n), keys(n), [u8::try_from(n).unwrap(); 32], Time(0))
}

fn market() -> Market {
    Market::of_capacity(Capacity(1_000))
}

/// What a node has to sell.
fn supply() -> Supply {
    let (memory, disk) = (Bytes::gib(1), Bytes::gib(1));
    Supply {
        cores: 1,
        per_core: Capacity(1_000),
        asks: market::Tariff::of_compute(Rate(5)),
        memory,
        disk,
        most_memory: memory,
        platform: Platform::default(),
        longest: Span::secs(60),
    }
}

/// The two nodes, of which the first answers for [`market`] and the second sells there. What they send arrives at
/// once, but for what `is_lost`.
struct Pair {
    nodes: [Node; 2],
    now: Time,
    is_lost: fn(&Message) -> bool,
    /// What the first has wanted, but for what has reached the second.
    said: Vec<Output>,
}

impl Pair {
    fn new() -> Self {
        let key = placement::key(Placement::Single, market());
        let range = |of: u16, after: u16| proto::Range { after: peer(after).id(), until: peer(of).id() };
        let (owner, other) = if range(1, 2).contains(key) { (1, 2) } else { (2, 1) };
        let mut pair =
            Self { nodes: [node(owner), node(other)], now: Time(0), is_lost: |_| false, said: Vec::new() };
        pair.give(0, Input::Start { via: Vec::new() });
        pair.give(1, Input::Start { via: vec![peer(owner)] });
        pair.run(Span::secs(2));
        pair.give(1, Input::Supply { supply: Some(supply()) });
        pair.run(Span::secs(2));
        assert_eq!(pair.nodes[0].market().listings().count(), 1);
        pair.said.clear();
        pair
    }

    fn give(&mut self, to: usize, input: Input) {
        self.nodes[to].handle(input, self.now);
        for place in [to, 1 - to] {
            while let Some(output) = self.nodes[place].poll_output() {
                let (from, there) = (self.nodes[place].me(), self.nodes[1 - place].me());
                match output {
                    Output::Send { to, message } if to == there && !(self.is_lost)(&message) => {
                        self.give(1 - place, Input::Receive { from, message });
                    }
                    other if place == 0 => self.said.push(other),
                    _ => {}
                }
            }
        }
    }

    fn run(&mut self, span: Span) {
        let until = self.now.after(span);
        loop {
            let due = |place: usize| self.nodes[place].poll_timeout().filter(|due| *due <= until);
            let Some((due, place)) = [0, 1].into_iter().filter_map(|n| Some((due(n)?, n))).min() else {
                break;
            };
            self.now = self.now.max(due);
            self.give(place, Input::Timeout);
        }
        self.now = until;
    }

    fn has_left(&self) -> bool {
        self.said.iter().any(|output| matches!(output, Output::Left))
    }
}

#[test]
fn a_node_leaves_when_its_successor_has_what_it_kept() {
    let mut pair = Pair::new();
    pair.give(0, Input::Leave);
    assert!(pair.has_left() && !pair.nodes[0].chord().is_member());
    let departed = |output: &Output| {
        matches!(output, Output::Send { message: Message::Bank(BankMessage::Departed(_)), .. })
    };
    assert_eq!(pair.said.iter().filter(|output| departed(output)).count(), 1);
    // The other is alone now, answers for the market, and has the listing before it is renewed.
    let market = pair.nodes[1].market();
    assert_eq!((market.listings().count(), market.kept().count()), (1, 0));
}

#[test]
fn a_node_that_cannot_hand_over_answers_until_its_time_is_over() {
    let mut pair = Pair::new();
    pair.is_lost = |message| matches!(message, Message::Market(MarketMessage::HandOver(_)));
    pair.give(0, Input::Leave);
    pair.run(Span(market::owner::LEAVE_WITHIN.0 - 1));
    assert!(!pair.has_left() && pair.nodes[0].chord().is_member());
    assert!(pair.nodes[0].market().answers_for(market()));
    pair.run(Span(1));
    assert!(pair.has_left() && !pair.nodes[0].chord().is_member());
}

#[test]
fn a_node_that_takes_its_last_work_leaves_when_it_is_done() {
    let mut pair = Pair::new();
    pair.give(1, Input::Intake { intake: Intake::Closed });
    pair.run(Span::secs(4));
    // It is no longer listed, and stays.
    assert!(pair.nodes[1].market().listed().next().is_none() && pair.nodes[1].chord().is_member());
    pair.give(1, Input::Intake { intake: Intake::Last { left: 1 } });
    pair.run(Span::secs(4));
    assert!(pair.nodes[1].chord().is_member());
    pair.give(1, Input::Intake { intake: Intake::Last { left: 0 } });
    assert!(!pair.nodes[1].chord().is_member());
}

#[test]
fn nothing_is_for_sale_while_the_owner_needs_the_machine() {
    let mut pair = Pair::new();
    pair.give(1, Input::Decide { work: Work::Suspend });
    assert!(pair.nodes[1].market().listed().next().is_none());
    assert_eq!(pair.nodes[1].market().free_part().cores, 0);
}

#[test]
fn room_that_was_sold_before_the_node_was_started_again_is_not_sold_twice() {
    let mut node = node(1);
    let ticket = crate::worker::tests::ticket(CommandId([4; 16]));
    let room = ticket.body.requirement.disk;
    let rented = crate::Note::Rented { buyer: peer(2), ticket: Box::new(ticket), closes: Time(9) };
    node.handle(
        Input::Restore { kept: Box::new(crate::Kept { submissions: Vec::new(), notes: vec![rented] }) },
        Time(0),
    );
    let slice = node.market().slice(&CommandId([4; 16])).copied().unwrap();
    assert_eq!((slice.part.disk, slice.buyer, slice.until), (room, peer(2).key, None));
    node.handle(Input::Supply { supply: Some(supply()) }, Time(0));
    assert_eq!(node.market().free_part().disk, Bytes(supply().disk.0 - room.0));
}

#[test]
fn what_was_restored_is_written_down_as_a_whole_before_anything_that_follows() {
    let mut node = node(1);
    let hired = crate::Note::Hired { offer: Box::new(crate::worker::tests::offer(1)), bond: None };
    let kept = crate::Kept { submissions: Vec::new(), notes: vec![hired] };
    node.handle(Input::Restore { kept: Box::new(kept) }, Time(0));
    let outputs: Vec<Output> = std::iter::from_fn(|| node.poll_output()).collect();
    let Some((Output::Replace { notes }, rest)) = outputs.split_first() else { panic!("{outputs:?}") };
    assert_eq!(*notes, node.notes());
    // Its program was lost with the process, which is said and written down, and not behind what was there before.
    assert!(notes.iter().any(|note| matches!(note, crate::Note::Reported { .. })), "{notes:?}");
    let is_written = |output: &Output| matches!(output, Output::Append { .. } | Output::Replace { .. });
    assert!(!rest.is_empty() && !rest.iter().any(is_written), "{rest:?}");
}
