//! A world of complete nodes of any size: `cargo bench -p sim --bench nodes -- NODES BUYERS SUB_TASKS [THREADS]`. With a
//! fourth number it is W2 with so many nodes for 1,000 s, on so many threads.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a measurement to be read")]

use sim::nodes::Nodes;
use sim::ring::Yardstick;
use std::time::Instant;

fn main() {
    let given: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let began = Instant::now();
    match *given.as_slice() {
        [nodes, _, _, threads] => {
            let plan = Yardstick {
                threads: u8::try_from(threads).unwrap_or(1),
                ..Yardstick::new(u32::try_from(nodes).unwrap_or(1))
            };
            let counts = plan.run(&mut |_, _| {});
            println!("{nodes} nodes: {} messages, trace {:x}", counts.messages, counts.trace);
        }
        [nodes, buyers, sub_tasks] => whole(&Nodes::new(nodes, buyers, sub_tasks)),
        _ => whole(&Nodes::new(100, 2, 200)),
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    println!("{:.1} s, {peak}", began.elapsed().as_secs_f64());
}

fn whole(plan: &Nodes) {
    let (began, mut shown) = (Instant::now(), 0);
    let outcome = plan.run(1, &mut |ended, all| {
        let seconds = began.elapsed().as_secs();
        if seconds >= shown + 10 {
            shown = seconds;
            eprintln!("{seconds} s: {ended} of {all} sub-tasks have ended");
        }
    });
    match outcome {
        Ok(report) => println!("{report}"),
        Err(violation) => println!("{violation}"),
    }
}
