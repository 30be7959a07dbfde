//! Code servers: a file by plain HTTP (RFC 9110, in the messages of RFC 1945, whose bodies end with the connection).
//!
//! Nothing that comes from there is believed: the caller knows a hash, and what does not have it is thrown away. So
//! plain HTTP is enough, and there is no TLS, no redirection, and no name without a hash.

use std::time::Duration;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// How long a server may take to answer, and for each further part.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a download may take besides what its bytes take at [`SLOWEST`], as a fetch from a node may.
const LEAST: Duration = Duration::from_secs(120);
/// Whoever sends less for long is not waited for, in bytes a second.
const SLOWEST: u64 = 64 << 10;
/// The longest line of an answer's head, in bytes, and how many there may be.
const MAX_HEAD_LINE: u64 = 8 << 10;
const MAX_HEAD_LINES: usize = 100;
/// The largest part that is read at once, in bytes.
const PART: usize = 256 << 10;

/// The place of a file on a code server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    /// Name or address, with the port.
    host: String,
    /// From the first slash on.
    path: String,
}

impl Url {
    /// Reads `http://HOST[:PORT][/PATH]`.
    #[must_use]
    pub(crate) fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("http://")?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let host = if has_port { host.to_owned() } else { format!("{host}:80") };
        (is_plain(rest) && !rest.is_empty() && !host.starts_with(':') && !host.contains('@'))
            .then(|| Self { host, path: format!("/{path}") })
    }

    /// The file `name` below this place. Characters that have a meaning in an address are escaped.
    #[must_use]
    pub(crate) fn below(&self, name: &str) -> Self {
        let mut path = self.path.trim_end_matches('/').to_owned();
        path.push('/');
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                path.push(char::from(byte));
            } else {
                path.push_str(&format!("%{byte:02X}"));
            }
        }
        Self { host: self.host.clone(), path }
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "http://{}{}", self.host, self.path)
    }
}

/// Writes what is at `url` to a file, at most `most` bytes of it.
///
/// # Errors
/// In words: nobody there, no such file, too much, or too slow.
pub(crate) async fn download(url: &Url, to: &mut File, most: u64) -> Result<u64, String> {
    let stream = timeout(PATIENCE, TcpStream::connect(&url.host)).await;
    let stream = stream.map_err(|_| "it does not answer".to_owned())?.map_err(|error| error.to_string())?;
    let mut stream = BufReader::new(stream);
    let Url { host, path } = url;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let length = head(&mut stream).await?;
    if length.is_some_and(|length| length > most) {
        return Err(format!("it is larger than {most} bytes"));
    }
    let (mut buffer, mut size) = (vec![0; PART], 0_u64);
    let begun = Instant::now();
    loop {
        if is_too_slow(begun.elapsed(), size) {
            return Err(format!("it is too slow: {size} bytes in {} s", begun.elapsed().as_secs()));
        }
        let count = timeout(PATIENCE, stream.read(&mut buffer)).await;
        let count = count.map_err(|_| "it fell silent".to_owned())?.map_err(|error| error.to_string())?;
        if count == 0 {
            break;
        }
        size += count as u64;
        if size > most {
            return Err(format!("it is larger than {most} bytes"));
        }
        to.write_all(buffer.get(..count).unwrap_or_default()).await.map_err(|error| error.to_string())?;
    }
    to.flush().await.map_err(|error| error.to_string())?;
    match length {
        Some(length) if length != size => Err(format!("{size} bytes came of {length}")),
        _ => Ok(size),
    }
}

/// Whether so many bytes are too few for the time that they took: each part may come in time and the whole never.
fn is_too_slow(took: Duration, size: u64) -> bool {
    took > LEAST.saturating_add(Duration::from_secs(size / SLOWEST))
}

/// Reads the head of an answer: how long the body is, if it says so.
async fn head(stream: &mut BufReader<TcpStream>) -> Result<Option<u64>, String> {
    let mut length = None;
    for number in 0..MAX_HEAD_LINES {
        let mut line = String::new();
        let read = stream.take(MAX_HEAD_LINE);
        let mut read = read;
        let read = timeout(PATIENCE, read.read_line(&mut line)).await;
        read.map_err(|_| "it fell silent".to_owned())?.map_err(|error| error.to_string())?;
        let text = line.trim_end_matches(['\r', '\n']);
        if number == 0 {
            let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1));
            match status {
                Some("200") => {}
                Some(status) => return Err(format!("it answers with the status {status}")),
                None => return Err("it does not speak HTTP".into()),
            }
        } else if text.is_empty() {
            return if line.is_empty() { Err("its answer ends too early".into()) } else { Ok(length) };
        } else if let Some((name, value)) = text.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().ok(),
                "transfer-encoding" => return Err("its answer is in a form that was not asked for".into()),
                _ => {}
            }
        }
    }
    Err("the head of its answer is too long".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[track_caller]
    fn check_url(text: &str, expected: Option<&str>) {
        assert_eq!(Url::read(text).map(|url| url.to_string()).as_deref(), expected);
    }

    #[test]
    fn only_plain_addresses_are_read() {
        check_url("http://code.example", Some("http://code.example:80/"));
        check_url("http://10.0.0.1:8080/a/b", Some("http://10.0.0.1:8080/a/b"));
        for wrong in
            ["https://code.example", "http://", "code.example", "http://a b/", "http://u@h/", "http://:80/"]
        {
            check_url(wrong, None);
        }
        let url = Url::read("http://a:1/files/").unwrap();
        assert_eq!(url.below("my tool@1/2").to_string(), "http://a:1/files/my%20tool%401%2F2");
    }

    #[test]
    fn who_sends_a_byte_now_and_then_is_not_waited_for() {
        let check = |secs, size, expected| assert_eq!(is_too_slow(Duration::from_secs(secs), size), expected);
        check(120, 0, false);
        check(121, 0, true);
        check(121, 64 << 10, false);
        check(122, 64 << 10, true);
        check(65_536 + 120, 4 << 30, false);
        check(65_536 + 121, 4 << 30, true);
    }

    /// A server answers with `answer`; `most` bytes are taken.
    async fn check_download(answer: &'static str, most: u64, expected: Result<&str, &str>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::read(&format!("http://{}/x", listener.local_addr().unwrap())).unwrap();
        let served = tokio::spawn(async move {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut asked = [0; 512];
            let count = near.read(&mut asked).await.unwrap();
            near.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&asked[..count]).into_owned()
        });
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        let mut file = File::create(&path).await.unwrap();
        let got = download(&url, &mut file, most).await;
        assert_eq!(
            got.map(|_| std::fs::read_to_string(&path).unwrap()),
            expected.map(str::to_owned).map_err(str::to_owned)
        );
        assert!(served.await.unwrap().starts_with("GET /x HTTP/1.0\r\n"));
    }

    #[tokio::test]
    async fn an_answer_is_taken_as_far_as_it_is_one() {
        check_download("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", 10, Ok("body")).await;
        check_download("HTTP/1.0 200 OK\r\n\r\nbody", 10, Ok("body")).await;
        check_download("HTTP/1.0 200 OK\r\n\r\nbody", 3, Err("it is larger than 3 bytes")).await;
        check_download("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody", 10, Err("4 bytes came of 5"))
            .await;
        check_download("HTTP/1.1 404 Not Found\r\n\r\n", 10, Err("it answers with the status 404")).await;
        check_download("SSH-2.0\r\n\r\n", 10, Err("it does not speak HTTP")).await;
        check_download("HTTP/1.1 200 OK\r\nA: b\r\n", 10, Err("its answer ends too early")).await;
    }
}
