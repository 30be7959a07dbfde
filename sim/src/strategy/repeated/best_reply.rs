//! The price that earns the most in this round if the others ask what they asked before: undercutting, as in Bertrand's
//! argument (paper, IV-B; reference §5.4).

use super::{Kind, Pricer, Seen};
use crate::dice::Dice;

/// Who undercuts.
pub(super) const KIND: Kind = Kind {
    name: "best-reply",
    about: "the price that earns the most if the others ask what they asked before; the old one where none earns anything",
    parameters: Vec::new,
    is_simultaneous: false,
    pricer: |_, _| Box::new(BestReply),
};

struct BestReply;

impl Pricer for BestReply {
    fn ask(&mut self, seen: &Seen<'_>, _: &mut Dice) -> usize {
        let others = || seen.asked.iter().enumerate().filter(|(who, _)| *who != seen.me).map(|(_, ask)| *ask);
        let mut best = (seen.asked.get(seen.me).copied().unwrap_or(seen.highest), 0.0);
        for price in seen.cost..=seen.highest {
            let cheaper = others().filter(|ask| *ask < price).count();
            let equal = others().filter(|ask| *ask == price).count();
            let earned = (price - seen.cost) as f64 * expected_units(seen, cheaper, equal);
            if earned > best.1 {
                best = (price, earned);
            }
        }
        // Who earns nothing at any price stays, but never below its cost.
        if best.1 > 0.0 { best.0 } else { best.0.max(seen.cost.saturating_add(1)).min(seen.highest) }
    }
}

/// How many units a seller can expect to sell with so many cheaper rivals and so many with the same ask, among whom the
/// lot decides.
fn expected_units(seen: &Seen<'_>, cheaper: usize, equal: usize) -> f64 {
    let Some(capacity) = seen.capacity else {
        return if cheaper > 0 { 0.0 } else { seen.demand as f64 / (equal + 1) as f64 };
    };
    let open = seen.demand.saturating_sub(cheaper.saturating_mul(capacity));
    (open as f64 / (equal + 1) as f64).min(capacity as f64)
}
