//! Files that are read, and what they mean.

use super::*;

/// Reads `text` and compares with the default policy after `change`.
fn check(text: &str, change: impl FnOnce(&mut Policy)) {
    let mut expected = Policy::default();
    change(&mut expected);
    assert_eq!(parse(text, "p"), Ok(expected), "{text}");
}

#[test]
fn an_empty_file_is_the_default_policy() {
    for text in
        ["", "\u{feff}", "# nothing\r\n", "version = 1", "[cpu]\n[share]", "cpu = {}", "schedule = []"]
    {
        check(text, |_| {});
    }
}

#[test]
fn every_key_sets_its_field() {
    let key = "0123456789abcdef".repeat(4);
    let other = "FF".repeat(32);
    let text = format!(
        "version = 1\n[share]\ncompute = false\n[market]\nmarginal_cost = 1.5\nmin_price = 2\n\
         [cpu]\nmax_cores = 3\nmax_cores_pct = 80\nmax_other_load_pct = 0\nassume_idle = true\n\
         [memory]\nmax_pct = 1\n[disk]\nmax_size = '5GB'\n\
         [limits]\nmax_run_time = '1d 2h'\nmax_memory = '1Gi'\nmax_output = 4096\nsandbox = 'required'\n\
         [network]\nlisten = '[::1]:0'\n\
         [access]\ndeny_nodes = ['{key}']\nallow_nodes = ['{other}', '{key}']\ndeny_ips = ['10.0.0.0/8', '::1']\n\
         [[schedule]]\ndays = ['fri-mon', 'mon', 'wed']\nhours = ['18:00-24:00', '00:05-07:59']\n[[schedule]]\n",
    );
    let key = PublicKey::from_hex(&key).unwrap();
    check(&text, |policy| {
        *policy = Policy {
            share_compute: false,
            fixed_cost: Some(Rate(1_500_000)),
            min_price: Rate(2_000_000),
            max_cores: Some(3),
            max_cores_pct: 80,
            max_other_load_pct: 0,
            assume_idle: true,
            memory_max_pct: 1,
            disk_max_size: Bytes(5_000_000_000),
            max_run_time: Span::secs(26 * 3600),
            max_memory: Bytes::gib(1),
            max_output: Bytes(4096),
            sandbox: Sandbox::Required,
            listen: "[::1]:0".parse().unwrap(),
            deny_nodes: vec![key],
            allow_nodes: vec![PublicKey([255; 32]), key],
            deny_ips: vec![Subnet::parse("10.0.0.0/8").unwrap(), Subnet::parse("::1").unwrap()],
            schedule: vec![
                Opening {
                    kind: Kind::Compute,
                    days: [Weekday::Mon, Weekday::Wed, Weekday::Fri, Weekday::Sat, Weekday::Sun].into(),
                    hours: vec![Hours { start: 1080, end: 1440 }, Hours { start: 5, end: 479 }],
                },
                Opening::default(),
            ],
            ..Policy::default()
        };
    });
}

#[test]
fn prices_are_exact_in_every_form() {
    let table = [
        ("0.2", 200_000),
        ("+0.2", 200_000),
        ("'0.2'", 200_000),
        ("0.000001", 1),
        ("0.100000", 100_000),
        ("3", 3_000_000),
        ("0x10", 16_000_000),
        ("1_000.000_001", 1_000_000_001),
        ("9007199254.740993", 9_007_199_254_740_993),
        ("18446744073709.551615", u64::MAX),
        ("\"18446744073709.551615\"", u64::MAX),
    ];
    for (text, micro) in table {
        check(&format!("market.marginal_cost = {text}"), |policy| policy.fixed_cost = Some(Rate(micro)));
        check(&format!("market.min_price = {text}"), |policy| policy.min_price = Rate(micro));
    }
    check("market.min_price = 0", |policy| policy.min_price = Rate(0));
    check("market.min_price = 0.0", |policy| policy.min_price = Rate(0));
}

#[test]
fn sizes_have_the_units_of_the_task_file() {
    let table = [
        ("1", 1),
        ("'4096'", 4096),
        ("'4096B'", 4096),
        ("'64k'", 64_000),
        ("'64 KB'", 64_000),
        ("'64KiB'", 65_536),
        ("'1.5GB'", 1_500_000_000),
        ("'2Ti'", 2 << 40),
        ("'1.9999'", 1),
        ("'1048576TiB'", 1 << 60),
    ];
    for (text, bytes) in table {
        check(&format!("disk.max_size = {text}"), |policy| policy.disk_max_size = Bytes(bytes));
    }
}

#[test]
fn durations_have_the_units_of_the_task_file() {
    let table = [
        ("90", Span::secs(90)),
        ("'90'", Span::secs(90)),
        ("1.5", Span::millis(1_500)),
        ("'5m'", Span::secs(300)),
        ("'1h30m'", Span::secs(5_400)),
        ("'1h 30 m'", Span::secs(5_400)),
        ("'1 d 2 h 3 m 4 s 5 ms'", Span::millis(93_784_005)),
        ("'0.001ms'", Span(1)),
        ("'36500d'", Span::secs(36_500 * 86_400)),
    ];
    for (text, span) in table {
        check(&format!("limits.max_run_time = {text}"), |policy| policy.max_run_time = span);
    }
}
