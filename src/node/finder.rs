//! Finds public contents through the ring, and brings them: from whoever has them, and from code servers at last.

use super::digest;
use crate::control::{Failure, FileView};
use crate::net::store::{MAX_BLOB, Store};
use crate::net::{Gather, Net, Url, download};
use proto::message::contents::{MAX_NAME, point, point_of_name};
use proto::message::service::Blob;
use proto::{Hash, Peer, PublicKey, RingId};
use service::Input;
use service::directory::Findings;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// A little longer than a search of the node takes.
const ANSWER_WITHIN: Duration = Duration::from_secs(12);

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sought {
    /// By its hash (code id).
    Content(Hash),
    /// By the name that somebody gave it.
    Named { name: String, publisher: PublicKey },
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) sought: Sought,
    pub(crate) blob: Blob,
    /// Who has it, this node left out.
    pub(crate) holders: Vec<Peer>,
}

/// A handle that is cheap to clone.
#[derive(Clone)]
pub(crate) struct Finder {
    net: Net,
    store: Arc<Store>,
    me: PublicKey,
    inputs: mpsc::UnboundedSender<Input>,
    waiting: Arc<Mutex<BTreeMap<u64, oneshot::Sender<Findings>>>>,
    next: Arc<AtomicU64>,
    /// Code servers of the policy.
    servers: Arc<Mutex<Vec<String>>>,
}

impl Sought {
    /// `NAME`, `NAME@ACCOUNT`, or the 64 hexadecimal digits of a hash; a bare name is one of `me`.
    ///
    /// # Errors
    /// A text that is none of these.
    pub(crate) fn read(text: &str, me: PublicKey) -> Result<Self, Failure> {
        if let Some(hash) = Hash::from_hex(text) {
            return Ok(Self::Content(hash));
        }
        let (name, publisher) = match text.rsplit_once('@') {
            Some((name, key)) => (name, PublicKey::from_hex(key)),
            None => (text, Some(me)),
        };
        match publisher {
            Some(publisher) if is_name(name) => Ok(Self::Named { name: name.into(), publisher }),
            _ => {
                let message = format!("`{text}` is no name of a public file");
                let hint = "NAME of your own, NAME@ACCOUNT, or the 64 hexadecimal digits of its hash";
                Err(Failure::new("malformed", message, 2).hint(hint))
            }
        }
    }
}

impl std::fmt::Display for Sought {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Content(hash) => write!(out, "{hash:#}"),
            Self::Named { name, publisher } => write!(out, "{name}@{publisher:#}"),
        }
    }
}

/// Whether a public file may be called so.
pub(crate) fn is_name(name: &str) -> bool {
    let is_shown = |c: char| !c.is_control() && !c.is_whitespace() && c != '@';
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(is_shown) && Hash::from_hex(name).is_none()
}

impl Found {
    pub(crate) fn view(&self) -> FileView {
        let (name, publisher) = match &self.sought {
            Sought::Content(_) => (None, None),
            Sought::Named { name, publisher } => (Some(name.clone()), Some(publisher.to_hex())),
        };
        let holders = self.holders.iter().map(|peer| peer.addr.to_string()).collect();
        let (hash, size) = (self.blob.hash.to_hex(), self.blob.size.0);
        FileView { name, publisher, hash, size, holders, path: None }
    }
}

impl Finder {
    pub(crate) fn new(
        net: Net,
        store: Arc<Store>,
        me: PublicKey,
        inputs: mpsc::UnboundedSender<Input>,
    ) -> Self {
        let (waiting, servers) = (Arc::default(), Arc::default());
        Self { net, store, me, inputs, waiting, next: Arc::default(), servers }
    }

    pub(crate) const fn me(&self) -> PublicKey {
        self.me
    }

    /// Asks these code servers at last, from now on.
    pub(crate) fn set_servers(&self, servers: Vec<String>) {
        *self.servers.lock().unwrap_or_else(PoisonError::into_inner) = servers;
    }

    /// The node's answer to one of its searches.
    pub(crate) fn found(&self, token: u64, findings: Findings) {
        if let Some(waiting) = self.waiting().remove(&token) {
            // Whoever asked may have gone.
            let _gone = waiting.send(findings).is_err();
        }
    }

    /// Finds out what a name stands for and who has it.
    ///
    /// # Errors
    /// Nobody has it, or nobody has given the name.
    pub(crate) async fn find(&self, sought: Sought) -> Result<Found, Failure> {
        let (hash, size) = match &sought {
            Sought::Content(hash) => (*hash, self.store.size(hash)),
            Sought::Named { name, publisher } => {
                let findings = self.search(point_of_name(name, publisher)).await;
                let naming = findings.namings.into_iter().next();
                let content = naming.map(|naming| naming.body.content).ok_or_else(|| none(&sought))?;
                (content.hash, Some(content.size))
            }
        };
        let findings = self.search(point(&hash)).await;
        let holdings = findings.holdings.iter().map(|paper| paper.body);
        // Who tells another size than the publisher, or than most, does not have this content.
        let size = size.or_else(|| {
            let mut sizes: Vec<_> = holdings.clone().map(|holding| holding.size).collect();
            sizes.sort_unstable();
            sizes.get(sizes.len() / 2).copied()
        });
        let size = size.ok_or_else(|| none(&sought))?;
        let right = holdings.filter(|holding| holding.size == size && holding.holder.key != self.me);
        let holders = right.map(|holding| holding.holder).collect();
        Ok(Found { sought, blob: Blob { hash, size }, holders })
    }

    /// Brings a public content into the store. With a `pin`, the SHA-256 that it must have, also from a code server
    /// that knows it by its name only; `servers` are asked before those of the policy.
    ///
    /// # Errors
    /// Nobody has it or sends it, or it is other than the pin says.
    pub(crate) async fn get(
        &self,
        sought: Sought,
        pin: Option<[u8; 32]>,
        servers: &[String],
    ) -> Result<Found, Failure> {
        let failed = match self.find(sought.clone()).await {
            Ok(found) => match self.bring(&found).await {
                Ok(()) => return self.check(found, pin).await,
                Err(failure) => (failure, Some(found.blob)),
            },
            Err(failure) => (failure, None),
        };
        let (failure, known) = failed;
        let all = self.servers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut hints = vec![failure.message.clone()];
        for server in servers.iter().chain(&all) {
            match self.download(&sought, known, pin, server).await {
                Ok(blob) => return Ok(Found { sought, blob, holders: Vec::new() }),
                Err(why) => hints.push(format!("{server}: {why}")),
            }
        }
        Err(Failure { message: hints.join("; "), ..failure })
    }

    async fn bring(&self, found: &Found) -> Result<(), Failure> {
        if self.store.has(&found.blob.hash) {
            return Ok(());
        }
        let Some((first, others)) = found.holders.split_first() else { return Err(none(&found.sought)) };
        let gather = Gather { others: others.to_vec(), ..Gather::open(*first, found.blob) };
        let brought = self.net.gather(gather).await;
        brought
            .map_err(|error| Failure { retryable: true, ..Failure::new("not_fetched", error.to_string(), 4) })
    }

    async fn check(&self, found: Found, pin: Option<[u8; 32]>) -> Result<Found, Failure> {
        if let (Some(pin), Some(path)) = (pin, self.store.path(&found.blob.hash)) {
            digest::check(&path, pin).await?;
        }
        Ok(found)
    }

    /// Brings a content from a code server, where it is called by its hash, or by its name if a pin says what it must be.
    async fn download(
        &self,
        sought: &Sought,
        known: Option<Blob>,
        pin: Option<[u8; 32]>,
        server: &str,
    ) -> Result<Blob, String> {
        let url = Url::read(server).ok_or("this is no address that begins with http://")?;
        let hash = match (known, sought) {
            (Some(blob), _) => Some(blob.hash),
            (None, Sought::Content(hash)) => Some(*hash),
            (None, Sought::Named { .. }) => None,
        };
        let file = match (hash, sought) {
            (Some(hash), _) => hash.to_hex(),
            (None, Sought::Named { name, .. }) if pin.is_some() => name.clone(),
            _ => return Err("a name without a hash is not taken from a code server".into()),
        };
        let place = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = place.path().join("content");
        let mut to = tokio::fs::File::create(&path).await.map_err(|error| error.to_string())?;
        let most = known.map_or(MAX_BLOB, |blob| blob.size.0);
        download(&url.below(&file), &mut to, most).await?;
        drop(to);
        if let Some(hash) = hash {
            digest::check_name(&path, hash).await?;
        }
        if let Some(pin) = pin {
            digest::check(&path, pin).await.map_err(|failure| failure.message)?;
        }
        self.store.put_file(path).await.map_err(|error| error.to_string())
    }

    async fn search(&self, point: RingId) -> Findings {
        let token = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.waiting().insert(token, sender);
        // A driver that has ended answers nobody.
        let _gone = self.inputs.send(Input::SearchContent { token, point }).is_err();
        let found = timeout(ANSWER_WITHIN, receiver).await;
        self.waiting().remove(&token);
        found.ok().and_then(Result::ok).unwrap_or_default()
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<u64, oneshot::Sender<Findings>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn none(sought: &Sought) -> Failure {
    let message = format!("nobody in the network has the file {sought}");
    Failure { retryable: true, ..Failure::new("no_content", message, 3) }
        .hint("whoever has published it may be away; what was published a moment ago is found a moment later")
}

/// Copies a content to where somebody wants it.
pub(crate) async fn write_out(store: &Store, blob: Blob, to: &Path) -> Result<(), Failure> {
    let from = store.path(&blob.hash);
    let from = from.ok_or_else(|| Failure::new("not_fetched", "the content has left the store again", 4))?;
    let copied = async {
        // The store's file is read-only; this one is its reader's.
        let mut source = tokio::fs::File::open(&from).await?;
        let mut target = tokio::fs::File::create(to).await?;
        tokio::io::copy(&mut source, &mut target).await?;
        target.sync_data().await
    };
    copied.await.map_err(|error| Failure::disk("write", to, &error))
}
