//! Looks around the ring for the user: round trips, the path of a lookup, a walk around the circle.
//!
//! It asks with the ring's own messages, beside the node: answers to its questions are taken out before the
//! node sees them.

mod check;
mod lookup;

use crate::control::{Failure, NeighbourView, Reply, RingView};
use crate::net::Net;
use chord::Chord;
use proto::message::Message;
use proto::message::chord::{ChordMessage, Ping};
use proto::{Peer, Range, RequestId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How long a node may take to answer, also after it said that it is busy.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// Nodes asked at once.
const AT_ONCE: usize = 32;
/// Answers to one question: "busy", and then the answer.
const ANSWERS: usize = 2;

/// What the user wants to know of the ring.
#[derive(Clone, Debug)]
pub(crate) enum Quest {
    Show,
    Lookup { key: proto::RingId },
    Check,
}

/// The ring as the node at home knows it.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    me: Peer,
    predecessor: Option<Peer>,
    successors: Vec<Peer>,
    fingers: Vec<Peer>,
    range: Option<Range>,
}

#[derive(Clone)]
pub(crate) struct Explorer {
    net: Net,
    waiting: Arc<Mutex<BTreeMap<RequestId, Waiting>>>,
}

struct Waiting {
    of: Peer,
    answers: mpsc::Sender<ChordMessage>,
}

impl Home {
    pub(crate) fn of(chord: &Chord) -> Self {
        Self {
            me: chord.me(),
            predecessor: chord.predecessor(),
            successors: chord.successors().to_vec(),
            fingers: chord.fingers().collect(),
            range: chord.range(),
        }
    }
}

impl Explorer {
    pub(crate) fn new(net: Net) -> Self {
        Self { net, waiting: Arc::default() }
    }

    /// Takes an answer to one of its questions; everything else is given back.
    pub(crate) fn take(&self, from: Peer, message: Message) -> Option<Message> {
        let answered = match &message {
            Message::Chord(ChordMessage::Pong(answer)) => answer.request,
            Message::Chord(ChordMessage::Busy(answer)) => answer.request,
            Message::Chord(ChordMessage::StateReply(answer)) => answer.request,
            Message::Chord(ChordMessage::FoundNode(answer)) => answer.request,
            Message::Chord(ChordMessage::CloserNodes(answer)) => answer.request,
            _ => return Some(message),
        };
        let answers = {
            let waiting = self.waiting();
            let asked = waiting.get(&answered).filter(|waiting| waiting.of.key == from.key);
            asked.map(|waiting| waiting.answers.clone())
        };
        match (answers, message) {
            (Some(answers), Message::Chord(answer)) => {
                // More than are expected are not wanted.
                let _ = answers.try_send(answer);
                None
            }
            (_, message) => Some(message),
        }
    }

    /// Finds out what the user wants to know.
    pub(crate) async fn answer(&self, quest: Quest, home: Home) -> Reply {
        if home.range.is_none() {
            return Reply::Error(Failure::not_in_ring());
        }
        let found = match quest {
            Quest::Show => self.show(home).await.map(|view| Reply::Ring(Box::new(view))),
            Quest::Lookup { key } => self.look_up(key, &home).await.map(|view| Reply::Lookup(Box::new(view))),
            Quest::Check => self.check(&home).await.map(|view| Reply::RingCheck(Box::new(view))),
        };
        found.unwrap_or_else(Reply::Error)
    }

    async fn show(&self, home: Home) -> Result<RingView, Failure> {
        let Home { me, predecessor, successors, fingers, .. } = home;
        let others = |peers: Vec<Peer>| peers.into_iter().filter(|peer| *peer != me).collect::<Vec<_>>();
        let (predecessor, successors) = (others(predecessor.into_iter().collect()), others(successors));
        let predecessor = self.measure(&predecessor).await?.pop();
        let (successors, fingers) = (self.measure(&successors).await?, self.measure(&fingers).await?);
        let (node_id, address) = (format!("{:#}", me.id()), me.addr.to_string());
        Ok(RingView { node_id, address, predecessor, successors, fingers })
    }

    /// The round trips to `peers`.
    async fn measure(&self, peers: &[Peer]) -> Result<Vec<NeighbourView>, Failure> {
        let mut views = Vec::with_capacity(peers.len());
        for peers in peers.chunks(AT_ONCE) {
            let asked = peers.iter().map(|peer| {
                let (explorer, peer) = (self.clone(), *peer);
                (peer, tokio::spawn(async move { explorer.round_trip(peer).await }))
            });
            for (peer, asked) in asked.collect::<Vec<_>>() {
                let time = asked.await.map_err(Failure::from_display("ring"))??;
                views.push(neighbour(peer, time));
            }
        }
        Ok(views)
    }

    async fn round_trip(&self, peer: Peer) -> Result<Option<Duration>, Failure> {
        let answer = self.ask(peer, |request| ChordMessage::Ping(Ping { request })).await?;
        Ok(answer.map(|(_, time)| time))
    }

    /// Asks `to`; nothing if it does not answer in time. That it is busy is no answer yet.
    async fn ask(
        &self,
        to: Peer,
        question: impl FnOnce(RequestId) -> ChordMessage + Send,
    ) -> Result<Option<(ChordMessage, Duration)>, Failure> {
        let request = RequestId(u64::from_be_bytes(super::random::bytes()?));
        let (answers, mut receiver) = mpsc::channel(ANSWERS);
        self.waiting().insert(request, Waiting { of: to, answers });
        let asked = Instant::now();
        self.net.send(to, Message::Chord(question(request)));
        let answer = async {
            loop {
                match receiver.recv().await {
                    Some(ChordMessage::Busy(_)) => {}
                    other => return other,
                }
            }
        };
        let answer = tokio::time::timeout(ANSWER_WITHIN, answer).await.ok().flatten();
        self.waiting().remove(&request);
        Ok(answer.map(|answer| (answer, asked.elapsed())))
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<RequestId, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn neighbour(peer: Peer, time: Option<Duration>) -> NeighbourView {
    NeighbourView {
        node_id: format!("{:#}", peer.id()),
        address: peer.addr.to_string(),
        account: peer.key.to_hex(),
        ms: time.map(millis),
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
