//! The memory of the calling program, never looked at beyond its end.

use super::errno::Errno;

/// Most bytes that one call moves into or out of the host: bounds what a program makes its host do at a time.
pub(super) const MAX_MOVED: u32 = 1 << 27;
/// Most buffers of one call (`IOV_MAX` of Linux); a call with more reads or writes less than it was asked to.
const MAX_VECTORS: u32 = 1_024;

/// A program's memory.
pub(in super::super) struct Guest<'a>(pub(in super::super) &'a mut [u8]);

impl Guest<'_> {
    /// `length` bytes at `at`.
    pub(super) fn bytes(&self, at: u32, length: u32) -> Result<&[u8], Errno> {
        let (start, length) = range(at, length)?;
        self.0.get(start..).and_then(|rest| rest.get(..length)).ok_or(Errno::Fault)
    }

    /// The same to be changed.
    pub(super) fn bytes_mut(&mut self, at: u32, length: u32) -> Result<&mut [u8], Errno> {
        let (start, length) = range(at, length)?;
        self.0.get_mut(start..).and_then(|rest| rest.get_mut(..length)).ok_or(Errno::Fault)
    }

    fn chunk<const N: usize>(&self, at: u32, offset: u32) -> Result<[u8; N], Errno> {
        let (start, offset) = range(at, offset)?;
        let rest = start.checked_add(offset).and_then(|start| self.0.get(start..));
        rest.and_then(|rest| rest.first_chunk()).copied().ok_or(Errno::Fault)
    }

    /// The byte `offset` after `at`.
    pub(super) fn byte(&self, at: u32, offset: u32) -> Result<u8, Errno> {
        self.chunk(at, offset).map(|[byte]| byte)
    }

    /// The number of 16 bits there.
    pub(super) fn short(&self, at: u32, offset: u32) -> Result<u16, Errno> {
        self.chunk(at, offset).map(u16::from_le_bytes)
    }

    /// The number of 32 bits there.
    pub(super) fn word(&self, at: u32, offset: u32) -> Result<u32, Errno> {
        self.chunk(at, offset).map(u32::from_le_bytes)
    }

    /// The number of 64 bits there.
    pub(super) fn long(&self, at: u32, offset: u32) -> Result<u64, Errno> {
        self.chunk(at, offset).map(u64::from_le_bytes)
    }

    /// Puts `bytes` at `at`.
    pub(super) fn put(&mut self, at: u32, bytes: &[u8]) -> Result<(), Errno> {
        let length = u32::try_from(bytes.len()).map_err(|_| Errno::Fault)?;
        self.bytes_mut(at, length)?.copy_from_slice(bytes);
        Ok(())
    }

    /// A name or path.
    pub(super) fn text(&self, at: u32, length: u32) -> Result<String, Errno> {
        let text = std::str::from_utf8(self.bytes(at, length)?).map_err(|_| Errno::Ilseq)?;
        if text.contains('\0') { Err(Errno::Inval) } else { Ok(text.to_owned()) }
    }

    /// The buffers of a reading or writing call (address and length), cut to what one call may move.
    pub(super) fn vectors(&self, at: u32, count: u32) -> Result<Vec<(u32, u32)>, Errno> {
        let mut left = MAX_MOVED;
        let mut vectors = Vec::new();
        for index in 0..count.min(MAX_VECTORS) {
            let offset = index.checked_mul(8).ok_or(Errno::Fault)?;
            let (address, length) = (self.word(at, offset)?, self.word(at, offset.saturating_add(4))?);
            // The whole of it has to be there, even if not all of it is moved.
            self.bytes(address, length)?;
            let length = length.min(left);
            left = left.saturating_sub(length);
            vectors.push((address, length));
        }
        Ok(vectors)
    }
}

fn range(at: u32, length: u32) -> Result<(usize, usize), Errno> {
    let number = |word: u32| usize::try_from(word).map_err(|_| Errno::Fault);
    Ok((number(at)?, number(length)?))
}
