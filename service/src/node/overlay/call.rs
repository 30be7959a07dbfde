//! Calls at the meeting point: members enrol and hear of each other, so that rings that formed apart meet; buyers hear
//! of somebody to ask.

use super::roster::{self, MAX_MEMBERS};
use super::{Overlay, Purpose};
use chord::Input;
use proto::message::overlay::{Members, Stand};
use proto::{Commodity, Peer, RequestId, Time};

/// What is known of a commodity's overlay.
#[derive(Debug)]
pub(super) struct Call {
    step: Step,
    /// When a node with members calls again.
    again: Time,
    /// Members that others have named, at most [`MAX_MEMBERS`].
    pub(super) guides: Vec<Stand>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Idle,
    LookingUp,
    Asking { request: RequestId, to: Peer, until: Time },
}

impl Call {
    pub(super) fn due(&self, has_stand: bool) -> Option<Time> {
        match self.step {
            Step::Idle => has_stand.then_some(self.again),
            Step::LookingUp => None,
            Step::Asking { until, .. } => Some(until),
        }
    }

    pub(super) fn forget(&mut self, peer: Peer) {
        self.guides.retain(|guide| guide.owner != peer);
    }
}

impl Overlay {
    /// Asks the meeting point, unless that is under way.
    pub(super) fn call(&mut self, commodity: Commodity, now: Time) {
        let call = self.entry(commodity, now);
        if call.step == Step::Idle {
            call.step = Step::LookingUp;
            self.look_up(Purpose::Call(commodity), roster::key(commodity));
        }
    }

    /// After a failure.
    pub(super) fn call_later(&mut self, commodity: Commodity, now: Time) {
        let again = now.after(self.periods.doubt);
        self.entry(commodity, now).again = again;
    }

    /// A node has become a member: the meeting point hears of it at once, if no other of this node's is enrolled.
    pub(super) fn enrol_soon(&mut self, commodity: Commodity, now: Time) {
        if self.own_members(commodity).len() == 1 {
            self.call(commodity, now);
        }
    }

    pub(super) fn meeting_point(&mut self, commodity: Commodity, owner: Option<Peer>, now: Time) {
        match owner {
            None => self.call_failed(commodity, now),
            Some(owner) if owner == self.me => {
                self.enrol_here(commodity, now);
                let members = self.members(owner, RequestId::default(), commodity, now);
                self.call_answered(commodity, members, now);
            }
            Some(owner) => {
                let (request, message) = self.question(commodity);
                let until = now.after(self.periods.answer);
                self.entry(commodity, now).step = Step::Asking { request, to: owner, until };
                self.send(owner, message);
            }
        }
    }

    pub(super) fn members_told(&mut self, from: Peer, members: Members, now: Time) {
        let is_asked = |call: &Call| matches!(call.step, Step::Asking { request, to, .. } if (request, to) == (members.request, from));
        let asked = self.calls.iter().find(|(_, call)| is_asked(call)).map(|(commodity, _)| *commodity);
        if let Some(commodity) = asked {
            self.call_answered(commodity, members, now);
        }
    }

    fn call_answered(&mut self, commodity: Commodity, told: Members, now: Time) {
        let Members { members, is_sure, .. } = told;
        let (me, again) = (self.me, now.after(self.periods.enrol));
        let is_other = |stand: &Stand| stand.market.commodity == commodity && stand.owner != me;
        let guides: Vec<Stand> = members.into_iter().filter(is_other).take(MAX_MEMBERS).collect();
        let call = self.entry(commodity, now);
        (call.step, call.again) = (Step::Idle, again);
        if !guides.is_empty() {
            call.guides.clone_from(&guides);
        }
        for stand in self.own_members(commodity) {
            self.host.handle(self.at(stand.market), Input::Meet { peers: guides.clone() }, now);
        }
        let has_ring = !guides.is_empty() || !self.own_members(commodity).is_empty();
        if has_ring {
            for market in self.waiting(commodity) {
                self.connect(market, now);
            }
        } else {
            self.found_ring(commodity, now);
        }
        self.searches_called(commodity, Some(is_sure && !has_ring), now);
    }

    fn call_failed(&mut self, commodity: Commodity, now: Time) {
        self.entry(commodity, now).step = Step::Idle;
        self.call_later(commodity, now);
        self.searches_called(commodity, None, now);
    }

    pub(super) fn call_unreachable(&mut self, peer: Peer, now: Time) {
        self.fail_calls(|step| matches!(step, Step::Asking { to, .. } if to == peer), now);
    }

    pub(super) fn calls_due(&mut self, now: Time) {
        self.fail_calls(|step| matches!(step, Step::Asking { until, .. } if until <= now), now);
        for commodity in Commodity::ALL {
            let is_due = self.calls.get(&commodity).and_then(|call| call.due(self.has_stand(commodity)));
            if is_due.is_some_and(|due| due <= now) {
                self.call(commodity, now);
            }
        }
    }

    fn fail_calls(&mut self, has_failed: impl Fn(Step) -> bool, now: Time) {
        let failed = |call: &Call| has_failed(call.step);
        let failed: Vec<Commodity> =
            self.calls.iter().filter(|(_, call)| failed(call)).map(|(commodity, _)| *commodity).collect();
        for commodity in failed {
            self.call_failed(commodity, now);
        }
    }

    fn entry(&mut self, commodity: Commodity, now: Time) -> &mut Call {
        self.calls.entry(commodity).or_insert_with(|| Call {
            step: Step::Idle,
            again: now,
            guides: Vec::new(),
        })
    }
}
