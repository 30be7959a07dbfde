//! What is written down of the replicas of a sub-task that has ended.

use super::encoding::cut;
use crate::contract::State;
use crate::event::{Difference, Replica, Vote};
use proto::wire::{Field, Wire, WireError, v1};
use proto::{Cycles, Money};

impl Wire for Replica {
    type Pb = v1::ReplicaNote;

    fn to_pb(&self) -> v1::ReplicaNote {
        let place = State::ALL.iter().position(|state| *state == self.state).unwrap_or(0) + 1;
        let mut why = String::new();
        let mut difference = Difference::default();
        let vote = match &self.vote {
            Vote::Open => 1,
            Vote::Agreed => 2,
            Vote::Other(other) => {
                difference = other.clone();
                3
            }
            Vote::Failed(words) => {
                why = cut(words);
                4
            }
            Vote::Cancelled => 5,
        };
        v1::ReplicaNote {
            number: self.number,
            state: u32::try_from(place).unwrap_or(0),
            sale: self.sale.to_field(),
            attempts: self.attempts,
            cycles: self.cycles.0,
            vote,
            why,
            output: cut(&difference.output),
            place: cut(&difference.place),
            expected: cut(&difference.expected),
            found: cut(&difference.found),
            result: self.result.to_field(),
            paid: self.paid.0,
            fee: self.fee.0,
            probe: self.probe,
        }
    }

    fn from_pb(pb: v1::ReplicaNote) -> Result<Self, WireError> {
        let place = usize::try_from(pb.state).unwrap_or(0).checked_sub(1);
        let state = place.and_then(|place| State::ALL.get(place)).copied();
        let state = state.ok_or(WireError::expected("has to be the number of a state").inside("state"))?;
        let (output, place, expected, found) = (pb.output, pb.place, pb.expected, pb.found);
        let vote = match pb.vote {
            1 => Vote::Open,
            2 => Vote::Agreed,
            3 => Vote::Other(Difference { output, place, expected, found }),
            4 => Vote::Failed(pb.why),
            5 => Vote::Cancelled,
            _ => return Err(WireError::expected("has to be the number of a vote").inside("vote")),
        };
        Ok(Self {
            number: pb.number,
            state,
            sale: Field::from_field(pb.sale).map_err(|e| e.inside("sale"))?,
            attempts: pb.attempts,
            cycles: Cycles(pb.cycles),
            vote,
            result: Field::from_field(pb.result).map_err(|e| e.inside("result"))?,
            paid: Money(pb.paid),
            fee: Money(pb.fee),
            probe: pb.probe,
        })
    }
}
