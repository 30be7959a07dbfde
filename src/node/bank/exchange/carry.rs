//! Between a place and a file on the disk, all or nothing in both directions.

use super::super::kept;
use super::super::place::Place;
use super::super::postgres::{Access, Address, PgStore};
use super::{ExchangeError, Exchanged, export, import, owner};
use crate::cli::exit;
use crate::control::Failure;
use crate::net::identity::{self, KEY_FILE};
use crate::node::random;
use proto::PublicKey;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The word for a file that is no exported journal.
const INVALID: &str = "export_invalid";
/// Where a home keeps its journal, and where one that is being imported waits until it is whole.
const JOURNAL: &str = "journal";
const STAGE: &str = "import.part";

/// Writes the journal that is at `place` into a new file, `path`. The bank may serve meanwhile: what it has committed at
/// the beginning is there. The file appears when it is whole. `progress` is told how many records are written.
pub(crate) fn export_to(place: &Place, path: &Path, progress: &dyn Fn(u64)) -> Result<Exchanged, Failure> {
    let bank = bank_at(place)?;
    let mut store = place.reader(bank).map_err(|error| place.failure(&error))?;
    if path.exists() {
        let message = format!("{} is there already", path.display());
        return Err(Failure::new("file_exists", message, exit::USAGE).hint("name a file that is not there"));
    }
    let part = part_of(path);
    let written = write(&part, |file| export(&mut *store, bank, file, progress))
        .and_then(|exchanged| publish(&part, path).map(|()| exchanged));
    if written.is_err() {
        // Half a file is of no use to anybody.
        let _is_removed = fs::remove_file(&part).is_ok();
    }
    written.map_err(|error| failure(error, place, path))
}

/// Takes the journal in the file `path` into `place`, where there is none yet. `progress` is told how many records are
/// in.
pub(crate) fn import_from(place: &Place, path: &Path, progress: &dyn Fn(u64)) -> Result<Exchanged, Failure> {
    let file = File::open(path).map_err(|error| Failure::no_file(path, &error))?;
    let mut file = BufReader::new(file);
    let bank = owner(&mut file).map_err(|error| failure(error, place, path))?;
    match place {
        Place::Files(home) => import_files(&mut file, bank, home, progress)?,
        Place::Database(address) => import_database(&mut file, bank, address, progress),
    }
    .map_err(|error| failure(error, place, path))
}

/// Whose store it is.
fn bank_at(place: &Place) -> Result<PublicKey, Failure> {
    let nobody = || Failure::new("no_bank", format!("there is no bank at {place}"), exit::REFUSED);
    match place {
        Place::Files(home) => {
            if !home.join(KEY_FILE).exists() || !home.join(JOURNAL).exists() {
                return Err(nobody().hint("name the bank's home with --home, or its database with --store"));
            }
            let keys = identity::load_or_create(home).map_err(Failure::from_display("identity"))?;
            Ok(keys.public())
        }
        Place::Database(address) => {
            PgStore::bank_at(address).map_err(|error| place.failure(&error))?.ok_or_else(nobody)
        }
    }
}

/// In a database, an import is one transaction.
fn import_database(
    file: &mut BufReader<File>,
    bank: PublicKey,
    address: &Address,
    progress: &dyn Fn(u64),
) -> Result<Exchanged, ExchangeError> {
    let mut store = PgStore::open(address, bank, Access::Import)?;
    if store.records() > 0 {
        return Err(ExchangeError::NotEmpty { records: store.records() });
    }
    let exchanged = import(file, bank, &mut store, progress)?;
    store.finish()?;
    Ok(exchanged)
}

/// In files, the whole journal gets its name when it is whole.
fn import_files(
    file: &mut BufReader<File>,
    bank: PublicKey,
    home: &Path,
    progress: &dyn Fn(u64),
) -> Result<Result<Exchanged, ExchangeError>, Failure> {
    if !home.join(KEY_FILE).exists() {
        let message = format!("the journal is of the bank {bank:#}, whose key is not in {}", home.display());
        let hint = format!("copy `{KEY_FILE}` of the old bank there first, with mode 600");
        return Err(Failure::new("no_key", message, exit::REFUSED).hint(hint));
    }
    let keys = identity::load_or_create(home).map_err(Failure::from_display("identity"))?;
    if keys.public() != bank {
        let message =
            format!("the journal is of the bank {bank:#}, the key in {} is of another", home.display());
        return Err(Failure::new("other_bank", message, exit::REFUSED));
    }
    let journal = home.join(JOURNAL);
    if journal.exists() {
        let message = format!("{} is there already", journal.display());
        let hint = "a journal is imported as a whole; move the old one away if it is not needed";
        return Err(Failure::new("not_empty", message, exit::REFUSED).hint(hint));
    }
    let stage = home.join(STAGE);
    let cannot = |what: &'static str| move |error| Failure::disk(what, &home.join(STAGE), &error);
    if stage.exists() {
        // An import that did not come to its end.
        fs::remove_dir_all(&stage).map_err(cannot("remove"))?;
    }
    fs::create_dir(&stage).map_err(cannot("make the directory"))?;
    let mut store =
        kept::open_files(&stage, bank, random::bytes()?).map_err(|error| kept::failure(&error))?;
    let imported = import(file, bank, &mut store, progress);
    drop(store);
    if imported.is_ok() {
        let named = fs::rename(stage.join(JOURNAL), &journal).and_then(|()| sync(home));
        named.map_err(cannot("name the journal in"))?;
    }
    fs::remove_dir_all(&stage).map_err(cannot("remove"))?;
    Ok(imported)
}

fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

/// Writes a new file, for its owner's eyes only, and makes it durable.
fn write<T>(
    path: &Path,
    fill: impl FnOnce(&mut File) -> Result<T, ExchangeError>,
) -> Result<T, ExchangeError> {
    let cannot = |source| ExchangeError::File { what: "written", source };
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = file.map_err(cannot)?;
    let filled = fill(&mut file)?;
    file.sync_all().map_err(cannot)?;
    Ok(filled)
}

/// Gives a whole file its name, which stays.
fn publish(part: &Path, path: &Path) -> Result<(), ExchangeError> {
    let named = fs::hard_link(part, path).and_then(|()| fs::remove_file(part)).and_then(|()| {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        sync(directory.unwrap_or_else(|| Path::new(".")))
    });
    named.map_err(|source| ExchangeError::File { what: "written", source })
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn failure(error: ExchangeError, place: &Place, path: &Path) -> Failure {
    match error {
        ExchangeError::Store(error) => place.failure(&error),
        ExchangeError::File { what, source } => {
            Failure::new("disk", format!("{} cannot be {what}: {source}", path.display()), exit::FAILED)
        }
        ExchangeError::Malformed { .. } => {
            Failure::new(INVALID, format!("{}: {error}", path.display()), exit::USAGE)
                .hint("nothing was imported; make the file again with `compup2p bank export`")
        }
        ExchangeError::NotEmpty { .. } => {
            let hint = "a journal is imported as a whole, into a place that has none";
            Failure::new("not_empty", format!("{place}: {error}"), exit::REFUSED).hint(hint)
        }
    }
}
