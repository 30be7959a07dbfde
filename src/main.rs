//! compup2p.
fn main() {}
