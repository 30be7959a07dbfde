//! The table of legal transitions: who may do what in which state, until when, and what happens in silence.
//!
//! Every order of a deal is held against it, so what is not here is refused; `docs/bank/deals.md` prints it with who gets what.

use proto::message::bank::How;

/// How far a contract has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The buyer's money is set aside.
    Held,
    /// The seller has put its bond up.
    Accepted,
    /// The seller has shown its report; the buyer has not taken the outputs.
    Delivered,
    /// The seller has shown its report and that the buyer has taken the outputs.
    Claimed,
    /// The buyer has objected, and nobody is named yet who decides.
    Disputed,
    /// An arbiter executes the work again.
    Appointed,
}

/// Who moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mover {
    /// Who pays.
    Buyer,
    /// Who is to be paid.
    Seller,
    /// One of the two, with the other's word.
    Either,
    /// Who is named.
    Arbiter,
    /// The bank, when a time is over.
    Bank,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    /// `AcceptHold`: a bond is put up, where the network's rules ask for one.
    Accept,
    /// `Claim` with a report that is not taken.
    Deliver,
    /// `Claim` with the buyer's word that it takes the outputs of a success.
    Claim,
    /// `Settle` with the report and the buyer's verdict.
    Settle,
    /// `ReleaseHold` with the seller's word.
    Release,
    /// `Dispute` with the offer and the costs of a second execution.
    Dispute,
    /// The bank draws an arbiter.
    Name,
    /// `Judge`: the same came out, or the buyer did not supply the work.
    Confirm,
    /// `Judge`: something else came out.
    Refute,
    /// Nothing, until the time of the state is over.
    Silence,
}

/// Until when it may be done; at that moment it is too late, and the silence begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Until {
    /// The end of the hold.
    HoldEnds,
    /// As long after the claim as the rules' `dispute`.
    ObjectionEnds,
    /// [`super::ARBITER_WAIT`] after the dispute.
    Found,
    /// As long after the naming as the rules' `dispute`.
    Answered,
}

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Next {
    /// It goes on.
    State(State),
    /// It ends.
    End(How),
}

/// A legal transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// In which state.
    pub state: State,
    /// Who.
    pub mover: Mover,
    /// Does what.
    pub deed: Deed,
    /// Until when.
    pub until: Until,
    /// And then.
    pub next: Next,
}

/// All legal transitions (DESIGN §5.4, 6 and 7; `reference/ledger.md` §3). In silence a named arbiter is followed by the
/// next one, at most [`super::MAX_ARBITERS`] in all; then, or if nobody is left, it is the row of silence.
pub const TABLE: [Row; 29] = {
    use Deed::{Accept, Claim, Confirm, Deliver, Dispute, Name, Refute, Release, Settle, Silence};
    use How::{Expired, Lapsed, NoShow, Overturned, Released, Settled, Undecided, Upheld};
    use Mover::{Arbiter, Bank, Buyer, Either, Seller};
    use State::{Accepted, Appointed, Claimed, Delivered, Disputed, Held};
    use Until::{Answered, Found, HoldEnds, ObjectionEnds};
    [
        goes(Held, Seller, Accept, HoldEnds, Accepted),
        goes(Held, Seller, Deliver, HoldEnds, Delivered),
        goes(Held, Seller, Claim, HoldEnds, Claimed),
        ends(Held, Either, Settle, HoldEnds, Settled),
        ends(Held, Either, Release, HoldEnds, Released),
        ends(Held, Bank, Silence, HoldEnds, Expired),
        goes(Accepted, Seller, Deliver, HoldEnds, Delivered),
        goes(Accepted, Seller, Claim, HoldEnds, Claimed),
        ends(Accepted, Either, Settle, HoldEnds, Settled),
        ends(Accepted, Either, Release, HoldEnds, Released),
        ends(Accepted, Bank, Silence, HoldEnds, NoShow),
        goes(Delivered, Seller, Claim, HoldEnds, Claimed),
        ends(Delivered, Either, Settle, HoldEnds, Settled),
        ends(Delivered, Either, Release, HoldEnds, Released),
        ends(Delivered, Bank, Silence, HoldEnds, Expired),
        goes(Claimed, Buyer, Dispute, ObjectionEnds, Disputed),
        ends(Claimed, Either, Settle, ObjectionEnds, Settled),
        ends(Claimed, Either, Release, ObjectionEnds, Released),
        ends(Claimed, Bank, Silence, ObjectionEnds, Lapsed),
        goes(Disputed, Bank, Name, Found, Appointed),
        ends(Disputed, Either, Settle, Found, Settled),
        ends(Disputed, Either, Release, Found, Released),
        ends(Disputed, Bank, Silence, Found, Undecided),
        ends(Appointed, Arbiter, Confirm, Answered, Upheld),
        ends(Appointed, Arbiter, Refute, Answered, Overturned),
        goes(Appointed, Bank, Name, Answered, Appointed),
        ends(Appointed, Either, Settle, Answered, Settled),
        ends(Appointed, Either, Release, Answered, Released),
        ends(Appointed, Bank, Silence, Answered, Undecided),
    ]
};

impl State {
    /// Whether the table allows `deed` in this state.
    #[must_use]
    pub fn allows(self, deed: Deed) -> bool {
        TABLE.iter().any(|row| (row.state, row.deed) == (self, deed))
    }

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Claimed => "claimed",
            Self::Disputed => "disputed",
            Self::Appointed => "before an arbiter",
        }
    }
}

const fn goes(state: State, mover: Mover, deed: Deed, until: Until, next: State) -> Row {
    Row { state, mover, deed, until, next: Next::State(next) }
}

const fn ends(state: State, mover: Mover, deed: Deed, until: Until, how: How) -> Row {
    Row { state, mover, deed, until, next: Next::End(how) }
}
