//! The bank's side: tells standbys what it has, and hears what they have.

use super::tail::{BATCH, Next, Tail};
use super::{BEAT, OpenReader};
use crate::net::{Following, Leading, Voice};
use bank::store::{StoreError, read_until};
use proto::wire::Wire as _;
use proto::wire::v1::{self, follow_heard, follow_said};
use proto::{Hash, KeyPair};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long a standby may take to say what it has.
const HELLO_WITHIN: Duration = Duration::from_secs(5);
/// How long a standby may say nothing before it counts as gone.
const GONE_AFTER: Duration = Duration::from_secs(10);
/// The pause before the former bank is told once more that it was taken over.
const FENCE_AGAIN: Duration = Duration::from_secs(2);
/// Records between the journal and the connection.
const READ_AHEAD: usize = 256;

/// Leads standbys.
#[derive(Clone)]
pub(crate) struct Lead {
    pub(crate) tail: Arc<Tail>,
    pub(crate) reader: OpenReader,
    /// The chain before the first record.
    pub(crate) genesis: Hash,
}

impl Lead {
    /// Leads one standby until it goes.
    pub(crate) async fn lead(self, mut following: Following) {
        let (from, voice) = (following.from, following.voice());
        let Ok(Some(follow_said::Body::Hello(hello))) = timeout(HELLO_WITHIN, following.next()).await else {
            return tracing::warn!(%from, "a standby did not say what it has");
        };
        if let Err(reason) = self.welcome(&hello, &voice).await {
            tracing::warn!(%from, reason, "a standby was refused");
            let _is_heard = voice.say(follow_heard::Body::Refused(reason)).await;
            return;
        }
        tracing::info!(%from, records = hello.records, "a standby follows");
        self.note(|standby| standby.count += 1);
        let why = tokio::select! {
            why = self.listen(following) => why,
            why = self.tell(hello.records, &voice) => why,
        };
        self.note(|standby| standby.count = standby.count.saturating_sub(1));
        tracing::warn!(%from, why, "a standby has gone");
    }

    /// Whether the standby's journal is the beginning of this one.
    async fn welcome(&self, hello: &v1::FollowHello, voice: &Voice) -> Result<(), String> {
        let (epoch, durable) = (self.tail.role.epoch, self.tail.durable());
        if hello.epoch > epoch {
            self.tail.fenced.send_replace(Some(hello.epoch));
            return Err(format!("the bank of epoch {epoch} ends: it was taken over"));
        }
        if hello.records > durable {
            let theirs = hello.records;
            return Err(format!(
                "the standby has {theirs} records, the bank {durable}: they are of two histories"
            ));
        }
        let head: [u8; 32] =
            hello.head.as_slice().try_into().map_err(|_| "the standby's head is no hash".to_owned())?;
        if self.head_after(hello.records).await? != Hash(head) {
            let records = hello.records;
            return Err(format!(
                "the first {records} records of the standby are not this bank's: start it with an empty directory"
            ));
        }
        let rules = self.tail.rules.encode();
        let welcome = v1::FollowWelcome { epoch, records: durable, rules };
        let is_heard = voice.say(follow_heard::Body::Welcome(welcome)).await;
        is_heard.then_some(()).ok_or_else(|| "it has gone".to_owned())
    }

    /// The chain of the last of the first `records` records.
    async fn head_after(&self, records: u64) -> Result<Hash, String> {
        let Some(last) = records.checked_sub(1) else { return Ok(self.genesis) };
        let mut read = self.read(last, records);
        let record = read.recv().await.ok_or("the journal cannot be read")??;
        let record = bank::Record::decode(&record).map_err(|error| error.to_string())?;
        Ok(record.chain)
    }

    /// Hears how far the standby is, until it goes.
    async fn listen(&self, mut following: Following) -> &'static str {
        loop {
            match timeout(GONE_AFTER, following.next()).await {
                Ok(Some(follow_said::Body::Durable(records))) => {
                    let records = records.min(self.tail.durable());
                    self.note(|standby| standby.durable = standby.durable.max(records));
                }
                Ok(Some(follow_said::Body::Hello(_))) => return "it said hello twice",
                Ok(None) => return "the connection was cut",
                Err(_) => return "it was silent for too long",
            }
        }
    }

    /// Tells the standby what follows after the first `have` records, for as long as it hears.
    async fn tell(&self, mut have: u64, voice: &Voice) -> &'static str {
        let mut durable = self.tail.watch_durable();
        loop {
            let is_heard = match self.tail.after(have) {
                Next::Records(records) => {
                    have = have.saturating_add(u64::try_from(records.len()).unwrap_or(u64::MAX));
                    voice.say(follow_heard::Body::Records(v1::FollowRecords { records })).await
                }
                Next::InJournal => match self.tell_journal(&mut have, voice).await {
                    Ok(is_heard) => is_heard,
                    Err(reason) => {
                        tracing::error!(reason, "the journal cannot be read for a standby");
                        return "the journal could not be read";
                    }
                },
                Next::Nothing => {
                    let _is_due = timeout(BEAT, durable.wait_for(|records| *records > have)).await.is_err();
                    let beat = v1::FollowRecords { records: Vec::new() };
                    *durable.borrow() > have || voice.say(follow_heard::Body::Records(beat)).await
                }
            };
            if !is_heard {
                return "it does not hear any more";
            }
        }
    }

    /// Tells what the journal has after the first `have` records, as far as it is durable now.
    async fn tell_journal(&self, have: &mut u64, voice: &Voice) -> Result<bool, String> {
        let mut read = self.read(*have, self.tail.durable());
        let (mut records, mut bytes) = (Vec::new(), 0);
        loop {
            let record = read.recv().await.transpose()?;
            let is_last = record.is_none();
            if let Some(record) = record {
                *have = have.saturating_add(1);
                bytes += record.len();
                records.push(record);
            }
            if bytes >= BATCH || is_last && !records.is_empty() {
                let records = std::mem::take(&mut records);
                bytes = 0;
                if !voice.say(follow_heard::Body::Records(v1::FollowRecords { records })).await {
                    return Ok(false);
                }
            }
            if is_last {
                return Ok(true);
            }
        }
    }

    /// Reads records number `from` to `to`, without `to`, beside everything else.
    fn read(&self, from: u64, to: u64) -> mpsc::Receiver<Result<Vec<u8>, String>> {
        let (sender, records) = mpsc::channel(READ_AHEAD);
        let reader = Arc::clone(&self.reader);
        tokio::task::spawn_blocking(move || {
            let mut is_heard = true;
            let mut each = |_, body: &[u8]| {
                is_heard = sender.blocking_send(Ok(body.to_vec())).is_ok();
                let gone = || StoreError::Failed { what: "read on", reason: "nobody listens".into() };
                if is_heard { Ok(()) } else { Err(gone()) }
            };
            let read = reader().and_then(|mut store| read_until(&mut *store, from, to, &mut each));
            if let Err(error) = read
                && is_heard
            {
                // Whoever has gone meanwhile does not want to know.
                let _is_heard = sender.blocking_send(Err(error.to_string())).is_ok();
            }
        });
        records
    }

    fn note(&self, change: impl FnOnce(&mut super::tail::Standby)) {
        self.tail.standby.send_modify(|standby| {
            change(standby);
            standby.heard = Some(Instant::now());
        });
    }
}

/// Tells the former bank at `addr` that it was taken over, until it has heard it.
pub(crate) async fn fence(keys: KeyPair, addr: String, epoch: u64) {
    loop {
        let hello = v1::FollowHello { records: 0, head: Vec::new(), epoch };
        let told = async {
            let addr = tokio::net::lookup_host(&addr).await.ok()?.next()?;
            Leading::open(&keys, addr, hello).await.ok()?.next().await
        };
        if let Ok(Some(follow_heard::Body::Refused(answer))) = timeout(HELLO_WITHIN, told).await {
            return tracing::warn!(addr, answer, "the former bank has heard that it was taken over");
        }
        tokio::time::sleep(FENCE_AGAIN).await;
    }
}
