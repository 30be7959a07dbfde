//! What a new account costs who opens it: the founder's rules, and the proof of work that they may ask for.

use crate::key::PublicKey;

/// Under which conditions an account gets the initial grant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// How many accounts one ip address (one /64 network of IPv6) may open within a day; 0 for any number.
    pub per_address: u32,
    /// How many zero bits the proof of work begins with; 0 for none.
    pub work_bits: u32,
    /// Whether an invitation of the operator is needed.
    pub is_by_invitation: bool,
}

impl Admission {
    /// Everybody gets an account.
    pub const OPEN: Self = Self { per_address: 0, work_bits: 0, is_by_invitation: false };
    /// A public network: sixteen accounts a day behind an address (as many as its places in the ring), and
    /// about 2^18 hashes for each, a tenth of a second.
    pub const PUBLIC: Self = Self { per_address: 16, work_bits: 18, is_by_invitation: false };
}

/// The zero bits with which the proof begins that `nonce` is for `account` at `bank`.
#[must_use]
pub fn work(bank: PublicKey, account: PublicKey, nonce: u64) -> u32 {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(b"compup2p/v1/proof-of-work\0")
        .update(&bank.0)
        .update(&account.0)
        .update(&nonce.to_le_bytes());
    let hash = hasher.finalize();
    let zeros = hash.as_bytes().iter().take_while(|byte| **byte == 0).count();
    let rest = hash.as_bytes().get(zeros).map_or(0, |byte| byte.leading_zeros());
    u32::try_from(zeros).unwrap_or(u32::MAX).saturating_mul(8).saturating_add(rest)
}

/// The first nonce from `start` on whose proof begins with `bits` zero bits, among `tries`.
#[must_use]
pub fn find_nonce(bank: PublicKey, account: PublicKey, bits: u32, start: u64, tries: u64) -> Option<u64> {
    (start..start.saturating_add(tries)).find(|nonce| work(bank, account, *nonce) >= bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_found_and_counts_for_one_account_at_one_bank_only() {
        let (bank, account) = (PublicKey([1; 32]), PublicKey([2; 32]));
        let nonce = find_nonce(bank, account, 10, 0, 1 << 16).unwrap();
        assert!(work(bank, account, nonce) >= 10);
        assert_eq!(find_nonce(bank, account, 10, 0, nonce), None);
        assert!(work(account, bank, nonce) < 10 && work(bank, bank, nonce) < 10);
        assert_eq!(find_nonce(bank, account, 0, 7, 1), Some(7));
    }
}
