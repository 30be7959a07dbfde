//! The periods and lengths that a node of the ring works with.

use crate::lookup::MAX_PARALLEL;
use proto::Span;

/// The longest successor list.
pub const MAX_SUCCESSORS: usize = 1_024;

/// How a node keeps its place in the ring. All members of a ring use the same [`Config::successors`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Length `r` of the successor list; from 1 to [`MAX_SUCCESSORS`]. The ring survives `r - 1` neighbours that fail at once.
    pub successors: usize,
    /// Mean time between two stabilize steps; each wait is drawn from half to one and a half of it (ToN V-E).
    pub stabilize_every: Span,
    /// Mean time between two refreshed fingers, drawn likewise. One call refreshes one finger (ToN IV-E).
    pub fix_fingers_every: Span,
    /// After how much silence the predecessor is asked whether it lives.
    pub check_predecessor_every: Span,
    /// After how much silence a node that was asked counts as dead.
    pub request_timeout: Span,
    /// How often a question is put, at equal distances within `request_timeout`; at least 1.
    pub request_tries: u32,
    /// How long the answer of a node that said "busy" is waited for. After that the step is given up, but
    /// nobody counts as dead.
    pub busy_wait: Span,
    /// Whether a lookup ends only when the node that answers for the key has itself answered. Costs a round trip,
    /// and saves the wrong and dead owners that a predecessor names while nodes come and go.
    pub confirm: bool,
    /// Whether a node answers lookups of its own keys by itself. The papers' simulator asks its predecessor, like for
    /// any other key; only their figures need that.
    pub own_keys: bool,
    /// How lookups find their way.
    pub routing: Routing,
    /// When a lookup gives up.
    pub lookup_timeout: Span,
    /// How many rounds through its contacts a join makes before it fails.
    pub join_rounds: u32,
    /// The pause after the first of these rounds; it doubles with each.
    pub join_backoff: Span,
}

/// How lookups find their way. None of it decides who answers for a key, only how fast that is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routing {
    /// Who goes from node to node.
    pub style: Style,
    /// How many nodes an iterative lookup asks at a time (α); from 1 to [`crate::MAX_PARALLEL`].
    pub parallel: usize,
    /// How long a lookup waits for one node before it asks another as well.
    pub patience: Patience,
    /// For a finger a lookup goes to the nearest, by round-trip time, of the finger and of so many nodes that follow it
    /// (proximity neighbour selection; ToN VI, Table IV); 0: to the finger, whatever its distance.
    pub proximity: usize,
    /// How many nodes that have answered are remembered, with their arcs where those are known; 0: none. They say whom
    /// a lookup asks first.
    pub cache: usize,
    /// The largest ring of which a node knows every member; 0: none. Members tell each other of every change, and a
    /// lookup asks the owner and its predecessor at once. A larger ring is looked up by fingers.
    pub view: usize,
}

/// Who goes from node to node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// The asker (ToN V-A).
    Iterative,
    /// The question: each node passes it on, and the last one answers the asker (ToN VI).
    Recursive,
}

/// How long a lookup waits for one node before it asks another as well. Nobody counts as dead for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Until the node counts as dead.
    Fixed,
    /// As long as its former answers make likely: their mean and four mean deviations (RFC 6298).
    Adaptive,
}

impl Routing {
    /// The protocol of the paper: iterative, one node at a time, no memory.
    pub const PLAIN: Self = Self {
        style: Style::Iterative,
        parallel: 1,
        patience: Patience::Fixed,
        proximity: 0,
        cache: 0,
        view: 0,
    };

    /// What the measurements favour (`docs/ring.md`).
    pub const DEFAULT: Self =
        Self { patience: Patience::Adaptive, cache: 1_024, view: 10_000, ..Self::PLAIN };

    /// α, within its bounds.
    pub(crate) fn parallel(&self) -> usize {
        self.parallel.clamp(1, MAX_PARALLEL)
    }

    /// Whether anything is learned from what others say and how fast they say it.
    pub(crate) fn learns(&self) -> bool {
        self.patience == Patience::Adaptive || self.proximity > 0 || self.cache > 0 || self.view > 0
    }
}

impl Config {
    /// For nodes on one machine or in one local network.
    pub const LOCAL: Self = Self {
        successors: 8,
        stabilize_every: Span::millis(250),
        fix_fingers_every: Span::millis(250),
        check_predecessor_every: Span::millis(750),
        request_timeout: Span::secs(1),
        request_tries: 3,
        busy_wait: Span::secs(2),
        confirm: true,
        own_keys: true,
        routing: Routing::DEFAULT,
        lookup_timeout: Span::secs(10),
        join_rounds: 4,
        join_backoff: Span::millis(250),
    };

    /// For nodes across the internet.
    pub const PUBLIC: Self = Self {
        successors: 8,
        stabilize_every: Span::secs(5),
        fix_fingers_every: Span::secs(5),
        check_predecessor_every: Span::secs(15),
        request_timeout: Span::secs(3),
        request_tries: 3,
        busy_wait: Span::secs(6),
        confirm: true,
        own_keys: true,
        routing: Routing::DEFAULT,
        lookup_timeout: Span::secs(30),
        join_rounds: 5,
        join_backoff: Span::secs(1),
    };

    /// `r`, from 1 to [`MAX_SUCCESSORS`].
    pub(crate) fn list_length(&self) -> usize {
        self.successors.clamp(1, MAX_SUCCESSORS)
    }

    /// The wait between two tries of one question; never zero, so that deadlines always lie ahead.
    pub(crate) fn try_every(&self) -> Span {
        Span((self.request_timeout.0 / u64::from(self.request_tries.max(1))).max(1))
    }
}
