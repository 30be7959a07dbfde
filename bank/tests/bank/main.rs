//! The bank as its users see it: orders and answers, holds and their ends, the journal, and the registry.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bootstrap;
#[cfg(test)]
mod client;
#[cfg(test)]
mod deals;
#[cfg(test)]
mod encoded;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod model;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod papers;
#[cfg(test)]
mod precedence;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod settlement;
#[cfg(test)]
mod shelf;
#[cfg(test)]
mod snapshot;
#[cfg(test)]
mod standing;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod time;
#[cfg(test)]
mod transfers;
#[cfg(test)]
mod world;
