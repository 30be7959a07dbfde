//! Programs as they are and as the pass rewrites them, undisturbed and suspended at every poll: the same in the end.

#![cfg(test)]

mod costs;
mod generated;
mod machine;
mod nans;
mod pieces;
mod random;
mod real;
mod refusals;
mod wasi;
