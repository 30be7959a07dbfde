//! The path of a lookup: who was asked, in which order, and how long each took.

use super::{Explorer, Home, millis, neighbour};
use crate::control::{Failure, HopView, LookupView};
use chord::interval::{between, distance, is_within};
use chord::{MAX_CLOSER, MAX_HOPS};
use proto::message::chord::{ChordMessage, FindNext};
use proto::{Peer, RingId};
use std::collections::BTreeSet;
use std::time::Instant;

/// What a node that was asked is good for.
enum Answer {
    Owner(Peer),
    Closer(Vec<Peer>),
    Useless(&'static str),
}

impl Explorer {
    /// Goes from node to node as the node itself does (ToN IV-D), and tells of each.
    pub(super) async fn look_up(&self, key: RingId, home: &Home) -> Result<LookupView, Failure> {
        let began = Instant::now();
        let mut path = Vec::new();
        let owner = match known_owner(key, home) {
            Some(owner) => owner,
            None => self.follow(key, home, &mut path).await?,
        };
        let time = if owner == home.me { None } else { self.round_trip(owner).await? };
        let (key, owner) = (proto::id::hex(&key.0), neighbour(owner, time));
        Ok(LookupView { key, path, owner, ms: millis(began.elapsed()) })
    }

    async fn follow(&self, key: RingId, home: &Home, path: &mut Vec<HopView>) -> Result<Peer, Failure> {
        let known = home.successors.iter().chain(&home.fingers).copied();
        let mut candidates: Vec<Peer> = known.filter(|peer| between(home.me.id(), peer.id(), key)).collect();
        let mut asked = BTreeSet::from([home.me.id()]);
        for _ in 0..MAX_HOPS {
            candidates.retain(|peer| !asked.contains(&peer.id()));
            let Some(next) = candidates.iter().min_by_key(|peer| distance(peer.id(), key)).copied() else {
                break;
            };
            asked.insert(next.id());
            let answer = self.ask(next, |request| ChordMessage::FindNext(FindNext { request, key })).await?;
            let time = answer.as_ref().map(|(_, time)| *time);
            let answer = judge(next, key, answer.map(|(message, _)| message));
            let word = match &answer {
                Answer::Owner(_) => "owner",
                Answer::Closer(_) => "closer",
                Answer::Useless(why) => why,
            };
            path.push(HopView { node: neighbour(next, time), answer: word.into() });
            match answer {
                Answer::Owner(owner) => return Ok(owner),
                Answer::Closer(peers) => candidates.extend(peers),
                Answer::Useless(_) => {}
            }
        }
        Err(Failure::no_owner(path))
    }
}

/// The owner, if the node at home knows it by itself.
fn known_owner(key: RingId, home: &Home) -> Option<Peer> {
    if home.range.is_some_and(|range| range.contains(key)) {
        return Some(home.me);
    }
    let head = *home.successors.first()?;
    is_within(home.me.id(), key, head.id()).then_some(head)
}

/// Who lies about the circle is of no use.
fn judge(asked: Peer, key: RingId, answer: Option<ChordMessage>) -> Answer {
    match answer {
        None => Answer::Useless("no answer"),
        Some(ChordMessage::FoundNode(found)) if is_within(asked.id(), key, found.owner.id()) => {
            Answer::Owner(found.owner)
        }
        Some(ChordMessage::CloserNodes(closer)) => {
            let is_closer = |peer: &Peer| between(asked.id(), peer.id(), key);
            Answer::Closer(closer.peers.into_iter().take(MAX_CLOSER).filter(is_closer).collect())
        }
        Some(_) => Answer::Useless("an answer that cannot be true"),
    }
}
