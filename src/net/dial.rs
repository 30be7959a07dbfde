//! Opening a connection: TCP, TLS with the key that is expected, HTTP/2, and the gRPC client on top.

use super::rpc::node_client::NodeClient;
use super::tls::{self, Channel};
use super::{CONNECT_TIMEOUT, KEEP_ALIVE_INTERVAL, KEEP_ALIVE_TIMEOUT};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use proto::PublicKey;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::body::Body;

/// The name under which every node is addressed inside the channel; nobody looks it up.
const ORIGIN: &str = "https://node.compup2p";

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    /// Nobody accepts there.
    #[error("no connection to {addr}: {source}")]
    NoConnection {
        /// Where.
        addr: SocketAddr,
        /// The system's words.
        source: io::Error,
    },
    /// Somebody accepts, but not the expected one, or not in TLS 1.3 with a key.
    #[error("no channel to {addr}: {source}; another node may have taken over this address")]
    NoChannel {
        /// Where.
        addr: SocketAddr,
        /// The words of the TLS library.
        source: io::Error,
    },
    /// The channel stands, but gRPC does not.
    #[error("no gRPC with {addr}: {reason}")]
    NoRpc {
        /// Where.
        addr: SocketAddr,
        /// The words of the HTTP library.
        reason: String,
    },
    /// It took too long.
    #[error("no answer from {addr} within {} s", CONNECT_TIMEOUT.as_secs())]
    TimedOut {
        /// Where.
        addr: SocketAddr,
    },
}

/// What a connection may have on its way to us before we read it, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) stream: u32,
    pub(super) connection: u32,
}

/// Opens channels for one node.
#[derive(Debug)]
pub(super) struct Dialler {
    pub(super) channel: Channel,
    /// The address from which to dial, where it matters: others compare it with the one we claim.
    pub(super) source: Option<IpAddr>,
}

/// The connection's own work; whoever dialled has to run it.
pub(super) type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Dialler {
    /// The key that answers at `addr`.
    pub(super) async fn identify(&self, addr: SocketAddr) -> Result<PublicKey, DialError> {
        self.in_time(addr, async { Ok(self.channel(addr, None).await?.1) }).await
    }

    /// A gRPC client for the node with this key at `addr`. The connection closes when the client and all its
    /// streams are dropped.
    pub(super) async fn connect(
        &self,
        addr: SocketAddr,
        key: PublicKey,
        window: Window,
    ) -> Result<(NodeClient<Sender>, Driver), DialError> {
        self.in_time(addr, async {
            let (stream, _) = self.channel(addr, Some(key)).await?;
            let opened = Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .keep_alive_interval(KEEP_ALIVE_INTERVAL)
                .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
                .keep_alive_while_idle(true)
                .initial_stream_window_size(window.stream)
                .initial_connection_window_size(window.connection)
                .handshake(TokioIo::new(stream))
                .await;
            let (sender, connection) =
                opened.map_err(|error| DialError::NoRpc { addr, reason: error.to_string() })?;
            let driver = Box::pin(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%addr, %error, "a connection broke");
                }
            });
            Ok((NodeClient::with_origin(Sender(sender), http::Uri::from_static(ORIGIN)), driver as Driver))
        })
        .await
    }

    async fn in_time<T>(
        &self,
        addr: SocketAddr,
        dial: impl Future<Output = Result<T, DialError>>,
    ) -> Result<T, DialError> {
        timeout(CONNECT_TIMEOUT, dial).await.unwrap_or(Err(DialError::TimedOut { addr }))
    }

    async fn channel(
        &self,
        addr: SocketAddr,
        expected: Option<PublicKey>,
    ) -> Result<(TlsStream<TcpStream>, PublicKey), DialError> {
        let no_channel =
            |error: rustls::Error| DialError::NoChannel { addr, source: io::Error::other(error) };
        let config = self.channel.client(expected).map_err(no_channel)?;
        let socket = self.socket(addr).await.map_err(|source| DialError::NoConnection { addr, source })?;
        let stream = TlsConnector::from(Arc::new(config))
            .connect(addr.ip().into(), socket)
            .await
            .map_err(|source| DialError::NoChannel { addr, source })?;
        let key = tls::peer_key(stream.get_ref().1).map_err(no_channel)?;
        Ok((stream, key))
    }

    async fn socket(&self, addr: SocketAddr) -> io::Result<TcpStream> {
        let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_nodelay(true)?;
        if let Some(source) = self.source
            && source.is_ipv4() == addr.is_ipv4()
            && source.is_loopback() == addr.ip().is_loopback()
        {
            socket.bind(SocketAddr::new(source, 0))?;
        }
        socket.connect(addr).await
    }
}

/// The HTTP/2 connection as the service that a gRPC client calls.
#[derive(Clone, Debug)]
pub(super) struct Sender(SendRequest<Body>);

impl tower_service::Service<http::Request<Body>> for Sender {
    type Response = http::Response<hyper::body::Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}
