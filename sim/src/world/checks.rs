//! The checks of whole nodes, of the ring and of the ledger: after every event, or all together from time to time.

use super::World;
use crate::invariant::bounded::{self, Load};
use crate::invariant::{Breach, Checked, cores, node, owner};
use crate::scenario::Checks;
use service::Node;

impl World<'_> {
    /// A node has had an input.
    pub(super) fn check_host(&mut self, number: usize) -> Checked {
        let is_thorough = self.scenario.checks == Checks::Always;
        if is_thorough {
            self.check_node(number)?;
        }
        let Some(host) = self.hosts.get(number) else { return Ok(()) };
        cores::check(host)?;
        owner::check(host, self.now)?;
        if is_thorough {
            self.watch.ring.check(host)?;
            self.watch.listed.check(&self.hosts)?;
        }
        Ok(())
    }

    /// The bank has decided something.
    pub(super) fn check_bank(&self) -> Checked {
        if self.scenario.checks == Checks::Always { self.audit() } else { Ok(()) }
    }

    /// Checks everything, if it is time for that.
    pub(super) fn sweep(&mut self) -> Checked {
        let Checks::Every(span) = self.scenario.checks else { return Ok(()) };
        if self.now < self.next_sweep {
            return Ok(());
        }
        self.next_sweep = self.now.after(span);
        (0..self.hosts.len()).try_for_each(|number| self.check_node(number))?;
        self.watch.ring.check_all(&self.hosts)?;
        self.audit()
    }

    /// What a node says of itself, and what it keeps.
    fn check_node(&mut self, number: usize) -> Checked {
        let Some(host) = self.hosts.get(number) else { return Ok(()) };
        if let Some(opinion) = host.node().map(Node::check) {
            node::check(number, self.mutant.opinion(number, opinion))?;
        }
        if let Some(node) = host.node() {
            bounded::check(host, self.mutant.load(number, Load::of(node.market())))?;
        }
        Ok(())
    }

    fn audit(&self) -> Checked {
        let Some(bank) = &self.teller.bank else { return Ok(()) };
        bank.check_all().map_err(|violation| Breach::new("bank", violation.to_string()))?;
        self.watch.books.compare(bank)
    }
}
