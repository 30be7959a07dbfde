//! The max-min payoff rule (CompuP2P paper, IV-B2, Equation 1 and Lemma 1; reference §5.3).
//!
//! The buyer is told the lowest and the highest cost in the market, `a` and `x`, and pays the owner
//! `K·(x − a)/x² + δ` and the seller `a + π`. What the paper leaves bare has units here, see [`Terms`]: with
//! its own constants, money counted in other units would be shared out differently.
//!
//! **What holds** (tests in `tests/rules/max_min.rs`). For an owner that may report anything the variable part is
//! largest at `x = 2a`, where it is `K/(4a)`, and falls with `a`. So on a lattice where the bonus is the
//! smallest unit and a seller refuses what does not exceed its cost, the owner names the true lowest cost
//! (Lemma 1a), the seller gains the bonus (1b), and the buyer pays at most [`most`] (1c), which is finite
//! because costs below [`Terms::floor`] count as the floor.
//!
//! **What does not hold.** A bonus above the smallest unit is shaved by the owner; without a floor its pay
//! diverges as costs approach zero; a seller gains by reporting more than its cost as long as it stays below
//! the next; and to name the second seller costs the owner so little that a small bribe pays for it.

use super::{Ask, Fault, is_before};
use proto::Rate;
use proto::rules::PricingTerms;

/// The constants of the rule, in the units of the rates it is applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// K, the weight of the owner's variable part, in (micro-credits per Gc)².
    ///
    /// The owner's variable part is at most K/(4·lowest). K = 10¹² is the paper's 1 for money in credits.
    pub weight: u128,
    /// π, what the seller gets above the reported cost, in micro-credits per Gc; the paper's 1.
    ///
    /// Lemma 1a holds for a bonus of one micro-credit only.
    pub bonus: Rate,
    /// δ, the owner's fixed part, in micro-credits per Gc.
    pub fixed: Rate,
    /// The least cost the rule reckons with, in micro-credits per Gc; zero counts as one.
    pub floor: Rate,
}

impl Terms {
    /// The paper's constants for money counted in credits, δ = 0, and the finest floor.
    pub const PAPER: Self =
        Self { weight: 1_000_000_000_000, bonus: Rate(1_000_000), fixed: Rate(0), floor: Rate(1) };

    fn floored(&self, cost: Rate) -> Rate {
        cost.max(self.floor).max(Rate(1))
    }
}

impl From<PricingTerms> for Terms {
    fn from(terms: PricingTerms) -> Self {
        let PricingTerms { weight, bonus, fixed, floor, .. } = terms;
        Self { weight: u128::from(weight), bonus, fixed, floor }
    }
}

/// What the owner tells the buyer, in micro-credits per Gc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The lowest marginal cost, MC'₁ of the paper.
    pub lowest: Rate,
    /// The highest marginal cost, MC'_S of the paper.
    pub highest: Rate,
}

/// A sale under this rule, in micro-credits per Gc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sale<T> {
    /// Who sells.
    pub winner: T,
    /// Whose cost is the highest; the winner when it was alone.
    pub dearest: T,
    /// What the seller is paid.
    pub to_seller: Rate,
    /// What the market owner is paid.
    pub to_owner: Rate,
}

/// What the owner is paid for `report`: `K·(x − a)/x² + δ`, in micro-credits per Gc.
///
/// Rounded down once, before the fixed part is added, in favour of the buyer.
///
/// # Errors
/// [`Fault::Disordered`] where the highest cost is below the lowest, [`Fault::Overflow`] where `K·(x − a)`
/// exceeds 128 bits or the pay exceeds a rate.
///
/// Costs of 100, 200 and 300 credits (the paper's example): 200 pays the owner more than 300, and naming the
/// second seller with an invented 400 costs it 0.00125.
/// ```
/// # use market::pricing::max_min::{owner_payoff, Report, Terms};
/// # use proto::Rate;
/// let pay = |lowest: &str, highest: &str| {
///     let report = Report { lowest: lowest.parse().unwrap(), highest: highest.parse().unwrap() };
///     owner_payoff(&Terms::PAPER, report).unwrap().to_string()
/// };
/// assert_eq!(pay("100", "200"), "0.0025");
/// assert_eq!(pay("100", "300"), "0.002222");
/// assert_eq!(pay("200", "400"), "0.00125");
/// assert_eq!(pay("100", "100"), "0");
/// // A cost of 5, shaved to 4.01; a cost of 1, shaved to 0.01.
/// assert_eq!((pay("5", "10"), pay("4.01", "8.02")), ("0.05".into(), "0.062344".into()));
/// assert_eq!((pay("1", "2"), pay("0.01", "0.02")), ("0.25".into(), "25".into()));
/// ```
pub fn owner_payoff(terms: &Terms, report: Report) -> Result<Rate, Fault> {
    if report.highest < report.lowest {
        return Err(Fault::Disordered);
    }
    let lowest = u128::from(terms.floored(report.lowest).0);
    let highest = u128::from(terms.floored(report.highest).0);
    let spread = highest.checked_sub(lowest).ok_or(Fault::Disordered)?;
    let product = terms.weight.checked_mul(spread).ok_or(Fault::Overflow)?;
    let square = highest.checked_mul(highest).ok_or(Fault::Overflow)?;
    add(terms.fixed, product.checked_div(square).ok_or(Fault::Overflow)?)
}

/// What the seller is paid when the owner reports `lowest`: `a + π`, in micro-credits per Gc, exact.
///
/// # Errors
/// [`Fault::Overflow`] where that exceeds a rate.
/// ```
/// # use market::pricing::max_min::{accepts, seller_payoff, Terms};
/// # use proto::Rate;
/// // A cost of 5 is still covered when the owner shaves its report to 4.01.
/// let paid = seller_payoff(&Terms::PAPER, Rate(4_010_000)).unwrap();
/// assert_eq!(paid.to_string(), "5.01");
/// assert!(accepts(Rate(5_000_000), paid) && !accepts(Rate(5_010_000), paid));
/// ```
pub fn seller_payoff(terms: &Terms, lowest: Rate) -> Result<Rate, Fault> {
    add(terms.floored(lowest), u128::from(terms.bonus.0))
}

/// Whether a seller with marginal cost `cost` serves for `paid`: only for more than its cost (proof of Lemma 1a).
#[must_use]
pub fn accepts(cost: Rate, paid: Rate) -> bool {
    paid > cost
}

/// What the buyer pays for `report`, to seller and owner together, in micro-credits per Gc.
///
/// # Errors
/// As [`owner_payoff`] and [`seller_payoff`], and [`Fault::Overflow`] where the sum exceeds a rate.
pub fn buyer_cost(terms: &Terms, report: Report) -> Result<Rate, Fault> {
    let owner = owner_payoff(terms, report)?;
    add(seller_payoff(terms, report.lowest)?, u128::from(owner.0))
}

/// The most a buyer can pay when the lowest report is `lowest`, whatever the highest is (Lemma 1c):
/// `K/(4a) + δ + a + π`, in micro-credits per Gc, the first term rounded down as in [`owner_payoff`].
///
/// # Errors
/// [`Fault::Overflow`] where that exceeds a rate.
/// ```
/// # use market::pricing::max_min::{most, Terms};
/// # use proto::Rate;
/// assert_eq!(most(&Terms::PAPER, Rate(1_000_000)).unwrap().to_string(), "2.25");
/// assert_eq!(most(&Terms::PAPER, Rate(10_000)).unwrap().to_string(), "26.01");
/// let floor = Terms { floor: Rate(1_000_000), ..Terms::PAPER };
/// assert_eq!(most(&floor, Rate(10_000)).unwrap().to_string(), "2.25");
/// ```
pub fn most(terms: &Terms, lowest: Rate) -> Result<Rate, Fault> {
    let quadruple = u128::from(terms.floored(lowest).0) * 4;
    let variable = terms.weight.checked_div(quadruple).ok_or(Fault::Overflow)?;
    let owner = add(terms.fixed, variable)?;
    add(seller_payoff(terms, lowest)?, u128::from(owner.0))
}

/// The sale an honest owner arranges: the lowest ask wins, the highest of those within `bid` is the other report.
///
/// `None` when nobody asks for `bid` or less, or when seller and owner together would cost more than `bid`; then
/// nobody is paid anything. A seller that is alone is both reports, and the owner gets its fixed part only.
///
/// # Errors
/// [`Fault::Overflow`] where a payment exceeds a rate.
/// ```
/// # use market::pricing::{max_min::{clear, Terms}, Ask};
/// # use proto::{Hash, Rate};
/// let ask = |credits: u64, who| Ask { rate: Rate(1_000_000 * credits), lot: Hash::default(), who };
/// let asks = [ask(300, "C"), ask(100, "A"), ask(200, "B")];
/// let sale = clear(&Terms::PAPER, asks, Rate(1_000_000_000)).unwrap().unwrap();
/// assert_eq!((sale.winner, sale.dearest), ("A", "C"));
/// assert_eq!((sale.to_seller, sale.to_owner), (Rate(101_000_000), Rate(2_222)));
/// // A bid that the asks within it, A's alone, exhaust without the bonus.
/// assert_eq!(clear(&Terms::PAPER, asks, Rate(100_000_000)), Ok(None));
/// ```
pub fn clear<T: Copy>(
    terms: &Terms,
    asks: impl IntoIterator<Item = Ask<T>>,
    bid: Rate,
) -> Result<Option<Sale<T>>, Fault> {
    let mut ends: Option<(Ask<T>, Ask<T>)> = None;
    for ask in asks.into_iter().filter(|ask| ask.rate <= bid) {
        let (low, high) = ends.unwrap_or((ask, ask));
        let low = if is_before(&ask, &low) { ask } else { low };
        let high = if is_before(&high, &ask) { ask } else { high };
        ends = Some((low, high));
    }
    let Some((low, high)) = ends else { return Ok(None) };
    let report = Report { lowest: low.rate, highest: high.rate };
    if buyer_cost(terms, report)? > bid {
        return Ok(None);
    }
    Ok(Some(Sale {
        winner: low.who,
        dearest: high.who,
        to_seller: seller_payoff(terms, report.lowest)?,
        to_owner: owner_payoff(terms, report)?,
    }))
}

fn add(rate: Rate, more: u128) -> Result<Rate, Fault> {
    let sum = u128::from(rate.0).checked_add(more).ok_or(Fault::Overflow)?;
    u64::try_from(sum).map(Rate).map_err(|_| Fault::Overflow)
}
