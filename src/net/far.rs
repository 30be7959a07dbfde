//! A connection to somebody far away: what goes over it arrives later, in both directions.
//!
//! Each connection has one side that has accepted it, and that one keeps it back; so everything takes its rounds as over
//! a long line: the connection itself, the channel, the first request, messages and contents.

use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, duplex, split};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

/// Bytes that are read at once, and that wait to be read at most.
const CHUNK: usize = 64 << 10;

/// A connection that was just accepted, `way` away.
pub(super) async fn away(socket: TcpStream, way: Duration) -> DuplexStream {
    // The round that opens a connection is over before anybody can hold it back.
    sleep(2 * way).await;
    let (here, there) = duplex(CHUNK);
    let ((hears, says), (gives, takes)) = (split(socket), split(there));
    tokio::spawn(carry(hears, takes, way));
    tokio::spawn(carry(gives, says, way));
    here
}

/// Brings what is read to its writer, `way` after it was read, until one of them ends.
async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, way: Duration) {
    let (sender, mut carried) = mpsc::unbounded_channel();
    let read = async move {
        let mut chunk = vec![0; CHUNK];
        while let Ok(count @ 1..) = from.read(&mut chunk).await {
            let bytes = chunk.get(..count).map(<[u8]>::to_vec);
            if sender.send((Instant::now() + way, bytes.unwrap_or_default())).is_err() {
                return;
            }
        }
    };
    let write = async move {
        while let Some((due, bytes)) = carried.recv().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        // Whoever has gone does not hear the end.
        let _is_heard = to.shutdown().await.is_ok();
    };
    tokio::join!(read, write);
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn all_that_is_said_arrives_later_in_order_and_so_does_the_end() {
        const WAY: Duration = Duration::from_millis(20);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let began = Instant::now();
        let mut caller = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        let mut here = away(socket, WAY).await;
        let mut heard = [0; 6];
        caller.write_all(b"one").await.unwrap();
        caller.write_all(b"two").await.unwrap();
        here.read_exact(&mut heard).await.unwrap();
        assert_eq!((&heard, began.elapsed() >= 3 * WAY), (b"onetwo", true));
        here.write_all(b"answer").await.unwrap();
        here.shutdown().await.unwrap();
        caller.read_exact(&mut heard).await.unwrap();
        assert_eq!((&heard, began.elapsed() >= 4 * WAY), (b"answer", true));
        assert_eq!(caller.read(&mut heard).await.unwrap(), 0);
    }
}
