//! Who may open an account with the initial grant: the founder's rules, and how many were opened today from where.
//!
//! Many accounts of one owner cost it something: a proof of work for each, an address for so many a day, or the
//! operator's word. Each rule that is set has to be met. An account that a payment or the operator has made needs none
//! of it, but has no grant either until its owner opens it.

use crate::record::Network;
use proto::message::bank::OpenAccount;
use proto::{PublicKey, Refusal, RefusalCode, Rules, Span, Time};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A day of the ledger's time. Days are counted from its beginning; with each the numbers begin again.
const DAY: Span = Span::secs(24 * 60 * 60);

/// How many accounts were opened today from each network. There are no more entries than accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Openings {
    /// The number of the day.
    pub(crate) day: u64,
    /// The accounts of that day.
    pub(crate) by_network: BTreeMap<Network, u32>,
}

impl Openings {
    /// Notes an account that was opened from `network` at `time`.
    pub(crate) fn note(&mut self, network: Network, time: Time) {
        let day = day(time);
        if day != self.day {
            *self = Self { day, by_network: BTreeMap::new() };
        }
        let count = self.by_network.entry(network).or_default();
        *count = count.saturating_add(1);
    }

    /// How many accounts were opened from `network` on the day of `time`.
    pub(crate) fn count(&self, network: Network, time: Time) -> u32 {
        if day(time) != self.day { 0 } else { self.by_network.get(&network).copied().unwrap_or(0) }
    }
}

const fn day(time: Time) -> u64 {
    time.0 / DAY.0
}

/// Whether an account of `account` may be opened: the proof of work is looked at first, then the invitation, then the
/// number of the day.
pub(crate) fn may_enter(
    rules: &Rules,
    bank: PublicKey,
    account: PublicKey,
    order: &OpenAccount,
    openings: (&Openings, Network),
    time: Time,
) -> Result<(), Refusal> {
    let admission = &rules.admission;
    let bits = proto::admission::work(bank, account, order.nonce);
    if bits < admission.work_bits {
        let message = format!(
            "an account needs a proof of work that begins with {} zero bits; this one has {bits}",
            admission.work_bits
        );
        let hint = "let the node compute one: it does when it joins with the network's present rules";
        return Err(Refusal::new(RefusalCode::NotAdmitted, message, hint));
    }
    if admission.is_by_invitation {
        is_invited(bank, account, order, time)?;
    }
    let (openings, network) = openings;
    let opened = openings.count(network, time);
    if admission.per_address > 0 && opened >= admission.per_address {
        let from = shown(network);
        let message =
            format!("{opened} accounts were opened from {from} today, and {} may be", admission.per_address);
        let left = Span(DAY.0 - time.0 % DAY.0);
        let hint = format!("come again in {left}, or from another address");
        return Err(Refusal::new(RefusalCode::Quota, message, hint));
    }
    Ok(())
}

fn is_invited(bank: PublicKey, account: PublicKey, order: &OpenAccount, time: Time) -> Result<(), Refusal> {
    let refusal = |message: String, hint: &str| Err(Refusal::new(RefusalCode::NotAdmitted, message, hint));
    let ask = "ask the bank's operator for an invitation of this account, and join with it";
    let Some(invitation) = &order.invitation else {
        return refusal("an account is opened by invitation here, and none was given".into(), ask);
    };
    if invitation.body.bank != bank || !invitation.is_genuine_by(bank) {
        return refusal("the invitation is not signed by this bank".into(), ask);
    }
    if invitation.body.account != account {
        let message = format!("the invitation is for {}, not for {account}", invitation.body.account);
        return refusal(message, ask);
    }
    if time >= invitation.body.expires {
        return refusal("the invitation has run out".into(), "ask the bank's operator for a new one");
    }
    Ok(())
}

/// A network as it is shown: an IPv4 address, or the first half of an IPv6 address.
fn shown(network: Network) -> IpAddr {
    let Network([0, 0, 0, 0, a, b, c, d]) = network else {
        let mut octets = [0; 16];
        octets.iter_mut().zip(network.0).for_each(|(to, from)| *to = from);
        return Ipv6Addr::from(octets).into();
    };
    Ipv4Addr::new(a, b, c, d).into()
}
