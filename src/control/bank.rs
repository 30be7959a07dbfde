//! What the operator of a bank asks of it over its socket, and what a bank and a standby tell.

use serde::{Deserialize, Serialize};

/// What the operator wants. Accounts are public keys of 64 hexadecimal digits, money is text in credits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Operator {
    /// Issues money to an account.
    Grant { account: String, credits: String, reason: String },
    /// Freezes an account.
    Freeze { account: String, reason: String },
    /// Frees it.
    Unfreeze { account: String, reason: String },
    /// Writes an invitation for an account, good for so many seconds.
    Invite { account: String, seconds: f64 },
    /// The figures of the bank, or of a standby.
    Totals,
    /// Lets a standby take over.
    Promote,
}

/// An order of the operator that stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OrderedView {
    /// `granted`, `frozen` or `freed`.
    pub(crate) done: String,
    pub(crate) account: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) credits: Option<String>,
    /// The number of its record.
    pub(crate) record: u64,
    /// The order's id.
    pub(crate) id: String,
}

/// An invitation: what `join --invitation` takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InvitationView {
    pub(crate) account: String,
    /// RFC 3339.
    pub(crate) expires: String,
    pub(crate) invitation: String,
}

/// A bank in figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TotalsView {
    pub(crate) accounts: usize,
    /// Those that are frozen.
    pub(crate) frozen: Vec<String>,
    /// All that was issued; the next two come to the same.
    pub(crate) issued: String,
    pub(crate) available: String,
    pub(crate) held: String,
    /// What the open contracts come to, counted from them: the same as `held`.
    pub(crate) escrow: String,
    pub(crate) open_holds: usize,
    /// How many of them are disputed.
    pub(crate) disputes: usize,
    /// Seconds until the first of them ends by its time.
    pub(crate) first_end: Option<f64>,
    pub(crate) records: u64,
    /// The chain of the last record.
    pub(crate) head: String,
    /// Of all its files.
    pub(crate) bytes_on_disk: u64,
    /// Messages that wait for it.
    pub(crate) waiting: usize,
    /// What it guarantees.
    pub(crate) serving: ServingView,
}

/// What a bank guarantees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ServingView {
    pub(crate) address: String,
    /// Its public key.
    pub(crate) key: String,
    pub(crate) home: String,
    /// Where it keeps its journal.
    pub(crate) store: String,
    /// How often it was taken over, and one.
    pub(crate) epoch: u64,
    /// `async` or `sync`.
    pub(crate) standby: String,
    /// Standbys that follow at the moment.
    pub(crate) standbys: usize,
    /// Records that would be lost with this machine now.
    pub(crate) behind: u64,
    /// Orders that a key may give in a second; none for any number.
    pub(crate) orders_per_second: Option<u32>,
    pub(crate) admission: AdmissionView,
    /// In percent of a hold; 0 for none.
    pub(crate) bond_percent: u16,
    /// Seconds.
    pub(crate) dispute: f64,
    /// All credits that were issued.
    pub(crate) issued: String,
}

/// What a new account costs who opens it, and what it starts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AdmissionView {
    /// What a new account starts with, in credits.
    pub(crate) grant: String,
    /// How many accounts an address may open in a day; none for any number.
    pub(crate) per_address: Option<u32>,
    /// Zero bits of the proof of work.
    pub(crate) work_bits: u32,
    pub(crate) is_by_invitation: bool,
}

impl AdmissionView {
    /// Of `rules`.
    pub(crate) fn of(rules: &proto::Rules) -> Self {
        let admission = rules.admission;
        Self {
            grant: rules.initial_grant.to_string(),
            per_address: Some(admission.per_address).filter(|limit| *limit > 0),
            work_bits: admission.work_bits,
            is_by_invitation: admission.is_by_invitation,
        }
    }
}

/// A standby.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StandbyView {
    /// The bank that it follows.
    pub(crate) leader: String,
    pub(crate) epoch: u64,
    /// Records that are durable here.
    pub(crate) records: u64,
    /// How many it lacked of what the bank had when they last spoke of it.
    pub(crate) behind: Option<u64>,
    /// Why it does not follow at the moment.
    pub(crate) trouble: Option<String>,
}

/// A standby that is the bank from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PromotedView {
    pub(crate) home: String,
    pub(crate) epoch: u64,
    /// The bank that it has followed.
    pub(crate) former: String,
    /// Whether it serves already; else `bank serve` starts it.
    pub(crate) is_serving: bool,
}
