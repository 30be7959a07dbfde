//! Somebody who asks for much more than the bank does for anybody: it is told so, and others are served meanwhile.

use super::network::Network;
use super::stranger::{EXCHANGE, Said, Stranger, encoded, message};
use proto::message::bank::{BalanceQuery, BankMessage};
use proto::wire::Wire as _;
use proto::wire::v1::{self, frame};
use proto::{Message, Money, RefusalCode, RequestId};
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Questions of the flooder, one behind the other. It may ask 100 in a second, and 200 at once.
const QUESTIONS: u64 = 60_000;
/// How long anybody else may wait for an answer, command and process included: less than half of what a node waits.
const SERVED_WITHIN: Duration = Duration::from_secs(2);

/// The code with which a frame refuses something.
fn refusal(frame: &v1::Frame) -> Option<RefusalCode> {
    let Some(frame::Body::Message(message)) = frame.body.clone() else { return None };
    match Message::from_pb(message).expect("a bank sends messages") {
        Message::Bank(BankMessage::Refused(refused)) => Some(refused.refusal.code),
        _ => None,
    }
}

#[test]
fn a_flooder_is_told_to_wait_and_others_are_served_meanwhile() {
    let network = Network::start(1);
    let bank = network.bank_address();
    let ask = || {
        let began = Instant::now();
        assert_eq!(network.balance(0).held, Money(0));
        began.elapsed()
    };
    let calm = (0..5).map(|_| ask()).max().expect("some");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let flood = runtime.spawn(async move {
        let stranger = Stranger::new(150);
        let address = "0.0.0.0:1".parse().expect("an address");
        let question = |number| BankMessage::BalanceQuery(BalanceQuery { request: RequestId(number) });
        let questions = (0..QUESTIONS).map(|number| encoded(&message(&Message::Bank(question(number)))));
        let said = Said::new([encoded(&stranger.hello(address, 0))].into_iter().chain(questions));
        stranger.visit(HERE, bank).await.call(EXCHANGE, said).await
    });
    let mut during = Vec::new();
    while !flood.is_finished() {
        during.push(ask());
    }
    let heard = runtime.block_on(flood).expect("no panic");
    let codes: Vec<RefusalCode> = heard.frames.iter().filter_map(refusal).collect();
    let count = |code| codes.iter().filter(|found| **found == code).count();
    let (told, slowest) = (count(RefusalCode::Quota), during.iter().max().copied().unwrap_or_default());
    let _is_said = writeln!(
        std::io::stderr(),
        "{} answers, {told} of them to come back later; others: {calm:?} before, {slowest:?} at most meanwhile",
        heard.frames.len()
    );
    assert!(told > 1_000, "{told} of {} were told to wait: {:?}", codes.len(), heard.status);
    assert!(!during.is_empty() && slowest < SERVED_WITHIN, "{during:?}");
}
