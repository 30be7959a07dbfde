//! `draw`: nobody chooses who decides a dispute. The arbiter follows from the chain of the record of the dispute, which
//! nobody knows before, and from who is there; it is worked out here a second time (`docs/bank/deals.md`, the draw).

use super::docket::{Docket, Entry};
use crate::invariant::{Breach, Checked};
use proto::{ContractId, Hash, Peer, PublicKey};
use std::collections::BTreeSet;

/// Whether the arbiter that was named last for `contract` is the one that the draw gives among `members`.
pub(super) fn check(docket: &Docket, contract: ContractId, members: &[Peer]) -> Checked {
    let Some(entry) = docket.open.get(&contract) else { return Ok(()) };
    let drawn = draw(docket, contract, entry, members);
    Breach::unless(drawn == entry.named.last().copied(), "draw", || {
        format!("contract {contract} has arbiter {:?}, the draw gives {drawn:?}", entry.named.last())
    })
}

fn draw(docket: &Docket, contract: ContractId, entry: &Entry, members: &[Peer]) -> Option<PublicKey> {
    let before = entry.named.split_last().map_or(&[][..], |(_, before)| before);
    let owner = entry.bill.map(|bill| bill.owner);
    let parties = [entry.buyer, entry.seller];
    let homes: BTreeSet<_> =
        members.iter().filter(|peer| parties.contains(&peer.key)).map(|peer| peer.addr.ip()).collect();
    let is_fit = |peer: &&Peer| {
        let is_party = parties.contains(&peer.key) || owner == Some(peer.key);
        !is_party
            && !before.contains(&peer.key)
            && !homes.contains(&peer.addr.ip())
            && docket.has_account(peer.key)
    };
    let mut fit: Vec<PublicKey> = members.iter().filter(is_fit).map(|peer| peer.key).collect();
    if fit.iter().any(|key| docket.was_paid(*key)) {
        fit.retain(|key| docket.was_paid(*key));
    }
    fit.sort_unstable();
    let mut text = Vec::from(entry.seed.0);
    text.extend(contract.0);
    text.extend(u64::try_from(before.len()).unwrap_or(0).to_le_bytes());
    let [a, b, c, d, e, f, g, h, ..] = Hash::of(&text).0;
    let index = u64::from_le_bytes([a, b, c, d, e, f, g, h]).checked_rem(u64::try_from(fit.len()).ok()?)?;
    fit.get(usize::try_from(index).ok()?).copied()
}
