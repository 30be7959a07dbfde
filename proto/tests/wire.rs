//! The wire form, with random values and random damage. With `PROPTEST_CASES=1000000` it goes on for longer.

#![cfg(test)]

#[path = "common/generate.rs"]
mod generate;

use generate::{Generate, damaged};
use proptest::prelude::*;
use proto::message::bank::BankMessage;
use proto::message::chord::ChordMessage;
use proto::message::contents::ContentsMessage;
use proto::message::market::MarketMessage;
use proto::message::overlay::OverlayMessage;
use proto::message::service::{Blob, Checkpoint, Outcome, Report, ServiceMessage};
use proto::wire::{Wire, WireError, v1};
use proto::{Bytes, Hash, Message, Peer};
use std::fmt::Debug;

/// What is read is what was said.
#[track_caller]
fn check_read_back<T: Wire + PartialEq + Debug>(value: &T) {
    assert_eq!(T::decode(&value.encode()).as_ref(), Ok(value));
}

/// Bytes are refused, or mean one value, whose own encoding means it as well.
fn check_reader<T: Wire + PartialEq + Debug>(bytes: &[u8]) {
    match T::decode(bytes) {
        Ok(value) => check_read_back(&value),
        Err(error) => assert!(!matches!(error, WireError::TooLarge { .. }), "{} bytes", bytes.len()),
    }
}

/// The same with every reader that meets bytes of strangers.
fn check_readers(bytes: &[u8]) {
    check_reader::<Message>(bytes);
    check_reader::<ChordMessage>(bytes);
    check_reader::<MarketMessage>(bytes);
    check_reader::<BankMessage>(bytes);
    check_reader::<ServiceMessage>(bytes);
    check_reader::<OverlayMessage>(bytes);
    check_reader::<ContentsMessage>(bytes);
    check_reader::<Peer>(bytes);
    check_structure::<v1::Frame>(bytes);
    check_structure::<v1::FetchSaid>(bytes);
    check_structure::<v1::FetchTold>(bytes);
}

/// The same for what has no typed value.
fn check_structure<T: prost::Message + Default + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(structure) = T::decode(bytes) {
        let again = T::decode(structure.encode_to_vec().as_slice());
        assert!(again.as_ref() == Ok(&structure), "{structure:?} became {again:?}");
    }
}

proptest! {
    #[test]
    fn every_message_is_read_back_as_it_was(
        ring in ChordMessage::strategy(),
        market in MarketMessage::strategy(),
        bank in BankMessage::strategy(),
        service in ServiceMessage::strategy(),
        overlay in OverlayMessage::strategy(),
        contents in ContentsMessage::strategy(),
    ) {
        for message in
            [Message::Chord(ring), Message::Market(market), Message::Bank(bank), Message::Service(service), Message::Overlay(overlay), Message::Contents(contents)]
        {
            check_read_back(&message);
        }
    }

    #[test]
    fn random_bytes_are_refused_or_mean_one_value(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        check_readers(&bytes);
    }

    #[test]
    fn a_damaged_message_is_refused_or_means_one_value(
        bytes in damaged(Message::strategy().prop_map(|message| message.encode())),
    ) {
        check_readers(&bytes);
    }
}

/// What `Migrated` says of its checkpoint, which is read as `expected`.
fn check_words(what: &str, expected: Result<Checkpoint, &str>) {
    let report = v1::Report {
        contract: vec![1; 16],
        offer: vec![2; 32],
        outcome: 14,
        detail: 7,
        what: what.into(),
        ..v1::Report::default()
    };
    let found = Report::from_pb(report).map(|report| report.outcome).map_err(|error| error.to_string());
    assert_eq!(found, expected.map(Outcome::Migrated).map_err(Into::into), "{what}");
}

#[test]
fn a_checkpoint_is_whole_or_rests_on_another_content() {
    let blob = |n, size| Blob { hash: Hash([n; 32]), size: Bytes(size) };
    let (one, other) = ("05".repeat(32), "06".repeat(32));
    let difference = Checkpoint { blob: blob(5, 7), base: Some(blob(6, 256)) };
    check_words(&one, Ok(blob(5, 7).into()));
    check_words(&format!("{one}{other}0000000000000100"), Ok(difference));
    let wrong = "field `what` has to be the checkpoint's hash and what it rests on";
    for what in ["", &one[1..], &format!("{one}{other}"), &format!("{one}{other}000000000000010g")] {
        check_words(what, Err(wrong));
    }
    check_words(&format!("{one}{one}0000000000000100"), Err("field `what` has to be another content"));
    check_read_back(&difference);
    // Who knows of blobs only reads a whole one, and is read as such.
    assert_eq!(Blob::decode(&Checkpoint::from(blob(5, 7)).encode()), Ok(blob(5, 7)));
    assert_eq!(Checkpoint::decode(&blob(5, 7).encode()), Ok(blob(5, 7).into()));
    let itself = v1::Checkpoint { base: Some(blob(5, 9).to_pb()), ..difference.to_pb() };
    let error = Checkpoint::from_pb(itself).map_err(|error| error.to_string());
    assert_eq!(error, Err("field `base` has to be another content".into()));
}
