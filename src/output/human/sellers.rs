//! What a node has seen of sellers, for people.

use super::{Align, Colour, Look, Table};
use crate::control::SellerView;

/// A table of them, the best first.
pub(in crate::output) fn sellers(sellers: &[SellerView], look: Look) -> String {
    if sellers.is_empty() {
        return "nothing is known of any seller yet; results that are compared (`Redundancy`) tell\n".into();
    }
    let (left, right) = (Align::Left, Align::Right);
    let mut table = Table::new(&[
        ("seller", left),
        ("right", right),
        ("in a row", right),
        ("wrong", right),
        ("failed", right),
        ("late", right),
        ("last", left),
        ("so it is", left),
    ]);
    for seller in sellers {
        let cells = [
            seller.seller.clone(),
            seller.agreed.to_string(),
            seller.in_row.to_string(),
            seller.wrong.to_string(),
            seller.failed.to_string(),
            seller.late.to_string(),
            seller.changed.clone(),
            seller.word.clone(),
        ];
        table.row(cells, if seller.wrong > 0 { Colour::Red } else { Colour::Plain });
    }
    table.render(look.width, look.has_colour)
}
