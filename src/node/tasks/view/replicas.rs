//! The replicas of a sub-task in the words of the command line.

use crate::control::{DifferenceView, ReplicaView};
use service::{Difference, Replica, Vote};

pub(super) fn replica_view(replica: &Replica) -> ReplicaView {
    let seller = replica.sale.as_ref().map(|sale| sale.seller);
    let (why, difference) = match &replica.vote {
        Vote::Failed(why) => (why.clone(), None),
        Vote::Other(difference) => (String::new(), Some(difference_view(difference))),
        Vote::Open | Vote::Agreed | Vote::Cancelled => (String::new(), None),
    };
    ReplicaView {
        number: replica.number,
        state: replica.state.name().into(),
        attempts: replica.attempts,
        probe: replica.probe,
        vote: replica.vote.name().into(),
        why,
        seller: seller.map(|seller| seller.key.to_hex()),
        address: seller.map(|seller| seller.addr.to_string()),
        result: replica.result.map(|result| result.to_hex()),
        difference,
        paid: replica.paid.to_string(),
        fee: replica.fee.to_string(),
    }
}

fn difference_view(difference: &Difference) -> DifferenceView {
    let Difference { output, place, expected, found } = difference.clone();
    DifferenceView { output, place, expected, found }
}
