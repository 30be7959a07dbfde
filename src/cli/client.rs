//! The command line's end of its node's Unix socket.

use super::{Limit, exit};
use crate::control::{Failure, MAX_LINE, Reply, Request, SOCKET};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

/// The longest path of a Unix socket on Linux, in bytes.
const MAX_SOCKET_PATH: usize = 107;
/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// Asks the node in `home` one thing and waits for its one answer.
pub(crate) async fn ask(home: &Path, request: &Request, limit: Limit) -> Result<Reply, Failure> {
    let conversation = async {
        let mut connection = Connection::open(home).await?;
        connection.send(request).await?;
        connection.receive().await
    };
    match tokio::time::timeout(limit.duration(), conversation).await {
        Ok(Ok(Reply::Error(failure))) => Err(failure),
        Ok(answered) => answered,
        Err(_) => Err(too_late(home, limit)),
    }
}

/// An answer to something else than was asked.
pub(crate) fn unexpected(home: &Path) -> Failure {
    Failure::new(
        "bad_reply",
        format!("the node in {} answered something else", home.display()),
        exit::UNREACHABLE,
    )
    .hint("node and command are probably of different versions: start the node again")
}

/// The failure of a command whose `--timeout` is over.
pub(super) fn timed_out(limit: std::time::Duration) -> Failure {
    let message = format!("--timeout of {} seconds reached", limit.as_secs_f64());
    Failure { retryable: true, ..Failure::new("timeout", message, exit::TIMEOUT) }
}

fn too_late(home: &Path, limit: Limit) -> Failure {
    match limit {
        Limit::Told(duration) => timed_out(duration),
        Limit::Usual(duration) => {
            let home = home.display();
            let message = format!("the node in {home} did not answer within {} seconds", duration.as_secs());
            unreachable("node_unreachable", message).hint("it may be busy: try again, or see its log")
        }
    }
}

fn unreachable(code: &str, message: String) -> Failure {
    Failure { retryable: true, ..Failure::new(code, message, exit::UNREACHABLE) }
}

/// One connection: requests go out, replies come in, a line each.
pub(crate) struct Connection {
    home: PathBuf,
    stream: UnixStream,
    /// What has come in and was not handed out.
    buffer: Vec<u8>,
    /// How much of it is known to have no end of line.
    searched: usize,
    chunk: Vec<u8>,
}

impl Connection {
    /// Connects to the node in `home`.
    pub(crate) async fn open(home: &Path) -> Result<Self, Failure> {
        let path = home.join(SOCKET);
        let length = path.as_os_str().len();
        if length > MAX_SOCKET_PATH {
            let message = format!(
                "the path {} has {length} bytes: a socket's has at most {MAX_SOCKET_PATH}",
                path.display()
            );
            return Err(
                Failure::new("path_too_long", message, exit::USAGE).hint("choose a shorter directory")
            );
        }
        let stream = UnixStream::connect(&path).await.map_err(|error| no_node(home, &error))?;
        Ok(Self { home: home.into(), stream, buffer: Vec::new(), searched: 0, chunk: vec![0; CHUNK] })
    }

    /// Sends `request`.
    pub(crate) async fn send(&mut self, request: &Request) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(request).map_err(Failure::from_display("request"))?;
        line.push(b'\n');
        if line.len() > MAX_LINE {
            let message = format!("the request has {} bytes: a node reads at most {MAX_LINE}", line.len());
            return Err(Failure::new("too_large", message, exit::USAGE));
        }
        self.stream.write_all(&line).await.map_err(|_| self.ended())
    }

    /// Waits for the next reply. A call that is dropped loses nothing.
    pub(crate) async fn receive(&mut self) -> Result<Reply, Failure> {
        loop {
            let new = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(at) = new.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(self.searched + at + 1);
                let line = std::mem::replace(&mut self.buffer, rest);
                self.searched = 0;
                return serde_json::from_slice(&line).map_err(|error| {
                    let Failure { code, message, hint, .. } = unexpected(&self.home);
                    Failure::new(
                        &code,
                        format!("{message} than this version understands: {error}"),
                        exit::UNREACHABLE,
                    )
                    .hint(hint)
                });
            }
            self.searched = self.buffer.len();
            if self.searched > MAX_LINE {
                let message = format!("the node's answer is longer than {MAX_LINE} bytes");
                return Err(Failure::new("bad_reply", message, exit::UNREACHABLE));
            }
            match self.stream.read(&mut self.chunk).await {
                Ok(0) | Err(_) => return Err(self.ended()),
                Ok(count) => self.buffer.extend_from_slice(self.chunk.get(..count).unwrap_or_default()),
            }
        }
    }

    fn ended(&self) -> Failure {
        let message = format!("the node in {} ended before it answered", self.home.display());
        unreachable("node_ended", message)
            .hint("start it again with `compup2p join`; its log tells why it ended")
    }
}

/// Why there is nobody to talk to in `home`.
fn no_node(home: &Path, error: &std::io::Error) -> Failure {
    let home = home.display();
    let start = "start one with `compup2p join policy.toml --bootstrap HOST:PORT`, \
                 or try `compup2p task submit --local 4 FILE`";
    match error.kind() {
        ErrorKind::PermissionDenied => {
            let message = format!("the node in {home} belongs to somebody else ({SOCKET}: {error})");
            Failure::new("not_yours", message, exit::REFUSED).hint("run the command as the node's owner")
        }
        ErrorKind::ConnectionRefused => {
            let message =
                format!("no node is running in {home} (its socket {SOCKET} is left from one that ended)");
            unreachable("no_node", message).hint(start)
        }
        ErrorKind::NotFound => {
            let message = format!("no node is running in {home} (there is no socket {SOCKET})");
            unreachable("no_node", message).hint(start)
        }
        _ => unreachable("no_node", format!("cannot reach the node in {home}: {error}")).hint(start),
    }
}
