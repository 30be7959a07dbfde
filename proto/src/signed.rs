//! Papers: a body, who signed it, and the signature over its canonical encoding.

use crate::id::Hash;
use crate::key::{KeyPair, PublicKey, Signature};
use crate::wire::{Wire, v1};
use prost::Message as _;

/// What can be signed. The domain keeps a signature from being used for another kind of paper.
pub trait Paper: Wire {
    /// The kind of paper, part of what is signed.
    const DOMAIN: &'static str;
}

/// A signed paper. [`Signed::is_genuine`] has to be asked: a value of this type may be forged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<T> {
    /// What was signed.
    pub body: T,
    /// By whom.
    pub signer: PublicKey,
    /// The signature over domain and canonical encoding.
    pub signature: Signature,
}

impl<T: Paper> Signed<T> {
    /// Signs `body`.
    #[must_use]
    pub fn new(body: T, keys: &KeyPair) -> Self {
        let signature = keys.sign(&text_to_sign(&body));
        Self { body, signer: keys.public(), signature }
    }

    /// Whether the signer signed this body.
    #[must_use]
    pub fn is_genuine(&self) -> bool {
        self.signer.is_signer_of(&text_to_sign(&self.body), &self.signature)
    }

    /// The same for whoever has the body's canonical encoding at hand: a large body need not be encoded again.
    #[must_use]
    pub fn is_genuine_as(&self, encoding: &[u8]) -> bool {
        self.signer.is_signer_of(&domain_and(T::DOMAIN, encoding), &self.signature)
    }

    /// The canonical encoding of the signed paper around that of its body.
    #[must_use]
    pub fn encode_around(&self, encoding: Vec<u8>) -> Vec<u8> {
        let (signer, signature) = (self.signer.0.to_vec(), self.signature.0.to_vec());
        v1::Signed { body: encoding, signer, signature }.encode_to_vec()
    }

    /// Whether `signer` signed this body.
    #[must_use]
    pub fn is_genuine_by(&self, signer: PublicKey) -> bool {
        self.signer == signer && self.is_genuine()
    }

    /// The hash by which other papers refer to this one: of domain and body, so that it does not depend on
    /// the signature's bytes.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::of(&text_to_sign(&self.body))
    }
}

fn text_to_sign<T: Paper>(body: &T) -> Vec<u8> {
    domain_and(T::DOMAIN, &body.encode())
}

fn domain_and(domain: &str, encoding: &[u8]) -> Vec<u8> {
    [b"compup2p/v1/".as_slice(), domain.as_bytes(), &[0], encoding].concat()
}
