//! Notes as bytes: the structures of `schema/compup2p/v1/journal.proto`.

use super::{Note, Tries, saved, voting};
use crate::checkpoint::Experience;
use crate::event::{End, Sale, Verdict};
use crate::plan::Part;
use proto::message::service::{Outcome, Report};
use proto::wire::v1::note::Body;
use proto::wire::{Field, MAX_TEXT, Wire, WireError, v1};
use proto::{CommandId, ContractId, Cycles, Hash, Money, Rate, Span, Time};

impl Wire for Note {
    type Pb = v1::Note;

    fn to_pb(&self) -> v1::Note {
        v1::Note { body: Some(body(self)) }
    }

    fn from_pb(pb: v1::Note) -> Result<Self, WireError> {
        let body = pb.body.ok_or(WireError::expected("has to hold one of its notes"))?;
        let body = match saved::saving(body)? {
            Ok(saving) => return Ok(Self::Saving(saving)),
            Err(body) => body,
        };
        let body = match voting::voting(body)? {
            Ok(voting) => return Ok(Self::Voting(voting)),
            Err(body) => body,
        };
        match body {
            Body::Bought(_) | Body::Offered(_) | Body::Taking(_) | Body::Accepted(_) | Body::Part(_) => {
                bought(body)
            }
            Body::Tried(_) | Body::Left(_) | Body::Freed(_) | Body::Rejected(_) | Body::Ended(_) => {
                tried(body)
            }
            _ => sold(body),
        }
    }
}

fn body(note: &Note) -> Body {
    let contract_note = |contract: &ContractId| v1::ContractNote { contract: contract.to_field() };
    match note {
        Note::Bought { task, sub_task, contract, seller } => Body::Bought(v1::BoughtNote {
            task: task.to_field(),
            sub_task: *sub_task,
            contract: contract.to_field(),
            seller: Some(seller.to_pb()),
        }),
        Note::Offered { offer } => Body::Offered(v1::OfferMessage { offer: Some(offer.to_pb()) }),
        Note::Taking { report } => Body::Taking(v1::ReportMessage { report: Some(report.to_pb()) }),
        Note::Accepted { contract } => Body::Accepted(contract_note(contract)),
        Note::Part { task, sub_task, part } => Body::Part(v1::PartNote {
            task: task.to_field(),
            sub_task: *sub_task,
            checkpoint: Some(part.checkpoint.to_pb()),
            cycles: part.cycles.0,
            paid: part.paid.0,
            fee: part.fee.0,
        }),
        Note::Tried { task, sub_task, tries } => Body::Tried(tried_note(*task, *sub_task, tries)),
        Note::Left { contract, seller, until } => Body::Left(v1::LeftNote {
            contract: contract.to_field(),
            seller: Some(seller.to_pb()),
            until: until.0,
        }),
        Note::Freed { contract } => Body::Freed(contract_note(contract)),
        Note::Rejected { offer, report, reason } => Body::Rejected(v1::RejectedNote {
            offer: Some(offer.to_pb()),
            report: report.to_field(),
            reason: cut(reason),
        }),
        Note::Ended { task, ends } => Body::Ended(Box::new(ended_note(*task, ends))),
        Note::Saving(saving) => saved::body(saving),
        Note::Voting(voting) => voting::body(voting),
        Note::Forgotten { task } => Body::Forgotten(contract_note(task)),
        Note::Hired { offer, bond } => {
            let bond = bond.as_ref().map(|bond| bond.to_pb());
            Body::Hired(v1::HiredNote { offer: Some(offer.to_pb()), bond })
        }
        Note::Reported { report } => Body::Reported(v1::ReportMessage { report: Some(report.to_pb()) }),
        Note::Given { taken } => Body::Given(v1::TakenMessage { taken: Some(taken.to_pb()) }),
        Note::Judged { verdict } => Body::Judged(v1::VerdictMessage { verdict: Some(verdict.to_pb()) }),
        Note::Contended { contract, asked } => {
            Body::Contended(v1::ContendedNote { contract: contract.to_field(), asked: *asked })
        }
        Note::Rented { buyer, ticket, closes } => Body::Rented(v1::RentedNote {
            buyer: Some(buyer.to_pb()),
            ticket: Some(ticket.to_pb()),
            closes: closes.0,
        }),
        Note::Storing { contract, blobs, since } => Body::Storing(v1::StoringNote {
            contract: contract.to_field(),
            blobs: blobs.to_field(),
            since: since.map(|since| since.0),
        }),
        Note::Worked { experience: Experience { worked, cut_short } } => {
            Body::Worked(v1::WorkedNote { time: worked.0, cut_short: *cut_short })
        }
        Note::Closed { contract, until } => {
            Body::Closed(v1::ClosedNote { contract: contract.to_field(), until: until.0 })
        }
    }
}

fn tried_note(task: ContractId, sub_task: u32, tries: &Tries) -> v1::TriedNote {
    v1::TriedNote {
        task: task.to_field(),
        sub_task,
        attempts: tries.attempts,
        failures: tries.failures,
        returns: tries.returns,
        avoid: tries.avoid.to_field(),
        why: cut(&tries.why),
    }
}

fn ended_note(task: ContractId, ends: &[(u32, End)]) -> v1::EndedNote {
    let mut ends = ends.iter().map(|(sub_task, end)| (*sub_task, end.to_pb()));
    let (sub_task, end) = ends.next().unzip();
    let more = ends.map(|(sub_task, end)| v1::FurtherEnd { sub_task, end: Some(end) });
    let (sub_task, more) = (sub_task.unwrap_or(0), more.collect());
    v1::EndedNote { task: task.to_field(), sub_task, end, more }
}

fn other() -> WireError {
    WireError::expected("has to be a note of this version")
}

/// The notes of a contract that goes well.
fn bought(body: Body) -> Result<Note, WireError> {
    Ok(match body {
        Body::Bought(note) => Note::Bought {
            task: Field::from_field(note.task).map_err(|e| e.inside("task"))?,
            sub_task: note.sub_task,
            contract: Field::from_field(note.contract).map_err(|e| e.inside("contract"))?,
            seller: Field::from_field(note.seller).map_err(|e| e.inside("seller"))?,
        },
        Body::Offered(note) => {
            Note::Offered { offer: Field::from_field(note.offer).map_err(|e| e.inside("offer"))? }
        }
        Body::Taking(note) => {
            Note::Taking { report: Field::from_field(note.report).map_err(|e| e.inside("report"))? }
        }
        Body::Accepted(note) => Note::Accepted { contract: Field::from_field(note.contract)? },
        Body::Part(note) => Note::Part {
            task: Field::from_field(note.task).map_err(|e| e.inside("task"))?,
            sub_task: note.sub_task,
            part: Part {
                checkpoint: Field::from_field(note.checkpoint).map_err(|e| e.inside("checkpoint"))?,
                cycles: Cycles(note.cycles),
                paid: Money(note.paid),
                fee: Money(note.fee),
            },
        },
        _ => return Err(other()),
    })
}

/// The other notes of a buyer.
fn tried(body: Body) -> Result<Note, WireError> {
    Ok(match body {
        Body::Tried(note) => Note::Tried {
            task: Field::from_field(note.task).map_err(|e| e.inside("task"))?,
            sub_task: note.sub_task,
            tries: Tries {
                attempts: note.attempts,
                failures: note.failures,
                returns: note.returns,
                avoid: Field::from_field(note.avoid).map_err(|e| e.inside("avoid"))?,
                why: note.why,
            },
        },
        Body::Left(note) => Note::Left {
            contract: Field::from_field(note.contract).map_err(|e| e.inside("contract"))?,
            seller: Field::from_field(note.seller).map_err(|e| e.inside("seller"))?,
            until: Time(note.until),
        },
        Body::Freed(note) => Note::Freed { contract: Field::from_field(note.contract)? },
        Body::Rejected(note) => Note::Rejected {
            offer: Field::from_field(note.offer).map_err(|e| e.inside("offer"))?,
            report: Field::from_field(note.report).map_err(|e| e.inside("report"))?,
            reason: note.reason,
        },
        Body::Ended(note) => {
            let first = v1::FurtherEnd { sub_task: note.sub_task, end: note.end };
            let read = |v1::FurtherEnd { sub_task, end }| {
                Ok((sub_task, Field::from_field(end).map_err(|e: WireError| e.inside("end"))?))
            };
            let ends = std::iter::once(first).chain(note.more).map(read).collect::<Result<_, WireError>>()?;
            Note::Ended { task: Field::from_field(note.task).map_err(|e| e.inside("task"))?, ends }
        }
        _ => return Err(other()),
    })
}

/// The notes of a seller, and the last one of a task.
fn sold(body: Body) -> Result<Note, WireError> {
    Ok(match body {
        Body::Forgotten(note) => Note::Forgotten { task: Field::from_field(note.contract)? },
        Body::Hired(note) => Note::Hired {
            offer: Field::from_field(note.offer).map_err(|e| e.inside("offer"))?,
            bond: Field::from_field(note.bond).map_err(|e| e.inside("bond"))?,
        },
        Body::Reported(note) => {
            Note::Reported { report: Field::from_field(note.report).map_err(|e| e.inside("report"))? }
        }
        Body::Given(note) => {
            Note::Given { taken: Field::from_field(note.taken).map_err(|e| e.inside("taken"))? }
        }
        Body::Judged(note) => {
            Note::Judged { verdict: Field::from_field(note.verdict).map_err(|e| e.inside("verdict"))? }
        }
        Body::Contended(note) => {
            Note::Contended { contract: Field::from_field(note.contract)?, asked: note.asked }
        }
        Body::Rented(note) => Note::Rented {
            buyer: Field::from_field(note.buyer).map_err(|e| e.inside("buyer"))?,
            ticket: Field::from_field(note.ticket).map_err(|e| e.inside("ticket"))?,
            closes: Time(note.closes),
        },
        Body::Storing(note) => Note::Storing {
            contract: Field::from_field(note.contract).map_err(|e| e.inside("contract"))?,
            blobs: Field::from_field(note.blobs).map_err(|e| e.inside("blobs"))?,
            since: note.since.map(Time),
        },
        Body::Worked(note) => {
            Note::Worked { experience: Experience { worked: Span(note.time), cut_short: note.cut_short } }
        }
        Body::Closed(note) => {
            Note::Closed { contract: Field::from_field(note.contract)?, until: Time(note.until) }
        }
        _ => return Err(other()),
    })
}

impl Wire for End {
    type Pb = v1::EndNote;

    fn to_pb(&self) -> v1::EndNote {
        let outcome =
            if let Verdict::Failed(outcome) = &self.verdict { outcome.clone() } else { Outcome::Succeeded };
        let report = Report {
            contract: CommandId([0; 16]),
            offer: Hash([0; 32]),
            outcome,
            cycles: self.cycles,
            outputs: self.outputs.clone(),
            stdout: self.stdout,
            stderr: self.stderr,
            more: Vec::new(),
        }
        .to_pb();
        let (mut refusal, mut why, mut lost) = (None, String::new(), 0);
        let verdict = match &self.verdict {
            Verdict::Succeeded => 1,
            Verdict::Failed(_) => 2,
            Verdict::NotPlaced { why: words } => {
                why = cut(words);
                3
            }
            Verdict::NotPaid(words) => {
                refusal = Some(words.to_pb());
                4
            }
            Verdict::Lost { attempts } => {
                lost = *attempts;
                5
            }
            Verdict::Declined(words) => {
                refusal = Some(words.to_pb());
                6
            }
            Verdict::Cancelled => 7,
            Verdict::NoQuorum { why: words } => {
                why = cut(words);
                8
            }
            Verdict::Rejected(words) => {
                why = cut(words);
                9
            }
            Verdict::DependencyFailed { name } => {
                why = cut(name);
                10
            }
            Verdict::TooLate => 11,
            Verdict::NotNeeded(words) => {
                why = cut(words);
                12
            }
        };
        v1::EndNote {
            verdict,
            report: Some(v1::Report { what: cut(&report.what), ..report }),
            refusal,
            why,
            lost,
            sale: self.sale.to_field(),
            attempts: self.attempts,
            paid: self.paid.0,
            fee: self.fee.0,
            elapsed: self.elapsed.0,
            replicas: self.replicas.to_field(),
        }
    }

    fn from_pb(pb: v1::EndNote) -> Result<Self, WireError> {
        let report: Report = Field::from_field(pb.report).map_err(|e| e.inside("report"))?;
        let refusal = || Field::from_field(pb.refusal).map_err(|e: WireError| e.inside("refusal"));
        let verdict = match pb.verdict {
            1 => Verdict::Succeeded,
            2 => Verdict::Failed(report.outcome),
            3 => Verdict::NotPlaced { why: pb.why },
            4 => Verdict::NotPaid(refusal()?),
            5 => Verdict::Lost { attempts: pb.lost },
            6 => Verdict::Declined(refusal()?),
            7 => Verdict::Cancelled,
            8 => Verdict::NoQuorum { why: pb.why },
            9 => Verdict::Rejected(pb.why),
            10 => Verdict::DependencyFailed { name: pb.why },
            11 => Verdict::TooLate,
            12 => Verdict::NotNeeded(pb.why),
            _ => return Err(WireError::expected("has to be the number of a verdict").inside("verdict")),
        };
        Ok(Self {
            verdict,
            sale: Field::from_field(pb.sale).map_err(|e| e.inside("sale"))?,
            attempts: pb.attempts,
            cycles: report.cycles,
            paid: Money(pb.paid),
            fee: Money(pb.fee),
            elapsed: Span(pb.elapsed),
            outputs: report.outputs,
            stdout: report.stdout,
            stderr: report.stderr,
            replicas: Field::from_field(pb.replicas).map_err(|e| e.inside("replicas"))?,
        })
    }
}

impl Wire for Sale {
    type Pb = v1::SaleNote;

    fn to_pb(&self) -> v1::SaleNote {
        v1::SaleNote {
            seller: Some(self.seller.to_pb()),
            market: Some(self.market.to_pb()),
            owner: Some(self.owner.to_pb()),
            ask: self.ask.0,
            second_ask: self.second_ask.map(|ask| ask.0),
            asks_seen: self.asks_seen,
            clearing: self.clearing.0,
        }
    }

    fn from_pb(pb: v1::SaleNote) -> Result<Self, WireError> {
        Ok(Self {
            seller: Field::from_field(pb.seller).map_err(|e| e.inside("seller"))?,
            market: Field::from_field(pb.market).map_err(|e| e.inside("market"))?,
            owner: Field::from_field(pb.owner).map_err(|e| e.inside("owner"))?,
            ask: Rate(pb.ask),
            second_ask: pb.second_ask.map(Rate),
            asks_seen: pb.asks_seen,
            clearing: Rate(pb.clearing),
        })
    }
}

/// Words of this node's own making, as long as a text may be.
pub(super) fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or_default().to_owned()
}
