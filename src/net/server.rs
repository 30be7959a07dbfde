//! The port: connections that others open, and what they may ask on them.

use super::far;
use super::link::{self, Line, MAX_FRAME, Origin, WINDOW};
use super::rpc::node_server::{Node, NodeServer};
use super::tls;
use super::{
    ACCEPTED_IDLE, CLOSE_TIMEOUT, CONNECT_TIMEOUT, Inner, KEEP_ALIVE_INTERVAL, KEEP_ALIVE_TIMEOUT,
    MAX_CONNECTIONS,
};
use crate::emulated;
use hyper::server::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use proto::PublicKey;
use proto::wire::v1;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

/// Connections that are being accepted or are about to end, beyond [`MAX_CONNECTIONS`].
const MAX_IN_BETWEEN: usize = 64;
/// Streams on one connection.
const MAX_STREAMS: u32 = 4;
/// The largest headers of a request, in bytes.
const MAX_HEADERS: u32 = 8 << 10;
/// The pause after the system could not accept, as when it is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a channel runs over.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Wire for T {}

/// What a stream to the other side gives.
pub(super) type Sent<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The connections that are open, for finding the least used one.
#[derive(Debug, Default)]
struct Accepted(Mutex<Vec<Arc<Line>>>);

impl Accepted {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Line>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection; beyond the limit, the least used one is asked to end.
    fn add(&self, line: &Arc<Line>) {
        let mut lines = self.lock();
        if lines.len() >= MAX_CONNECTIONS
            && let Some(least) = lines.iter().filter(|line| line.is_open()).min_by_key(|line| line.rank())
        {
            least.close();
        }
        lines.push(Arc::clone(line));
    }

    fn remove(&self, line: &Arc<Line>) {
        self.lock().retain(|other| !Arc::ptr_eq(other, line));
    }
}

/// Accepts connections until the network closes.
pub(super) async fn accept(net: Arc<Inner>, listener: TcpListener, acceptor: TlsAcceptor) {
    let accepted = Arc::new(Accepted::default());
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS + MAX_IN_BETWEEN));
    let far = emulated::latency();
    let mut closing = pin!(net.closing());
    loop {
        let arrival = tokio::select! {
            arrival = arrive(&listener, &places) => arrival,
            () = &mut closing => return,
        };
        match arrival {
            Ok((socket, addr, place)) => {
                let (net, acceptor, accepted) = (Arc::clone(&net), acceptor.clone(), Arc::clone(&accepted));
                let owner = Arc::clone(&net);
                owner.spawn(async move {
                    match far {
                        // It is broken already.
                        _ if socket.set_nodelay(true).is_err() => {}
                        None => receive(net, socket, addr, &acceptor, &accepted).await,
                        Some(way) => {
                            let socket = far::away(socket, way).await;
                            receive(net, socket, addr, &acceptor, &accepted).await;
                        }
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn arrive(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (socket, addr) = listener.accept().await?;
    Ok((socket, addr, place))
}

/// The handshake, and then the connection until its end.
async fn receive(
    net: Arc<Inner>,
    socket: impl Wire,
    addr: SocketAddr,
    acceptor: &TlsAcceptor,
    accepted: &Accepted,
) {
    let handshake = async {
        let stream = acceptor.accept(socket).await?;
        let key = tls::peer_key(stream.get_ref().1).map_err(io::Error::other)?;
        Ok::<_, io::Error>((stream, key))
    };
    match timeout(CONNECT_TIMEOUT, handshake).await {
        Ok(Ok((stream, key))) => {
            let line = Line::new();
            accepted.add(&line);
            let visitor = Visitor { net, key, addr, line: Arc::clone(&line) };
            serve(stream, visitor).await;
            accepted.remove(&line);
        }
        Ok(Err(error)) => tracing::debug!(%addr, %error, "a connection was refused"),
        Err(_) => tracing::debug!(%addr, "a connection did not show its key in time"),
    }
}

async fn serve(stream: TlsStream<impl Wire>, visitor: Visitor) {
    let (net, line, addr) = (Arc::clone(&visitor.net), Arc::clone(&visitor.line), visitor.addr);
    let service = NodeServer::new(visitor).max_decoding_message_size(MAX_FRAME);
    let connection = Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADERS)
        .initial_stream_window_size(WINDOW.stream)
        .initial_connection_window_size(WINDOW.connection)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = line.broken() => return,
        () = async {
            tokio::select! {
                () = line.closing() => {}
                () = net.closing() => {}
                () = line.idle(ACCEPTED_IDLE) => {}
            }
        } => {
            line.close();
            connection.as_mut().graceful_shutdown();
            // A line that is broken has reached its closing as well, and nothing on it is worth waiting for.
            tokio::select! {
                ended = timeout(CLOSE_TIMEOUT, connection) => ended.unwrap_or(Ok(())),
                () = line.broken() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%addr, %error, "a connection broke");
    }
}

/// Whoever is at the other end of one connection, and what it may ask.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) net: Arc<Inner>,
    pub(super) key: PublicKey,
    pub(super) addr: SocketAddr,
    pub(super) line: Arc<Line>,
}

#[tonic::async_trait]
impl Node for Visitor {
    type ExchangeStream = Sent<v1::Frame>;
    type FetchStream = Sent<v1::FetchTold>;
    type FollowStream = Sent<v1::FollowHeard>;

    async fn exchange(
        &self,
        request: Request<Streaming<v1::Frame>>,
    ) -> Result<Response<Self::ExchangeStream>, Status> {
        let mut inbound = request.into_inner();
        let origin = Origin::Accepted { key: self.key, addr: self.addr };
        let greeting = timeout(CONNECT_TIMEOUT, origin.read_greeting(&mut inbound, self.net.slot_limit()))
            .await
            .map_err(|_| Status::deadline_exceeded("no greeting came"))?
            .map_err(|broken| {
                tracing::info!(key = %self.key, addr = %self.addr, reason = %broken, "a stream was refused");
                Status::failed_precondition(broken.to_string())
            })?;
        self.line.touch();
        let frames = link::accept(&self.net, &self.line, greeting, inbound);
        Ok(Response::new(Box::pin(frames.map(Ok))))
    }

    async fn fetch(
        &self,
        request: Request<Streaming<v1::FetchSaid>>,
    ) -> Result<Response<Self::FetchStream>, Status> {
        self.line.touch();
        self.send_content(request.into_inner()).await.map(Response::new)
    }

    async fn follow(
        &self,
        request: Request<Streaming<v1::FollowSaid>>,
    ) -> Result<Response<Self::FollowStream>, Status> {
        self.line.touch();
        self.lead(request.into_inner()).map(Response::new)
    }
}
