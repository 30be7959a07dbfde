//! What the bank keeps of a command's content: enough to know it again, and to say how another one differs.

use proto::message::bank::{BankCommand, Order, Payment};
use proto::wire::Wire;
use proto::{Money, PublicKey, Signed};

/// What a command is known by. Two are the same when all of it is the same: whoever finds two contents with the same
/// digest still cannot pass one amount off as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// The first half of BLAKE3(signer ‖ content).
    pub(crate) digest: [u8; 16],
    /// What it is mostly about.
    pub(crate) gist: Gist,
}

/// A command in three figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gist {
    /// Which order it is.
    pub(crate) kind: Kind,
    /// All that it moves, where its order names an amount.
    pub(crate) amount: Money,
    /// The first bytes of the key or the hold that it names (of several the first): as many as are shown.
    pub(crate) party: [u8; 4],
}

/// Which order a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    OpenAccount = 1,
    PlaceHold,
    ReleaseHold,
    Settle,
    Transfer,
    Grant,
    Freeze,
    AcceptHold,
    Claim,
    Dispute,
    Judge,
}

impl Fingerprint {
    /// That of a command.
    pub(crate) fn of(command: &Signed<BankCommand>) -> Self {
        Self::of_content(command, &command.body.encode())
    }

    /// That of a command whose content has this encoding.
    pub(crate) fn of_content(command: &Signed<BankCommand>, content: &[u8]) -> Self {
        let digest = digest(command.signer, content);
        Self { digest, gist: Gist::of(&command.body.order) }
    }

    /// How `other`, which has the same id, differs from this one.
    pub(crate) fn difference(&self, other: &Self) -> String {
        let (then, now) = (self.gist, other.gist);
        if then.kind != now.kind {
            return format!("it was {} then and is {} now", then.kind.name(), now.kind.name());
        }
        if then.amount != now.amount {
            return format!("the amount was {} credits then and is {} now", then.amount, now.amount);
        }
        let (party, rest) = then.kind.parts();
        if then.party == now.party {
            return format!("{rest} differ");
        }
        let shown = |bytes: [u8; 4]| format!("{:08x}", u32::from_be_bytes(bytes));
        format!("the {party} was {} then and is {} now", shown(then.party), shown(now.party))
    }
}

/// The first half of BLAKE3(signer ‖ content), the content being the encoding of the command without signature.
pub(crate) fn digest(signer: PublicKey, content: &[u8]) -> [u8; 16] {
    let mut digest = [0; 16];
    blake3::Hasher::new().update(&signer.0).update(content).finalize_xof().fill(&mut digest);
    digest
}

impl Gist {
    /// That of a transfer.
    pub(crate) fn of_payments(payments: &[Payment]) -> Self {
        let sum = payments.iter().fold(0_u64, |sum, payment| sum.saturating_add(payment.amount.0));
        let party = payments.first().map_or([0; 4], |payment| first(&payment.to.0));
        Self { kind: Kind::Transfer, amount: Money(sum), party }
    }

    fn of(order: &Order) -> Self {
        let hold = |kind, hold: proto::ContractId| (kind, Money::ZERO, first(&hold.0));
        let (kind, amount, party) = match order {
            Order::OpenAccount(_) => (Kind::OpenAccount, Money::ZERO, [0; 4]),
            Order::PlaceHold(order) => (Kind::PlaceHold, order.amount, first(&order.seller.0)),
            Order::ReleaseHold(order) => hold(Kind::ReleaseHold, order.hold),
            Order::Settle(order) => hold(Kind::Settle, order.hold),
            Order::Transfer(order) => return Self::of_payments(&order.payments),
            Order::Grant(order) => (Kind::Grant, order.amount, first(&order.to.0)),
            Order::Freeze(order) => (Kind::Freeze, Money::ZERO, first(&order.account.0)),
            Order::AcceptHold(order) => hold(Kind::AcceptHold, order.hold),
            Order::Claim(order) => hold(Kind::Claim, order.hold),
            Order::Dispute(order) => hold(Kind::Dispute, order.hold),
            Order::Judge(order) => hold(Kind::Judge, order.hold),
        };
        Self { kind, amount, party }
    }
}

/// The first four bytes of a key or an id.
pub(crate) fn first<const N: usize>(bytes: &[u8; N]) -> [u8; 4] {
    bytes.first_chunk::<4>().copied().unwrap_or_default()
}

impl Kind {
    /// All kinds.
    pub(crate) const ALL: [Self; 11] = [
        Self::OpenAccount,
        Self::PlaceHold,
        Self::ReleaseHold,
        Self::Settle,
        Self::Transfer,
        Self::Grant,
        Self::Freeze,
        Self::AcceptHold,
        Self::Claim,
        Self::Dispute,
        Self::Judge,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::OpenAccount => "the opening of an account",
            Self::PlaceHold => "the placing of a hold",
            Self::ReleaseHold => "the release of a hold",
            Self::Settle => "a settlement",
            Self::Transfer => "a transfer",
            Self::Grant => "a grant",
            Self::Freeze => "a freezing",
            Self::AcceptHold => "the acceptance of a contract",
            Self::Claim => "a claim",
            Self::Dispute => "a dispute",
            Self::Judge => "a judgement",
        }
    }

    /// Whom an order of this kind names, and what else it says.
    const fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::PlaceHold => ("seller", "the ticket or the time"),
            Self::Transfer => ("payee", "the memo or single payments"),
            Self::Grant | Self::Freeze => ("account", "the reason or the direction"),
            Self::OpenAccount => ("account", "the invitation or the proof of work"),
            Self::ReleaseHold
            | Self::Settle
            | Self::AcceptHold
            | Self::Claim
            | Self::Dispute
            | Self::Judge => ("hold", "the papers"),
        }
    }
}
