//! Somebody who asks for much more than the bank does for anybody: others are served meanwhile.

use super::network::Network;
use super::stranger::{EXCHANGE, Said, Stranger, encoded, message};
use proto::message::bank::{BalanceQuery, BankMessage};
use proto::{Message, Money, RequestId};
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Questions of the flooder, one behind the other, and how often it comes again when it was cut off.
const FLOOD: u64 = 60_000;
const ROUNDS: usize = 5;
/// How long anybody else may wait for an answer, command and process included: less than half of what a node waits.
const SERVED_WITHIN: Duration = Duration::from_secs(2);

/// Asks all the questions at once, without care for the answers.
async fn flood(bank: SocketAddr) {
    let stranger = Stranger::new(150);
    let address = "0.0.0.0:1".parse().expect("an address");
    let question = |number| BankMessage::BalanceQuery(BalanceQuery { request: RequestId(number) });
    let questions = (0..FLOOD).map(|number| encoded(&message(&Message::Bank(question(number)))));
    let said = Said::new([encoded(&stranger.hello(address, 0))].into_iter().chain(questions));
    stranger.visit(HERE, bank).await.call(EXCHANGE, said).await;
}

#[test]
fn others_are_served_while_somebody_asks_much_too_much() {
    let network = Network::start(1);
    let bank = network.bank_address();
    let ask = || {
        let began = Instant::now();
        assert_eq!(network.balance(0).held, Money(0));
        began.elapsed()
    };
    let calm = (0..5).map(|_| ask()).max().expect("some");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let flooding = runtime.spawn(async move {
        for _ in 0..ROUNDS {
            flood(bank).await;
        }
    });
    let mut during = vec![ask()];
    while !flooding.is_finished() {
        during.push(ask());
    }
    runtime.block_on(flooding).expect("no panic");
    let slowest = during.iter().max().copied().unwrap_or_default();
    let _is_said = writeln!(std::io::stderr(), "others: {calm:?} before, {slowest:?} at most in the flood");
    assert!(slowest < SERVED_WITHIN, "{during:?}");
}
