//! What kind of file it is; its first bytes tell.

/// Beginning of a core module: magic number and version 1.
const MODULE: [u8; 8] = *b"\0asm\x01\0\0\0";
/// Beginning of any WebAssembly binary.
const MAGIC: [u8; 4] = *b"\0asm";
/// What else programs begin with.
const OTHERS: [(&[u8], &str); 11] = [
    (b"\x7fELF", "an ELF program"),
    (b"#!", "a script"),
    (b"MZ", "a Windows program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"\xca\xfe\xba\xbe", "a macOS program or a Java class"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BC\xc0\xde", "LLVM bitcode"),
    (b"!<arch>", "an archive of object files"),
    (b"(module", "WebAssembly text"),
    (b"(component", "WebAssembly text"),
];

/// Accepts a core module, or says what it is instead.
pub(super) fn require_module(bytes: &[u8]) -> Result<(), String> {
    if bytes.starts_with(&MODULE) {
        return Ok(());
    }
    if bytes.is_empty() {
        return Err("the file is empty".into());
    }
    if let Some(version) = bytes.strip_prefix(&MAGIC) {
        return Err(match version {
            [_, 0, 1, 0, ..] => {
                "the file is a WebAssembly component, not a core module (WASI preview 1)".into()
            }
            [_, _, _, _, ..] => format!("the file is WebAssembly of an unknown version ({})", first(version)),
            _ => "the file ends within the header of a WebAssembly module".into(),
        });
    }
    let known = OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic));
    let what = known.map(|(_, what)| format!(" ({what})")).unwrap_or_default();
    Err(format!("the file starts with {}{what}, not with a WebAssembly module", first(bytes)))
}

/// Up to four bytes as hexadecimal digits.
fn first(bytes: &[u8]) -> String {
    bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::require_module;

    #[test]
    fn the_first_bytes_tell_the_kind() {
        for (bytes, expected) in [
            (&b"\0asm\x01\0\0\0rest"[..], Ok(())),
            (b"", Err("the file is empty")),
            (
                b"\0asm\x0d\0\x01\0",
                Err("the file is a WebAssembly component, not a core module (WASI preview 1)"),
            ),
            (b"\0asm\x02\0\0\0", Err("the file is WebAssembly of an unknown version (02 00 00 00)")),
            (b"\0asm\x01", Err("the file ends within the header of a WebAssembly module")),
            (
                b"\x7fELF\x02",
                Err("the file starts with 7f 45 4c 46 (an ELF program), not with a WebAssembly module"),
            ),
            (b"#!/bin/sh", Err("the file starts with 23 21 2f 62 (a script), not with a WebAssembly module")),
            (b"hi", Err("the file starts with 68 69, not with a WebAssembly module")),
        ] {
            assert_eq!(require_module(bytes), expected.map_err(String::from), "{bytes:?}");
        }
    }
}
