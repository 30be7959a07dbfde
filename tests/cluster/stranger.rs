//! A client that speaks the channel properly and says inside it whatever it likes.

use hyper::body::{Body, Bytes, Frame};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use proto::wire::Wire as _;
use proto::wire::v1::{self, frame};
use proto::{KeyPair, Peer, PublicKey};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

#[path = "../../src/net/tls.rs"]
#[expect(dead_code, reason = "a stranger only dials")]
mod tls;

/// The methods of the schema, by their paths.
pub(crate) const EXCHANGE: &str = "/compup2p.v1.Node/Exchange";
pub(crate) const FETCH: &str = "/compup2p.v1.Node/Fetch";
pub(crate) const FOLLOW: &str = "/compup2p.v1.Node/Follow";
/// How long a server may take for an answer or to cut the connection.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody with a key of its own.
pub(crate) struct Stranger {
    keys: KeyPair,
    channel: tls::Channel,
}

/// One connection of a stranger.
pub(crate) struct Visit {
    sender: SendRequest<Said>,
}

/// The body of a request: these pieces as they are, and then its end, or nothing more for ever.
pub(crate) struct Said {
    pieces: VecDeque<Bytes>,
    ends: bool,
}

/// How a request ended: with the status that gRPC gives, or cut; and the frames that came before.
#[derive(Debug)]
pub(crate) struct Heard {
    pub status: Option<String>,
    pub message: String,
    pub frames: Vec<v1::Frame>,
}

impl Said {
    pub(crate) fn new(pieces: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { pieces: pieces.into_iter().map(Bytes::from).collect(), ends: true }
    }

    pub(crate) fn and_nothing_more(self) -> Self {
        Self { ends: false, ..self }
    }
}

impl Body for Said {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.pieces.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None if self.ends => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl Stranger {
    pub(crate) fn new(seed: u8) -> Self {
        let keys = KeyPair::from_secret([seed; 32]);
        let channel = tls::Channel::new(&keys).expect("a certificate");
        Self { keys, channel }
    }

    pub(crate) fn key(&self) -> PublicKey {
        self.keys.public()
    }

    /// The greeting of somebody with this key who claims to be at `address` and `slot`.
    pub(crate) fn hello(&self, address: SocketAddr, slot: u16) -> v1::Frame {
        let sender = Some(Peer::new(address, slot, self.keys.public()).to_pb());
        v1::Frame { body: Some(frame::Body::Hello(v1::Hello { sender, version: 1, is_client: false })) }
    }

    /// Opens a channel from an address of this machine.
    pub(crate) async fn visit(&self, from: IpAddr, to: SocketAddr) -> Visit {
        let config = self.channel.client(None).expect("a configuration");
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::new(from, 0)).expect("an address of this machine");
        let socket = socket.connect(to).await.expect("the server listens");
        let stream = TlsConnector::from(Arc::new(config)).connect(to.ip().into(), socket);
        let stream = timeout(PATIENCE, stream).await.expect("a handshake in time").expect("a channel");
        let opened = handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = opened.expect("the preface can be written");
        tokio::spawn(connection);
        Visit { sender }
    }
}

impl Visit {
    /// Sends one request and waits for its end.
    #[track_caller]
    pub(crate) fn call(&mut self, path: &str, said: Said) -> impl Future<Output = Heard> + use<> {
        let request = http::Request::post(format!("https://node.compup2p{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(said)
            .expect("a request");
        let response = self.sender.send_request(request);
        let path = path.to_owned();
        async move {
            let heard = timeout(PATIENCE, read(response)).await;
            heard.unwrap_or_else(|_| panic!("{path}: neither an answer nor an end within {PATIENCE:?}"))
        }
    }
}

async fn read(response: impl Future<Output = hyper::Result<http::Response<hyper::body::Incoming>>>) -> Heard {
    let mut heard = Heard { status: None, message: String::new(), frames: Vec::new() };
    let Ok(response) = response.await else { return heard };
    heard.note(response.headers());
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(Ok(part)) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        match part.into_data() {
            Ok(data) => bytes.extend_from_slice(&data),
            Err(part) => heard.note(&part.into_trailers().unwrap_or_default()),
        }
    }
    heard.frames = frames_of(&bytes);
    heard
}

impl Heard {
    fn note(&mut self, headers: &http::HeaderMap) {
        let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        self.status = text("grpc-status").or(self.status.take());
        self.message = text("grpc-message").unwrap_or(std::mem::take(&mut self.message));
    }
}

/// `payload` as gRPC frames it.
pub(crate) fn framed(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload");
    [&[0], &length.to_be_bytes()[..], payload].concat()
}

/// One frame of the stream of messages as gRPC frames it.
pub(crate) fn encoded(frame: &v1::Frame) -> Vec<u8> {
    framed(&frame.encode_to_vec())
}

/// A message as a frame.
pub(crate) fn message(message: &proto::Message) -> v1::Frame {
    v1::Frame { body: Some(frame::Body::Message(message.to_pb())) }
}

/// The whole frames in `bytes`.
fn frames_of(mut bytes: &[u8]) -> Vec<v1::Frame> {
    let mut frames = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(5) {
        let length = u32::from_be_bytes(head[1..].try_into().expect("four bytes"));
        let Some((payload, rest)) = rest.split_at_checked(length as usize) else { break };
        frames.extend(v1::Frame::decode(payload));
        bytes = rest;
    }
    frames
}
