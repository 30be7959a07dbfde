//! The state of a program that saves itself: the files that it has declared, and what it has printed so far.

use super::Streams;
use crate::exec::Scratch;
use crate::exec::scratch::is_plain;
use proto::Bytes;
use std::fs;

/// Files with what was printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    files: Vec<(String, Vec<u8>)>,
    streams: Streams,
}

impl Files {
    /// Reads the files of `names` that are there.
    ///
    /// # Errors
    /// In words; if they have more than `most` bytes together with what was printed, for one.
    pub(super) fn read(
        scratch: &Scratch,
        names: &[String],
        streams: &Streams,
        most: Bytes,
    ) -> Result<Self, String> {
        let mut size = (streams.stdout.len() + streams.stderr.len()) as u64;
        let mut files = Vec::new();
        for name in names {
            let path = scratch.output(name).ok_or_else(|| format!("the file `{name}` is not there"))?;
            let unreadable = |error| format!("the file `{name}` cannot be read: {error}");
            size = size.saturating_add(fs::metadata(&path).map_err(unreadable)?.len());
            if size > most.0 {
                return Err(format!(
                    "its saved files have more than the {most} that are reserved for them; raise CheckPointDataSize"
                ));
            }
            files.push((name.clone(), fs::read(&path).map_err(unreadable)?));
        }
        Ok(Self { files, streams: streams.clone() })
    }

    /// Puts the files into a fresh scratch directory, and gives what was printed.
    pub(super) fn write(self, scratch: &Scratch, names: &[String]) -> Result<Streams, String> {
        self.check(names)?;
        for (name, bytes) in &self.files {
            let path = scratch.path().join(name);
            let unwritable = |error| format!("the file `{name}` cannot be written: {error}");
            if let Some(directory) = path.parent() {
                fs::create_dir_all(directory).map_err(unwritable)?;
            }
            // An input of the same name is another file, which has to stay as it is.
            if path.exists() {
                fs::remove_file(&path).map_err(unwritable)?;
            }
            fs::write(&path, bytes).map_err(unwritable)?;
        }
        Ok(self.streams)
    }

    /// Whether all of them are of `names`: another file is none of this program.
    ///
    /// # Errors
    /// Which one is not.
    pub(super) fn check(&self, names: &[String]) -> Result<(), String> {
        match self.files.iter().find(|(name, _)| !names.contains(name) || !is_plain(name)) {
            Some((name, _)) => Err(format!("it has a file `{name}`, which the program does not declare")),
            None => Ok(()),
        }
    }

    /// The bytes that stand for it: each part with its length before it.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut put = |part: &[u8]| {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part);
        };
        put(&self.streams.stdout);
        put(&self.streams.stderr);
        for (name, content) in &self.files {
            put(name.as_bytes());
            put(content);
        }
        bytes
    }

    /// What `bytes` stand for.
    ///
    /// # Errors
    /// In words.
    pub(super) fn decode(mut bytes: &[u8]) -> Result<Self, String> {
        let mut parts = Vec::new();
        while !bytes.is_empty() {
            let (part, rest) = split(bytes).ok_or("it ends within a file")?;
            parts.push(part);
            bytes = rest;
        }
        let ([stdout, stderr], files) = parts.split_first_chunk().ok_or("it has no streams")?;
        let streams = Streams { stdout: stdout.to_vec(), stderr: stderr.to_vec() };
        let (pairs, rest) = files.as_chunks::<2>();
        if !rest.is_empty() {
            return Err("it has a name without a file".into());
        }
        let file = |[name, content]: &[&[u8]; 2]| {
            let name = String::from_utf8(name.to_vec()).map_err(|_| "a name in it is no text")?;
            Ok::<_, String>((name, content.to_vec()))
        };
        Ok(Self { files: pairs.iter().map(file).collect::<Result<_, _>>()?, streams })
    }
}

/// The next part, and what is behind it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Files {
        let streams = Streams { stdout: b"out".to_vec(), stderr: Vec::new() };
        Files { files: vec![("a/b".into(), b"12".to_vec()), ("c".into(), Vec::new())], streams }
    }

    #[test]
    fn files_are_read_back_as_they_were_and_torn_ones_are_refused() {
        let bytes = some().encode();
        assert_eq!(Files::decode(&bytes), Ok(some()));
        for length in 0..bytes.len() {
            let is_whole = Files::decode(&bytes[..length]).is_ok_and(|files| files == some());
            assert!(!is_whole, "{length}");
        }
        assert!(Files::decode(&[0xff; 40]).is_err());
    }

    #[test]
    fn files_go_into_a_fresh_scratch_directory_if_they_are_declared() {
        let base = tempfile::tempdir().unwrap();
        let names = ["a/b".to_owned(), "c".to_owned()];
        let scratch = Scratch::new(base.path()).unwrap();
        assert_eq!(some().write(&scratch, &names), Ok(some().streams));
        let read = Files::read(&scratch, &names, &some().streams, Bytes(5));
        assert_eq!(read, Ok(some()));
        let why = Files::read(&scratch, &names, &some().streams, Bytes(4)).unwrap_err();
        assert!(why.contains("raise CheckPointDataSize"), "{why}");
        let other = Scratch::new(base.path()).unwrap();
        let why = some().write(&other, &names[..1]).unwrap_err();
        assert_eq!(why, "it has a file `c`, which the program does not declare");
        let mut bad = some();
        bad.files[0].0 = "../b".into();
        assert!(bad.write(&other, &["../b".to_owned(), "c".to_owned()]).is_err());
    }
}
