//! Every pricing rule from outside: what holds, and for what does not, the example that shows it.

#[cfg(test)]
mod batch;
#[cfg(test)]
mod first_price;
#[cfg(test)]
mod k_double;
#[cfg(test)]
mod max_min;
#[cfg(test)]
mod mcafee;
#[cfg(test)]
mod posted;
#[cfg(test)]
mod uniform;
#[cfg(test)]
mod vcg;

#[cfg(test)]
use market::pricing::double::{Bid, Exchange};

#[cfg(test)]
fn asks(rates: &[u64]) -> Vec<market::pricing::Ask<usize>> {
    let ask = |(who, rate): (usize, &u64)| market::pricing::Ask {
        rate: proto::Rate(*rate),
        lot: proto::Hash([u8::try_from(who).unwrap(); 32]),
        who,
    };
    rates.iter().enumerate().map(ask).collect()
}

/// What is reported when `who` reports something else than the truth.
#[cfg(test)]
fn with(truth: &[u64], who: usize, report: u64) -> Vec<u64> {
    let mut reports = truth.to_vec();
    reports[who] = report;
    reports
}

/// What `seller` gains when it wins at `price` and loses otherwise.
#[cfg(test)]
fn gain(wins: bool, price: proto::Rate, cost: u64) -> i128 {
    if wins { i128::from(price.0) - i128::from(cost) } else { 0 }
}

#[cfg(test)]
fn bids(rates: &[u64]) -> Vec<Bid<usize>> {
    asks(rates).into_iter().map(|ask| Bid { rate: ask.rate, lot: ask.lot, who: ask.who }).collect()
}

/// What buyer `who` gains whose unit is worth `value` to it.
#[cfg(test)]
fn buyer_gain(exchange: &Option<Exchange<usize, usize>>, who: usize, value: u64) -> i128 {
    let trade = exchange.as_ref().filter(|exchange| exchange.buyers.contains(&who));
    trade.map_or(0, |exchange| i128::from(value) - i128::from(exchange.pays.0))
}

/// What seller `who` gains whose unit costs it `cost`.
#[cfg(test)]
fn seller_gain(exchange: &Option<Exchange<usize, usize>>, who: usize, cost: u64) -> i128 {
    let trade = exchange.as_ref().filter(|exchange| exchange.sellers.contains(&who));
    trade.map_or(0, |exchange| i128::from(exchange.gets.0) - i128::from(cost))
}

/// Whether nobody loses, both sides are as many, and the buyers pay at least what the sellers get.
#[cfg(test)]
fn fits(exchange: &Exchange<usize, usize>, values: &[u64], costs: &[u64]) -> bool {
    exchange.buyers.len() == exchange.sellers.len()
        && !exchange.buyers.is_empty()
        && exchange.buyers.iter().all(|who| values[*who] >= exchange.pays.0)
        && exchange.sellers.iter().all(|who| costs[*who] <= exchange.gets.0)
        && exchange.pays >= exchange.gets
}

/// How many trades lose nothing, and what they are worth together.
#[cfg(test)]
fn worth(values: &[u64], costs: &[u64]) -> (u64, u64) {
    let (mut values, mut costs) = (values.to_vec(), costs.to_vec());
    values.sort_unstable_by(|one, other| other.cmp(one));
    costs.sort_unstable();
    let gains = values.iter().zip(&costs).map_while(|(value, cost)| value.checked_sub(*cost));
    gains.fold((0, 0), |(trades, sum), gain| (trades + 1, sum + gain))
}
