//! Known bugs on purpose: whatever nodes and bank want passes through a mutant, which may change it. An invariant
//! that does not notice is worth nothing; the tests have a mutant for each.

use crate::invariant::bounded::Load;
use market::Supply;
use proto::{KeyPair, Peer, Time};

/// The node whose output is at hand.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// Its number.
    pub host: usize,
    /// Its place.
    pub peer: Peer,
    /// Its keys.
    pub keys: &'a KeyPair,
    /// The time.
    pub now: Time,
}

/// A known bug. Every method's default is to change nothing.
pub trait Mutant {
    /// What is carried out instead of an output of a node.
    fn node(&mut self, site: &Site<'_>, output: service::Output) -> Vec<service::Output> {
        let _ = site;
        vec![output]
    }

    /// What is carried out instead of the outputs of the bank to one input.
    fn bank(&mut self, outputs: Vec<bank::Output>) -> Vec<bank::Output> {
        outputs
    }

    /// Who is said to have sent what the node of `site` sends.
    fn sender(&mut self, site: &Site<'_>) -> Peer {
        site.peer
    }

    /// What a node is told that it has to sell.
    fn supply(&mut self, host: usize, supply: Supply) -> Supply {
        let _ = host;
        supply
    }

    /// What is written when the journal of a node is written anew.
    fn tidied(&mut self, host: usize, notes: Vec<service::Note>) -> Vec<service::Note> {
        let _ = host;
        notes
    }

    /// Whether what a node has fetched is taken for somebody else's, and shown to nobody but whom it is from.
    fn is_others(&mut self, host: usize, is_others: bool) -> bool {
        let _ = host;
        is_others
    }

    /// When a node wants to be woken.
    fn wake(&mut self, host: usize, due: Time) -> Time {
        let _ = host;
        due
    }

    /// What a node is said to keep for others.
    fn load(&mut self, host: usize, load: Load) -> Load {
        let _ = host;
        load
    }

    /// What a node says of its own invariants.
    fn opinion(
        &mut self,
        host: usize,
        opinion: Result<(), service::Violation>,
    ) -> Result<(), service::Violation> {
        let _ = host;
        opinion
    }
}

/// No bug.
#[derive(Clone, Copy, Debug, Default)]
pub struct Honest;

impl Mutant for Honest {}
