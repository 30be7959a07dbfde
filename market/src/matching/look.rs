//! Looking at the listings that fit without buying.

use super::mark::Sought;
use super::{Books, Row};
use proto::Market;
use proto::message::market::Requirement;

impl Books {
    /// Calls `visit` with every row of `market` that meets `requirement`, whatever it asks, the lowest ask first.
    pub(crate) fn look(&self, market: Market, requirement: &Requirement, mut visit: impl FnMut(&Row)) {
        let names = self.shelf.names();
        let platform = names.wanted(&requirement.os, &requirement.arch, requirement.native);
        let is_same = market.commodity == requirement.commodity;
        if let (Some(book), Some(platform), true) = (self.index.get(&market), platform, is_same) {
            book.visit(&Sought::of(requirement, platform), 0..book.len(), |row| {
                visit(row);
                true
            });
        }
    }
}
