//! What a node learns about others in passing: how far they are, and which arcs they answer for.

mod atlas;
mod distances;
mod gauge;
mod view;

pub(crate) use atlas::Atlas;
pub(crate) use distances::Distances;
pub(crate) use gauge::Alternates;
pub use gauge::MAX_ALTERNATES;
pub use view::MAX_PLACES;
pub(crate) use view::Sight;

use crate::config::Config;
use crate::dice::Dice;
use crate::handle::Handle;
use crate::node::Chord;
use proto::message::chord::ChordMessage;
use proto::{RingId, Span, Time};

/// All that is learned. Nothing of it is needed to be right, and nothing of it is believed without a look.
#[derive(Clone, Debug)]
pub(crate) struct Learned<P> {
    pub(crate) distances: Distances,
    pub(crate) atlas: Atlas<P>,
    pub(crate) alternates: Alternates<P>,
    pub(crate) sight: Sight<P>,
}

impl<P: Handle> Learned<P> {
    /// Nothing yet; none for a node that is not to learn.
    pub(crate) fn wanted(config: &Config, dice: &mut Dice, now: Time) -> Option<Box<Self>> {
        let routing = &config.routing;
        routing.learns().then(|| {
            Box::new(Self {
                distances: Distances::default(),
                atlas: Atlas::new(routing.cache.max(routing.view)),
                alternates: Alternates::new(),
                sight: Sight::new(config, dice, now),
            })
        })
    }

    /// Bytes, all included.
    pub(crate) fn footprint(&self) -> usize {
        let heaps = self.distances.footprint() + self.atlas.footprint() + self.sight.footprint();
        size_of::<Self>() + heaps + self.alternates.footprint()
    }
}

impl<P: Handle> Chord<P> {
    /// Learns from a message before it is answered.
    pub(crate) fn learn(&mut self, from: P, message: &ChordMessage<P>, now: Time) {
        let Some(learned) = &mut self.learned else { return };
        let request = match message {
            ChordMessage::FoundNode(answer) => answer.request,
            ChordMessage::CloserNodes(answer) => answer.request,
            ChordMessage::StateReply(answer) => answer.request,
            ChordMessage::Pong(answer) => answer.request,
            ChordMessage::Compared(answer) => answer.request,
            ChordMessage::ArcReply(answer) => answer.request,
            _ => return,
        };
        let Some(round_trip) = self.requests.round_trip(request, from, now) else { return };
        learned.distances.note(from.id(), round_trip, &mut self.dice);
        learned.atlas.meet(from, &mut self.dice);
    }

    /// `predecessor` and `owner` agree on the arc that `owner` answers for.
    pub(crate) fn learn_arc(&mut self, predecessor: P, owner: P) {
        if let Some(learned) = self.learned.as_mut().filter(|_| owner.id() != self.me.id()) {
            learned.atlas.learn(owner, predecessor.id(), &mut self.dice);
        }
    }

    /// How long to wait for `peer` before another is asked as well; none: until it counts as dead.
    pub(crate) fn patience(&self, peer: P) -> Option<Span> {
        let learned = self.learned.as_ref()?;
        let patience = learned.distances.patience(peer.id())?;
        (self.config.routing.patience == crate::Patience::Adaptive).then_some(patience)
    }

    /// A node that is dead.
    pub(crate) fn unlearn(&mut self, gone: RingId) {
        if let Some(learned) = &mut self.learned {
            learned.distances.forget(gone);
            learned.atlas.forget(gone);
            learned.alternates.forget(gone);
        }
    }
}
