//! Whoever does not speak TLS 1.3 with a certificate of their own gets nothing from a node or a bank.

use super::books::Books;
use super::network::Network;
use super::work::Slow;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, Stream};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// How long a server may keep a stranger waiting.
const PATIENCE: Duration = Duration::from_secs(10);
/// The connection preface of HTTP/2 with empty settings (RFC 9113, section 3.4).
const HTTP_2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const HTTP_1: &[u8] = b"POST /compup2p.v1.Node/Exchange HTTP/1.1\r\nHost: node\r\nContent-Length: 0\r\n\r\n";
/// The type of a TLS record that says only that the connection ends (RFC 8446, section 5.1), and its length.
const ALERT: u8 = 21;
const ALERT_LENGTH: usize = 7;

#[test]
fn nobody_gets_an_answer_without_tls_and_a_certificate() {
    let network = Network::start(2);
    let addresses = [network.bank_address(), network.address(0), network.address(1)];
    for address in addresses {
        let garbage: Vec<u8> =
            (0..20_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
        for said in [HTTP_2, HTTP_1, &garbage, &[0x16, 3, 1], b""] {
            check_plain(address, said);
        }
        check_without_certificate(address);
    }
    network.submit(0, &[Slow { name: "slow", count: 1, millions: 1, price: 10 }]);
    let task = network.wait(0, 0);
    Books::when_nothing_is_held(&network, 5).check_payments(0, &task);
}

/// Says `said` without encryption: the answer is at most that the connection ends, and it ends.
#[track_caller]
fn check_plain(address: SocketAddr, said: &[u8]) {
    let mut stream = connect(address);
    // The server may have closed before all was said.
    let _ = stream.write_all(said);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{address} neither answers nor ends the connection: {error}"),
    }
    let is_alert = answer.len() == ALERT_LENGTH && answer[0] == ALERT;
    assert!(answer.is_empty() || is_alert, "{address} answers in plain text: {answer:?}");
}

/// Speaks TLS, and does not say who it is.
#[track_caller]
fn check_without_certificate(address: SocketAddr) {
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let name = ServerName::IpAddress(address.ip().into());
    let mut connection =
        ClientConnection::new(Arc::new(config), name).expect("the configuration is complete");
    let mut stream = connect(address);
    let mut channel = Stream::new(&mut connection, &mut stream);
    // In TLS 1.3 a client is through before the server has looked at its certificate.
    let _ = channel.write_all(HTTP_2);
    let mut answer = Vec::new();
    let error = channel.read_to_end(&mut answer).expect_err("a client without a certificate was let in");
    assert!(answer.is_empty(), "{address} answers a client without a certificate: {answer:?}");
    assert!(error.to_string().contains("CertificateRequired"), "{address}: {error}");
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, PATIENCE).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a deadline can be set");
    stream
}

/// A client that does not care whom it talks to.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
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
        _text: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}
