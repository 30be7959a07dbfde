//! Who is let in.

use super::*;
use crate::net::dial::Dialler;
use crate::net::link::WINDOW;
use crate::net::rpc::node_client::NodeClient;
use crate::net::tls::Channel;
use proto::wire::Wire as _;
use proto::wire::v1::{self, frame};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::Code;

#[tokio::test]
async fn the_first_contact_tells_the_key() {
    let (one, two) = (Node::start(1).await, Node::start(2).await);
    assert_eq!(one.net.identify(two.peer.addr).await.unwrap(), two.peer.key);
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = one.net.identify(nobody).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("no connection to {nobody}: ")), "{error}");
}

#[tokio::test]
async fn a_peer_with_another_key_is_unreachable() {
    let (mut one, mut two) = (Node::start(1).await, Node::start(2).await);
    let expected = Peer::new(two.peer.addr, 0, KeyPair::from_secret([3; 32]).public());
    one.net.send(expected, message(1));
    assert_eq!(one.next().await, Event::Unreachable { peer: expected });
    let error = one.net.inner.dialler.connect(two.peer.addr, expected.key, WINDOW).await.err().unwrap();
    assert!(error.to_string().contains(&format!("the key there is {:#}", two.peer.key)), "{error}");
    two.expect_nothing();
}

#[tokio::test]
async fn plain_text_is_refused() {
    let mut node = Node::start(1).await;
    let mut socket = TcpStream::connect(node.peer.addr).await.unwrap();
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut answer = Vec::new();
    // Cut, with at most a TLS alert before.
    let _cut = timeout(LONG, socket.read_to_end(&mut answer)).await.expect("an end").is_err();
    assert!(answer.is_empty() || answer[0] == 0x15, "{answer:?}");
    node.expect_nothing();
}

/// Believes everybody; for clients that misbehave.
#[derive(Debug)]
struct Credulous;

impl rustls::client::danger::ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("only TLS 1.3".into()))
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

/// What a client with this configuration reads after the handshake.
async fn read_as(config: ClientConfig, node: &Node) -> std::io::Result<usize> {
    let socket = TcpStream::connect(node.peer.addr).await?;
    let mut stream = TlsConnector::from(Arc::new(config)).connect(node.peer.addr.ip().into(), socket).await?;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await?;
    timeout(LONG, stream.read(&mut [0; 64])).await.expect("an answer or an end")
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    let node = Node::start(1).await;
    let builder = || {
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Credulous))
    };
    let error = read_as(builder().with_no_client_auth(), &node).await.unwrap_err();
    assert!(error.to_string().contains("CertificateRequired"), "{error}");
    let with_key = Channel::new(&KeyPair::from_secret([2; 32])).unwrap().client(None).unwrap();
    assert!(read_as(with_key, &node).await.unwrap() > 0, "the same client with a certificate is answered");
}

#[tokio::test]
async fn a_certificate_with_a_stolen_key_is_refused() {
    let (thief, victim) = (KeyPair::from_secret([2; 32]), KeyPair::from_secret([3; 32]));
    let node = Node::start(1).await;
    let stolen = Channel::with_certificate_of(&thief, &victim).client(Some(node.peer.key)).unwrap();
    let error = read_as(stolen, &node).await.unwrap_err();
    assert!(error.to_string().contains("DecryptError"), "{error}");
}

/// A client that says on the wire whatever it likes.
async fn client(node: &Node, seed: u8) -> NodeClient<crate::net::dial::Sender> {
    let channel = Channel::new(&KeyPair::from_secret([seed; 32])).unwrap();
    let dialler = Dialler { channel, source: None };
    let (client, driver) = dialler.connect(node.peer.addr, node.peer.key, WINDOW).await.unwrap();
    tokio::spawn(driver);
    client
}

fn hello(peer: Peer, version: u32) -> v1::Frame {
    let hello = v1::Hello { sender: Some(peer.to_pb()), version, is_client: false };
    v1::Frame { body: Some(frame::Body::Hello(hello)) }
}

fn me(seed: u8) -> Peer {
    Peer::new("127.0.0.1:1".parse().unwrap(), 0, KeyPair::from_secret([seed; 32]).public())
}

/// The first frames from the client of key 2; its stream is refused with these words.
async fn check_refused(frames: Vec<v1::Frame>, words: &str) {
    let mut node = Node::start(1).await;
    let mut client = client(&node, 2).await;
    let status = client.exchange(tokio_stream::iter(frames)).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, words));
    node.expect_nothing();
}

#[tokio::test]
async fn a_stream_without_a_proper_greeting_is_refused() {
    let (claimed, real) = (me(3).key, me(2).key);
    let words = format!("it claims the key {claimed:#}, the channel's is {real:#}");
    check_refused(vec![hello(me(3), VERSION)], &words).await;
    check_refused(vec![hello(me(2), 7)], "it speaks version 7 of the protocol, this node 1").await;
    let frame = v1::Frame { body: Some(frame::Body::Message(message(1).to_pb())) };
    check_refused(vec![frame], "it did not greet first").await;
    check_refused(vec![], "it did not greet first").await;
}

#[tokio::test]
async fn a_malformed_message_ends_the_connection_and_nothing_else() {
    let mut node = Node::start(1).await;
    let mut client = client(&node, 2).await;
    let empty = v1::Frame { body: Some(frame::Body::Message(v1::Message { body: None })) };
    let good = v1::Frame { body: Some(frame::Body::Message(message(1).to_pb())) };
    let frames = tokio_stream::iter([hello(me(2), VERSION), good.clone(), empty, good]);
    let frames = tokio_stream::StreamExt::chain(frames, tokio_stream::pending());
    let cut = tokio::spawn(async move {
        let mut inbound = client.exchange(frames).await?.into_inner();
        while inbound.message().await?.is_some() {}
        Ok::<_, tonic::Status>(())
    });
    assert_eq!(node.next().await, received(me(2), 1));
    assert_eq!(node.next().await, Event::Unreachable { peer: me(2) });
    let end = timeout(LONG, cut).await.expect("an end").unwrap();
    assert!(end.is_err(), "it does not look like an orderly end");
    let other = Node::start(3).await;
    other.net.send(node.peer, message(5));
    assert_eq!(node.next().await, received(other.peer, 5));
}
