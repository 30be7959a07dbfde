//! How long a seller may take to fetch program and inputs: as long as their size asks for.

use crate::plan::HOLD_MARGIN;
use proto::Span;
use proto::message::service::Job;

/// How long a seller may take to fetch program and inputs, besides the time for their size.
const LEAST: Span = Span::secs(300);
/// Bytes a second below which fetching is given up, on both sides: who trickles must not hold a contract for ever.
pub const SLOWEST_STAGING: u64 = 64 << 10;

/// How long a seller may take to fetch what a job needs.
pub(super) fn within(job: &Job) -> Span {
    LEAST.plus(for_size(job))
}

/// How long the money for a job stays set aside: for staging, for the program, and for what comes after it.
pub(super) fn hold_for(job: &Job) -> Span {
    job.limits.wall.plus(HOLD_MARGIN).plus(for_size(job)).min(bank::MAX_HOLD)
}

/// What the slowest line that is waited for takes.
fn for_size(job: &Job) -> Span {
    let size = job.contents().iter().fold(0_u64, |sum, blob| sum.saturating_add(blob.size.0));
    Span::secs(size / SLOWEST_STAGING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::message::service::{Blob, NamedBlob};
    use proto::{Bytes, Hash};

    /// A job with a program of `program` bytes, which is its input too, and another input, may take so many seconds.
    #[track_caller]
    fn check(program: u64, input: u64, wall: Span, expected: (u64, Span)) {
        let blob = |digit: u8, size: u64| Blob { hash: Hash([digit; 32]), size: Bytes(size) };
        let named = |blob: Blob| NamedBlob { name: format!("{}", blob.size.0), blob };
        let mut job = crate::worker::tests::job(1);
        job.program = blob(1, program);
        job.inputs = vec![named(job.program), named(blob(2, input))];
        job.limits.wall = wall;
        assert_eq!((within(&job), hold_for(&job)), (Span::secs(expected.0), expected.1));
    }

    #[test]
    fn staging_may_take_as_long_as_its_size_and_the_money_waits_for_it() {
        check(1_000, 1_000, Span::secs(60), (300, Span::secs(660)));
        check(1 << 20, 64 << 20, Span::secs(60), (1_340, Span::secs(1_700)));
        check(1_000, u64::MAX, Span::secs(60), (300 + (u64::MAX / (64 << 10)), bank::MAX_HOLD));
        check(1_000, 64 << 20, bank::MAX_HOLD, (1_324, bank::MAX_HOLD));
    }
}
