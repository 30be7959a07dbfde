//! What the node and its builder say to each other: words, and open files beside them, through a socket of their own.
//!
//! A frame is the length of the rest, the number of words, and each word behind its length; numbers have four bytes,
//! little-endian. Words have their lengths since a buyer chooses some of them: no byte within one can end it.

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::net::UnixStream;

/// The longest frame, in bytes: more than a kernel takes as the arguments of a program (2 MiB for a stack of 8 MiB).
const MAX_FRAME: usize = 4 << 20;
/// Most open files beside a frame.
pub(super) const MAX_FILES: usize = 4;
/// Bytes of a number.
const NUMBER: usize = 4;

/// What has arrived.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) words: Vec<OsString>,
    pub(super) files: Vec<OwnedFd>,
}

/// Sends `words`, and `files` with the first byte of them.
///
/// # Errors
/// A frame that is too long (`InvalidInput`), or the socket's.
pub(super) fn send(mut socket: &UnixStream, words: &[OsString], files: &[BorrowedFd<'_>]) -> io::Result<()> {
    let too_long = || io::Error::new(io::ErrorKind::ArgumentListTooLong, "more words than fit into a frame");
    let number = |count: usize| u32::try_from(count).map(u32::to_le_bytes).map_err(|_| too_long());
    let mut body = number(words.len())?.to_vec();
    for word in words {
        body.extend(number(word.len())?);
        body.extend(word.as_bytes());
    }
    if body.len() > MAX_FRAME {
        return Err(too_long());
    }
    let length = number(body.len())?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FILES))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(files)) {
        return Err(io::Error::other("more files than go with a frame"));
    }
    let sent = sendmsg(socket.as_fd(), &[IoSlice::new(&length)], &mut beside, SendFlags::NOSIGNAL)?;
    socket.write_all(length.get(sent..).unwrap_or_default())?;
    socket.write_all(&body)
}

/// The next frame, or none where the other side has gone.
///
/// # Errors
/// The socket's, or a frame that is none (`InvalidData`).
pub(super) fn receive(mut socket: &UnixStream) -> io::Result<Option<Frame>> {
    let mut length = [0; NUMBER];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FILES))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let into = &mut [IoSliceMut::new(&mut length)];
    let got = recvmsg(socket.as_fd(), into, &mut beside, RecvFlags::CMSG_CLOEXEC)?.bytes;
    let mut files = Vec::new();
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(sent) = message {
            files.extend(sent);
        }
    }
    if got == 0 {
        return Ok(None);
    }
    socket.read_exact(length.get_mut(got..).unwrap_or_default())?;
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "this is no frame");
    if length > MAX_FRAME {
        return Err(broken());
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body)?;
    Ok(Some(Frame { words: words(&body).ok_or_else(broken)?, files }))
}

/// The words of a frame's body, if it is one.
fn words(mut body: &[u8]) -> Option<Vec<OsString>> {
    let number = |body: &mut &[u8]| {
        let (bytes, rest) = body.split_first_chunk::<NUMBER>()?;
        *body = rest;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    };
    let count = number(&mut body)?;
    let mut words = Vec::new();
    for _ in 0..count {
        let length = number(&mut body)?;
        let (word, rest) = body.split_at_checked(length)?;
        words.push(OsString::from_vec(word.to_vec()));
        body = rest;
    }
    body.is_empty().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Seek as _;

    fn texts(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn words_arrive_as_they_were_sent_with_the_files_beside_them() {
        let (here, there) = UnixStream::pair().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"text").unwrap();
        file.rewind().unwrap();
        for words in [texts(&[]), texts(&["", "a\0b", "\u{00fc} \n"]), vec![OsString::from_vec(vec![0xff])]] {
            send(&here, &words, &[file.as_fd()]).unwrap();
            send(&here, &words, &[]).unwrap();
            for files in [1, 0] {
                let frame = receive(&there).unwrap().unwrap();
                assert_eq!((&frame.words, frame.files.len()), (&words, files));
            }
        }
        let mut there_too = String::new();
        send(&here, &[], &[file.as_fd()]).unwrap();
        let sent = receive(&there).unwrap().unwrap().files.pop().unwrap();
        std::fs::File::from(sent).read_to_string(&mut there_too).unwrap();
        assert_eq!(there_too, "text");
        drop(here);
        assert!(receive(&there).unwrap().is_none());
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let long = u32::try_from(MAX_FRAME + 1).unwrap().to_le_bytes();
        for bytes in [
            // Longer than may be; a word without its end; a number too short; something behind the last word.
            long.to_vec(),
            [8_u32, 1, 9].map(u32::to_le_bytes).concat(),
            [3_u32.to_le_bytes().as_slice(), &[1, 0, 0]].concat(),
            [5_u32.to_le_bytes().as_slice(), &[0, 0, 0, 0, 7]].concat(),
        ] {
            let (mut here, there) = UnixStream::pair().unwrap();
            here.write_all(&bytes).unwrap();
            let kind = receive(&there).map(|frame| frame.map(|frame| frame.words)).map_err(|e| e.kind());
            assert_eq!(kind, Err(io::ErrorKind::InvalidData), "{bytes:?}");
        }
        let (here, _there) = UnixStream::pair().unwrap();
        let long = [OsString::from("x".repeat(MAX_FRAME))];
        assert_eq!(send(&here, &long, &[]).unwrap_err().kind(), io::ErrorKind::ArgumentListTooLong);
    }
}
