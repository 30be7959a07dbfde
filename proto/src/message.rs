//! The typed messages, by the room that understands them.

pub mod bank;
pub mod chord;
pub mod contents;
pub mod market;
pub mod overlay;
pub mod service;
pub mod survey;

/// Anything that one process says to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// For the ring.
    Chord(chord::ChordMessage),
    /// For the market.
    Market(market::MarketMessage),
    /// For the bank and the bootstrap server, and from them.
    Bank(bank::BankMessage),
    /// Between the buyer and the seller of a sub-task.
    Service(service::ServiceMessage),
    /// For the ring of the markets (processor overlay).
    Overlay(overlay::OverlayMessage),
    /// About public contents: who has them, and what they are called.
    Contents(contents::ContentsMessage),
}
