//! Who is served.

use super::*;

fn policy(deny_nodes: &[u8], allow_nodes: &[u8], deny_ips: &[&str]) -> Policy {
    let keys = |list: &[u8]| list.iter().map(|byte| PublicKey([*byte; 32])).collect();
    Policy {
        deny_nodes: keys(deny_nodes),
        allow_nodes: keys(allow_nodes),
        deny_ips: deny_ips.iter().map(|text| Subnet::parse(text).unwrap()).collect(),
        ..Policy::default()
    }
}

fn check(policy: &Policy, cases: &[(&str, u8, bool)]) {
    for (ip, key, is_denied) in cases {
        let answer = policy.is_denied(ip.parse().unwrap(), PublicKey([*key; 32]));
        assert_eq!(answer, *is_denied, "{ip} {key}");
    }
}

#[test]
fn everybody_is_served_by_default() {
    check(&Policy::default(), &[("10.0.0.1", 1, false), ("::1", 2, false)]);
}

#[test]
fn denied_nodes_are_not_served_even_when_allowed() {
    check(&policy(&[1], &[], &[]), &[("10.0.0.1", 1, true), ("10.0.0.1", 2, false)]);
    let both = policy(&[1], &[1, 2], &[]);
    check(&both, &[("10.0.0.1", 1, true), ("10.0.0.1", 2, false), ("10.0.0.1", 3, true)]);
}

#[test]
fn denied_networks_are_not_served_even_to_allowed_nodes() {
    check(
        &policy(&[], &[1], &["10.9.0.0/16", "192.0.2.7", "2001:db8::/33"]),
        &[
            ("10.9.255.255", 1, true),
            ("10.8.255.255", 1, false),
            ("::ffff:10.9.0.1", 1, true),
            ("::ffff:10.10.0.1", 1, false),
            ("192.0.2.7", 1, true),
            ("192.0.2.6", 1, false),
            ("2001:db8:7fff::1", 1, true),
            ("2001:db8:8000::1", 1, false),
        ],
    );
    check(&policy(&[], &[], &["0.0.0.0/0"]), &[("203.0.113.9", 1, true), ("::1", 1, false)]);
    check(&policy(&[], &[], &["::/0"]), &[("::1", 1, true), ("203.0.113.9", 1, false)]);
    check(&policy(&[], &[], &["::ffff:10.9.0.0/112"]), &[("10.9.1.1", 1, true), ("10.8.1.1", 1, false)]);
}

#[test]
fn networks_are_read_or_refused() {
    let table = [
        ("10.9.1.2/16", Some("10.9.1.2/16")),
        ("10.9.0.7", Some("10.9.0.7/32")),
        ("::ffff:10.9.0.7", Some("10.9.0.7/32")),
        ("::1", Some("::1/128")),
        ("10.0.0.0/33", None),
        ("::/129", None),
        ("10.0.0.0/", None),
        ("10.0.0.0/+8", None),
        ("10.0.0.0/256", None),
        ("10.0.0.0/8/8", None),
        ("10.0.0", None),
        ("localhost", None),
        ("", None),
    ];
    for (text, expected) in table {
        assert_eq!(Subnet::parse(text).map(|subnet| subnet.to_string()).as_deref(), expected, "{text}");
    }
}
