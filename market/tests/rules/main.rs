//! Every pricing rule from outside: what holds, and for what does not, the example that shows it.

#[cfg(test)]
mod max_min;

#[cfg(test)]
fn asks(rates: &[u64]) -> Vec<market::pricing::Ask<usize>> {
    let ask = |(who, rate): (usize, &u64)| market::pricing::Ask {
        rate: proto::Rate(*rate),
        lot: proto::Hash([u8::try_from(who).unwrap(); 32]),
        who,
    };
    rates.iter().enumerate().map(ask).collect()
}
