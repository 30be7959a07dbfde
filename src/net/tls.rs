//! The channel: TLS 1.3 only, a certificate from both sides, and the certificate's key is who somebody is.
//!
//! There is no authority, no name and no expiry: a certificate is a wrapping for an Ed25519 public key, and the
//! handshake's signature proves that the other side has the secret half. Sessions are not resumed, so that each
//! connection proves it anew.

use proto::{KeyPair, PublicKey};
use rcgen::{CertificateParams, DistinguishedName, PublicKeyData, SerialNumber};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ParsedCertificate};
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName as Authority, Error,
    PeerMisbehaved, ServerConfig, SignatureAlgorithm, SignatureScheme,
};
use std::sync::Arc;

/// The application protocol inside: HTTP/2, which carries gRPC.
const ALPN: &[u8] = b"h2";
/// An Ed25519 `SubjectPublicKeyInfo` up to the key's 32 bytes (RFC 8410, section 4).
const ED25519_SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// What a node needs to open and to accept channels.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    provider: Arc<CryptoProvider>,
    own: Arc<SingleCertAndKey>,
}

impl Channel {
    /// The channels of whoever owns `keys`.
    pub(super) fn new(keys: &KeyPair) -> Result<Self, rcgen::Error> {
        let certificate = certificate(keys)?;
        let certified = CertifiedKey::new(vec![certificate.der().clone()], Arc::new(OwnKey::new(keys)));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Ok(Self { provider, own: Arc::new(SingleCertAndKey::from(certified)) })
    }

    /// The channels of a thief who shows somebody else's certificate.
    #[cfg(test)]
    pub(super) fn with_certificate_of(thief: &KeyPair, victim: &KeyPair) -> Self {
        let shown = certificate(victim).unwrap();
        let certified = CertifiedKey::new(vec![shown.der().clone()], Arc::new(OwnKey::new(thief)));
        Self { own: Arc::new(SingleCertAndKey::from(certified)), ..Self::new(thief).unwrap() }
    }

    /// The accepting side; any Ed25519 key is let in, and [`peer_key`] tells which it was.
    pub(super) fn server(&self) -> Result<ServerConfig, Error> {
        let verifier = Arc::new(Verifier { expected: None, provider: Arc::clone(&self.provider) });
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::clone(&self.own) as _);
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }

    /// The dialling side; with `expected`, any other key ends the handshake.
    pub(super) fn client(&self, expected: Option<PublicKey>) -> Result<ClientConfig, Error> {
        let verifier = Arc::new(Verifier { expected, provider: Arc::clone(&self.provider) });
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_cert_resolver(Arc::clone(&self.own) as _);
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = rustls::client::Resumption::disabled();
        Ok(config)
    }
}

/// A certificate that says nothing but the key.
fn certificate(keys: &KeyPair) -> Result<rcgen::Certificate, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.serial_number = Some(SerialNumber::from(1_u64));
    params.self_signed(&OwnKey::new(keys))
}

/// Who is at the other end of a finished handshake.
pub(super) fn peer_key(state: &rustls::CommonState) -> Result<PublicKey, Error> {
    match state.peer_certificates() {
        Some([certificate]) => certificate_key(certificate),
        Some([]) | None => Err(Error::NoCertificatesPresented),
        Some(_) => Err(CertificateError::BadEncoding.into()),
    }
}

/// The Ed25519 key of a certificate.
fn certificate_key(certificate: &CertificateDer<'_>) -> Result<PublicKey, Error> {
    let spki = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
    let key = spki.strip_prefix(&ED25519_SPKI).and_then(|key| <[u8; 32]>::try_from(key).ok());
    key.map(PublicKey).ok_or_else(|| CertificateError::BadEncoding.into())
}

/// Checks that a certificate is one Ed25519 key, and the expected one.
#[derive(Debug)]
struct Verifier {
    expected: Option<PublicKey>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn check(&self, certificate: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Result<(), Error> {
        if !others.is_empty() {
            return Err(CertificateError::UnknownIssuer.into());
        }
        let key = certificate_key(certificate)?;
        match self.expected {
            Some(expected) if expected != key => Err(Error::General(format!("the key there is {key:#}"))),
            _ => Ok(()),
        }
    }

    fn check_signature(
        &self,
        text: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if signature.scheme != SignatureScheme::ED25519 {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        verify_tls13_signature(text, certificate, signature, &self.provider.signature_verification_algorithms)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(certificate, others).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _text: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only TLS 1.3 is spoken".into()))
    }

    fn verify_tls13_signature(
        &self,
        text: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(text, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[Authority] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(certificate, others).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _text: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only TLS 1.3 is spoken".into()))
    }

    fn verify_tls13_signature(
        &self,
        text: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_signature(text, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

/// The node's key in the forms that the certificate and the handshake ask for.
#[derive(Clone, Debug)]
struct OwnKey {
    keys: KeyPair,
    public: PublicKey,
}

impl OwnKey {
    fn new(keys: &KeyPair) -> Self {
        Self { keys: keys.clone(), public: keys.public() }
    }
}

impl PublicKeyData for OwnKey {
    fn der_bytes(&self) -> &[u8] {
        &self.public.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

impl rcgen::SigningKey for OwnKey {
    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.keys.sign(text).0.to_vec())
    }
}

impl SigningKey for OwnKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SignatureScheme::ED25519).then(|| Box::new(self.clone()) as _)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl Signer for OwnKey {
    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.keys.sign(text).0.to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}
