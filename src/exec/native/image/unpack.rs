//! An archive as a directory, within bounds.

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;
use std::fs;
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};
use tar::{Archive, EntryType};

/// Most bytes that an image may unpack to.
const MAX_BYTES: u64 = 8 << 30;
/// Most files and directories of an image.
const MAX_ENTRIES: u64 = 500_000;

/// What is left of the bounds of an image.
#[derive(Debug)]
pub(super) struct Room {
    bytes: u64,
    entries: u64,
}

impl Default for Room {
    fn default() -> Self {
        Self { bytes: MAX_BYTES, entries: MAX_ENTRIES }
    }
}

/// What `.wh.NAME` means: a file, or in a layer that NAME of the layers below is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whiteouts {
    AreFiles,
    Remove,
}

/// Unpacks an archive into `root`: files, directories and links. Owners, set-user bits and devices are left out.
///
/// # Errors
/// If it is no archive, too large, or leads out of `root`.
pub(super) fn archive(
    source: impl Read,
    root: &Path,
    room: &mut Room,
    whiteouts: Whiteouts,
) -> io::Result<()> {
    let mut archive = Archive::new(opened(source)?);
    archive.set_preserve_permissions(false);
    archive.set_preserve_mtime(false);
    for entry in archive.entries()? {
        let mut entry = entry?;
        room.take(entry.size())?;
        let path = plain(&entry.path()?)?;
        if whiteouts == Whiteouts::Remove && is_whiteout(root, &path)? {
            continue;
        }
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse | EntryType::Link => {
                displace(root, &path)?;
            }
            EntryType::Symlink => displace(root, &path)?,
            EntryType::Directory => {}
            // Devices, pipes and what no system unpacks.
            _ => continue,
        }
        if path.as_os_str().is_empty() {
            continue;
        }
        if !entry.unpack_in(root)? {
            return Err(io::Error::other(format!("`{}` leads out of it", path.display())));
        }
    }
    Ok(())
}

impl Room {
    fn take(&mut self, bytes: u64) -> io::Result<()> {
        let left = self.bytes.checked_sub(bytes).zip(self.entries.checked_sub(1));
        let (bytes, entries) = left.ok_or_else(|| io::Error::other("it is too large for an image"))?;
        *self = Self { bytes, entries };
        Ok(())
    }
}

/// The archive in `source`, decompressed if it is compressed. What it unpacks to is bounded by [`Room`].
fn opened<'a>(source: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut source = BufReader::new(source);
    let head = io::BufRead::fill_buf(&mut source)?;
    Ok(match head {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(source)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(StreamingDecoder::new(source).map_err(io::Error::other)?),
        _ => Box::new(source),
    })
}

/// A path without anything but names.
fn plain(path: &Path) -> io::Result<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(io::Error::other(format!("`{}` leads out of it", path.display())));
            }
        }
    }
    Ok(plain)
}

/// Removes what a new file would stand in the place of, if that is a file or a link.
fn displace(root: &Path, path: &Path) -> io::Result<()> {
    let Some(target) = safe(root, path) else { return Ok(()) };
    match fs::symlink_metadata(&target) {
        Ok(metadata) if !metadata.is_dir() => fs::remove_file(&target),
        _ => Ok(()),
    }
}

/// The place of `path` below `root`, if no part of the way to it is a link.
fn safe(root: &Path, path: &Path) -> Option<PathBuf> {
    let mut place = root.to_path_buf();
    for part in path.parent()?.components() {
        place.push(part);
        if !fs::symlink_metadata(&place).ok()?.is_dir() {
            return None;
        }
    }
    Some(place.join(path.file_name()?))
}

/// Does what a whiteout says, if it is one.
fn is_whiteout(root: &Path, path: &Path) -> io::Result<bool> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let Some(gone) = name.as_deref().and_then(|name| name.strip_prefix(".wh.")) else { return Ok(false) };
    let gone_path = if gone == ".wh..opq" {
        path.parent().map(Path::to_path_buf)
    } else {
        Some(path.with_file_name(gone))
    };
    let Some(target) =
        gone_path.filter(|path| !path.as_os_str().is_empty()).and_then(|path| safe(root, &path))
    else {
        return Ok(true);
    };
    match fs::symlink_metadata(&target) {
        Ok(metadata) if metadata.is_dir() && gone == ".wh..opq" => {
            crate::exec::clear::clear(&target)?;
        }
        Ok(metadata) if metadata.is_dir() => {
            crate::exec::clear::clear(&target)?;
            fs::remove_dir(&target)?;
        }
        Ok(_) => fs::remove_file(&target)?,
        Err(_) => {}
    }
    Ok(true)
}
