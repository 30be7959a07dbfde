//! Every "no" has a code, a sentence that a person understands, and a hint.

use std::fmt;

/// A refusal, as it is sent and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which "no" it is.
    pub code: RefusalCode,
    /// One sentence with the figures that matter.
    pub message: String,
    /// What to do about it; may be empty.
    pub hint: String,
    /// Whether the same request may succeed later.
    pub is_retryable: bool,
}

macro_rules! refusal_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal $retryable:literal,)*) => {
        /// The code of a refusal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RefusalCode { $($(#[$doc])* $name,)* }

        impl RefusalCode {
            /// All codes, by number.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The number on the wire.
            #[must_use]
            pub const fn number(self) -> u32 { match self { $(Self::$name => $number,)* } }

            /// The code with this number.
            #[must_use]
            pub const fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// The name in JSON and logs.
            #[must_use]
            pub const fn name(self) -> &'static str { match self { $(Self::$name => $text,)* } }

            /// Whether the same request may succeed later.
            #[must_use]
            pub const fn is_retryable(self) -> bool { match self { $(Self::$name => $retryable,)* } }
        }
    };
}

refusal_codes! {
    /// The request contradicts itself or the protocol.
    Malformed = 1 "malformed" false,
    /// A signature, a key or an address does not belong to whoever uses it.
    NotYours = 2 "not_yours" false,
    /// The account has less available money than asked for.
    NotEnoughMoney = 3 "not_enough_money" true,
    /// There is no such account.
    NoAccount = 4 "no_account" false,
    /// There is no such hold.
    NoHold = 5 "no_hold" false,
    /// The hold has been settled.
    HoldClosed = 6 "hold_closed" false,
    /// The id was used before for something else.
    IdReused = 7 "id_reused" false,
    /// Too much at once.
    Busy = 8 "busy" true,
    /// The node does not answer for this key or market.
    NotResponsible = 9 "not_responsible" true,
    /// The signed paper has run out.
    Expired = 10 "expired" true,
    /// The seller's policy does not allow it.
    Policy = 11 "policy" false,
    /// What was offered is no longer there.
    SoldOut = 12 "sold_out" true,
    /// A program or an input could not be fetched or has another hash.
    NotFetched = 13 "not_fetched" true,
    /// The program is of a kind that is not run here.
    NotRunnable = 14 "not_runnable" false,
    /// The node is leaving.
    Leaving = 15 "leaving" true,
    /// All places behind this address are taken.
    NoSlot = 16 "no_slot" false,
    /// An amount is zero or beyond what can be counted.
    BadAmount = 17 "bad_amount" false,
    /// The papers do not fit each other.
    Mismatch = 18 "mismatch" false,
    /// A number was rounded out of the ledger's range; the ledger stays as it was.
    Overflow = 19 "overflow" false,
    /// The hold was released or has expired: its money is back with the buyer.
    HoldReturned = 20 "hold_returned" false,
    /// The operator has frozen the account: it may not spend.
    Frozen = 21 "frozen" true,
    /// The network's rules ask for an invitation or a proof of work, and what was sent is none.
    NotAdmitted = 22 "not_admitted" false,
    /// More than one may ask for in this time, or have at once.
    Quota = 23 "quota" true,
    /// The contract is not in the state for it.
    WrongState = 24 "wrong_state" false,
    /// The bank cannot write at the moment; nothing is lost.
    DiskFull = 25 "disk_full" true,
}

impl Refusal {
    /// A refusal with its code's own retryability.
    #[must_use]
    pub fn new(code: RefusalCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: hint.into(), is_retryable: code.is_retryable() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_back() {
        for code in RefusalCode::ALL {
            assert_eq!(RefusalCode::from_number(code.number()), Some(*code));
        }
        assert_eq!(RefusalCode::from_number(0), None);
    }
}
