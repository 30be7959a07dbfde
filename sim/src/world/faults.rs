//! The faults of the schedule.

use super::World;
use super::event::Event;
use crate::fault::{Act, Fault, Lie, Who};
use crate::host::Host;
use crate::invariant::Checked;
use crate::net::Way;
use proto::Span;
use service::Input;
use service::policy::Work;

/// How long a fault waits for a node that it can befall.
const LOOK_AGAIN: Span = Span::millis(20);

/// How long after its end a process that was writing starts again.
const START_AGAIN: Span = Span::secs(3);

impl World<'_> {
    pub(super) fn fault(&mut self, index: usize) -> Checked {
        let Some(scheduled) = self.scenario.faults.get(index) else { return Ok(()) };
        match &scheduled.fault {
            Fault::Crash { who: Who::Doing(act), is_silent } => {
                self.armed.push((*act, *is_silent));
                Ok(())
            }
            Fault::Crash { who, is_silent } => match self.find(*who) {
                Some(host) => {
                    self.crash(host, *is_silent);
                    self.done()
                }
                None => self.later(index),
            },
            Fault::CrashWriting { host, note, is_kept } => self.end_writing(*host, (*note, *is_kept)),
            Fault::Leave { who } => match self.find(*who) {
                Some(host) => {
                    if let Some(host) = self.hosts.get_mut(host) {
                        host.has_left = true;
                    }
                    self.done()?;
                    self.feed(host, Input::Leave)
                }
                None => self.later(index),
            },
            Fault::Join { host } => {
                self.queue.push(self.now, Event::Boot { host: *host, life: 0 });
                self.done()
            }
            Fault::RestartAll => {
                self.restart_all();
                self.done()
            }
            Fault::KillBank { .. } if self.teller.bank.is_none() || self.teller.kill.is_some() => {
                self.later(index)
            }
            // It is done when the bank has started again.
            Fault::KillBank { down } => {
                self.teller.kill = Some(*down);
                Ok(())
            }
            Fault::Decide { who, work } => match self.find(*who) {
                Some(host) => {
                    self.done()?;
                    self.decide(host, *work)
                }
                None => self.later(index),
            },
            Fault::Deny { host, buyers } => {
                let hosts = buyers.iter().filter_map(|buyer| self.hosts.get(*buyer));
                let denied = hosts.map(|host| host.peer.key).collect();
                self.done()?;
                self.set_policy(*host, |host| host.denied = denied)
            }
            Fault::Share { host, shares } => {
                self.done()?;
                self.set_policy(*host, |host| host.shares = *shares)
            }
            Fault::Flood(_) => self.pour(index, 0),
            other => self.suffer(index, other),
        }
    }

    /// The network or a machine is not what it was.
    fn suffer(&mut self, index: usize, fault: &Fault) -> Checked {
        match fault {
            Fault::CutOff { hosts } => self.divide(hosts, Way::Both),
            Fault::Deafen { hosts } => self.divide(hosts, Way::In),
            Fault::Mute { hosts } => self.divide(hosts, Way::Out),
            Fault::Heal => self.divide(&[], Way::Both),
            Fault::Slow { host, times } => {
                if let Some(host) = self.hosts.get_mut(*host) {
                    host.machine.slow = (*times).max(1);
                }
                self.done()
            }
            Fault::LoseDisk { host } => match self.hosts.get_mut(*host).filter(|host| host.is_down()) {
                Some(host) => {
                    host.lose_disk();
                    let number = host.number;
                    self.watch.saved.ends(|_, keeper| keeper == number);
                    self.done()
                }
                None => self.later(index),
            },
            Fault::Lie { host, lie } => {
                if let Some(host) = self.hosts.get_mut(*host) {
                    host.machine.lie = Some(*lie);
                    let counts = matches!(lie, Lie::Cycles { .. });
                    self.watch.sub_tasks.liars.extend(counts.then_some(host.peer.key));
                }
                self.done()
            }
            _ => Ok(()),
        }
    }

    /// From now on these hosts and the others cannot reach each other.
    fn divide(&mut self, hosts: &[usize], way: Way) -> Checked {
        self.net.cut_off(hosts.iter().copied(), way);
        self.done()
    }

    /// The policy of a machine's owner decides.
    fn decide(&mut self, number: usize, work: Work) -> Checked {
        if let Some(host) = self.hosts.get_mut(number) {
            host.decision = work;
            host.has_closed |= !matches!(work, Work::Run { .. });
            host.vacate_by = match work {
                Work::Vacate { grace } => Some(host.clock.after(self.now, grace)),
                Work::Run { .. } | Work::Suspend => None,
            };
        }
        self.feed(number, Input::Decide { work })
    }

    /// Ends the process of a node.
    pub(super) fn end_process(&mut self, number: usize, is_silent: bool) {
        if let Some(host) = self.hosts.get_mut(number) {
            self.watch.ring.fails(host);
            host.go_down(is_silent);
            self.bounces.retain(|(from, _)| *from != number);
            // Its view is gone; what that means for the ring is judged by the next check of another node.
            self.watch.ring.forget(number);
        }
    }

    fn crash(&mut self, number: usize, is_silent: bool) {
        self.tally.crashes += 1;
        let interval = self.scenario.saving.and_then(|saving| saving.interval);
        if let (Some(interval), Some(host)) = (interval, self.hosts.get(number)) {
            self.watch.saved.crashes(host, interval, self.now);
        }
        self.end_process(number, is_silent);
    }

    /// A node is to end with a note; the fault has happened when that is written.
    fn end_writing(&mut self, host: usize, at: (u32, bool)) -> Checked {
        if let Some(host) = self.hosts.get_mut(host) {
            host.ends_writing.extend([at]);
        }
        Ok(())
    }

    /// The process of a node ends while it writes.
    pub(super) fn crash_writing(&mut self, number: usize) -> Checked {
        self.crash(number, false);
        if let Some(host) = self.hosts.get(number) {
            self.watch.ring.returns();
            let boot = Event::Boot { host: number, life: host.life };
            self.queue.push(self.now.after(START_AGAIN), boot);
        }
        self.done()
    }

    fn restart_all(&mut self) {
        for host in self.hosts.iter().filter(|host| host.is_down() && !host.has_left && host.life > 0) {
            self.watch.ring.returns();
            self.queue.push(self.now, Event::Boot { host: host.number, life: host.life });
        }
    }

    /// The owner of a machine changes its policy, and its node hears of it at once.
    fn set_policy(&mut self, number: usize, change: impl FnOnce(&mut Host)) -> Checked {
        let Some(host) = self.hosts.get_mut(number) else { return Ok(()) };
        change(host);
        let (terms, supply) = (host.terms(), host.supply());
        self.feed(number, Input::Terms { terms })?;
        self.feed(number, Input::Supply { supply })
    }

    /// Somebody does what an armed fault waits for.
    pub(super) fn strike(&mut self, act: Act, number: usize) {
        let is_fit = number >= self.scenario.buyers
            && self.is_up(number)
            && self.struck.iter().all(|(host, _)| *host != number);
        let armed = self.armed.iter().position(|(wanted, _)| *wanted == act).filter(|_| is_fit);
        if let Some(armed) = armed {
            let (_, is_silent) = self.armed.remove(armed);
            self.struck.push((number, is_silent));
        }
    }

    /// Those who were struck end, now that everything that they had said is on its way.
    pub(super) fn end_struck(&mut self) -> Checked {
        for (host, is_silent) in std::mem::take(&mut self.struck) {
            self.crash(host, is_silent);
            self.done()?;
        }
        Ok(())
    }

    fn find(&self, who: Who) -> Option<usize> {
        match who {
            Who::Doing(_) => None,
            Who::Host(host) => Some(host).filter(|host| self.is_up(*host)),
            Who::Busy => {
                let is_fit = |host: &&Host| {
                    host.number >= self.scenario.buyers && !host.has_left && host.machine.busy().cores > 0
                };
                self.hosts.iter().find(is_fit).map(|host| host.number)
            }
            Who::Keeper => {
                let is_fit = |host: &&Host| {
                    let keeps = host.node().is_some_and(|node| node.keeping() > 0);
                    host.number >= self.scenario.buyers && !host.has_left && keeps
                };
                self.hosts.iter().find(is_fit).map(|host| host.number)
            }
            Who::Owner => {
                let listings = |host: &Host| host.node().map_or(0, |node| node.market().listings().count());
                let is_fit = |host: &&Host| {
                    let is_outsider =
                        host.number >= self.scenario.buyers && !self.scenario.sells(host.number);
                    is_outsider && !host.has_left && listings(host) > 0
                };
                self.hosts.iter().filter(is_fit).max_by_key(|host| listings(host)).map(|host| host.number)
            }
        }
    }

    const fn done(&mut self) -> Checked {
        self.faults_ahead = self.faults_ahead.saturating_sub(1);
        Ok(())
    }

    fn later(&mut self, index: usize) -> Checked {
        self.queue.push(self.now.after(LOOK_AGAIN), Event::Fault { index });
        Ok(())
    }
}
