//! Messages.

use super::*;
use crate::net::link::{Line, Link};

/// Both send `count` messages at once, and each hears the other's in order.
async fn check_both_ways(count: u64) {
    let (mut one, mut two) = (Node::start(1).await, Node::start(2).await);
    for number in 0..count {
        one.net.send(two.peer, message(number));
        two.net.send(one.peer, message(number));
    }
    let (first, second) = (one.peer, two.peer);
    for number in 0..count {
        assert_eq!(one.next().await, received(second, number));
        assert_eq!(two.next().await, received(first, number));
    }
    one.net.shutdown().await;
    two.net.shutdown().await;
    one.expect_nothing();
    two.expect_nothing();
}

#[tokio::test]
async fn a_thousand_messages_arrive_both_ways_in_order() {
    check_both_ways(1_000).await;
}

#[tokio::test]
async fn an_answer_goes_back_on_the_stream_of_the_question() {
    let (mut asker, mut answerer) = (Node::start(1).await, Node::start(2).await);
    // It does not know its address and nobody can reach it at this port.
    let claim = Peer::new("0.0.0.0:1".parse().unwrap(), 4, asker.peer.key);
    asker.net.set_me(claim);
    asker.net.send(answerer.peer, message(1));
    let seen = Peer::new("127.0.0.1:1".parse().unwrap(), 4, asker.peer.key);
    assert_eq!(answerer.next().await, received(seen, 1));
    answerer.net.send(seen, message(2));
    assert_eq!(asker.next().await, received(answerer.peer, 2));
}

#[tokio::test]
async fn an_answer_does_not_go_to_whoever_claims_another_ip_address() {
    let (mut spoofer, mut answerer) = (Node::start(1).await, Node::start(2).await);
    let claim = Peer::new("127.0.0.77:1".parse().unwrap(), 0, spoofer.peer.key);
    spoofer.net.set_me(claim);
    spoofer.net.send(answerer.peer, message(1));
    assert_eq!(answerer.next().await, received(claim, 1));
    answerer.net.send(claim, message(2));
    assert_eq!(answerer.next().await, Event::Unreachable { peer: claim });
    spoofer.expect_nothing();
}

#[tokio::test]
async fn a_new_place_is_told_on_the_streams_that_are_open() {
    let (one, mut two) = (Node::start(1).await, Node::start(2).await);
    one.net.send(two.peer, message(1));
    assert_eq!(two.next().await, received(one.peer, 1));
    let moved = Peer::new(one.peer.addr, 9, one.peer.key);
    one.net.set_me(moved);
    one.net.send(two.peer, message(2));
    assert_eq!(two.next().await, received(moved, 2));
    assert_eq!(one.net.inner.pool.count(), 1, "it is the same stream");
}

#[tokio::test]
async fn a_message_to_oneself_is_delivered() {
    let mut node = Node::start(1).await;
    for number in 0..2_000 {
        node.net.send(node.peer, message(number));
    }
    for number in 0..2_000 {
        let from = node.peer;
        assert_eq!(node.next().await, received(from, number));
    }
}

#[tokio::test]
async fn what_was_sent_before_the_shutdown_arrives() {
    let (one, mut two) = (Node::start(1).await, Node::start(2).await);
    for number in 0..500 {
        one.net.send(two.peer, message(number));
    }
    let net = one.net.clone();
    let ended = tokio::spawn(async move { net.shutdown().await });
    for number in 0..500 {
        assert_eq!(two.next().await, received(one.peer, number));
    }
    timeout(LONG, ended).await.unwrap().unwrap();
    two.net.shutdown().await;
    two.expect_nothing();
}

/// `closer` ends the stream that `one` has opened while both send; nothing is lost.
async fn check_orderly_end(closer: fn(&Node, &Node)) {
    let (mut one, mut two) = (Node::start(1).await, Node::start(2).await);
    one.net.send(two.peer, message(1_000));
    assert_eq!(two.next().await, received(one.peer, 1_000));
    for number in 0..100 {
        one.net.send(two.peer, message(number));
        two.net.send(one.peer, message(number));
        if number == 50 {
            closer(&one, &two);
        }
    }
    for node in [&mut one, &mut two] {
        let mut heard = Vec::new();
        for _ in 0..100 {
            match node.next().await {
                Event::Received { message: Message::Chord(ChordMessage::Ping(ping)), .. } => {
                    heard.push(ping.request.0)
                }
                other => panic!("{other:?}"),
            }
        }
        heard.sort_unstable();
        assert_eq!(heard, (0..100).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn an_orderly_end_loses_nothing_whoever_begins_it() {
    check_orderly_end(|one, _| one.net.inner.pool.close_all()).await;
    check_orderly_end(|_, two| two.net.inner.pool.close_all()).await;
    check_orderly_end(|one, two| {
        one.net.inner.pool.close_all();
        two.net.inner.pool.close_all();
    })
    .await;
}

/// A node in a world of its own, which can be ended without a word.
fn start_apart(seed: u8) -> (tokio::runtime::Runtime, Node) {
    let world = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let node = world.block_on(Node::start(seed));
    (world, node)
}

#[test]
fn a_killed_peer_is_reported_once() {
    let (world, mut node) = start_apart(1);
    let (doomed_world, mut doomed) = start_apart(2);
    let doomed_peer = doomed.peer;
    node.net.send(doomed_peer, message(1));
    assert_eq!(doomed_world.block_on(doomed.next()), received(node.peer, 1));
    doomed_world.shutdown_background();
    world.block_on(async {
        assert_eq!(node.next().await, Event::Unreachable { peer: doomed_peer });
        let mut third = Node::start(3).await;
        node.net.send(third.peer, message(2));
        assert_eq!(third.next().await, received(node.peer, 2));
        third.net.send(node.peer, message(3));
        assert_eq!(node.next().await, received(third.peer, 3), "nothing more of the dead one");
        node.net.send(doomed_peer, message(4));
        node.net.send(doomed_peer, message(5));
        assert_eq!(node.next().await, Event::Unreachable { peer: doomed_peer });
        third.net.send(node.peer, message(6));
        assert_eq!(node.next().await, received(third.peer, 6));
    });
}

#[tokio::test]
async fn a_peer_for_whom_too_much_waits_is_given_up() {
    let mut node = Node::start(1).await;
    // It takes connections and never says a word.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = Peer::new(mute.local_addr().unwrap(), 0, KeyPair::from_secret([2; 32]).public());
    for number in 0..MAX_QUEUE as u64 {
        node.net.send(peer, message(number));
    }
    assert_eq!(node.net.inner.pool.count(), 1);
    node.net.send(peer, message(0));
    assert_eq!(node.net.inner.pool.count(), 0);
    assert_eq!(node.next().await, Event::Unreachable { peer });
    node.expect_nothing();
}

#[tokio::test]
async fn beyond_the_limit_the_most_silent_stream_is_closed() {
    let pool = Pool::default();
    let links: Vec<_> = (0..MAX_CONNECTIONS).map(|_| Link::new(Line::new()).0).collect();
    let address = |index: usize| {
        (PublicKey([0; 32]), SocketAddr::new([127, 0, 0, 1].into(), u16::try_from(index).unwrap()))
    };
    for (index, link) in links.iter().enumerate() {
        if index != 7 {
            link.line.touch();
        }
        assert!(pool.attach(address(index), link));
    }
    let newcomer = Link::new(Line::new()).0;
    assert!(!pool.attach(address(3), &newcomer), "there is a stream to this peer already");
    assert!(pool.attach(address(MAX_CONNECTIONS), &newcomer));
    timeout(LONG, links[7].line.closing()).await.expect("the silent one has to end");
}

#[tokio::test]
async fn whoever_only_opens_streams_does_not_displace_those_that_work() {
    let pool = Pool::default();
    let attach = |number: usize| {
        let link = Link::new(Line::new()).0;
        let port = u16::try_from(number + 1).unwrap();
        assert!(pool.attach((PublicKey([0; 32]), SocketAddr::new([127, 0, 0, 1].into(), port)), &link));
        link
    };
    let working: Vec<_> = (0..MAX_CONNECTIONS - 10).map(attach).collect();
    working.iter().for_each(|link| link.line.touch());
    let silent: Vec<_> = (0..3_000).map(|number| attach(MAX_CONNECTIONS + number)).collect();
    assert_eq!(pool.count(), MAX_CONNECTIONS);
    assert!(working.iter().all(|link| link.line.is_open()));
    assert_eq!(silent.iter().filter(|link| link.line.is_open()).count(), 10);
}
