//! `Deadline`: by when a sub-task has to have ended (paper §V, the requirement of timeliness).

use proto::{Span, Time};

/// By when a sub-task has to have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// So long after the task was submitted, more than 0.
    In(Span),
    /// At a moment: whole seconds since the Unix epoch.
    At(u64),
}

impl Deadline {
    /// The moment, for a task submitted at `submitted`; on a clock that counts from the Unix epoch.
    #[must_use]
    pub const fn moment(self, submitted: Time) -> Time {
        match self {
            Self::In(span) => submitted.after(span),
            Self::At(seconds) => Time(0).after(Span::secs(seconds)),
        }
    }
}
