//! `compup2p remote`: other programs on this machine have task files done over a socket, as the paper's RemoteExecution
//! has it (paper §V-B): they send the name of a file, and hear of success or failure when all its sub-tasks have ended.
//!
//! One request a connection, in lines of text:
//!
//! ```text
//! → KEY PATH             the key of the file `remote.key`, a space, and the absolute path of a task file
//! ← submitted 7          or: refused WHY
//! ← succeeded            or: failed WHY; when all sub-tasks have ended
//! ```
//!
//! Anybody with an account on this machine can reach a port of it, so the key is asked for, and only the owner can read
//! its file. The socket listens on the loopback interface and nowhere else. Who hangs up does not end the task.

use super::arguments::{Global, Remote, TaskFile};
use super::client::Connection;
use super::interrupt::Interrupts;
use super::node::home;
use super::task::TaskText;
use super::{Done, Limit, Stop, ask, block_on, exit, unexpected};
use crate::control::{Failure, Reply, Request, Submit};
use crate::output::{Printer, RemoteView};
use proto::Hash;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// The file with the key, in the node's directory.
const KEY: &str = "remote.key";
/// Requests at once; who comes beyond it waits to be heard.
const MOST: usize = 64;
/// The longest request, in bytes: a path of Linux and the key.
const MAX_REQUEST: u64 = 4_096 + 128;
/// How long a program may take to send its request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a node may take to take a task on.
const SUBMIT: Duration = Duration::from_secs(120);
/// How long a sub-task finds no seller before it fails, in seconds: as `task submit` has it.
const NO_SELLER: f64 = 60.0;
/// The pause after a connection that could not be taken.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves until Ctrl-C.
pub(super) fn run(remote: &Remote, global: &Global, printer: Printer) -> Done {
    let home = home(global)?;
    let (path, key) = key(&home)?;
    block_on(async {
        let mut interrupts = Interrupts::new()?;
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), remote.port);
        let listener = TcpListener::bind(address).await.map_err(|error| {
            let message = format!("{address} cannot be listened at: {error}");
            Failure::new("address", message, exit::USAGE).hint("choose another one with --port")
        })?;
        let address = listener.local_addr().map_err(Failure::from_display("address"))?;
        printer.remote(&RemoteView { address: address.to_string(), key: path.display().to_string() })?;
        let room = Arc::new(Semaphore::new(MOST));
        loop {
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return Ok(exit::SUCCESS) };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                interrupt = interrupts.next() => return Ok(interrupt.exit()),
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            };
            let home = home.clone();
            tokio::spawn(async move {
                // Who has hung up hears nothing; its task goes on.
                let _ = serve(stream, &home, key).await;
                drop(place);
            });
        }
    })?
}

/// The key's file, and the hash of what is in it; it is made if there is none.
fn key(home: &Path) -> Result<(PathBuf, Hash), Failure> {
    let path = home.join(KEY);
    let failed = |error: std::io::Error| {
        let message = format!("{} cannot be used: {error}", path.display());
        Failure::new("disk", message, exit::USAGE).hint("start a node there first with `compup2p join`")
    };
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    match made {
        Ok(mut file) => {
            let secret: [u8; 32] = crate::node::random::bytes()?;
            writeln!(file, "{}", Hash(secret).to_hex()).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    let text = std::fs::read_to_string(&path).map_err(failed)?;
    let is_key = Hash::from_hex(text.trim()).is_some();
    if !is_key {
        let message = format!("{} has no key of 64 hexadecimal digits in it", path.display());
        return Err(Failure::new("no_key", message, exit::USAGE).hint("remove it, and a new one is made"));
    }
    Ok((path, Hash::of(text.trim().as_bytes())))
}

/// Serves one program.
async fn serve(stream: TcpStream, home: &Path, key: Hash) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    let mut reader = BufReader::new(reader.take(MAX_REQUEST));
    let read = tokio::time::timeout(PATIENCE, reader.read_line(&mut line)).await;
    let request = match read {
        Ok(Ok(_)) => request(&line, key),
        Ok(Err(_)) => Err("the request is not a line of UTF-8 text".into()),
        Err(_) => Err("no request came within 10 seconds".into()),
    };
    let submitted = match request {
        Ok(path) => submit(home, path).await,
        Err(why) => Err(why),
    };
    let task = match submitted {
        Ok(task) => task,
        Err(why) => return say(&mut writer, "refused", &why).await,
    };
    say(&mut writer, "submitted", &task).await?;
    match end_of(home, &task).await {
        Ok(()) => say(&mut writer, "succeeded", "").await,
        Err(why) => say(&mut writer, "failed", &why).await,
    }
}

/// The path of a request with the right key.
fn request(line: &str, key: Hash) -> Result<PathBuf, String> {
    let line = line.strip_suffix('\n').ok_or("the request has no end of line, or is too long")?;
    let line = line.strip_suffix('\r').unwrap_or(line);
    let (given, path) = line.split_once(' ').ok_or("expected the key, a space and a path")?;
    // What takes its time here is the hash, which tells nothing of the key.
    if Hash::of(given.as_bytes()) != key {
        return Err(format!("the key is not the one in `{KEY}` of the node's directory"));
    }
    let path = PathBuf::from(path);
    if path.is_absolute() { Ok(path) } else { Err("the path of the task file has to be absolute".into()) }
}

/// Has the node take a task file on: the task's number.
async fn submit(home: &Path, path: PathBuf) -> Result<String, String> {
    let read = tokio::task::spawn_blocking(move || TaskText::read(&TaskFile { file: path, set: Vec::new() }));
    let read = read.await.map_err(|error| error.to_string())?;
    let (TaskText { text, file, base, set, lines, .. }, _) = read.map_err(|stop| words(&stop))?;
    let (to, patience, wait_for_sellers) = (None, NO_SELLER, false);
    let submit = Submit { text, file, base, to, set, lines, patience, wait_for_sellers };
    match ask(home, &Request::Submit(submit), Limit::Usual(SUBMIT)).await {
        Ok(Reply::Task(task)) => Ok(task.id.to_string()),
        Ok(_) => Err(unexpected(home).message),
        Err(failure) => Err(failure.message),
    }
}

/// Waits until a task has ended; why it has failed, if it has.
async fn end_of(home: &Path, task: &str) -> Result<(), String> {
    let told = |failure: Failure| failure.message;
    let mut connection = Connection::open(home).await.map_err(told)?;
    connection.send(&Request::Watch { task: task.into() }).await.map_err(told)?;
    loop {
        match connection.receive().await.map_err(told)? {
            Reply::Event(_) => {}
            Reply::Task(view) if exit::of_task(&view) == exit::SUCCESS => return Ok(()),
            Reply::Task(view) => {
                let failed = view.sub_tasks.iter().find(|sub_task| sub_task.state != "succeeded");
                let why = failed.map(|sub_task| format!("{}: {}", sub_task.name, sub_task.why));
                return Err(why.or_else(|| view.problems.first().cloned()).unwrap_or_default());
            }
            Reply::Error(failure) => return Err(failure.message),
            _ => return Err(unexpected(home).message),
        }
    }
}

/// Why a file is not taken, in one line.
fn words(stop: &Stop) -> String {
    match stop {
        Stop::Failure(failure) => failure.message.clone(),
        Stop::Faults(_, places) => {
            let places: Vec<String> = places.iter().map(ToString::to_string).collect();
            places.join("; ")
        }
    }
}

/// Says a line.
async fn say(writer: &mut (impl AsyncWrite + Unpin), word: &str, more: &str) -> std::io::Result<()> {
    let more: String = more.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let line = if more.is_empty() { format!("{word}\n") } else { format!("{word} {more}\n") };
    writer.write_all(line.as_bytes()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_key_and_a_path() {
        let key = Hash::of(b"secret");
        let ends = "the request has no end of line, or is too long";
        for (line, expected) in [
            ("secret /a b/t.xml\n", Ok("/a b/t.xml")),
            ("secret /t.xml\r\n", Ok("/t.xml")),
            ("secret /t.xml", Err(ends)),
            ("", Err(ends)),
            ("secret\n", Err("expected the key, a space and a path")),
            ("other /t.xml\n", Err("the key is not the one in `remote.key` of the node's directory")),
            (" /t.xml\n", Err("the key is not the one in `remote.key` of the node's directory")),
            ("secret t.xml\n", Err("the path of the task file has to be absolute")),
        ] {
            assert_eq!(request(line, key), expected.map(PathBuf::from).map_err(str::to_owned), "{line:?}");
        }
    }

    #[test]
    fn the_key_is_made_once_and_is_the_owners() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let (path, first) = key(home.path()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(key(home.path()).unwrap(), (path.clone(), first));
        std::fs::write(&path, "short\n").unwrap();
        assert_eq!(key(home.path()).unwrap_err().code, "no_key");
        assert_eq!(key(&home.path().join("none")).unwrap_err().code, "disk");
    }
}
