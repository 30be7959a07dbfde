//! Looking at the listings that fit without buying.

use super::mark::Sought;
use super::{Books, Row};
use proto::Market;
use proto::message::market::Requirement;

impl Books {
    /// Calls `visit` with every row of `market` that meets `requirement`, whatever it asks, the lowest ask first.
    pub(crate) fn look(&self, market: Market, requirement: &Requirement, mut visit: impl FnMut(&Row)) {
        let platform = self.names.wanted(&requirement.os, &requirement.arch, requirement.native);
        if let (Some(book), Some(platform)) = (self.index.get(&market), platform) {
            book.visit(&Sought::of(requirement, platform), None, usize::MAX, |row| {
                visit(row);
                true
            });
        }
    }
}
