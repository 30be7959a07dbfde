//! The seal of a saved state: who keeps it cannot read it, and who opens it knows that it is of this program.
//!
//! ```text
//! "c2pstate" version 1 | contract, 16 bytes | number of the state, 4 bytes | total cycles, 8 bytes | ChaCha20-Poly1305
//! ```
//!
//! Everything before the encrypted part is authenticated with it, and so is the hash of the program. The key is the
//! sub-task's own and the nonce is made of contract and number, so that no two states have the same: a contract has one
//! seller, which counts its states.

use proto::message::service::CheckpointKey;
use proto::{ContractId, Cycles, Hash};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

const MAGIC: [u8; 9] = *b"c2pstate\x01";
const CONTRACT: usize = 16;
const HEAD: usize = MAGIC.len() + CONTRACT + 4 + 8;
/// By how much a sealed state is longer than what is in it.
pub(super) const LENGTH: u64 = HEAD as u64 + 16;
/// What goes before contract and number in the hash that the nonce is of.
const NONCE_OF: &[u8] = b"compup2p/v1/state-nonce\0";

/// What stands on a seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) contract: ContractId,
    /// Which state of the contract, from 1.
    pub(super) version: u32,
    /// The cycles that are done in it, from the start of the program.
    pub(super) total: Cycles,
}

impl Seal {
    /// Seals `plain`.
    pub(super) fn close(self, key: &CheckpointKey, program: Hash, plain: &[u8]) -> Vec<u8> {
        let head = self.head();
        let mut sealed = plain.to_vec();
        if let Some(cipher) = cipher(key) {
            let tag = cipher.seal_in_place_separate_tag(self.nonce(), aad(&head, program), &mut sealed);
            match tag {
                Ok(tag) => sealed.extend(tag.as_ref()),
                // More than 256 GiB: nothing that could be kept. Without its tag nobody opens it.
                Err(_) => sealed.clear(),
            }
        }
        let mut bytes = head.to_vec();
        bytes.append(&mut sealed);
        bytes
    }

    fn head(self) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        let bytes = MAGIC.into_iter().chain(self.contract.0);
        let bytes = bytes.chain(self.version.to_be_bytes()).chain(self.total.0.to_be_bytes());
        head.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        head
    }

    fn nonce(self) -> Nonce {
        let mut hasher = blake3::Hasher::new();
        hasher.update(NONCE_OF).update(&self.contract.0).update(&self.version.to_be_bytes());
        let mut nonce = [0; NONCE_LEN];
        nonce.iter_mut().zip(hasher.finalize().as_bytes()).for_each(|(to, from)| *to = *from);
        Nonce::assume_unique_for_key(nonce)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (contract, rest) = rest.split_first_chunk::<CONTRACT>()?;
        let (version, rest) = rest.split_first_chunk::<4>()?;
        let total = rest.first_chunk::<8>()?;
        let (version, total) = (u32::from_be_bytes(*version), Cycles(u64::from_be_bytes(*total)));
        Some(Self { contract: proto::CommandId(*contract), version, total })
    }
}

/// Opens a sealed state of `program`: the cycles that are done in it, and the state.
///
/// # Errors
/// In words, why it is none.
pub(super) fn open(
    key: &CheckpointKey,
    program: Hash,
    mut bytes: Vec<u8>,
) -> Result<(Cycles, Vec<u8>), String> {
    let seal = Seal::read(&bytes).ok_or("it is no saved state")?;
    let mut sealed = bytes.split_off(HEAD);
    let cipher = cipher(key).ok_or("its key is none")?;
    let opened = cipher.open_in_place(seal.nonce(), aad(&seal.head(), program), &mut sealed);
    let length = opened.map(|plain| plain.len());
    let length =
        length.map_err(|_| "it was sealed with another key or for another program, or was changed")?;
    sealed.truncate(length);
    Ok((seal.total, sealed))
}

fn cipher(key: &CheckpointKey) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, &key.0).ok().map(LessSafeKey::new)
}

fn aad(head: &[u8], program: Hash) -> Aad<Vec<u8>> {
    let mut text = head.to_vec();
    text.extend(program.0);
    Aad::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: CheckpointKey = CheckpointKey([3; 32]);
    const PROGRAM: Hash = Hash([4; 32]);
    const SEAL: Seal = Seal { contract: proto::CommandId([1; 16]), version: 2, total: Cycles(77) };

    #[test]
    fn what_is_sealed_is_opened_with_its_key_for_its_program_and_unchanged() {
        let plain = b"the state of a program".to_vec();
        let sealed = SEAL.close(&KEY, PROGRAM, &plain);
        assert!(sealed.windows(5).all(|part| part != b"state" || sealed.starts_with(b"c2pstate")));
        assert!(!sealed.windows(9).any(|part| part == b"a program"));
        assert_eq!(sealed.len() as u64, plain.len() as u64 + LENGTH);
        assert_eq!(open(&KEY, PROGRAM, sealed.clone()), Ok((Cycles(77), plain)));
        let other = "it was sealed with another key or for another program, or was changed";
        assert_eq!(open(&CheckpointKey([5; 32]), PROGRAM, sealed.clone()), Err(other.into()));
        assert_eq!(open(&KEY, Hash([5; 32]), sealed.clone()), Err(other.into()));
        for place in MAGIC.len()..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(open(&KEY, PROGRAM, changed), Err(other.into()), "byte {place}");
        }
        for length in 0..HEAD {
            assert_eq!(open(&KEY, PROGRAM, sealed[..length].to_vec()), Err("it is no saved state".into()));
        }
    }

    #[test]
    fn two_states_of_one_contract_look_different() {
        let plain = vec![0; 64];
        let next = Seal { version: 3, ..SEAL };
        let [one, two] = [SEAL, next].map(|seal| seal.close(&KEY, PROGRAM, &plain).split_off(HEAD));
        assert_ne!(one, two);
    }
}
