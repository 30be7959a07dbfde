//! The node's end of its Unix socket: who can open it may ask.

use crate::control::{Failure, MAX_LINE, Reply, Request};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, watch};

/// Commands that wait for the driver.
const QUEUE: usize = 64;
/// Answers to one command that wait for its reader; a reader that falls behind misses progress, not the end.
const ANSWERS: usize = 65_536;
/// Answers that a reader may have before it, where each is long.
const UNREAD: usize = 16;

/// The pause after a connection that could not be taken.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// A command, and where its answers go.
pub(crate) struct Call {
    pub(crate) request: Request,
    pub(crate) question: Question,
}

/// Where the answers to one command go.
#[derive(Clone)]
pub(crate) struct Question {
    answers: mpsc::Sender<Reply>,
}

impl Question {
    /// Sends an answer. Whoever asked may have gone, or may not read: neither is this node's trouble.
    pub(crate) fn answer(&self, reply: Reply) {
        let _ = self.answers.try_send(reply);
    }

    /// Sends an answer when there is room for it; whether whoever asked is still there.
    pub(crate) async fn send(&self, reply: Reply) -> bool {
        self.answers.send(reply).await.is_ok()
    }

    /// Whether the reader has not read what it was sent.
    pub(crate) fn is_behind(&self) -> bool {
        self.answers.capacity() + UNREAD < ANSWERS
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.answers.is_closed()
    }

    /// Sends news, unless the reader has fallen so far behind that there would be no place for the answer.
    pub(crate) fn tell(&self, news: Reply) {
        if self.answers.capacity() > 1 {
            self.answer(news);
        }
    }
}

/// The commands that come, and those who wait for their answers.
pub(crate) struct Calls {
    pub(crate) receiver: mpsc::Receiver<Call>,
    /// Every conversation holds a receiver of it.
    conversations: Arc<watch::Sender<()>>,
}

impl Calls {
    /// Takes no more commands, and waits until the answers that were given have been written.
    pub(crate) async fn end(self) {
        drop(self.receiver);
        self.conversations.closed().await;
    }
}

/// Listens at `path`.
pub(crate) fn serve(path: &Path) -> std::io::Result<Calls> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(std::io::Error::new(
            std::io::ErrorKind::AddrInUse,
            "another node runs in this directory",
        ));
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    let (calls, receiver) = mpsc::channel(QUEUE);
    let conversations = Arc::new(watch::Sender::new(()));
    let under_way = Arc::clone(&conversations);
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (calls, alive) = (calls.clone(), under_way.subscribe());
                    tokio::spawn(async move {
                        converse(stream, calls).await;
                        drop(alive);
                    });
                }
                // Too many open files, for one: the next command may find some closed.
                Err(error) => {
                    tracing::warn!(%error, "a command could not be heard");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    });
    Ok(Calls { receiver, conversations })
}

async fn converse(stream: UnixStream, calls: mpsc::Sender<Call>) {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
    if BufReader::new(reader.take(limit)).read_line(&mut line).await.is_err() {
        return;
    }
    let (answers, mut replies) = mpsc::channel(ANSWERS);
    match serde_json::from_str(&line) {
        Ok(request) => {
            if calls.send(Call { request, question: Question { answers } }).await.is_err() {
                return;
            }
        }
        Err(error) => {
            let failure = Failure::new("malformed", format!("not a command of this node: {error}"), 2);
            let _ = answers.try_send(Reply::Error(failure));
            drop(answers);
        }
    }
    while let Some(reply) = replies.recv().await {
        let Ok(mut text) = serde_json::to_string(&reply) else { return };
        text.push('\n');
        if writer.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}
