//! One node, and the rest of the ring by hand: what distinguishes the corrected protocol from the original.

use crate::world::plain;
use chord::{Chord, Input, JoinFailure, MAX_HINTS, Output};
use proto::key::PublicKey;
use proto::message::chord::{
    Busy, ChordMessage, FoundNode, Leaving, Nearer, Notify, Ping, StateQuery, StateReply,
};
use proto::{Peer, Range, RequestId, Span, Time};

const NOW: Time = Time(5_000_000);

/// `count` peers in the order of their ids.
fn peers(count: u16) -> Vec<Peer> {
    let addr = |n: u16| format!("10.2.0.{n}:7000").parse().unwrap();
    let mut peers: Vec<Peer> = (0..count).map(|n| Peer::new(addr(n), n, PublicKey([1; 32]))).collect();
    peers.sort_by_key(Peer::id);
    peers
}

fn sent(node: &mut Chord) -> Vec<(Peer, ChordMessage)> {
    let outputs = std::iter::from_fn(|| node.poll_output());
    let message = |output| match output {
        Output::Send { to, message } => Some((to, message)),
        _ => None,
    };
    outputs.filter_map(message).collect()
}

/// The number of the only question among what is sent, which must go to `to`.
fn question(node: &mut Chord, to: Peer) -> RequestId {
    let numbers: Vec<RequestId> = sent(node)
        .into_iter()
        .filter(|(asked, _)| *asked == to)
        .filter_map(|(_, message)| match message {
            ChordMessage::StateQuery(asked) => Some(asked.request),
            ChordMessage::FindNext(asked) => Some(asked.request),
            _ => None,
        })
        .collect();
    assert_eq!(numbers.len(), 1, "questions to {to}");
    numbers[0]
}

fn receive(node: &mut Chord, from: Peer, message: ChordMessage) {
    node.handle(Input::Receive { from, message }, NOW);
    node.check().unwrap();
}

fn reply(node: &mut Chord, from: Peer, predecessor: Option<Peer>, successors: &[Peer]) {
    let request = question(node, from);
    let successors = successors.to_vec();
    receive(node, from, ChordMessage::StateReply(StateReply { request, predecessor, successors }));
}

/// `ring[1]` with lists of three, joined behind `ring[0]`, which has shown `list`.
fn joined(ring: &[Peer], list: &[Peer]) -> Chord {
    let mut node = Chord::new(plain(3), ring[1], [7; 32], NOW);
    node.handle(Input::Join { via: vec![ring[0]] }, NOW);
    let request = question(&mut node, ring[0]);
    receive(&mut node, ring[0], ChordMessage::FoundNode(FoundNode { request, owner: list[0] }));
    reply(&mut node, ring[0], None, list);
    node
}

#[test]
fn a_newcomer_takes_the_list_of_its_predecessor() {
    let ring = peers(8);
    let node = joined(&ring, &ring[2..5]);
    assert_eq!(node.successors(), &ring[2..5]);
    assert_eq!(node.predecessor(), Some(ring[0]));
    assert_eq!(node.range().map(|range| range.after), Some(ring[0].id()));
}

/// What `node` has said of its arc: once, and what it answers for now.
fn check_arc(node: &mut Chord, after: Peer, heir: Option<Peer>, donor: Option<Peer>) {
    let is_news = |output: &Output| matches!(output, Output::RangeChanged { .. });
    let news: Vec<Output> = std::iter::from_fn(|| node.poll_output()).filter(is_news).collect();
    let range = Range { after: after.id(), until: node.me().id() };
    assert_eq!(news, [Output::RangeChanged { range, heir, donor }]);
    assert_eq!(node.range(), Some(range));
}

#[test]
fn who_has_a_part_of_the_arc_to_give_or_to_take_is_named() {
    let ring = peers(8);
    // At place 3, behind place 0.
    let mut node = Chord::new(plain(3), ring[3], [7; 32], NOW);
    node.handle(Input::Join { via: vec![ring[0]] }, NOW);
    let request = question(&mut node, ring[0]);
    receive(&mut node, ring[0], ChordMessage::FoundNode(FoundNode { request, owner: ring[4] }));
    reply(&mut node, ring[0], None, &[ring[4], ring[5], ring[6]]);
    check_arc(&mut node, ring[0], None, Some(ring[4]));
    assert_eq!(node.heirs(2), [ring[4], ring[5]]);
    assert_eq!(node.heirs(9), [ring[4], ring[5], ring[6]]);
    // A newcomer between takes a part away; when it is gone, somebody else is before the arc.
    receive(&mut node, ring[2], ChordMessage::Notify(Notify {}));
    check_arc(&mut node, ring[2], Some(ring[2]), None);
    let left = ChordMessage::Leaving(Leaving { predecessor: Some(ring[0]), successors: vec![ring[3]] });
    receive(&mut node, ring[2], left);
    receive(&mut node, ring[0], ChordMessage::Notify(Notify {}));
    check_arc(&mut node, ring[0], Some(ring[0]), None);
}

#[test]
fn a_ring_of_one_has_no_heir_and_gives_to_the_first_that_comes() {
    let ring = peers(2);
    let mut node = Chord::new(plain(3), ring[0], [7; 32], NOW);
    node.handle(Input::Create, NOW);
    check_arc(&mut node, ring[0], None, None);
    assert_eq!(node.heirs(3), []);
    receive(&mut node, ring[1], ChordMessage::Notify(Notify {}));
    check_arc(&mut node, ring[1], Some(ring[1]), None);
}

#[test]
fn a_newcomer_that_is_remembered_from_a_former_life_leaves_itself_out_and_pads() {
    let ring = peers(8);
    let node = joined(&ring, &ring[1..4]);
    assert_eq!(node.successors(), &ring[2..4]);
    assert_eq!(node.view().unwrap().successors[2], ring[3].id().plus_power(0));
}

#[test]
fn a_place_that_another_key_holds_is_not_taken() {
    let ring = peers(8);
    let other = Peer::new(ring[1].addr, ring[1].slot, PublicKey([2; 32]));
    let mut node = joined(&ring, &[other, ring[2], ring[3]]);
    assert!(!node.is_member());
    let mut now = NOW;
    while let Some(due) = node.poll_timeout() {
        now = due;
        node.handle(Input::Timeout, now);
        let asked: Vec<_> = std::iter::from_fn(|| node.poll_output()).collect();
        for output in asked {
            let request = match output {
                Output::Send { message: ChordMessage::FindNext(asked), .. } => asked.request,
                Output::JoinFailed { reason } => {
                    assert_eq!(reason, JoinFailure::PlaceTaken);
                    continue;
                }
                _ => continue,
            };
            let found = ChordMessage::FoundNode(FoundNode { request, owner: other });
            node.handle(Input::Receive { from: ring[0], message: found }, now);
            let request = question(&mut node, ring[0]);
            let successors = vec![other, ring[2], ring[3]];
            let state = ChordMessage::StateReply(StateReply { request, predecessor: None, successors });
            node.handle(Input::Receive { from: ring[0], message: state }, now);
        }
    }
    assert!(!node.is_member() && now > NOW);
}

#[test]
fn a_nearer_node_is_adopted_only_when_it_has_answered() {
    let ring = peers(8);
    for is_alive in [true, false] {
        let mut node = joined(&ring, &ring[3..6]);
        node.handle(Input::Timeout, NOW);
        reply(&mut node, ring[3], Some(ring[2]), &ring[4..7]);
        assert_eq!(node.successors(), &ring[3..6], "not before it has answered");
        if is_alive {
            reply(&mut node, ring[2], Some(ring[0]), &ring[3..6]);
            assert_eq!(node.successors(), &ring[2..5]);
        } else {
            node.handle(Input::Unreachable { peer: ring[2] }, NOW);
            assert_eq!(node.successors(), &ring[3..6]);
        }
        assert!(sent(&mut node).contains(&(node.successors()[0], ChordMessage::Notify(Notify {}))));
    }
}

/// Whom `node` asks after `from` has said that `nearer` lies between.
fn asked_after_a_hint(node: &mut Chord, from: Peer, nearer: Peer) -> Vec<Peer> {
    receive(node, from, ChordMessage::Nearer(Nearer { node: nearer }));
    sent(node).into_iter().map(|(to, _)| to).collect()
}

/// `ring[1]`, which has asked its successor `ring[5]` and is idle again.
fn idle(ring: &[Peer]) -> Chord {
    let mut node = joined(ring, &[ring[5], ring[6], ring[7]]);
    node.handle(Input::Timeout, NOW);
    reply(&mut node, ring[5], Some(ring[0]), &[ring[6], ring[7], ring[0]]);
    sent(&mut node);
    node
}

#[test]
fn a_hint_is_listened_to_where_it_can_be_true_and_comes_from_no_farther_than_the_successor() {
    let ring = peers(8);
    let claim = Peer::new(ring[5].addr, ring[5].slot, PublicKey([2; 32]));
    let cases: [(Peer, Peer, &[Peer]); 7] = [
        (ring[5], ring[3], &[ring[3]]),
        (ring[4], ring[3], &[ring[3]]),
        (ring[6], ring[3], &[]),
        (ring[0], ring[3], &[]),
        (claim, ring[3], &[]),
        (ring[5], ring[6], &[]),
        (ring[5], ring[1], &[]),
    ];
    for (from, nearer, asked) in cases {
        assert_eq!(asked_after_a_hint(&mut idle(&ring), from, nearer), asked, "{from} of {nearer}");
    }
}

#[test]
fn who_is_named_in_a_hint_is_adopted_only_when_it_has_answered_and_after_silence_no_hint_counts() {
    let ring = peers(8);
    let mut node = idle(&ring);
    receive(&mut node, ring[5], ChordMessage::Nearer(Nearer { node: ring[3] }));
    assert_eq!(node.successors()[0], ring[5], "not before it has answered");
    reply(&mut node, ring[3], Some(ring[0]), &[ring[5], ring[6], ring[7]]);
    assert_eq!(node.successors(), [ring[3], ring[5], ring[6]]);
    assert_eq!(sent(&mut node), [(ring[3], ChordMessage::Notify(Notify {}))]);
    assert_eq!(asked_after_a_hint(&mut node, ring[3], ring[2]), [ring[2]]);
    node.handle(Input::Unreachable { peer: ring[2] }, NOW);
    assert_eq!(sent(&mut node), [(ring[3], ChordMessage::Notify(Notify {}))]);
    assert_eq!(asked_after_a_hint(&mut node, ring[3], ring[2]), []);
}

#[test]
fn between_two_operations_the_hints_that_count_are_limited() {
    let ring = peers(u16::from(MAX_HINTS) + 8);
    let last = ring.len() - 1;
    let mut node = joined(&ring, &ring[last - 2..]);
    node.handle(Input::Timeout, NOW);
    reply(&mut node, ring[last - 2], None, &ring[last - 1..]);
    sent(&mut node);
    // Each names the one before itself, which answers.
    let counted = (2..last - 2).rev().take_while(|place| {
        let (nearer, head) = (ring[*place], ring[place + 1]);
        receive(&mut node, head, ChordMessage::Nearer(Nearer { node: nearer }));
        let asked = sent(&mut node);
        let [(_, ChordMessage::StateQuery(question))] = asked.as_slice() else { return false };
        let (request, successors) = (question.request, vec![head]);
        let state = StateReply { request, predecessor: None, successors };
        receive(&mut node, nearer, ChordMessage::StateReply(state));
        sent(&mut node) == [(nearer, ChordMessage::Notify(Notify {}))]
    });
    assert_eq!(counted.count(), usize::from(MAX_HINTS));
}

#[test]
fn of_two_that_believe_to_be_the_predecessor_the_farther_is_told_of_the_nearer() {
    let ring = peers(8);
    let mut node = joined(&[ring[2], ring[4]], &ring[5..8]);
    sent(&mut node);
    for (from, farther) in [(ring[3], ring[2]), (ring[1], ring[1])] {
        receive(&mut node, from, ChordMessage::Notify(Notify {}));
        let hint = (farther, ChordMessage::Nearer(Nearer { node: ring[3] }));
        assert_eq!(sent(&mut node).last(), Some(&hint), "{from}");
    }
}

#[test]
fn a_dead_head_is_dropped_and_the_list_padded() {
    let ring = peers(8);
    let mut node = joined(&ring, &ring[2..5]);
    node.handle(Input::Timeout, NOW);
    node.handle(Input::Unreachable { peer: ring[2] }, NOW);
    assert_eq!(node.successors(), &ring[3..5]);
    let pad = ring[4].id().plus_power(0);
    assert_eq!(node.view().unwrap().successors, [ring[3].id(), ring[4].id(), pad]);
    let asked: Vec<Peer> = sent(&mut node).into_iter().map(|(to, _)| to).collect();
    assert_eq!(asked, [ring[2], ring[3]]);
}

#[test]
fn who_asks_in_the_middle_of_a_step_is_told_to_wait_and_answered_after_it() {
    let ring = peers(8);
    let mut node = joined(&ring, &ring[2..5]);
    node.handle(Input::Timeout, NOW);
    let request = question(&mut node, ring[2]);
    let asked = RequestId(77);
    receive(&mut node, ring[0], ChordMessage::StateQuery(StateQuery { request: asked }));
    assert_eq!(sent(&mut node), [(ring[0], ChordMessage::Busy(Busy { request: asked }))]);
    let state = StateReply { request, predecessor: Some(ring[1]), successors: ring[3..6].to_vec() };
    receive(&mut node, ring[2], ChordMessage::StateReply(state.clone()));
    let shown = StateReply { request: asked, predecessor: Some(ring[0]), successors: ring[2..5].to_vec() };
    assert_eq!(
        sent(&mut node),
        [(ring[0], ChordMessage::StateReply(shown)), (ring[2], ChordMessage::Notify(Notify {}))]
    );
    // The same answer once more, and one that nobody asked for, change nothing.
    let before = node.view();
    receive(
        &mut node,
        ring[2],
        ChordMessage::StateReply(StateReply { successors: ring[5..8].to_vec(), ..state }),
    );
    let unasked = StateReply { request: RequestId(1), predecessor: None, successors: ring[5..8].to_vec() };
    receive(&mut node, ring[5], ChordMessage::StateReply(unasked));
    assert_eq!(node.view(), before);
}

#[test]
fn nodes_that_wait_for_each_other_do_not_wait_for_ever() {
    let ring = peers(8);
    // ring[7] waits for ring[2], which has a smaller id, and is waited for itself: it gives its step up.
    let mut node = Chord::new(plain(3), ring[7], [7; 32], NOW);
    node.handle(Input::Join { via: vec![ring[6]] }, NOW);
    let request = question(&mut node, ring[6]);
    receive(&mut node, ring[6], ChordMessage::FoundNode(FoundNode { request, owner: ring[2] }));
    reply(&mut node, ring[6], None, &ring[2..5]);
    node.handle(Input::Timeout, NOW);
    let request = question(&mut node, ring[2]);
    receive(&mut node, ring[6], ChordMessage::StateQuery(StateQuery { request: RequestId(5) }));
    sent(&mut node);
    receive(&mut node, ring[2], ChordMessage::Busy(Busy { request }));
    let shown =
        StateReply { request: RequestId(5), predecessor: Some(ring[6]), successors: ring[2..5].to_vec() };
    assert!(sent(&mut node).contains(&(ring[6], ChordMessage::StateReply(shown))));
    assert!(node.poll_timeout().is_some_and(|due| due <= NOW.after(Span::millis(250))));
}

/// A node cannot be sent away, or be kept alive, by somebody else who claims its place with another key.
#[test]
fn whoever_claims_the_place_of_the_predecessor_with_another_key_does_not_speak_for_it() {
    let ring = peers(8);
    let mut node = joined(&ring, &ring[2..5]);
    let claim = |peer: Peer| Peer::new(peer.addr, peer.slot, PublicKey([2; 32]));
    for peer in [ring[0], ring[2]] {
        let leaving = Leaving { predecessor: None, successors: vec![ring[6]] };
        receive(&mut node, claim(peer), ChordMessage::Leaving(leaving));
    }
    assert_eq!((node.predecessor(), node.successors()), (Some(ring[0]), &ring[2..5]));
    let silent = NOW.after(plain(3).check_predecessor_every.times(2));
    let mut now = NOW;
    let mut is_asked = false;
    while now < silent {
        now = node.poll_timeout().unwrap();
        let message = ChordMessage::Ping(Ping { request: RequestId(1) });
        node.handle(Input::Receive { from: claim(ring[0]), message }, now);
        node.handle(Input::Timeout, now);
        let is_ping =
            |(to, message): &(Peer, ChordMessage)| *to == ring[0] && matches!(message, ChordMessage::Ping(_));
        is_asked |= sent(&mut node).iter().any(is_ping);
    }
    assert!(is_asked, "the true one is silent and has to be asked");
}
