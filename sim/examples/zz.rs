use proto::Span;
use sim::ring::{Plan, run};
use std::time::Instant;
fn rss() -> u64 {
    std::fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse::<u64>().unwrap()
        * 4096
}
fn show(name: &str, plan: &Plan) {
    let before = rss();
    let t = Instant::now();
    let m = run(plan, &mut |_, _| {});
    let s = t.elapsed().as_secs_f64();
    println!(
        "{name}: hops {:.3} (p1 {} p50 {} p99 {}) timeouts {:.3} (p99 {}) failed {} wrong {} aband {} begun {} lat {:.1} p50 {:.1} msgs {} ev {} {:.2}s {:.2}M msg/s foot {:.0} B/node rss {:.0} nodes {} joined {} left {} checks {} viol {} strained {} virt {:.0}s {:.1} B/s/node",
        m.hops.mean(),
        m.hops.quantile(1),
        m.hops.quantile(50),
        m.hops.quantile(99),
        m.timeouts.mean(),
        m.timeouts.quantile(99),
        m.failed,
        m.wrong_owner,
        m.abandoned,
        m.begun,
        m.latency_mean(),
        m.latency_quantile(50),
        m.messages,
        m.events,
        s,
        m.messages as f64 / s / 1e6,
        m.footprint as f64 / m.nodes as f64,
        (rss() - before) as f64 / m.nodes as f64,
        m.nodes,
        m.joined,
        m.left,
        m.invariant_checks,
        m.violations,
        m.strained,
        m.lasted.as_secs_f64(),
        m.bytes as f64 / m.lasted.as_secs_f64() / m.nodes as f64
    );
}
fn main() {
    let what = std::env::args().nth(1).unwrap();
    match what.as_str() {
        "fig10" => {
            for k in 3..=14 {
                show(&format!("2^{k}"), &Plan { lookups: 100_000, ..Plan::still(1 << k, 1) });
            }
        }
        "table2" => {
            for p in [0, 100, 200, 300, 400, 500] {
                let mut plan = Plan { lookups: 1000, fail: p, ..Plan::still(1000, 20) };
                plan.config.confirm = false;
                let mut all = run(&plan, &mut |_, _| {});
                for seed in 2..11 {
                    plan.seed = seed;
                    all.merge(&run(&plan, &mut |_, _| {}));
                }
                println!(
                    "p {p} confirm off: {:.3} ({} {}) timeouts {:.3} failed {} wrong {}",
                    all.hops.mean(),
                    all.hops.quantile(1),
                    all.hops.quantile(99),
                    all.timeouts.mean(),
                    all.failed,
                    all.wrong_owner
                );
                plan.config.confirm = true;
                plan.seed = 1;
                let mut all = run(&plan, &mut |_, _| {});
                for seed in 2..11 {
                    plan.seed = seed;
                    all.merge(&run(&plan, &mut |_, _| {}));
                }
                println!(
                    "p {p} confirm on: {:.3} ({} {}) timeouts {:.3} failed {} wrong {}",
                    all.hops.mean(),
                    all.hops.quantile(1),
                    all.hops.quantile(99),
                    all.timeouts.mean(),
                    all.failed,
                    all.wrong_owner
                );
            }
        }
        "table3" => {
            for r in [5, 10, 20, 40] {
                let gap = Span(1_000_000 * 100 / r);
                show(&format!("paper R={}", r as f64 / 100.0), &Plan::churning(Plan::paper(20), gap));
                let mut c = Plan::paper(20);
                c.confirm = true;
                show(&format!("paper+confirm R={}", r as f64 / 100.0), &Plan::churning(c, gap));
                show(&format!("default R={}", r as f64 / 100.0), &Plan::churning(chord::Config::PUBLIC, gap));
            }
        }
        "big" => {
            let n: u32 = std::env::args().nth(2).unwrap().parse().unwrap();
            let mut plan = Plan::churning(chord::Config::PUBLIC, Span(3_600_000_000 / u64::from(n)));
            plan.nodes = n;
            plan.loss = 10;
            plan.warm_up = Span(0);
            plan.lookup_every = Span(10_000_000 / u64::from(n));
            plan.lookups = u64::from(n);
            plan.is_crash = true;
            plan.latency = sim::Latency::Uniform { least: Span::millis(20), most: Span::millis(80) };
            show("big", &plan);
        }
        _ => {}
    }
}
