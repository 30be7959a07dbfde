//! Ed25519 keys and signatures. A public key is a node's account at the bank and its name in contracts.

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use std::fmt;

/// An Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// An Ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(pub [u8; 64]);

/// A secret key with its public half. Its debug form does not show the secret.
#[derive(Clone)]
pub struct KeyPair {
    secret: SigningKey,
    public: PublicKey,
}

impl KeyPair {
    /// The pair that belongs to 32 secret bytes.
    #[must_use]
    pub fn from_secret(secret: [u8; 32]) -> Self {
        let secret = SigningKey::from_bytes(&secret);
        let public = PublicKey(secret.verifying_key().to_bytes());
        Self { secret, public }
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// The 32 secret bytes, to be kept in a file of mode 0600.
    #[must_use]
    pub fn secret(&self) -> [u8; 32] {
        self.secret.to_bytes()
    }

    /// Signs `text`; the same text gives the same signature.
    #[must_use]
    pub fn sign(&self, text: &[u8]) -> Signature {
        Signature(self.secret.sign(text).to_bytes())
    }
}

impl PublicKey {
    /// Whether `signature` is this key's over `text` (strict rules: no weak keys, one encoding).
    #[must_use]
    pub fn is_signer_of(&self, text: &[u8], signature: &Signature) -> bool {
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| {
            key.verify_strict(text, &ed25519_dalek::Signature::from_bytes(&signature.0)).is_ok()
        })
    }

    /// Whether there can be a secret half: the bytes are a point of the curve, and not one of the few of small order, with
    /// which nobody can sign (RFC 8032 §5.1.7, and `is_signer_of`).
    #[must_use]
    pub fn is_usable(&self) -> bool {
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| !key.is_weak())
    }

    /// The key as 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        crate::id::hex(&self.0)
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        crate::id::unhex(text).map(Self)
    }
}

impl fmt::Display for PublicKey {
    /// The first eight digits, enough to tell nodes apart in a table; `{:#}` shows all.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.to_hex();
        if out.alternate() { out.pad(&all) } else { out.pad(all.get(..8).unwrap_or(&all)) }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "PublicKey({self})")
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = self.0.get(..4).unwrap_or(&[]);
        write!(out, "Signature({}…)", crate::id::hex(head))
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "KeyPair({})", self.public)
    }
}
