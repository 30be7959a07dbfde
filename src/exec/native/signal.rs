//! Signals by their names.

use proto::message::service::{Limits, Outcome};
use rustix::process::Signal;

/// The signals that end programs, with what they mean.
const NAMES: [(Signal, &str, &str); 12] = [
    (Signal::SEGV, "SIGSEGV", "memory that is not its own"),
    (Signal::ABORT, "SIGABRT", "it gave up"),
    (Signal::BUS, "SIGBUS", "memory that is not there"),
    (Signal::FPE, "SIGFPE", "arithmetic without a result"),
    (Signal::ILL, "SIGILL", "an instruction that this processor does not have"),
    (Signal::KILL, "SIGKILL", "killed"),
    (Signal::TERM, "SIGTERM", "told to end"),
    (Signal::INT, "SIGINT", "interrupted"),
    (Signal::PIPE, "SIGPIPE", "nobody reads what it writes"),
    (Signal::SYS, "SIGSYS", "a system call that does not exist here"),
    (Signal::TRAP, "SIGTRAP", "a breakpoint"),
    (Signal::HUP, "SIGHUP", "its terminal is gone"),
];

/// What it means that a signal ended a program.
pub(super) fn outcome(signal: i32, limits: &Limits) -> Outcome {
    if signal == Signal::XFSZ.as_raw() {
        return Outcome::DiskLimit(limits.disk);
    }
    if signal == Signal::XCPU.as_raw() {
        return Outcome::CycleLimit(limits.cycles);
    }
    let known = NAMES.iter().find(|(known, ..)| known.as_raw() == signal);
    Outcome::Trapped(match known {
        Some((_, name, what)) => format!("ended by {name} ({what})"),
        None => format!("ended by signal {signal}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{Bytes, Cycles, Span};

    #[test]
    fn a_signal_is_named_or_is_a_limit() {
        let limits = Limits {
            wall: Span(1),
            memory: Bytes(2),
            disk: Bytes(3),
            output: Bytes(4),
            cycles: Cycles(5),
            processes: 6,
            cores: 1,
        };
        for (signal, expected) in [
            (11, Outcome::Trapped("ended by SIGSEGV (memory that is not its own)".into())),
            (9, Outcome::Trapped("ended by SIGKILL (killed)".into())),
            (25, Outcome::DiskLimit(Bytes(3))),
            (24, Outcome::CycleLimit(Cycles(5))),
            (63, Outcome::Trapped("ended by signal 63".into())),
        ] {
            assert_eq!(outcome(signal, &limits), expected);
        }
    }
}
