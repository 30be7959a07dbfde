//! `listed`: what a seller has listed is for sale, whoever comes and goes. A listing that its owner has confirmed
//! stands in somebody's books; while it changes hands nobody says in the meantime that it is not there.

use super::{Breach, Checked};
use crate::host::Host;
use crate::scenario::Scenario;
use market::{Marketplace, placement};
use proto::{Placement, RingId};

/// Whether it has to hold: a crash takes listings with it until their sellers renew them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed {
    holds: bool,
    placement: Placement,
}

impl Listed {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        Self { holds: scenario.is_orderly(), placement: scenario.rules.placement }
    }

    pub(crate) fn check<'a>(self, hosts: &'a [Host]) -> Checked {
        if !self.holds {
            return Ok(());
        }
        let markets = || hosts.iter().filter_map(Host::node).map(service::Node::market);
        let listed = |host: &'a Host| host.node().into_iter().flat_map(|node| node.market().listed());
        for (host, (market, _)) in
            hosts.iter().flat_map(|host| listed(host).map(move |listed| (host, listed)))
        {
            let key = host.peer.key;
            let commodity = market.commodity;
            if markets().any(|node| node.lists(key, commodity)) {
                continue;
            }
            let says_no = |node: &Marketplace| node.answers_for(market);
            let is_kept = markets().any(|node| node.keeps(key, commodity));
            let is_denied = owner(hosts, placement::key(self.placement, market)).is_some_and(says_no);
            Breach::unless(is_kept && !is_denied, "listed", || {
                format!("node {} is listed in {market}, and nobody sells for it there", host.number)
            })?;
        }
        Ok(())
    }
}

/// The market of the member that answers for `key`, as the circle has it.
fn owner(hosts: &[Host], key: RingId) -> Option<&Marketplace> {
    let members = || hosts.iter().filter_map(Host::node).filter(|node| node.chord().is_member());
    let first = members().filter(|node| node.me().id() >= key).min_by_key(|node| node.me().id());
    first.or_else(|| members().min_by_key(|node| node.me().id())).map(service::Node::market)
}
