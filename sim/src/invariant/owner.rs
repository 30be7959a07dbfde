//! `owner`: a machine works for others only as its owner allows. While the owner's policy says *suspend*, no execution
//! goes on and none is started; after the grace of *vacate* there is none.

use super::{Breach, Checked};
use crate::host::Host;
use proto::{ContractId, Time};
use service::policy::Work;

pub(crate) fn check(host: &Host, now: Time) -> Checked {
    let number = host.number;
    let breach = |contract: ContractId, what: &str| {
        Err(Breach::new("owner", format!("node {number} executes {contract:#}, and its owner {what}")))
    };
    let late = host.vacate_by.is_some_and(|by| by < now);
    match host.decision {
        Work::Run { .. } => Ok(()),
        Work::Suspend => match host.machine.moving().next() {
            Some(contract) => breach(contract, "has suspended the work of others"),
            None => Ok(()),
        },
        Work::Vacate { .. } => match host.machine.executions().next().filter(|_| late) {
            Some(contract) => breach(contract, "has wanted it away by now"),
            None => Ok(()),
        },
    }
}
