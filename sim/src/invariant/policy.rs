//! `policy`: no sub-task is run by a seller whose policy forbids it. A seller takes an offer only while its owner
//! shares the machine and does not deny the buyer, and it executes only what it has taken.

use super::{Breach, Checked};
use crate::host::Host;
use proto::{ContractId, PublicKey};
use std::collections::BTreeSet;

/// What sellers have taken.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    taken: BTreeSet<(usize, ContractId)>,
}

impl Policies {
    /// The seller on `host` accepts an offer of `buyer`.
    pub(crate) fn accepts(&mut self, host: &Host, contract: ContractId, buyer: PublicKey) -> Checked {
        let number = host.number;
        if !self.taken.insert((number, contract)) {
            // It says so once more.
            return Ok(());
        }
        Breach::unless(host.shares, "policy", || {
            format!("node {number} accepts contract {contract}, and its owner does not share it")
        })?;
        Breach::unless(!host.denied.contains(&buyer), "policy", || {
            format!("node {number} accepts contract {contract} of {buyer}, whom its owner denies")
        })
    }

    /// The seller on `host` executes a contract.
    pub(crate) fn executes(&self, host: &Host, contract: ContractId) -> Checked {
        Breach::unless(self.taken.contains(&(host.number, contract)), "policy", || {
            format!("node {} executes contract {contract}, which it has not accepted", host.number)
        })
    }
}
