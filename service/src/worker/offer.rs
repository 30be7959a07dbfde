//! Whether an offer is taken: papers in order, money there, within the owner's terms.

use super::{MAX_CONTRACTS, VerifyTicket, Worker};
use crate::dispatch::total_rate;
use crate::policy::Subnet;
use crate::task::path;
use bank::client::{Wanted, verify_receipt};
use market::TicketFault;
use proto::message::market::Requirement;
use proto::message::service::{Job, MAX_REPEATS, Offer, Runtime};
use proto::{Bytes, Hash, Money, Peer, PublicKey, Refusal, RefusalCode, Signed, Span, Time};

/// What the owner of the machine allows, from the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The longest execution.
    pub wall: Span,
    /// The most memory for one sub-task.
    pub memory: Bytes,
    /// The most disk for one sub-task.
    pub disk: Bytes,
    /// The most standard output, and the same for standard error.
    pub output: Bytes,
    /// Buyers whose work is not done here.
    pub deny: Vec<PublicKey>,
    /// If not empty, the only buyers whose work is done here.
    pub allow: Vec<PublicKey>,
    /// Addresses whose work is not done here.
    pub deny_ips: Vec<Subnet>,
    /// Programs that are not run here, by their hashes.
    pub deny_programs: Vec<Hash>,
    /// At least so long between two states of a program that is saved.
    pub save_every: Span,
    /// What kinds of programs are run here besides WebAssembly.
    pub runtimes: Vec<Runtime>,
    /// The most processes and threads of one sub-task.
    pub processes: u32,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            wall: Span::secs(24 * 3_600),
            memory: Bytes::gib(4),
            disk: Bytes::gib(10),
            output: Bytes::gib(1),
            deny: Vec::new(),
            allow: Vec::new(),
            deny_ips: Vec::new(),
            deny_programs: Vec::new(),
            save_every: Span::secs(60),
            runtimes: Vec::new(),
            processes: 256,
        }
    }
}

impl Terms {
    /// Whether anything is sold to this buyer.
    pub(super) fn admit(&self, buyer: &Peer) -> Result<(), Refusal> {
        let refuse =
            |message: &str| Err(Refusal::new(RefusalCode::Policy, message, "another seller may take it"));
        let is_denied_ip = self.deny_ips.iter().any(|subnet| subnet.contains(buyer.addr.ip()));
        if is_denied_ip || self.deny.contains(&buyer.key) {
            return refuse("this seller's owner denies this buyer");
        }
        if !self.allow.is_empty() && !self.allow.contains(&buyer.key) {
            return refuse("this seller's owner allows only certain buyers");
        }
        Ok(())
    }

    pub(super) fn allow(&self, buyer: &Peer, job: &Job) -> Result<(), Refusal> {
        self.admit(buyer)?;
        let limits = &job.limits;
        let refuse =
            |message: String| Err(Refusal::new(RefusalCode::Policy, message, "another seller may take it"));
        if self.deny_programs.contains(&job.program.hash) {
            return refuse("this seller's owner denies this program".into());
        }
        if job.runtime != Runtime::WebAssembly && !self.runtimes.contains(&job.runtime) {
            let kind = if job.runtime == Runtime::Native { "native programs" } else { "containers" };
            return refuse(format!("this seller runs no {kind}"));
        }
        if limits.processes > self.processes && job.runtime != Runtime::WebAssembly {
            let (most, asked) = (self.processes, limits.processes);
            return refuse(format!(
                "this seller gives a sub-task at most {most} processes, {asked} are asked for"
            ));
        }
        if limits.wall > self.wall {
            return refuse(format!(
                "this seller runs nothing longer than {}, {} is asked for",
                self.wall, limits.wall
            ));
        }
        let staged = Bytes(job.contents().iter().fold(0, |sum: u64, blob| sum.saturating_add(blob.size.0)));
        for (what, most, asked) in [
            ("program and inputs", self.disk, staged),
            ("memory", self.memory, limits.memory),
            ("disk", self.disk, limits.disk),
            ("output", self.output, limits.output),
        ] {
            if asked > most {
                return refuse(format!("this seller gives at most {most} of {what}, {asked} are asked for"));
            }
        }
        Ok(())
    }
}

impl Worker {
    /// Whether the papers of an offer are in order, and the policy allows it.
    pub(super) fn judge_offer(
        &self,
        from: Peer,
        offer: &Signed<Offer>,
        verify: &VerifyTicket<'_>,
        now: Time,
    ) -> Result<(), Refusal> {
        let refuse = |code, what: &str, hint: &str| Err(Refusal::new(code, what, hint));
        let body = &offer.body;
        if body.buyer != from || !offer.is_genuine_by(from.key) {
            return refuse(RefusalCode::NotYours, "the offer is not signed by the buyer it names", "");
        }
        judge_job(&body.job, &body.ticket.body.requirement)?;
        if body.seller != self.me.key || body.ticket.body.id != body.contract {
            return refuse(RefusalCode::Mismatch, "the offer is for another seller or another ticket", "");
        }
        if self.is_leaving {
            return refuse(RefusalCode::Leaving, "this seller leaves the network", "ask the market again");
        }
        if let Some(refusal) = self.owner.refusal() {
            return Err(refusal);
        }
        if self.works.len() >= MAX_CONTRACTS {
            return refuse(RefusalCode::Busy, "this seller has too many contracts", "try another one");
        }
        verify(&body.ticket).map_err(|fault| ticket_refusal(&fault))?;
        self.judge_hold(body, now)?;
        self.terms.allow(&from, &body.job)
    }

    /// Whether the bank has set enough aside, for long enough, for this contract.
    fn judge_hold(&self, offer: &Offer, now: Time) -> Result<(), Refusal> {
        let Offer { contract, seller, buyer, job, hold, ticket, .. } = offer;
        let amount = hold.body.amount;
        let wanted = Wanted {
            bank: self.bank,
            buyer: buyer.key,
            seller: *seller,
            contract: *contract,
            ticket: ticket.hash(),
            amount: self.rules.owner_fee,
            until: now.after(job.limits.wall).after(super::CLAIM_BEFORE_END),
        };
        verify_receipt(hold, &wanted)?;
        let for_seller = amount.checked_sub(self.rules.owner_fee).unwrap_or(Money::ZERO);
        if job.most_cycles() > total_rate(&ticket.body).cycles_for(for_seller) {
            let message = "the hold does not pay for as many cycles as the offer allows";
            return Err(Refusal::new(RefusalCode::Mismatch, message, ""));
        }
        Ok(())
    }
}

/// Whether the job stays within what was bought, and names its files as a scratch directory can hold them.
pub(super) fn judge_job(job: &Job, bought: &Requirement) -> Result<(), Refusal> {
    let limits = &job.limits;
    for (what, most, asked) in [("memory", bought.memory, limits.memory), ("disk", bought.disk, limits.disk)]
    {
        if asked > most {
            let message = format!("the ticket is for {most} of {what}, the offer asks for {asked}");
            return Err(Refusal::new(RefusalCode::Mismatch, message, "buy what the work needs"));
        }
    }
    if limits.cores > market::requirement::cores(bought) {
        let (most, asked) = (market::requirement::cores(bought), limits.cores);
        let message = format!("the ticket is for {most} cores, the offer asks for {asked}");
        return Err(Refusal::new(RefusalCode::Mismatch, message, "buy what the work needs"));
    }
    let is_saved = job.checkpoint.is_some() || job.resume.is_some();
    if job.repeats.len() > MAX_REPEATS || (is_saved && !job.repeats.is_empty()) {
        let message = format!("a job has at most {MAX_REPEATS} repeats, and none if it is saved");
        return Err(Refusal::new(RefusalCode::Malformed, message, "offer the rest under another ticket"));
    }
    let further = job.repeats.iter();
    let further = further.flat_map(|run| run.inputs.iter().map(|input| &input.name).chain(&run.outputs));
    let names = job.inputs.iter().map(|input| &input.name).chain(&job.outputs);
    for name in names.chain(further) {
        if path::inside(name).as_deref() != Ok(name.as_str()) {
            let message = format!("`{name}` cannot be the name of a file in the scratch directory");
            return Err(Refusal::new(
                RefusalCode::Malformed,
                message,
                "use a relative path such as out/a.txt",
            ));
        }
    }
    Ok(())
}

fn ticket_refusal(fault: &TicketFault) -> Refusal {
    let code = match fault {
        TicketFault::NotReserved | TicketFault::Expired => RefusalCode::SoldOut,
        _ => RefusalCode::Mismatch,
    };
    Refusal::new(code, format!("the ticket does not hold: {fault}"), "ask the market again")
}
