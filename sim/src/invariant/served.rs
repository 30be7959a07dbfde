//! `served`: a stated share of the sub-tasks succeeds within a stated time, whatever others do meanwhile.

use super::{Breach, Checked};
use crate::scenario::Served;
use proto::{Span, Time};
use service::End;
use service::event::Verdict;

/// Looks at the `ends` of `ordered` sub-tasks that were submitted `since`.
pub(crate) fn check<'a>(
    served: &Served,
    ends: impl Iterator<Item = &'a End>,
    ordered: usize,
    (since, now): (Time, Time),
) -> Checked {
    let Served { per_mille, within } = *served;
    let elapsed: Span = now.since(since);
    if elapsed < within {
        return Ok(());
    }
    let in_time = |end: &&End| end.verdict == Verdict::Succeeded && end.elapsed <= within;
    let count = ends.filter(in_time).count();
    Breach::unless(count * 1_000 >= ordered * usize::from(per_mille), "served", || {
        format!(
            "{count} of {ordered} sub-tasks have succeeded within {within}; it has to be {per_mille} in a thousand"
        )
    })
}
