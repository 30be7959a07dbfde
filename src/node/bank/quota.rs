//! How much anybody may ask for in a time: buckets that fill up by themselves, one for each key and one for each network.
//!
//! A key costs nothing, an address does: what a network (an IPv4 address, 2^64 IPv6 addresses) asks for is bounded too, at
//! [`KEYS_PER_NETWORK`] times a key's share.

use bank::Network;
use proto::message::bank::{BankMessage, Order};
use proto::{Peer, PublicKey, Refusal, RefusalCode};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Orders that one key may give in a second, if the operator does not say otherwise (`--orders-per-second`).
pub(crate) const ORDERS_PER_KEY: u32 = 2_000;
/// Questions about balance, place and network that one key may ask in a second.
pub(super) const QUESTIONS_PER_KEY: u32 = 100;
/// Searches in the journal that one key may ask for in a second: each may read the disk.
pub(super) const SEARCHES_PER_KEY: u32 = 10;
/// A network may ask for as much as so many keys.
pub(super) const KEYS_PER_NETWORK: u32 = 16;
/// What was not used is saved up for so long.
const BURST: Duration = Duration::from_secs(2);
/// Payments of a transfer that cost as much as one order.
const PAYMENTS_PER_ORDER: usize = 16;
/// Keys and networks that are remembered at most, for each kind.
const MAX_BUCKETS: usize = 1 << 16;

/// What is asked for, by what it costs the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// It is signed, decided, and written.
    Order,
    /// It is answered from memory.
    Question,
    /// It is answered from the journal.
    Search,
}

impl Kind {
    /// The kind of a message and how much of its quota it takes; none for what no bank is asked.
    pub(super) fn of(message: &BankMessage) -> Option<(Self, u32)> {
        match message {
            BankMessage::Request(request) => Some((Self::Order, cost(&request.command.body.order))),
            BankMessage::Enter(_) | BankMessage::Departed(_) | BankMessage::BalanceQuery(_) => {
                Some((Self::Question, 1))
            }
            BankMessage::StatementQuery(_) | BankMessage::ReceiptQuery(_) => Some((Self::Search, 1)),
            BankMessage::Entered(_)
            | BankMessage::Reply(_)
            | BankMessage::BalanceReply(_)
            | BankMessage::Refused(_)
            | BankMessage::Statement(_)
            | BankMessage::Receipt(_)
            | BankMessage::Claimed(_)
            | BankMessage::Appointed(_)
            | BankMessage::Ended(_) => None,
        }
    }

    const fn plural(self) -> &'static str {
        match self {
            Self::Order => "orders",
            Self::Question => "questions",
            Self::Search => "searches",
        }
    }
}

fn cost(order: &Order) -> u32 {
    let Order::Transfer(transfer) = order else { return 1 };
    u32::try_from(transfer.payments.len().div_ceil(PAYMENTS_PER_ORDER)).unwrap_or(u32::MAX).max(1)
}

/// All buckets of a bank.
#[derive(Debug)]
pub(super) struct Quotas {
    keys: BTreeMap<Kind, Buckets<PublicKey>>,
    networks: BTreeMap<Kind, Buckets<Network>>,
}

impl Quotas {
    /// Everything is full. `orders` is what a key may order in a second; 0 for any number.
    pub(super) fn new(orders: u32) -> Self {
        let rates =
            [(Kind::Order, orders), (Kind::Question, QUESTIONS_PER_KEY), (Kind::Search, SEARCHES_PER_KEY)];
        Self {
            keys: rates.map(|(kind, rate)| (kind, Buckets::new(rate))).into(),
            networks: rates
                .map(|(kind, rate)| (kind, Buckets::new(rate.saturating_mul(KEYS_PER_NETWORK))))
                .into(),
        }
    }

    /// Takes so much of the quotas of a key and of its network, of both or of none.
    ///
    /// # Errors
    /// One of them is used up: the refusal says when there is enough again.
    pub(super) fn take(
        &mut self,
        from: Peer,
        (kind, cost): (Kind, u32),
        now: Instant,
    ) -> Result<(), Refusal> {
        let network = Network::of(from.addr.ip());
        let (Some(keys), Some(networks)) = (self.keys.get_mut(&kind), self.networks.get_mut(&kind)) else {
            return Ok(());
        };
        if let Some(wait) = keys.wait(&from.key, now) {
            return Err(used_up("this key", kind, keys.rate, wait));
        }
        if let Some(wait) = networks.wait(&network, now) {
            return Err(used_up("this network", kind, networks.rate, wait));
        }
        keys.take(from.key, cost, now);
        networks.take(network, cost, now);
        Ok(())
    }
}

fn used_up(whose: &str, kind: Kind, rate: u32, wait: Duration) -> Refusal {
    let message = format!("{whose} may send {rate} {} in a second, and has sent more", kind.plural());
    let hint = format!("send it again in {} ms, and less at once", wait.as_millis().saturating_add(1));
    Refusal::new(RefusalCode::Quota, message, hint)
}

/// Buckets of one kind. Of each is known when it will be full; those that are full are forgotten.
#[derive(Debug)]
struct Buckets<K> {
    /// What may be taken in a second; 0 for any number.
    rate: u32,
    full_at: BTreeMap<K, Instant>,
}

impl<K: Ord + Copy> Buckets<K> {
    const fn new(rate: u32) -> Self {
        Self { rate, full_at: BTreeMap::new() }
    }

    /// How long until something may be taken; none if it may be at once. What is taken then may cost more than there is,
    /// so that nothing is too dear for ever; it is waited for afterwards.
    fn wait(&self, who: &K, now: Instant) -> Option<Duration> {
        let full_at = self.full_at.get(who)?;
        let missing = full_at.saturating_duration_since(now);
        missing.checked_sub(BURST).filter(|wait| !wait.is_zero())
    }

    fn take(&mut self, who: K, cost: u32, now: Instant) {
        let Some(each) = Duration::from_secs(1).checked_div(self.rate) else { return };
        if self.full_at.len() >= MAX_BUCKETS && !self.full_at.contains_key(&who) {
            self.full_at.retain(|_, full_at| *full_at > now);
            if self.full_at.len() >= MAX_BUCKETS {
                // Whoever uses so many keys or networks at once is stopped by the queue, not by this.
                self.full_at.clear();
            }
        }
        let full_at = self.full_at.entry(who).or_insert(now);
        *full_at = (*full_at).max(now) + each.saturating_mul(cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(key: u8, ip: u8) -> Peer {
        Peer::new(format!("10.0.0.{ip}:1").parse().unwrap(), 0, PublicKey([key; 32]))
    }

    /// How many of `count` orders at once are taken.
    fn taken(quotas: &mut Quotas, from: Peer, count: u32, now: Instant) -> u32 {
        (0..count).map(|_| u32::from(quotas.take(from, (Kind::Order, 1), now).is_ok())).sum()
    }

    #[test]
    fn a_key_may_save_up_two_seconds_and_then_has_its_rate() {
        let (mut quotas, start) = (Quotas::new(100), Instant::now());
        assert_eq!(taken(&mut quotas, peer(1, 1), 1_000, start), 201);
        assert_eq!(taken(&mut quotas, peer(1, 1), 1_000, start + Duration::from_secs(1)), 100);
        assert_eq!(taken(&mut quotas, peer(2, 1), 1_000, start), 201, "another key has its own");
        assert_eq!(taken(&mut quotas, peer(1, 1), 1_000, start + Duration::from_secs(60)), 201);
    }

    #[test]
    fn the_keys_of_one_network_share_what_the_network_has() {
        let (mut quotas, start) = (Quotas::new(100), Instant::now());
        let all: u32 = (0..100).map(|key| taken(&mut quotas, peer(key, 1), 300, start)).sum();
        assert_eq!(all, 16 * 200 + 1);
        assert_eq!(taken(&mut quotas, peer(1, 2), 1, start), 0, "the key has used its own up");
        assert_eq!(taken(&mut quotas, peer(200, 2), 300, start), 201, "another network has its own");
    }

    #[test]
    fn a_refusal_says_when_to_come_back_and_then_it_is_true() {
        let (mut quotas, start) = (Quotas::new(100), Instant::now());
        taken(&mut quotas, peer(1, 1), 1_000, start);
        let refusal = quotas.take(peer(1, 1), (Kind::Order, 1), start).unwrap_err();
        assert_eq!((refusal.code, refusal.is_retryable), (RefusalCode::Quota, true));
        assert_eq!(refusal.message, "this key may send 100 orders in a second, and has sent more");
        assert_eq!(refusal.hint, "send it again in 11 ms, and less at once");
        assert_eq!(taken(&mut quotas, peer(1, 1), 9, start + Duration::from_millis(11)), 1);
    }

    #[test]
    fn a_bank_without_quotas_takes_any_number() {
        assert_eq!(taken(&mut Quotas::new(0), peer(1, 1), 100_000, Instant::now()), 100_000);
    }

    #[test]
    fn what_was_used_up_is_forgotten_when_it_is_full_again() {
        let (mut buckets, start) = (Buckets::new(1_000), Instant::now());
        (0..MAX_BUCKETS).for_each(|who| buckets.take(who, 1, start));
        buckets.take(MAX_BUCKETS, 1, start + Duration::from_secs(1));
        assert_eq!(buckets.full_at.len(), 1);
    }
}
