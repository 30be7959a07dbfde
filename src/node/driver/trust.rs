//! Whom this node believes: results that are looked at beside it, and what it has seen of sellers over all its runs.

use super::Driver;
use crate::control::{Reply, SellerView};
use crate::net::store::Pins;
use crate::node::control::Question;
use crate::node::judge;
use crate::node::sellers::seller_view;
use proto::ContractId;
use proto::message::service::Job;
use service::{Comparing, Examining, Input, Testing};
use std::sync::Arc;

impl Driver {
    pub(super) fn compare(&self, token: u64, comparing: Comparing) {
        let (store, inputs) = (Arc::clone(&self.store), self.inputs.clone());
        judge::compare(token, comparing, &self.executions, store, inputs);
    }

    pub(super) fn test(&self, contract: ContractId, testing: Testing) {
        let (store, inputs) = (Arc::clone(&self.store), self.inputs.clone());
        judge::test(contract, testing, &self.executions, store, inputs);
    }

    pub(super) fn open(&self, contract: ContractId, job: Job) {
        judge::open(contract, job, Arc::clone(&self.store), self.inputs.clone());
    }

    pub(super) fn examine(&self, token: u64, examining: Examining) {
        let pins = Pins::new(&self.store, [examining.blob.hash]);
        judge::examine(token, examining, pins, Arc::clone(&self.store), self.inputs.clone());
    }

    /// Tells the node what its former runs have seen of sellers.
    pub(super) fn recall_sellers(&mut self) {
        let records = self.sellers.read(self.clock.now());
        self.take(Input::Recall { records });
    }

    /// Keeps what was seen of sellers, if there is more.
    pub(super) fn keep_sellers(&mut self) {
        self.sellers.save(&self.node);
    }

    pub(super) fn show_sellers(&self, question: Question) {
        let now = self.clock.now();
        let mut views: Vec<SellerView> =
            self.node.experience().map(|(key, seen)| seller_view(key, seen.at(now))).collect();
        views.sort_by_key(|view| (std::cmp::Reverse(view.in_row), view.seller.clone()));
        question.answer(Reply::Sellers(views));
    }
}
