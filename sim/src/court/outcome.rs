//! What came of a case.

use super::shares::Gains;
use crate::net::Traffic;
use proto::message::bank::How;
use proto::{Hash, Money, Span};
use std::collections::BTreeMap;
use std::fmt;

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The case.
    pub case: &'static str,
    /// The seed.
    pub seed: u64,
    /// How many contracts ended in which way.
    pub ends: BTreeMap<How, u32>,
    /// Who gained how much by all of them.
    pub gains: Gains,
    /// What the cycles cost that were claimed or settled, in micro-credits, each at most its hold.
    pub work: i128,
    /// Arbiters that were drawn.
    pub drawn: u32,
    /// Records of the journal.
    pub records: usize,
    /// Times that the bank started again from it.
    pub bank_starts: u32,
    /// Orders of forgers that the bank refused.
    pub forged: u32,
    /// Messages.
    pub traffic: Traffic,
    /// The virtual time of the run.
    pub lasted: Span,
    /// The chain of the last record: a hash of all that the bank decided.
    pub head: Hash,
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}, seed {}", self.case, self.seed)?;
        for (how, count) in &self.ends {
            writeln!(out, "  {:<24} {count}", how.name())?;
        }
        let Gains { buyer, seller, owner, arbiter, pool } = self.gains;
        let sides = [
            ("buyers", buyer),
            ("sellers", seller),
            ("market owners", owner),
            ("arbiters", arbiter),
            ("the pool", pool),
        ];
        for (who, gain) in sides {
            let sign = if gain < 0 { "-" } else { "" };
            let amount = Money(u64::try_from(gain.unsigned_abs()).unwrap_or(u64::MAX));
            writeln!(out, "  {:<24} {sign}{amount}", format!("{who} gain"))?;
        }
        writeln!(out, "  {:<24} {}", "arbiters drawn", self.drawn)?;
        writeln!(out, "  {:<24} {}", "forged orders refused", self.forged)?;
        writeln!(out, "  {:<24} {}", "bank starts", self.bank_starts)?;
        writeln!(out, "  {:<24} {} sent, {} lost", "messages", self.traffic.sent, self.traffic.lost)?;
        writeln!(out, "  {:<24} {}", "virtual time", self.lasted)?;
        writeln!(out, "  {:<24} {}", "records", self.records)?;
        write!(out, "  {:<24} {}", "journal", self.head)
    }
}
