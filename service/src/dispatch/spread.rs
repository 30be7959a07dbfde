//! The rule `spread`: the replicas of one sub-task are executed by sellers of different owners and networks, so that one
//! owner of many keys cannot outvote others with its own machines.
//!
//! Two sellers are *near* if they have one key, or if their addresses are of one network: the first 24 bits of an IPv4
//! address, the first 48 of an IPv6 address, which is what one site gets (RFC 6177 §2). Addresses that mean nothing
//! outside of a site say less: in a private network two sellers are near if they have one address, and on the loopback
//! interface if they have one address and port, so that many nodes of a test on one machine can work for each other.

use proto::Peer;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The bits of an IPv4 address that name a network.
const V4_BITS: u32 = 24;
/// The bits of an IPv6 address that name a site.
const V6_BITS: u32 = 48;

/// Whether two sellers may be of one owner or one network.
pub(super) fn are_near(one: &Peer, other: &Peer) -> bool {
    if one.key == other.key {
        return true;
    }
    let (a, b) = (one.addr.ip().to_canonical(), other.addr.ip().to_canonical());
    match (a, b) {
        _ if a.is_loopback() || b.is_loopback() => a == b && one.addr.port() == other.addr.port(),
        _ if is_private(a) || is_private(b) => a == b,
        (IpAddr::V4(a), IpAddr::V4(b)) => a.to_bits() >> (32 - V4_BITS) == b.to_bits() >> (32 - V4_BITS),
        (IpAddr::V6(a), IpAddr::V6(b)) => a.to_bits() >> (128 - V6_BITS) == b.to_bits() >> (128 - V6_BITS),
        _ => false,
    }
}

/// Whether an address means something inside of one site only.
const fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local() || is_shared(address),
        IpAddr::V6(address) => is_local(address),
    }
}

/// 100.64.0.0/10, between a provider and its customers (RFC 6598).
const fn is_shared(address: Ipv4Addr) -> bool {
    address.to_bits() >> 22 == (100 << 2) | 1
}

/// fc00::/7 and fe80::/10 (RFC 4193, RFC 4291).
const fn is_local(address: Ipv6Addr) -> bool {
    address.is_unique_local() || address.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::KeyPair;

    fn check(one: &str, other: &str, expected: bool) {
        let peer =
            |address: &str, n| Peer::new(address.parse().unwrap(), 0, KeyPair::from_secret([n; 32]).public());
        let (a, b) = (peer(one, 1), peer(other, 2));
        assert_eq!((are_near(&a, &b), are_near(&b, &a)), (expected, expected), "{one} {other}");
        assert!(are_near(&a, &peer(other, 1)), "one key is one owner, wherever it is");
    }

    #[test]
    fn sellers_of_one_network_are_near() {
        check("203.0.113.1:7740", "203.0.113.200:7740", true);
        check("203.0.113.1:7740", "203.0.112.1:7740", false);
        check("[2001:db8:1:2::1]:1", "[2001:db8:1:ffff::1]:1", true);
        check("[2001:db8:1:2::1]:1", "[2001:db8:2:2::1]:1", false);
        check("[::ffff:203.0.113.1]:1", "203.0.113.9:2", true);
        check("203.0.113.1:1", "[2001:db8::1]:1", false);
    }

    #[test]
    fn inside_of_a_site_only_the_address_counts() {
        check("10.0.0.1:1", "10.0.0.2:1", false);
        check("10.0.0.1:1", "10.0.0.1:2", true);
        check("192.168.1.7:1", "192.168.1.8:1", false);
        check("100.64.0.1:1", "100.64.0.2:1", false);
        check("100.128.0.1:1", "100.128.0.2:1", true);
        check("[fd00::1]:1", "[fd00::2]:1", false);
        check("[fe80::1]:1", "[fe80::1]:2", true);
        check("127.0.0.1:1", "127.0.0.1:2", false);
        check("127.0.0.1:1", "127.0.0.1:1", true);
        check("127.0.0.1:1", "203.0.113.1:1", false);
    }
}
