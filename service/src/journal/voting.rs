//! What is written down of the vote on a sub-task that is executed more than once. Beside it each replica has the notes
//! that a sub-task has, under the number of its run.

use super::encoding::cut;
use proto::message::service::Report;
use proto::wire::v1::note::Body;
use proto::wire::{Field, Wire, WireError, v1};
use proto::{ContractId, Signed};

/// One thing that a buyer must not forget of the vote on the sub-task `sub_task` of `task`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the sentence at each variant names its fields")]
pub enum Voting {
    /// The run of this number is one of its replicas, of which `quorum` have to agree; and why there are as many.
    Cast { task: ContractId, sub_task: u32, run: u32, quorum: u32, why: String },
    /// The result of a replica counts, and is not signed for.
    Counted { report: Box<Signed<Report>> },
    /// Enough agree with the result of this run, and are about to be paid.
    Elected { task: ContractId, sub_task: u32, run: u32 },
}

/// As the body of a note.
pub(super) fn body(voting: &Voting) -> Body {
    match voting {
        Voting::Cast { task, sub_task, run, quorum, why } => Body::Cast(v1::CastNote {
            task: task.to_field(),
            sub_task: *sub_task,
            run: *run,
            quorum: *quorum,
            why: cut(why),
        }),
        Voting::Counted { report } => Body::Voted(v1::ReportMessage { report: Some(report.to_pb()) }),
        Voting::Elected { task, sub_task, run } => {
            Body::Elected(v1::ElectedNote { task: task.to_field(), sub_task: *sub_task, run: *run })
        }
    }
}

/// What such a body says; any other body is given back.
pub(super) fn voting(body: Body) -> Result<Result<Voting, Body>, WireError> {
    Ok(Ok(match body {
        Body::Cast(note) => Voting::Cast {
            task: Field::from_field(note.task).map_err(|e| e.inside("task"))?,
            sub_task: note.sub_task,
            run: note.run,
            quorum: note.quorum,
            why: note.why,
        },
        Body::Voted(note) => {
            Voting::Counted { report: Field::from_field(note.report).map_err(|e| e.inside("report"))? }
        }
        Body::Elected(note) => Voting::Elected {
            task: Field::from_field(note.task).map_err(|e| e.inside("task"))?,
            sub_task: note.sub_task,
            run: note.run,
        },
        other => return Ok(Err(other)),
    }))
}
