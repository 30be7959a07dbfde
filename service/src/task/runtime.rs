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

/// For which kind of processor an ELF program is, by its first bytes, of which the first [`RUNTIME_BYTES`] are enough: by
/// the names that listings use. Nothing for scripts, for what is no ELF, and for processors that have no name here.
///
/// The field is `e_machine` of the header (System V ABI, "ELF Header"; the numbers are those of its registry): two bytes
/// at 18, in the order that the byte at 5 tells.
#[must_use]
pub fn processor_of(beginning: &[u8]) -> Option<&'static str> {
    let rest = beginning.strip_prefix(b"\x7fELF")?;
    let (class, order) = (*rest.first()?, *rest.get(1)?);
    let [low, high] = *beginning.get(18..20)?.first_chunk()?;
    let machine = if order == 2 { u16::from_be_bytes([low, high]) } else { u16::from_le_bytes([low, high]) };
    match (machine, class, order) {
        (0x3e, 2, 1) => Some("x86_64"),
        (0xb7, 2, 1) => Some("aarch64"),
        (0xf3, 2, 1) => Some("riscv64"),
        (0x03, 1, 1) => Some("x86"),
        (0x28, 1, 1) => Some("arm"),
        (0x15, 2, _) => Some("powerpc64"),
        (0x16, 2, 2) => Some("s390x"),
        _ => None,
    }
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

    #[test]
    fn an_elf_program_tells_its_processor() {
        let elf = |class: u8, order: u8, machine: [u8; 2]| {
            let mut head = b"\x7fELF".to_vec();
            head.extend([class, order]);
            head.resize(18, 0);
            head.extend(machine);
            head
        };
        for (head, expected) in [
            (elf(2, 1, [0x3e, 0]), Some("x86_64")),
            (elf(2, 1, [0xb7, 0]), Some("aarch64")),
            (elf(2, 1, [0xf3, 0]), Some("riscv64")),
            (elf(1, 1, [0x03, 0]), Some("x86")),
            (elf(1, 1, [0x28, 0]), Some("arm")),
            (elf(2, 2, [0, 0x15]), Some("powerpc64")),
            (elf(2, 2, [0, 0x16]), Some("s390x")),
            // The x32 way of an x86_64 processor, an unknown one, and a file that is cut off.
            (elf(1, 1, [0x3e, 0]), None),
            (elf(2, 1, [0xff, 0xff]), None),
            (elf(2, 1, [0x3e, 0])[..19].to_vec(), None),
            (b"#!/bin/sh\n".to_vec(), None),
            (Vec::new(), None),
        ] {
            assert_eq!(processor_of(&head), expected, "{head:02x?}");
        }
    }
}
