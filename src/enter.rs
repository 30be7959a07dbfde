//! The step into the sandbox as a program of its own: what `compup2p` does behind its hidden command, and nothing else.
//!
//! A native program is started by a start or a copy of this one, which costs what a program weighs: this one is a fiftieth of
//! `compup2p`. It lies beside that; where it is not there, or of another version, `compup2p` starts itself.

#![expect(dead_code, reason = "the rest of what the node uses of these files")]

mod exec {
    pub(crate) mod native {
        pub(crate) mod builder {
            mod frame;
            mod ground;
            pub(crate) mod room;
            pub(crate) mod serve;
        }
        mod confine;
        mod enter;
        mod filter;
        mod launch;
        mod orders;
        mod record;
        mod tree;

        pub(crate) use enter::enter;
        pub(crate) use orders::WORD;
    }
}

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|word| word == exec::native::WORD) {
        return exec::native::enter(args);
    }
    // Nobody calls it by hand, and it has no command to be helped with.
    ExitCode::FAILURE
}
