//! Whether a file is a program that this machine can run natively; its first bytes tell.

/// How many of them are needed.
pub(super) const HEAD: usize = 64;

/// Accepts an ELF program for this kind of processor, or a script, or says what is wrong.
pub(super) fn require_native(head: &[u8]) -> Result<(), String> {
    if head.starts_with(b"#!") {
        return Ok(());
    }
    if head.is_empty() {
        return Err("the file is empty".into());
    }
    let Some([b'E', b'L', b'F', class, order, ..]) = head.strip_prefix(b"\x7f") else {
        return Err("the file is neither an ELF program nor a script with `#!` at its beginning".into());
    };
    // ELF identification, type and machine: e_ident[4], e_ident[5], bytes 16 and 18.
    let (kind, machine) = (head.get(16).copied(), head.get(18).copied());
    if (*class, *order) != (2, 1) {
        return Err("the file is an ELF program, but not one of 64 bits and little-endian".into());
    }
    if !matches!(kind, Some(2 | 3)) {
        return Err("the file is ELF, but not a program that can be executed".into());
    }
    match machine {
        Some(machine) if Some(machine) == machine_here() => Ok(()),
        Some(0x3e) => Err("the program is for another processor (x86_64)".into()),
        Some(0xb7) => Err("the program is for another processor (aarch64)".into()),
        _ => Err("the program is for another processor".into()),
    }
}

/// The number of this machine's processor in an ELF header.
fn machine_here() -> Option<u8> {
    match std::env::consts::ARCH {
        "x86_64" => Some(0x3e),
        "aarch64" => Some(0xb7),
        "riscv64" => Some(0xf3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_whether_it_can_be_run_here() {
        let elf = |class, order, kind, machine| {
            let mut head = b"\x7fELF".to_vec();
            head.extend([class, order]);
            head.resize(16, 0);
            head.extend([kind, 0, machine, 0]);
            head
        };
        let here = machine_here().unwrap();
        let other = if here == 0xb7 { (0x3e, "x86_64") } else { (0xb7, "aarch64") };
        for (head, expected) in [
            (b"#!/bin/sh\n".to_vec(), Ok(())),
            (elf(2, 1, 2, here), Ok(())),
            (elf(2, 1, 3, here), Ok(())),
            (elf(2, 1, 1, here), Err("the file is ELF, but not a program that can be executed".to_owned())),
            (
                elf(1, 1, 2, here),
                Err("the file is an ELF program, but not one of 64 bits and little-endian".into()),
            ),
            (elf(2, 1, 2, other.0), Err(format!("the program is for another processor ({})", other.1))),
            (elf(2, 1, 2, 0xf8), Err("the program is for another processor".into())),
            (Vec::new(), Err("the file is empty".into())),
            (
                b"\0asm\x01\0\0\0".to_vec(),
                Err("the file is neither an ELF program nor a script with `#!` at its beginning".into()),
            ),
        ] {
            assert_eq!(require_native(&head), expected, "{head:02x?}");
        }
    }
}
