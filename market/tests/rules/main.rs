//! Every pricing rule from outside: what holds, and for what does not, the example that shows it.

#[cfg(test)]
mod first_price;
#[cfg(test)]
mod max_min;
#[cfg(test)]
mod posted;
#[cfg(test)]
mod uniform;
#[cfg(test)]
mod vcg;

#[cfg(test)]
fn asks(rates: &[u64]) -> Vec<market::pricing::Ask<usize>> {
    let ask = |(who, rate): (usize, &u64)| market::pricing::Ask {
        rate: proto::Rate(*rate),
        lot: proto::Hash([u8::try_from(who).unwrap(); 32]),
        who,
    };
    rates.iter().enumerate().map(ask).collect()
}

/// What `seller` gains when it wins at `price` and loses otherwise.
#[cfg(test)]
fn gain(wins: bool, price: proto::Rate, cost: u64) -> i128 {
    if wins { i128::from(price.0) - i128::from(cost) } else { 0 }
}
