//! The tables, and who may write to them.

use super::fault::fault;
use super::rows::number;
use bank::FORMAT;
use bank::store::StoreError;
use postgres::Client;
use postgres::error::SqlState;
use proto::PublicKey;

/// The tables. Records are not compressed: signatures and hashes do not get smaller.
const TABLES: &str = "\
CREATE SCHEMA IF NOT EXISTS compup2p;
CREATE TABLE compup2p.bank (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  key bytea NOT NULL, format integer NOT NULL, epoch bigint NOT NULL);
CREATE TABLE compup2p.journal (sequence bigint PRIMARY KEY, record bytea NOT NULL);
ALTER TABLE compup2p.journal ALTER record SET STORAGE EXTERNAL;
CREATE TABLE compup2p.movement (account bytea, sequence bigint, PRIMARY KEY (account, sequence));
CREATE TABLE compup2p.deal (contract bytea, sequence bigint, PRIMARY KEY (contract, sequence));
CREATE TABLE compup2p.snapshot (records bigint, piece integer, bytes bytea NOT NULL, PRIMARY KEY (records, piece));
ALTER TABLE compup2p.snapshot ALTER bytes SET STORAGE EXTERNAL;";
/// The lock of the bank that serves from a database: the bytes of `compup2p` as a number.
const LOCK: i64 = i64::from_be_bytes(*b"compup2p");

/// What every session has. A lock that is not to be had in 3 s is held by a bank that lives: the lock of one that was
/// killed is free as soon as PostgreSQL has read the end of its connection.
const SESSION: &str = "SET synchronous_commit = on; SET lock_timeout = '3s'; SET idle_in_transaction_session_timeout = 0; \
     SET statement_timeout = 0; SET client_min_messages = warning";

/// Sets a new session up.
///
/// # Errors
/// A server that acknowledges what it may forget.
pub(super) fn prepare(client: &mut Client) -> Result<(), StoreError> {
    let failed = fault("set the session up");
    client.batch_execute(SESSION).map_err(&failed)?;
    for setting in ["fsync", "synchronous_commit"] {
        let row = client.query_one("SELECT current_setting($1)", &[&setting]).map_err(&failed)?;
        let value: &str = row.try_get(0).map_err(&failed)?;
        if value != "on" {
            let reason = format!("`{setting}` is {value} there: a bank's records have to be durable");
            return Err(StoreError::Failed { what: "trust the database", reason });
        }
    }
    Ok(())
}

/// Takes the store for `bank`, as the only one. Returns the epoch that begins.
pub(super) fn take(client: &mut Client, bank: PublicKey) -> Result<i64, StoreError> {
    lock(client)?;
    let mut transaction = client.transaction().map_err(fault("open the store"))?;
    if self::bank(&mut transaction)?.is_none() {
        create(&mut transaction, bank)?;
    }
    own(&mut transaction, bank)?;
    let epoch = next_epoch(&mut transaction)?;
    transaction.commit().map_err(fault("open the store"))?;
    Ok(epoch)
}

/// Looks at the store of `bank`. Returns its epoch.
pub(super) fn look(client: &mut Client, bank: PublicKey) -> Result<i64, StoreError> {
    own(client, bank)?;
    let failed = fault("open the store");
    let row = client.query_one("SELECT epoch FROM compup2p.bank", &[]).map_err(&failed)?;
    row.try_get(0).map_err(failed)
}

/// Begins the transaction of an import into the store of `bank`. Returns the epoch that begins.
pub(super) fn begin(client: &mut Client, bank: PublicKey) -> Result<i64, StoreError> {
    lock(client)?;
    client.batch_execute("BEGIN").map_err(fault("open the store"))?;
    if self::bank(client)?.is_none() {
        create(client, bank)?;
    }
    own(client, bank)?;
    next_epoch(client)
}

/// The bank whose store it is; none where there is no store.
pub(super) fn bank(client: &mut impl postgres::GenericClient) -> Result<Option<PublicKey>, StoreError> {
    let failed = fault("open the store");
    let there = client.query_one("SELECT to_regclass('compup2p.bank') IS NOT NULL", &[]).map_err(&failed)?;
    if !there.try_get::<_, bool>(0).map_err(&failed)? {
        return Ok(None);
    }
    let row = client.query_opt("SELECT key, format FROM compup2p.bank", &[]).map_err(&failed)?;
    let foreign = |reason: String| StoreError::Foreign { reason };
    let row = row.ok_or_else(|| foreign("its table `bank` is empty".into()))?;
    let (key, format): (&[u8], i32) = (row.try_get(0).map_err(&failed)?, row.try_get(1).map_err(&failed)?);
    if format != i32::from(FORMAT) {
        return Err(foreign(format!("its records are of format {format}, this program's of {FORMAT}")));
    }
    let key = key.try_into().map_err(|_| foreign("its bank's key has not 32 bytes".into()))?;
    Ok(Some(PublicKey(key)))
}

/// The number of the next record.
pub(super) fn next(client: &mut Client) -> Result<u64, StoreError> {
    let failed = fault("read the journal");
    let question = "SELECT coalesce(max(sequence) + 1, 0) FROM compup2p.journal";
    let row = client.query_one(question, &[]).map_err(&failed)?;
    row.try_get(0).map(number).map_err(failed)
}

fn lock(client: &mut Client) -> Result<(), StoreError> {
    let locked = client.execute("SELECT pg_advisory_lock($1)", &[&LOCK]);
    locked.map(drop).map_err(|error| match error.code() {
        Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE => {
            StoreError::Fenced { reason: "it serves from this database at this moment".into() }
        }
        _ => fault("open the store")(error),
    })
}

fn create(client: &mut impl postgres::GenericClient, bank: PublicKey) -> Result<(), StoreError> {
    let failed = fault("make the tables");
    client.batch_execute(TABLES).map_err(&failed)?;
    let insert = "INSERT INTO compup2p.bank (key, format, epoch) VALUES ($1, $2, 0)";
    client.execute(insert, &[&bank.0.as_slice(), &i32::from(FORMAT)]).map(drop).map_err(failed)
}

fn own(client: &mut impl postgres::GenericClient, bank: PublicKey) -> Result<(), StoreError> {
    let reason = match self::bank(client)? {
        Some(there) if there == bank => return Ok(()),
        Some(there) => format!("it is of the bank {there:#}"),
        None => "the database holds no bank".into(),
    };
    Err(StoreError::Foreign { reason })
}

fn next_epoch(client: &mut impl postgres::GenericClient) -> Result<i64, StoreError> {
    let failed = fault("open the store");
    let update = "UPDATE compup2p.bank SET epoch = epoch + 1 RETURNING epoch";
    let row = client.query_one(update, &[]).map_err(&failed)?;
    row.try_get(0).map_err(failed)
}
