//! Standard input, output and error of a program.

use super::control::Stop;
use bytes::Bytes;
use std::fs::File;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

/// Most bytes moved at a time.
const CHUNK: usize = 64 * 1024;

/// What a program has printed so far. Whoever has a clone can look at it while the program runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tap {
    kept: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    /// What was printed from byte `from` on, at most `most` bytes.
    #[must_use]
    pub(crate) fn tail(&self, from: u64, most: usize) -> Vec<u8> {
        let kept = self.kept();
        let rest = usize::try_from(from).ok().and_then(|from| kept.get(from..));
        rest.unwrap_or_default().iter().take(most).copied().collect()
    }

    fn kept(&self) -> MutexGuard<'_, Vec<u8>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps what a program prints, up to a limit; the write that goes over it fills it up and ends the program.
#[derive(Clone, Debug)]
pub(super) struct Capture {
    tap: Tap,
    limit: u64,
}

impl Capture {
    pub(super) const fn new(tap: Tap, limit: u64) -> Self {
        Self { tap, limit }
    }

    /// What was printed; what is asked later begins with nothing.
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.tap.kept())
    }
}

impl IsTerminal for Capture {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Capture {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(MemoryOutputPipe::new(0))
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Capture {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut kept = self.tap.kept();
        let room = usize::try_from(self.limit).unwrap_or(usize::MAX).saturating_sub(kept.len());
        kept.extend(bytes.iter().take(room));
        if bytes.len() > room {
            return Err(StreamError::Trap(Stop::Output.into()));
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(CHUNK)
    }
}

#[async_trait]
impl Pollable for Capture {
    async fn ready(&mut self) {}
}

/// Standard input from a file, or empty.
#[derive(Clone, Debug)]
pub(super) struct Source {
    file: Option<Arc<File>>,
}

impl Source {
    pub(super) fn new(file: Option<File>) -> Self {
        Self { file: file.map(Arc::new) }
    }
}

impl IsTerminal for Source {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Source {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncRead + Send + Sync> {
        Box::new(MemoryInputPipe::new(Bytes::new()))
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

impl InputStream for Source {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let Some(file) = &self.file else { return Err(StreamError::Closed) };
        let mut bytes = Vec::new();
        let most = u64::try_from(size.min(CHUNK)).unwrap_or(0);
        let count = file.as_ref().take(most).read_to_end(&mut bytes);
        match count {
            Ok(0) if most > 0 => Err(StreamError::Closed),
            Ok(_) => Ok(bytes.into()),
            Err(error) => Err(StreamError::LastOperationFailed(error.into())),
        }
    }
}

#[async_trait]
impl Pollable for Source {
    async fn ready(&mut self) {}
}
