//! The standby's side: a copy of the journal that is checked as it grows, until it is told to take over.

use super::super::role::{self, Role};
use super::super::{kept, offline};
use crate::cli::exit;
use crate::control::{Failure, Operator, Reply, Request, StandbyView};
use crate::net::Leading;
use crate::node::control::{Call, Calls};
use crate::node::rules;
use crate::node::told::{Outside, Told};
use bank::store::Store;
use bank::{Record, Replay};
use proto::wire::Wire as _;
use proto::wire::v1::{self, follow_heard};
use proto::{Hash, KeyPair, Rules};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// The pause before the bank is dialled once more.
const DIAL_AGAIN: Duration = Duration::from_secs(1);
/// How long the bank may be silent before it is dialled anew: it shows every [`super::BEAT`] that it is there.
const GONE_AFTER: Duration = Duration::from_secs(10);
/// Records of one message at most: no bank sends more in [`super::tail::BATCH`] bytes.
const MAX_RECORDS: usize = 1 << 14;

/// How a standby has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Followed {
    /// It was told to end.
    Ended,
    /// It is the bank from now on.
    Promoted,
}

/// Follows the bank at `leader` until the process is told to end or to take over.
pub(crate) async fn follow(
    home: &Path,
    keys: &KeyPair,
    leader: &str,
    calls: &mut Calls,
    outside: &mut Outside,
) -> Result<Followed, Failure> {
    let role = Role::read(home)?.following(leader);
    role.write(home)?;
    let (store, replay, _) = kept::open(home, keys.public())?;
    let head = kept::head(home, &replay, keys.public())?;
    let view = StandbyView {
        leader: leader.into(),
        epoch: role.epoch,
        records: replay.next(),
        behind: None,
        trouble: Some("not connected yet".into()),
    };
    let view = watch::Sender::new(view);
    let stop = watch::Sender::new(false);
    let copy =
        Copy { home: home.into(), keys: keys.clone(), role, store: Some(store), replay, head, view: &view };
    let mut copying = pin!(copy.run(leader, stop.subscribe()));
    loop {
        tokio::select! {
            failed = &mut copying => return Err(failed.err().unwrap_or_else(ended)),
            told = outside.next() => if told == Told::End {
                stop.send_replace(true);
                return copying.await.map(|_| Followed::Ended);
            },
            Some(Call { request, question }) = calls.receiver.recv() => match request {
                Request::Operator(Operator::Totals) => {
                    question.answer(Reply::Standby(Box::new(view.borrow().clone())));
                }
                Request::Operator(Operator::Promote) => {
                    // What has come is written first: nothing of it may be half there.
                    stop.send_replace(true);
                    copying.await?;
                    let promoted = offline::promote(home)?;
                    question.answer(Reply::Promoted(Box::new(promoted)));
                    return Ok(Followed::Promoted);
                }
                _ => question.answer(Reply::Error(only_follows(leader))),
            },
        }
    }
}

fn ended() -> Failure {
    Failure::new("standby", "the standby has ended by itself", exit::FAILED)
}

fn only_follows(leader: &str) -> Failure {
    Failure::new("standby", format!("this is a standby of the bank at {leader}"), exit::REFUSED)
        .hint("ask the bank itself; `bank promote` lets the standby take over")
}

/// Why a connection to the bank has ended.
enum Parted {
    /// Another one may do better.
    Cut(String),
    /// None will.
    Final(Failure),
}

impl From<Failure> for Parted {
    fn from(failure: Failure) -> Self {
        Self::Final(failure)
    }
}

/// The copy of the journal.
struct Copy<'a> {
    home: PathBuf,
    keys: KeyPair,
    role: Role,
    /// Away while it writes.
    store: Option<Box<dyn Store>>,
    replay: Replay,
    head: Hash,
    view: &'a watch::Sender<StandbyView>,
}

impl Copy<'_> {
    /// Follows until it is stopped.
    async fn run(mut self, leader: &str, mut stop: watch::Receiver<bool>) -> Result<(), Failure> {
        while !*stop.borrow() {
            match self.follow(leader, &mut stop).await {
                Ok(()) => return Ok(()),
                Err(Parted::Final(failure)) => return Err(failure),
                Err(Parted::Cut(why)) => {
                    tracing::warn!(leader, why, "the bank is not followed at the moment");
                    self.view.send_modify(|view| view.trouble = Some(why));
                    let _is_stopped = timeout(DIAL_AGAIN, stop.wait_for(|stop| *stop)).await.is_ok();
                }
            }
        }
        Ok(())
    }

    /// Follows over one connection.
    async fn follow(&mut self, leader: &str, stop: &mut watch::Receiver<bool>) -> Result<(), Parted> {
        let cut = |why: &str| Parted::Cut(why.into());
        let addr = tokio::net::lookup_host(leader).await.ok().and_then(|mut all| all.next());
        let addr = addr.ok_or_else(|| cut("its address is not known"))?;
        let epoch = self.role.epoch;
        let hello = v1::FollowHello { records: self.replay.next(), head: self.head.0.into(), epoch };
        let leading = Leading::open(&self.keys, addr, hello).await;
        let mut leading = leading.map_err(|error| Parted::Cut(error.to_string()))?;
        loop {
            let heard = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                heard = timeout(GONE_AFTER, leading.next()) => heard,
            };
            match heard.map_err(|_| cut("it is silent"))?.ok_or_else(|| cut("the connection was cut"))? {
                follow_heard::Body::Welcome(welcome) => self.welcome(leader, &welcome)?,
                follow_heard::Body::Records(batch) => self.keep(batch.records).await?,
                follow_heard::Body::Refused(reason) => return Err(refused(leader, &reason).into()),
            }
            if !leading.tell_durable(self.replay.next()).await {
                return Err(cut("the connection was cut"));
            }
        }
    }

    fn welcome(&mut self, leader: &str, welcome: &v1::FollowWelcome) -> Result<(), Failure> {
        if welcome.epoch < self.role.epoch {
            return Err(role::taken_over(welcome.epoch, self.role.epoch));
        }
        let strange = |_| refused(leader, "its rules cannot be read by this version");
        rules::adopt(&self.home, &Rules::decode(&welcome.rules).map_err(strange)?)?;
        if welcome.epoch > self.role.epoch {
            self.role.epoch = welcome.epoch;
            self.role.write(&self.home)?;
        }
        let behind = welcome.records.saturating_sub(self.replay.next());
        tracing::info!(leader, behind, "follows");
        self.view.send_modify(|view| {
            (view.epoch, view.behind, view.trouble) = (welcome.epoch, Some(behind), None);
        });
        Ok(())
    }

    /// Checks records and makes them durable.
    async fn keep(&mut self, batch: Vec<Vec<u8>>) -> Result<(), Parted> {
        if batch.len() > MAX_RECORDS {
            return Err(Parted::Cut(format!("it sent {} records at once", batch.len())));
        }
        let broken = |reason: String| {
            Failure::new(
                "broken_books",
                format!("the bank sent what is not its journal: {reason}"),
                exit::FAILED,
            )
            .hint("keep both directories and run `compup2p bank verify` over them")
        };
        let mut records = Vec::with_capacity(batch.len());
        for bytes in batch {
            let record = Record::decode(&bytes).map_err(|error| broken(error.to_string()))?;
            self.replay.follow(&record).map_err(|error| broken(error.to_string()))?;
            self.head = record.chain;
            records.push(record);
        }
        if !records.is_empty() {
            let Some(mut store) = self.store.take() else { return Err(ended().into()) };
            let (written, store) = tokio::task::spawn_blocking(move || (store.commit(&records), store))
                .await
                .map_err(|_| ended())?;
            self.store = Some(store);
            written.map_err(|error| kept::failure(&error))?;
        }
        let records = self.replay.next();
        self.view.send_modify(|view| {
            view.behind =
                view.behind.map(|behind| behind.saturating_sub(records.saturating_sub(view.records)));
            view.records = records;
        });
        Ok(())
    }
}

fn refused(leader: &str, reason: &str) -> Failure {
    Failure::new(
        "not_followed",
        format!("the bank at {leader} refuses to be followed: {reason}"),
        exit::REFUSED,
    )
}
