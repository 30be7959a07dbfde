//! A walk around the ring that finds every defect: nodes that do not answer, neighbours that do not agree, nodes
//! that are left out, a circle that does not close.

use super::{Explorer, Home, millis};
use crate::control::{Failure, RingCheckView};
use chord::interval::between;
use proto::Peer;
use proto::message::chord::{ChordMessage, StateQuery};
use std::time::Instant;

/// The longest walk, in nodes.
const MAX_WALK: usize = 100_000;
/// Defects that are told; more are counted.
const MAX_DEFECTS: usize = 100;

/// A node and what it said of itself.
struct Stop {
    peer: Peer,
    predecessor: Option<Peer>,
    successors: Vec<Peer>,
}

#[derive(Default)]
struct Defects {
    told: Vec<String>,
    more: usize,
}

impl Defects {
    fn add(&mut self, defect: String) {
        if self.told.len() < MAX_DEFECTS { self.told.push(defect) } else { self.more += 1 }
    }

    fn list(mut self) -> Vec<String> {
        if self.more > 0 {
            self.told.push(format!("and {} more", self.more));
        }
        self.told
    }
}

impl Explorer {
    pub(super) async fn check(&self, home: &Home) -> Result<RingCheckView, Failure> {
        let began = Instant::now();
        let mut defects = Defects::default();
        let start =
            Stop { peer: home.me, predecessor: home.predecessor, successors: home.successors.clone() };
        let (mut nodes, mut is_closed) = (1, false);
        let mut here = Stop { predecessor: None, successors: home.successors.clone(), ..start };
        while nodes < MAX_WALK {
            let Some(next) = self.next(&here, home, &mut defects).await? else { break };
            compare(&here, &next, &mut defects);
            is_closed = next.peer.id() == home.me.id();
            if is_closed || !between(here.peer.id(), next.peer.id(), home.me.id()) {
                break;
            }
            nodes += 1;
            here = next;
        }
        if !is_closed {
            let (last, me) = (here.peer, home.me);
            defects.add(format!("the walk ends at {last} and does not come back to {me}"));
        }
        Ok(RingCheckView { nodes, is_closed, defects: defects.list(), ms: millis(began.elapsed()) })
    }

    /// The first successor of `here` that answers.
    async fn next(&self, here: &Stop, home: &Home, defects: &mut Defects) -> Result<Option<Stop>, Failure> {
        for peer in &here.successors {
            if peer.id() == home.me.id() {
                let (predecessor, successors) = (home.predecessor, home.successors.clone());
                return Ok(Some(Stop { peer: home.me, predecessor, successors }));
            }
            let answer = self.ask(*peer, |request| ChordMessage::StateQuery(StateQuery { request })).await?;
            if let Some((ChordMessage::StateReply(state), _)) = answer {
                let (predecessor, successors) = (state.predecessor, state.successors);
                return Ok(Some(Stop { peer: *peer, predecessor, successors }));
            }
            defects.add(format!("{}: its successor {peer} does not answer", here.peer));
        }
        Ok(None)
    }
}

/// Neighbours have to agree on who they are, and their lists on who comes next.
fn compare(here: &Stop, next: &Stop, defects: &mut Defects) {
    let (a, b) = (here.peer, next.peer);
    match next.predecessor {
        Some(peer) if peer == a => {}
        Some(peer) if between(a.id(), peer.id(), b.id()) => {
            defects.add(format!("{a}: leaves {peer} out, which lies before its successor {b}"));
        }
        Some(peer) => defects.add(format!("{b}: takes {peer} for its predecessor instead of {a}")),
        None => defects.add(format!("{b}: knows no predecessor")),
    }
    let expected = std::iter::once(&b).chain(&next.successors).filter(|peer| peer.id() != a.id());
    let differs =
        here.successors.iter().filter(|peer| peer.id() != a.id()).zip(expected).find(|(x, y)| x != y);
    if let Some((listed, other)) = differs {
        defects.add(format!("{a}: lists {listed} where its successor {b} has {other}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::KeyPair;

    fn peer(number: u8) -> Peer {
        let key = KeyPair::from_secret([number; 32]).public();
        Peer::new(format!("10.0.0.{number}:1").parse().unwrap(), 0, key)
    }

    /// Five nodes in the order of the circle.
    fn circle() -> Vec<Peer> {
        let mut peers: Vec<Peer> = (1..=5).map(peer).collect();
        peers.sort_by_key(Peer::id);
        peers
    }

    fn check(here: (&[usize], usize), next: (usize, Option<usize>, &[usize]), expected: &[&str]) {
        let circle = circle();
        let list = |numbers: &[usize]| numbers.iter().map(|number| circle[*number]).collect::<Vec<_>>();
        let here = Stop { peer: circle[here.1], predecessor: None, successors: list(here.0) };
        let (peer, predecessor) = (circle[next.0], next.1.map(|number| circle[number]));
        let next = Stop { peer, predecessor, successors: list(next.2) };
        let mut defects = Defects::default();
        compare(&here, &next, &mut defects);
        let name = |text: &str| {
            (0..5).fold(text.to_owned(), |text, number| {
                text.replace(&format!("#{number}"), &circle[number].to_string())
            })
        };
        assert_eq!(defects.list(), expected.iter().map(|text| name(text)).collect::<Vec<_>>());
    }

    #[test]
    fn neighbours_that_do_not_agree_are_told() {
        check((&[1, 2, 3], 0), (1, Some(0), &[2, 3, 4]), &[]);
        // A ring smaller than the list: it ends where it begins.
        check((&[1, 2], 0), (1, Some(0), &[2, 0]), &[]);
        check((&[1, 2], 0), (1, None, &[2, 3]), &["#1: knows no predecessor"]);
        check((&[1, 2], 0), (1, Some(4), &[2, 3]), &["#1: takes #4 for its predecessor instead of #0"]);
        check(
            (&[2, 3], 0),
            (2, Some(1), &[3, 4]),
            &["#0: leaves #1 out, which lies before its successor #2"],
        );
        check((&[1, 3], 0), (1, Some(0), &[2, 3]), &["#0: lists #3 where its successor #1 has #2"]);
    }
}
