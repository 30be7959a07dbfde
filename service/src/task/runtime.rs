//! `Runtime`: what kind of program it is.

use super::value::Wrong;
use proto::message::service::Runtime;

const EXPECTED: &str = "`wasm`, `native` or `container`";

/// How many bytes at the beginning of a file [`kind_of`] looks at.
pub const RUNTIME_BYTES: usize = 262;

/// What kind of program a file is by its first bytes, of which the first [`RUNTIME_BYTES`] are enough: a WebAssembly
/// module; an ELF program or a script with `#!`; an archive, which is a container. Everything else is taken for
/// WebAssembly, and the seller says that it is none.
#[must_use]
pub fn kind_of(beginning: &[u8]) -> Runtime {
    const NATIVE: [&[u8]; 2] = [b"\x7fELF", b"#!"];
    const ARCHIVES: [&[u8]; 3] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ"];
    if NATIVE.iter().any(|magic| beginning.starts_with(magic)) {
        return Runtime::Native;
    }
    let is_tar = beginning.get(257..262) == Some(b"ustar");
    if is_tar || ARCHIVES.iter().any(|magic| beginning.starts_with(magic)) {
        return Runtime::Container;
    }
    Runtime::WebAssembly
}

/// Reads `Runtime`.
pub(super) fn read(text: &str) -> Result<Runtime, Wrong> {
    match text {
        "wasm" => Ok(Runtime::WebAssembly),
        "native" => Ok(Runtime::Native),
        "container" => Ok(Runtime::Container),
        _ => Err(Wrong::Expected(EXPECTED)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_apart_by_their_first_bytes() {
        let mut tar = [0; RUNTIME_BYTES];
        tar[257..].copy_from_slice(b"ustar");
        let table: [(&[u8], Runtime); 8] = [
            (b"\0asm\x01\0\0\0", Runtime::WebAssembly),
            (b"\x7fELF\x02", Runtime::Native),
            (b"#!/bin/sh\n", Runtime::Native),
            (&tar, Runtime::Container),
            (b"\x1f\x8b\x08", Runtime::Container),
            (b"\x28\xb5\x2f\xfd", Runtime::Container),
            (b"", Runtime::WebAssembly),
            (b"hello", Runtime::WebAssembly),
        ];
        for (beginning, expected) in table {
            assert_eq!(kind_of(beginning), expected, "{beginning:?}");
        }
    }
}
