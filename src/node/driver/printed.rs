//! What programs print while they run: a seller shows it to the buyer of the contract who asks, and to nobody else; the
//! buyer shows it to the user until the sub-task has ended, and then the rest from the result.
//!
//! The buyer asks for every part, so that nothing comes unasked and a slow reader slows nobody. What a seller shows before
//! its report is provisional: the report names the whole by its hash, and what was shown is held against that.

use super::Driver;
use crate::control::{Failure, Logs, OutputView, Reply};
use crate::net::store::Store;
use crate::node::control::Question;
use proto::id::hex;
use proto::message::Message;
use proto::message::service::{Blob, MAX_TAIL, OutputTail, ServiceMessage, Stream, WatchOutput};
use proto::{ContractId, Peer};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// After how long a question to a seller is sent again that has no answer.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// How long a command that does not follow waits for the seller.
const SHOW_WITHIN: Duration = Duration::from_secs(3);
/// Commands that watch at once.
const MAX_WATCHING: usize = 256;

/// The commands that watch.
#[derive(Default)]
pub(super) struct Printed {
    watching: Vec<Watching>,
}

struct Watching {
    question: Question,
    task: u64,
    sub_task: u32,
    name: String,
    stream: Stream,
    follows: bool,
    since: Instant,
    /// The attempt that is watched, and what of it was shown.
    attempt: Option<ContractId>,
    shown: u64,
    digest: blake3::Hasher,
    /// When the seller was asked, if it has not answered.
    asked: Option<Instant>,
}

impl Driver {
    /// A command asks for what a sub-task prints.
    pub(super) fn show_printed(&mut self, logs: &Logs, question: Question) {
        let found = self.tasks.sub_task(&logs.task, logs.sub_task.as_deref());
        let (task, sub_task, name) = match found {
            Ok(found) => found,
            Err(failure) => return question.answer(Reply::Error(failure)),
        };
        if self.printed.watching.len() >= MAX_WATCHING {
            let message = format!("{MAX_WATCHING} commands watch already");
            return question.answer(Reply::Error(Failure::new("busy", message, 1).hint("end one of them")));
        }
        let stream = if logs.is_error { Stream::Error } else { Stream::Output };
        self.printed.watching.push(Watching {
            question,
            task,
            sub_task,
            name,
            stream,
            follows: logs.follow,
            since: Instant::now(),
            attempt: None,
            shown: 0,
            digest: blake3::Hasher::new(),
            asked: None,
        });
        self.look_at_printed();
    }

    /// Asks the sellers for more, and ends what has come to its end.
    pub(super) fn look_at_printed(&mut self) {
        for mut watching in std::mem::take(&mut self.printed.watching) {
            if watching.question.is_gone() {
                continue;
            }
            if self.tasks.has_ended(watching.task, watching.sub_task) {
                self.show_rest(watching);
                continue;
            }
            let contract = self.tasks.contract(watching.task);
            let at_work = contract.and_then(|contract| self.node.at_work(contract, watching.sub_task));
            match at_work {
                Some(at_work) if watching.begin(at_work.contract) => {
                    self.ask_seller(&mut watching, at_work.seller);
                }
                None if !watching.follows => {
                    watching.tell(&[], false, true);
                    continue;
                }
                _ => {}
            }
            if !watching.follows && watching.since.elapsed() >= SHOW_WITHIN {
                watching.tell(&[], false, true);
                continue;
            }
            self.printed.watching.push(watching);
        }
    }

    fn ask_seller(&self, watching: &mut Watching, seller: Peer) {
        let Some(contract) = watching.attempt else { return };
        watching.asked = Some(Instant::now());
        let watch = WatchOutput { contract, stream: watching.stream, from: watching.shown };
        self.net.send(seller, Message::Service(ServiceMessage::WatchOutput(watch)));
    }

    /// Takes what is about the output of programs; anything else is the core's.
    pub(super) fn hear_printed(&mut self, from: Peer, message: Message) -> Option<Message> {
        match message {
            Message::Service(ServiceMessage::WatchOutput(watch)) => {
                self.show_buyer(from, watch);
                None
            }
            Message::Service(ServiceMessage::OutputTail(tail)) => {
                self.show_user(from, &tail);
                None
            }
            other => Some(other),
        }
    }

    /// The buyer of a contract wants to see what its program prints here.
    fn show_buyer(&self, buyer: Peer, watch: WatchOutput) {
        let WatchOutput { contract, stream, from } = watch;
        if self.node.executes_for(contract) != Some(buyer.key) {
            return;
        }
        let Some(bytes) = self.executions.tail(contract, stream, from) else { return };
        let tail = OutputTail { contract, stream, from, bytes };
        self.net.send(buyer, Message::Service(ServiceMessage::OutputTail(tail)));
    }

    /// A seller shows what its program has printed.
    fn show_user(&mut self, from: Peer, tail: &OutputTail) {
        for mut watching in std::mem::take(&mut self.printed.watching) {
            let contract = self.tasks.contract(watching.task);
            let at_work = contract.and_then(|contract| self.node.at_work(contract, watching.sub_task));
            let is_meant =
                at_work.is_some_and(|at| at.contract == tail.contract && at.seller.key == from.key);
            let is_next = watching.attempt == Some(tail.contract)
                && watching.stream == tail.stream
                && watching.shown == tail.from
                && watching.asked.is_some();
            if is_meant && is_next {
                watching.asked = None;
                let is_all = tail.bytes.len() < MAX_TAIL;
                let is_last = is_all && !watching.follows;
                if !tail.bytes.is_empty() || is_last {
                    watching.tell(&tail.bytes, false, is_last);
                }
                if is_last {
                    continue;
                }
                if !is_all && !watching.question.is_behind() {
                    self.ask_seller(&mut watching, from);
                }
            }
            self.printed.watching.push(watching);
        }
    }

    /// The sub-task has ended: the rest comes from its result.
    fn show_rest(&self, watching: Watching) {
        let end = self.tasks.end_of(watching.task, watching.sub_task);
        let blob = end.and_then(|end| match watching.stream {
            Stream::Output => end.stdout,
            Stream::Error => end.stderr,
        });
        let store = Arc::clone(&self.store);
        tokio::spawn(async move { watching.show_result(blob, &store).await });
    }
}

impl Watching {
    /// Looks at an attempt; whether its seller is to be asked.
    fn begin(&mut self, contract: ContractId) -> bool {
        if self.attempt != Some(contract) {
            if self.shown > 0 {
                // Another seller begins from the beginning.
                self.tell_anew();
            }
            self.attempt = Some(contract);
            self.asked = None;
        }
        let is_waiting = self.asked.is_some_and(|asked| asked.elapsed() < ASK_AGAIN);
        !is_waiting && !self.question.is_behind()
    }

    fn view(&self, bytes: &[u8], is_final: bool, is_last: bool) -> OutputView {
        OutputView {
            sub_task: self.name.clone(),
            from: self.shown,
            hex: hex(bytes),
            is_provisional: !is_final,
            is_anew: false,
            is_last,
        }
    }

    fn tell(&mut self, bytes: &[u8], is_final: bool, is_last: bool) {
        let view = self.view(bytes, is_final, is_last);
        self.question.answer(Reply::Output(view));
        self.shown += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.digest.update(bytes);
    }

    fn tell_anew(&mut self) {
        self.shown = 0;
        self.digest = blake3::Hasher::new();
        let view = OutputView { is_anew: true, ..self.view(&[], false, false) };
        self.question.answer(Reply::Output(view));
    }

    /// Shows what of the result was not shown yet; all of it if what was shown is not how it begins.
    async fn show_result(mut self, blob: Option<Blob>, store: &Arc<Store>) {
        if self.shown > 0 && !self.was_so(blob, store).await {
            self.tell_anew();
        }
        while let Some(blob) = blob.filter(|blob| self.shown < blob.size.0) {
            let bytes = match store.read(blob.hash, self.shown, MAX_TAIL).await {
                Ok(bytes) if !bytes.is_empty() => bytes,
                Ok(_) => break,
                Err(error) => {
                    let failure = Failure::new("not_kept", error.to_string(), 1);
                    self.question.answer(Reply::Error(failure.hint("its content made room for others")));
                    return;
                }
            };
            let view = self.view(&bytes, true, false);
            if !self.question.send(Reply::Output(view)).await {
                return;
            }
            self.shown += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        }
        let view = self.view(&[], true, true);
        self.question.send(Reply::Output(view)).await;
    }

    /// Whether the result begins with what was shown.
    async fn was_so(&self, blob: Option<Blob>, store: &Arc<Store>) -> bool {
        let (mut digest, mut at) = (blake3::Hasher::new(), 0_u64);
        while at < self.shown {
            let Some(blob) = blob.filter(|blob| blob.size.0 >= self.shown) else { return false };
            let most = usize::try_from(self.shown - at).unwrap_or(MAX_TAIL).min(MAX_TAIL);
            let Ok(bytes) = store.read(blob.hash, at, most).await else { return false };
            if bytes.is_empty() {
                return false;
            }
            digest.update(&bytes);
            at += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        }
        digest.finalize() == self.digest.finalize()
    }
}
