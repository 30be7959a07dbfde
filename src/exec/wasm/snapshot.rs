//! A saved program as bytes, and back.
//!
//! ```text
//! "cup2snap"  version (4 bytes)  BLAKE3 of the rest (32 bytes)  zstd of:
//!     length of the head (4 bytes)  head (protocol buffers)
//!     the pieces of the linear memory that are not zero, 4 KiB each, in their order
//!     the frames
//!     the contents of the files that are not inputs as they were, in the order of their numbers
//! ```
//!
//! Numbers are little-endian. The head says for which program and cost model it is and how much of everything follows,
//! so that a reader knows what to expect before it takes any of it. It holds no arguments, no environment and no
//! standard input: who goes on has them from the contract.
//!
//! A *difference* names a whole snapshot by the hash in it, and has the pieces that have changed since instead; all the
//! rest is as in a whole one. Who goes on from it reads the memory of the whole one first.

use super::super::saved::{Snapshot, Whole};
use super::super::wasi::SavedWasi;
use super::super::{COST_MODEL, state::Meter};
use super::machine::{Machine, Phase};
use super::pieces::{PIECE, Pieces, is_zero};
use instrument::layout::Kind;
use prost::Message;
use proto::message::service::Limits;
use proto::{Bytes, Cycles, Hash, Span};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;
use wasmtime::{V128, Val};

/// Beginning of a snapshot.
const MAGIC: &[u8; 8] = b"cup2snap";
/// Version of the format.
const VERSION: u32 = 2;
/// Length of everything before the compressed part.
const PREFIX: usize = 8 + 4 + 32;
/// How hard it is compressed: 1 of 22, since the program stands still meanwhile.
const LEVEL: i32 = 1;
/// A page of linear memory, by which it grows.
const PAGE: usize = 65_536;
/// Largest head: a tree of as many files as there may be, with long names, and both streams at their limits.
const MAX_HEAD: u64 = 256 << 20;
/// Largest head that is read only to see whether it is one, beside both streams and the numbers of the pieces of memory: its
/// tree of files with names, its globals. What it is decoded to takes some twenty times as much.
const SEEN_HEAD: u64 = 16 << 20;
/// Most bytes of a number of a piece.
const NUMBER: u64 = 5;

/// What a snapshot says of itself.
#[derive(Clone, PartialEq, Message)]
struct Head {
    /// BLAKE3 of the program, as its buyer gave it.
    #[prost(bytes = "vec", tag = "1")]
    program: Vec<u8>,
    #[prost(uint32, tag = "2")]
    cost_model: u32,
    /// Cycles from the very start, and where the present budget ends.
    #[prost(uint64, tag = "3")]
    used: u64,
    #[prost(uint64, tag = "4")]
    until: u64,
    /// The start function runs, not the program itself.
    #[prost(bool, tag = "5")]
    is_starting: bool,
    /// The globals of the layout, 16 bytes each.
    #[prost(bytes = "vec", tag = "6")]
    globals: Vec<u8>,
    /// Bytes of frames.
    #[prost(uint32, tag = "7")]
    frames: u32,
    /// Pages of the linear memory, and the pieces of it that follow.
    #[prost(uint32, tag = "8")]
    pages: u32,
    #[prost(uint32, repeated, tag = "9")]
    present: Vec<u32>,
    #[prost(message, required, tag = "10")]
    wasi: SavedWasi,
    /// The hash in the whole snapshot that it is a difference to; empty: it is whole.
    #[prost(bytes = "vec", tag = "11")]
    base: Vec<u8>,
}

/// The last whole snapshot of a program that goes on.
pub(super) struct Base {
    /// The hash in it.
    hash: Hash,
    pieces: Pieces,
}

impl Machine {
    /// Saves the program, which stands unwound: as a difference to `whole` if it pays, which has to be its last whole
    /// snapshot.
    pub(super) fn snapshot(&mut self, whole: Option<Whole>) -> wasmtime::Result<Snapshot> {
        let pieces = Pieces::of(self.memory());
        let present = pieces.present();
        if let Some(Whole { hash, most }) = whole
            && let Some(base) = self.base.as_ref().filter(|base| base.hash == hash)
        {
            let changed = pieces.changed_since(&base.pieces);
            // Where half of it has changed, compressing that to see how much it comes to would be in vain.
            if changed.len() <= present.len() / 2 {
                let difference = self.pack(changed, Some(hash))?;
                if Bytes(difference.bytes.len() as u64) <= most {
                    return Ok(difference);
                }
            }
        }
        let snapshot = self.pack(present, None)?;
        self.base = Some(Base { hash: snapshot.hash, pieces });
        Ok(snapshot)
    }

    fn memory(&self) -> &[u8] {
        self.parts.memory.map(|memory| memory.data(&self.store)).unwrap_or_default()
    }

    /// The program with these pieces of its memory.
    fn pack(&mut self, pieces: Vec<u32>, base: Option<Hash>) -> wasmtime::Result<Snapshot> {
        let head = self.head(pieces, base)?;
        let encoded = head.encode_to_vec();
        let mut bytes = Vec::new();
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([0; 32]);
        let mut packed = zstd::stream::write::Encoder::new(bytes, LEVEL)?;
        packed.write_all(&u32::try_from(encoded.len())?.to_le_bytes())?;
        packed.write_all(&encoded)?;
        self.write_memory(&head, &mut packed)?;
        self.write_files(&head.wasi, &mut packed)?;
        let mut bytes = packed.finish()?;
        let hash = Hash::of(bytes.get(PREFIX..).unwrap_or_default());
        if let Some(place) = bytes.get_mut(PREFIX - 32..PREFIX) {
            place.copy_from_slice(&hash.0);
        }
        Ok(Snapshot { bytes, hash, base, cycles: Cycles(head.used), took: Span(0) })
    }

    fn head(&mut self, present: Vec<u32>, base: Option<Hash>) -> wasmtime::Result<Head> {
        let (used, until) = self.store.data().meter.position();
        let mut globals = Vec::new();
        for saved in &self.program.layout.globals {
            let global = self.instance.get_global(&mut self.store, &saved.name);
            let global = global.ok_or_else(|| wasmtime::Error::msg("a global has gone"))?;
            globals.extend(bits(&global.get(&mut self.store)).to_le_bytes());
        }
        let frames = self.parts.top.get(&mut self.store).i32().unwrap_or(0).cast_unsigned();
        Ok(Head {
            program: self.hash.0.to_vec(),
            cost_model: COST_MODEL,
            used,
            until,
            is_starting: self.phase == Phase::Start,
            globals,
            frames,
            pages: u32::try_from(self.memory().len() / PAGE)?,
            present,
            wasi: self.store.data().wasi.save(),
            base: base.map(|base| base.0.to_vec()).unwrap_or_default(),
        })
    }

    fn write_memory(&self, head: &Head, to: &mut impl Write) -> wasmtime::Result<()> {
        for piece in &head.present {
            let start = usize::try_from(*piece)?.saturating_mul(PIECE);
            to.write_all(self.memory().get(start..start.saturating_add(PIECE)).unwrap_or_default())?;
        }
        let frames = self.parts.stack.data(&self.store).get(..usize::try_from(head.frames)?);
        to.write_all(frames.ok_or_else(|| wasmtime::Error::msg("its frames are larger than their memory"))?)?;
        Ok(())
    }

    fn write_files(&self, saved: &SavedWasi, to: &mut impl Write) -> wasmtime::Result<()> {
        for node in saved.contents() {
            // Read from its start whatever offset the program has: offsets are ours, not the host's.
            let mut file = self.store.data().wasi.source(node)?;
            file.rewind()?;
            let copied = io::copy(&mut file.take(node.length()), to)?;
            if copied != node.length() {
                return Err(wasmtime::Error::msg("a file is shorter than it was"));
            }
        }
        Ok(())
    }

    /// Puts the program, which is at its start, where the snapshot in the last of `files` was taken; each of them rests
    /// on the one before it, the first on nothing.
    ///
    /// # Errors
    /// Why it cannot go on from there, in words.
    pub(super) fn restore(&mut self, files: &[PathBuf], limits: Limits) -> Result<(), String> {
        let (mut below, mut last) = (None, None);
        for file in files {
            let file = File::open(file).map_err(|error| format!("it cannot be read: {error}"))?;
            let (hash, mut from) = open(file)?;
            let head = read_head(self.hash, below, MAX_HEAD, &mut from)?;
            if head.is_starting && !self.program.layout.start {
                return Err("it is in a start function that the program does not have".into());
            }
            self.restore_memory(&head, &mut from)?;
            (below, last) = (Some(hash), Some((head, from)));
        }
        last.map_or(Ok(()), |(head, mut from)| self.take_up(&head, &mut from, limits))
    }

    /// Takes up what stands behind the memory.
    fn take_up(&mut self, head: &Head, from: &mut impl Read, limits: Limits) -> Result<(), String> {
        self.restore_globals(&head.globals)?;
        self.restore_frames(head.frames, from)?;
        self.restore_files(&head.wasi, from, limits)?;
        self.store.data_mut().meter = Meter::resumed(head.used, head.until, limits.cycles);
        self.phase = if head.is_starting { Phase::Start } else { Phase::Main };
        self.is_saved = true;
        Ok(())
    }

    fn restore_globals(&mut self, bytes: &[u8]) -> Result<(), String> {
        let (values, rest) = bytes.as_chunks::<16>();
        let globals = &self.program.layout.globals;
        if values.len() != globals.len() || !rest.is_empty() {
            return Err("it has other globals than the program".into());
        }
        for (saved, value) in globals.iter().zip(values) {
            let global = self.instance.get_global(&mut self.store, &saved.name).ok_or("a global has gone")?;
            global
                .set(&mut self.store, value_of(saved.kind, *value))
                .map_err(|error| format!("{error:#}"))?;
        }
        Ok(())
    }

    fn restore_memory(&mut self, head: &Head, from: &mut impl Read) -> Result<(), String> {
        if let Some(memory) = self.parts.memory {
            let more = u64::from(head.pages).checked_sub(memory.size(&self.store));
            let more = more.ok_or("its memory is smaller than at the start of the program")?;
            let grown = memory.grow(&mut self.store, more);
            grown.map_err(|_| "its memory is larger than it may be or than there is here".to_owned())?;
            let bytes = memory.data_mut(&mut self.store);
            let mut present = head.present.iter().copied().peekable();
            for (piece, number) in bytes.chunks_mut(PIECE).zip(0_u32..) {
                if present.next_if_eq(&number).is_some() {
                    from.read_exact(piece).map_err(torn)?;
                } else if head.base.is_empty() && !is_zero(piece) {
                    piece.fill(0);
                }
            }
            if present.next().is_some() {
                return Err("it has pieces of memory out of order".into());
            }
        } else if head.pages > 0 || !head.present.is_empty() {
            return Err("it has a memory, and the program has none".into());
        }
        Ok(())
    }

    fn restore_frames(&mut self, length: u32, from: &mut impl Read) -> Result<(), String> {
        let frames = usize::try_from(length).map_err(|_| "its frames are too large")?;
        let stack = self.parts.stack.data_mut(&mut self.store).get_mut(..frames);
        from.read_exact(stack.ok_or("its frames are larger than they may be")?).map_err(torn)?;
        let top = Val::I32(length.cast_signed());
        self.parts.top.set(&mut self.store, top).map_err(|error| format!("{error:#}"))
    }

    fn restore_files(
        &mut self,
        saved: &SavedWasi,
        from: &mut impl Read,
        limits: Limits,
    ) -> Result<(), String> {
        let wasi = &mut self.store.data_mut().wasi;
        wasi.restore(saved, limits.output.0)?;
        for node in saved.contents() {
            let mut file = wasi.make(node)?;
            let copied =
                io::copy(&mut from.take(node.length()), &mut file).map_err(|error| error.to_string())?;
            if copied != node.length() {
                return Err("it ends within a file".into());
            }
        }
        wasi.reopen()
    }
}

/// Reads snapshots of `program` to their end, each of which rests on the one before it, the first on nothing; without
/// the program. What only a restored program can tell is not looked at.
///
/// # Errors
/// Why nobody could go on from the last one, in words.
pub(crate) fn check_snapshots(program: Hash, snapshots: &[Vec<u8>], limits: Limits) -> Result<(), String> {
    let mut below = None;
    let streams = limits.output.0.saturating_mul(2);
    let numbers = (limits.memory.0 / PIECE as u64).saturating_mul(NUMBER);
    let most = SEEN_HEAD.saturating_add(streams).saturating_add(numbers).min(MAX_HEAD);
    for snapshot in snapshots {
        let (hash, mut from) = open(io::Cursor::new(snapshot))?;
        let head = read_head(program, below, most, &mut from)?;
        let memory = u64::from(head.pages).saturating_mul(PAGE as u64);
        let pieces = memory / PIECE as u64;
        let is_in_order = head.present.is_sorted_by(|one, next| one < next);
        if !is_in_order || head.present.last().is_some_and(|last| u64::from(*last) >= pieces) {
            return Err("it has pieces of memory out of order".into());
        }
        let files = head.wasi.contents().fold(0_u64, |sum, node| sum.saturating_add(node.length()));
        if memory > limits.memory.0 || files > limits.disk.0 {
            return Err("its memory or its files are larger than they may be".into());
        }
        let behind = (head.present.len() as u64).saturating_mul(PIECE as u64);
        let behind = behind.saturating_add(head.frames.into()).saturating_add(files);
        let found = io::copy(&mut from.take(behind), &mut io::sink()).map_err(torn)?;
        if found != behind {
            return Err("it ends before all that it names".into());
        }
        below = Some(hash);
    }
    Ok(())
}

/// The head of a snapshot of `program` that rests on the one with the hash `below`, if it has at most so many bytes.
fn read_head(program: Hash, below: Option<Hash>, most: u64, from: &mut impl Read) -> Result<Head, String> {
    let mut length = [0; 4];
    from.read_exact(&mut length).map_err(torn)?;
    let length = u64::from(u32::from_le_bytes(length));
    if length > most {
        return Err("its head is too large".into());
    }
    let mut head = Vec::new();
    from.take(length).read_to_end(&mut head).map_err(torn)?;
    let head = Head::decode(head.as_slice()).map_err(|_| "its head cannot be read".to_owned())?;
    if head.program != program.0 {
        return Err("it is of another program".into());
    }
    if head.cost_model != COST_MODEL {
        return Err(format!("it was made under cost model {}, here is {COST_MODEL}", head.cost_model));
    }
    if head.base != below.map(|below| below.0.to_vec()).unwrap_or_default() {
        return Err("it is a difference to another state than was found".into());
    }
    Ok(head)
}

/// Opens the compressed part of a snapshot that is as it was written, and gives the hash in it.
fn open<R: Read + Seek>(mut file: R) -> Result<(Hash, impl Read), String> {
    let mut prefix = [0; PREFIX];
    file.read_exact(&mut prefix).map_err(torn)?;
    let (magic, rest) = prefix.split_first_chunk::<8>().ok_or("it is too short")?;
    let (version, hash) = rest.split_first_chunk::<4>().ok_or("it is too short")?;
    if magic != MAGIC {
        return Err("it is no snapshot of a WebAssembly program".into());
    }
    let version = u32::from_le_bytes(*version);
    if version != VERSION {
        return Err(format!("it has version {version}, here is {VERSION}"));
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(&mut file).map_err(torn)?;
    let found = Hash(*hasher.finalize().as_bytes());
    if found.0 != hash {
        return Err("it does not have the hash that it names".into());
    }
    let start = u64::try_from(PREFIX).unwrap_or(0);
    file.seek(io::SeekFrom::Start(start)).map_err(torn)?;
    let packed = zstd::stream::read::Decoder::new(file).map_err(torn)?;
    Ok((found, io::BufReader::new(packed)))
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed to map_err")]
fn torn(error: io::Error) -> String {
    format!("it cannot be read to its end: {error}")
}

/// A value by its bits.
fn bits(value: &Val) -> u128 {
    match value {
        Val::I32(value) => value.cast_unsigned().into(),
        Val::I64(value) => value.cast_unsigned().into(),
        Val::F32(bits) => (*bits).into(),
        Val::F64(bits) => (*bits).into(),
        Val::V128(value) => value.as_u128(),
        _ => 0,
    }
}

/// The value of a type with those bits.
fn value_of(kind: Kind, bytes: [u8; 16]) -> Val {
    let [a, b, c, d, e, f, g, h, ..] = bytes;
    let (word, long) = (u32::from_le_bytes([a, b, c, d]), u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    match kind {
        Kind::I32 => Val::I32(word.cast_signed()),
        Kind::I64 => Val::I64(long.cast_signed()),
        Kind::F32 => Val::F32(word),
        Kind::F64 => Val::F64(long),
        Kind::V128 => Val::V128(V128::from(u128::from_le_bytes(bytes))),
    }
}
