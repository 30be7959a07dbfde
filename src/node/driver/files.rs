//! Commands about public files.

use super::super::finder::{Sought, write_out};
use super::{Driver, Finished, Question};
use crate::control::{Failure, FileView, Filing, Reply};
use proto::message::service::Blob;
use service::policy::Policy;
use std::path::PathBuf;
use std::sync::Arc;

/// A file whose content is in the store and may be published now.
pub(super) struct Filed {
    name: String,
    content: Result<Blob, Failure>,
    by_policy: bool,
}

impl Driver {
    pub(super) fn file(&mut self, filing: Filing, question: Question) {
        match filing {
            Filing::Publish { path, name } => match self.files.check(&name) {
                Ok(()) => self.import(path, name, Some(question)),
                Err(failure) => question.answer(Reply::Error(failure)),
            },
            Filing::Withdraw { name } => {
                let withdrawn = self.files.withdraw(&name);
                self.tell_ring();
                question.answer(withdrawn.map_or_else(Reply::Error, one));
            }
            Filing::List => question.answer(Reply::Files(self.files.all())),
            Filing::Find { what } => {
                let finder = self.finder.clone();
                tokio::spawn(async move {
                    let found = async { finder.find(Sought::read(&what, finder.me())?).await };
                    let found = found.await.map(|found| found.view());
                    question.answer(found.map_or_else(Reply::Error, one));
                });
            }
            Filing::Get { what, to, servers } => {
                let (finder, store) = (self.finder.clone(), Arc::clone(&self.store));
                tokio::spawn(async move {
                    let got = async {
                        let sought = Sought::read(&what, finder.me())?;
                        let found = finder.get(sought, None, &servers).await?;
                        write_out(&store, found.blob, &to).await?;
                        Ok(FileView { path: Some(to), ..found.view() })
                    };
                    let got: Result<FileView, Failure> = got.await;
                    question.answer(got.map_or_else(Reply::Error, one));
                });
            }
        }
    }

    /// Publishes what the policy names, and nothing any more that it has named before.
    pub(crate) fn publish_by_policy(&mut self, policy: &Policy) {
        self.finder.set_servers(policy.code_servers.clone());
        let named = policy.share_files.iter().filter_map(|path| {
            let path = PathBuf::from(path);
            let name = path.file_name()?.to_string_lossy().into_owned();
            Some((path, name))
        });
        let named: Vec<(PathBuf, String)> = named.collect();
        self.files.keep_only(&named.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>());
        for (path, name) in named {
            self.import(path, name, None);
        }
    }

    /// The content of a file that is to be published is in the store.
    pub(super) fn filed(&mut self, filed: Filed, question: Option<Question>) {
        let Filed { name, content, by_policy } = filed;
        let published = content.and_then(|blob| self.files.publish(&name, blob, by_policy));
        self.tell_ring();
        match (question, published) {
            (Some(question), published) => question.answer(published.map_or_else(Reply::Error, one)),
            (None, Ok(_)) => tracing::info!(name, "published a file"),
            (None, Err(failure)) => tracing::warn!(name, "cannot publish a file: {}", failure.message),
        }
    }

    /// Tells the ring which public contents are here, if that has changed.
    pub(super) fn tell_ring(&mut self) {
        if let Some(news) = self.files.news() {
            self.take(news);
        }
    }

    /// Brings a file into the store, beside the node.
    fn import(&self, path: PathBuf, name: String, question: Option<Question>) {
        let (store, finished, by_policy) =
            (Arc::clone(&self.store), self.finished.clone(), question.is_none());
        tokio::spawn(async move {
            let content = store.put_file(path.clone()).await;
            let content = content.map_err(|error| Failure::no_file(&path, &error));
            // The driver may have ended meanwhile; then nobody waits for this.
            let _ = finished.send(Finished::Filed(Filed { name, content, by_policy }, question));
        });
    }
}

fn one(file: FileView) -> Reply {
    Reply::Files(vec![file])
}
