//! Randomness of the operating system: seeds and ids come from here, and nowhere else.

use crate::control::Failure;

/// `N` bytes that nobody can guess.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Failure::from_display("random"))?;
    Ok(bytes)
}
