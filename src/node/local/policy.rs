//! Policies of the nodes of a local network.

/// The policy of node `number` (from 1): native programs too, since who buys here is who owns it; always idle, on a free port of this machine, one core for sale, at
/// 0.10 + 0.05 · `number` credits per Gc, so that asks differ and somebody wins.
pub(super) fn text(number: u16) -> String {
    let hundredths = 10 + 5 * u32::from(number);
    format!(
        "# A node of a local network.\nversion = 1\n\n\
         [share]\nnative = true\n\n\
         [market]\nmarginal_cost = {}.{:02}\n\n\
         [cpu]\nassume_idle = true\nmax_cores = 1\n\n\
         [network]\nlisten = \"127.0.0.1:0\"\n",
        hundredths / 100,
        hundredths % 100
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_differ_from_node_to_node() {
        for (number, micro) in [(1, 150_000), (2, 200_000), (18, 1_000_000), (64, 3_300_000)] {
            let policy = service::policy::parse(&text(number), "policy.toml").unwrap();
            assert_eq!(policy.fixed_cost, Some(proto::Rate(micro)), "{number}");
            assert!(policy.assume_idle && policy.listen.ip().is_loopback() && policy.listen.port() == 0);
            assert_eq!(policy.max_cores, Some(1));
        }
    }
}
