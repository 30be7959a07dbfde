//! Who decides a dispute: somebody that neither of the two has chosen.

use crate::bootstrap::Registry;
use crate::deal::{Deal, Disputed, is_neutral};
use crate::ledger::Ledger;
use proto::{Hash, PublicKey};

/// How many members of the ring a draw looks at, from a place on that the draw itself has chosen.
pub const MAX_CANDIDATES: usize = 1_024;

/// The arbiter that the next draw for `deal` gives, of the members of the ring that are there now; none if nobody is fit.
///
/// Fit is who has an account, is neither buyer, seller nor market owner, was not asked before, and is at another ip
/// address than buyer and seller. Who was paid as a seller before goes first: a fresh key costs nothing. The number that
/// chooses is BLAKE3(chain of the record of the dispute ‖ hold ‖ number of tries), which nobody knows before.
pub(crate) fn draw(ledger: &Ledger, registry: &Registry, deal: &Deal) -> Option<PublicKey> {
    let dispute = deal.dispute()?;
    let number = number(deal, dispute);
    let ips = [deal.hold.buyer, deal.hold.seller].map(|key| registry.find(key).map(|peer| peer.addr.ip()));
    let fit = registry
        .members_from(number, MAX_CANDIDATES)
        .filter(|peer| !ips.contains(&Some(peer.addr.ip())))
        .map(|peer| peer.key)
        .filter(|key| is_neutral(&deal.hold, dispute, *key) && ledger.accounts.find(*key).is_some());
    let (mut proven, other): (Vec<PublicKey>, Vec<PublicKey>) =
        fit.partition(|key| ledger.standings.was_paid(*key));
    if proven.is_empty() {
        proven = other;
    }
    proven.sort_unstable();
    let index = number.checked_rem(u64::try_from(proven.len()).ok()?)?;
    proven.get(usize::try_from(index).ok()?).copied()
}

/// A number that nobody knows before the dispute stands in the journal.
fn number(deal: &Deal, dispute: &Disputed) -> u64 {
    let mut text = Vec::from(dispute.seed.0);
    text.extend(deal.hold.id.0);
    text.extend(u64::try_from(dispute.named.len()).unwrap_or(u64::MAX).to_le_bytes());
    let [a, b, c, d, e, f, g, h, ..] = Hash::of(&text).0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
