//! Contents: sent to whoever knows their hash, and fetched in pieces that can be resumed.
//!
//! A hash is the right to read what it stands for: whoever has a key of its own and names the hash is served.
//! Hashes of 256 bits are not guessed; who must not read a content must not be told its hash. The outputs of a
//! sub-task are the exception: their hashes are told in the report, and they are sent to who has signed for them.

use super::dial::{DialError, Window};
use super::server::{Sent, Visitor};
use super::store::{PartialWriter, Store, StoreError};
use super::{Inner, KEEP_ALIVE_INTERVAL, KEEP_ALIVE_TIMEOUT, MAX_PIECE};
use proto::message::service::Blob;
use proto::wire::v1;
use proto::{Hash, Peer};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Status};

/// The longest wait for the next piece, on both sides.
const PIECE_TIMEOUT: Duration = KEEP_ALIVE_INTERVAL.saturating_add(KEEP_ALIVE_TIMEOUT);
/// How long a request waits for its turn when many contents are being sent.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);
/// Attempts in a row that bring nothing.
const MAX_ATTEMPTS: u32 = 4;
/// The pause before the second attempt; it doubles with each further one.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// Pieces between the disk and the connection.
const PIECES: usize = 2;
/// What may be on its way on a connection for contents.
const WINDOW: Window = Window { stream: 4 << 20, connection: 4 << 20 };

/// Why a content was not fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The peer does not have it.
    #[error("{from} does not have the content {hash}")]
    Absent {
        /// Who was asked.
        from: Peer,
        /// For what.
        hash: Hash,
    },
    /// The peer has sent other bytes than the name stands for.
    #[error("{from} sent other bytes than the content {hash} stands for; they were thrown away")]
    WrongContent {
        /// Who was asked.
        from: Peer,
        /// For what.
        hash: Hash,
    },
    /// No attempt brought all of it.
    #[error(
        "the content {hash} could not be fetched from {from}: {reason}; what has arrived is kept for the next try"
    )]
    Cut {
        /// Who was asked.
        from: Peer,
        /// For what.
        hash: Hash,
        /// How the last attempt ended.
        reason: String,
    },
    /// The store refuses.
    #[error(transparent)]
    Store(StoreError),
}

/// Which contents are being fetched, so that none is fetched twice at once.
#[derive(Debug, Default)]
pub(super) struct Fetching(Mutex<BTreeMap<Hash, Weak<tokio::sync::Mutex<()>>>>);

impl Fetching {
    fn turn(&self, hash: Hash) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        turns.get(&hash).and_then(Weak::upgrade).unwrap_or_else(|| {
            let turn = Arc::default();
            turns.insert(hash, Arc::downgrade(&turn));
            turn
        })
    }
}

/// How an attempt ended, if not well.
enum Failed {
    /// Another attempt may do better.
    Cut(String),
    /// None will.
    Final(FetchError),
}

impl From<DialError> for Failed {
    fn from(error: DialError) -> Self {
        Self::Cut(error.to_string())
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Final(FetchError::Store(error))
    }
}

impl Inner {
    pub(super) async fn fetch(self: &Arc<Self>, from: Peer, blob: Blob) -> Result<(), FetchError> {
        let hash = blob.hash;
        let turn = self.fetching.turn(hash);
        let _turn = turn.lock().await;
        let _place = self.down.turn().await;
        loop {
            if self.store.has(&hash) {
                return Ok(());
            }
            let mut writer = self.store.writer(blob).await.map_err(FetchError::Store)?;
            let is_resumed = writer.offset() > 0;
            self.receive(from, blob, &mut writer).await?;
            match writer.finish().await {
                Ok(()) => return Ok(()),
                // The wrong bytes may have come earlier and from somebody else.
                Err(StoreError::WrongContent { .. }) if is_resumed => {}
                Err(StoreError::WrongContent { .. }) => return Err(FetchError::WrongContent { from, hash }),
                Err(error) => return Err(FetchError::Store(error)),
            }
        }
    }

    /// Attempts until all bytes are here.
    async fn receive(
        self: &Arc<Self>,
        from: Peer,
        blob: Blob,
        writer: &mut PartialWriter,
    ) -> Result<(), FetchError> {
        let mut attempts = 0;
        while !writer.is_complete() {
            let before = writer.offset();
            let failed = match self.attempt(from, blob.hash, writer).await {
                Ok(()) if writer.is_complete() => return Ok(()),
                Ok(()) => Failed::Cut("it ended too early".into()),
                Err(failed) => failed,
            };
            let reason = match failed {
                Failed::Final(error) => return Err(error),
                Failed::Cut(reason) => reason,
            };
            attempts = if writer.offset() > before { 1 } else { attempts + 1 };
            tracing::debug!(%from, hash = %blob.hash, attempts, offset = writer.offset(), %reason, "a fetch was cut");
            if attempts >= MAX_ATTEMPTS || self.is_closing() {
                return Err(FetchError::Cut { from, hash: blob.hash, reason });
            }
            sleep(RETRY_PAUSE * (1 << (attempts - 1))).await;
        }
        Ok(())
    }

    async fn attempt(
        self: &Arc<Self>,
        from: Peer,
        hash: Hash,
        writer: &mut PartialWriter,
    ) -> Result<(), Failed> {
        let refused = |status: Status| match status.code() {
            Code::NotFound => Failed::Final(FetchError::Absent { from, hash }),
            code => Failed::Cut(format!("{code:?}: {}", status.message())),
        };
        let silent = |_| Failed::Cut("it fell silent".into());
        let (client, driver) = self.dialler.connect(from.addr, from.key, WINDOW).await?;
        self.spawn(driver);
        let mut client = client.max_decoding_message_size(MAX_PIECE + 64);
        let request = v1::FetchRequest { hash: hash.0.to_vec(), offset: writer.offset() };
        let answer = timeout(PIECE_TIMEOUT, client.fetch(Request::new(request))).await;
        let mut pieces = answer.map_err(silent)?.map_err(refused)?.into_inner();
        while let Some(piece) =
            timeout(PIECE_TIMEOUT, pieces.message()).await.map_err(silent)?.map_err(refused)?
        {
            // The other side sends on as far as the connection's window reaches, and then feels it.
            self.down.pass(piece.bytes.len() as u64).await;
            match writer.write(piece.bytes).await {
                Ok(()) => {}
                Err(StoreError::WrongContent { .. }) => {
                    return Err(Failed::Final(FetchError::WrongContent { from, hash }));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

impl Visitor {
    /// Sends a content from an offset on.
    pub(super) async fn send_content(&self, request: v1::FetchRequest) -> Result<Sent<v1::Piece>, Status> {
        let hash =
            request.hash.try_into().map(Hash).map_err(|_| Status::invalid_argument("a hash has 32 bytes"))?;
        let store = Arc::clone(&self.net.store);
        let size = store.size(&hash).ok_or_else(|| Status::not_found("this content is not here"))?.0;
        if !store.is_shown(&hash, self.key) {
            return Err(Status::failed_precondition("this content is shown to who has signed for it"));
        }
        if request.offset > size {
            return Err(Status::out_of_range(format!("the content has {size} bytes")));
        }
        let turn = timeout(TURN_TIMEOUT, self.net.up.turn()).await;
        let turn = turn.map_err(|_| Status::resource_exhausted("too many contents are being sent"))?;
        let (pieces, sent) = mpsc::channel(PIECES);
        let (line, up) = (Arc::clone(&self.line), Arc::clone(&self.net.up));
        self.net.spawn(async move {
            let pinned = Pinned::new(store, hash);
            let mut offset = request.offset;
            while offset < size {
                let piece = pinned.store.read(hash, offset, up.piece(MAX_PIECE)).await;
                let length = piece.as_ref().map_or(0, |bytes| bytes.len() as u64);
                up.pass(length).await;
                offset += length;
                let is_last = !piece.as_ref().is_ok_and(|bytes| !bytes.is_empty());
                let piece = piece.map_err(|error| Status::unavailable(error.to_string()));
                if !matches!(timeout(PIECE_TIMEOUT, pieces.send(piece)).await, Ok(Ok(()))) || is_last {
                    break;
                }
                line.touch();
            }
            drop(turn);
        });
        Ok(Box::pin(ReceiverStream::new(sent).map(|piece| piece.map(|bytes| v1::Piece { bytes }))))
    }
}

/// A pin that comes off by itself.
struct Pinned {
    store: Arc<Store>,
    hash: Hash,
}

impl Pinned {
    fn new(store: Arc<Store>, hash: Hash) -> Self {
        store.pin(hash);
        Self { store, hash }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        self.store.unpin(&self.hash);
    }
}
