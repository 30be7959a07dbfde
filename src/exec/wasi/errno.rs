//! Why a call failed.

use super::super::control::Stop;

/// Error numbers of WASI preview 1 (`errno` in its `typenames.witx`), as far as our functions give them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Errno {
    /// No such descriptor, or it does not allow this.
    Badf = 8,
    /// It is there already.
    Exist = 20,
    /// The program names memory that it does not have.
    Fault = 21,
    /// A file would become larger than a number can say.
    Fbig = 22,
    /// A name is not UTF-8.
    Ilseq = 25,
    /// An argument makes no sense.
    Inval = 28,
    /// It is a directory.
    Isdir = 31,
    /// Too many open files.
    Mfile = 33,
    /// A name or path is too long.
    Nametoolong = 37,
    /// It is not there.
    Noent = 44,
    /// No room for more files or directories.
    Nospc = 51,
    /// It is not a directory.
    Notdir = 54,
    /// The directory is not empty.
    Notempty = 55,
    /// It is not a socket.
    Notsock = 57,
    /// Nobody gives this here.
    Notsup = 58,
    /// It would lead out of the directory, or is a symbolic link.
    Perm = 63,
    /// It cannot be wound.
    Spipe = 70,
}

impl Errno {
    /// As WASI numbers it.
    pub(in super::super) const fn number(self) -> i32 {
        self as i32
    }
}

/// Why a call did not do what it was asked to.
#[derive(Debug)]
pub(in super::super) enum Fail {
    /// The program hears of it.
    Errno(Errno),
    /// The program has to end.
    Stop(Stop),
    /// The host failed: the program ends through no fault of its own.
    Host(std::io::Error),
}

/// The host failed a program: its disk, as a rule.
#[derive(Debug, thiserror::Error)]
#[error("this machine failed it: {0}")]
pub(in super::super) struct HostFailed(pub(in super::super) std::io::Error);

impl From<Errno> for Fail {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<Stop> for Fail {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<std::io::Error> for Fail {
    fn from(error: std::io::Error) -> Self {
        Self::Host(error)
    }
}
