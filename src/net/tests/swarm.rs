//! Contents that several fetch at a time, and who may have them.

use super::*;
use proto::Hash;
use proto::message::contents::Pass;
use proto::wire::Wire as _;
use std::os::unix::fs::PermissionsExt as _;
use store::Access;

const MIB: usize = 1 << 20;

/// Random bytes that differ from piece to piece.
fn bytes(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    blake3::Hasher::new().update(b"swarm").finalize_xof().fill(&mut bytes);
    bytes
}

async fn nodes(count: u8) -> Vec<Node> {
    let mut nodes = Vec::new();
    for seed in 1..=count {
        nodes.push(Node::start(seed).await);
    }
    nodes
}

/// What a seller fetches for a contract with `buyer`.
fn hired(buyer: &Node, blob: Blob) -> Gather {
    Gather { access: Access::Passed([buyer.peer.key].into()), ..Gather::open(buyer.peer, blob) }
}

/// `sellers` fetch `size` bytes at a time; the buyer sends `at_most` bytes.
async fn check_swarm(sellers: u8, size: usize, at_most: usize) {
    let buyer = Node::start(100).await;
    let sellers = nodes(sellers).await;
    let blob = buyer.store.put_bytes(bytes(size)).await.unwrap();
    let fetches = sellers.iter().map(|seller| {
        let (net, gather) = (seller.net.clone(), hired(&buyer, blob));
        tokio::spawn(async move { net.gather(gather).await })
    });
    for fetch in fetches.collect::<Vec<_>>() {
        timeout(2 * LONG, fetch).await.expect("it comes to an end").unwrap().unwrap();
    }
    for seller in &sellers {
        assert_eq!(std::fs::read(seller.store.path(&blob.hash).unwrap()).unwrap(), bytes(size));
    }
    let sent = buyer.net.volume().0;
    assert!(sent >= size as u64, "{sent} bytes");
    assert!(sent <= at_most as u64, "the buyer has sent {sent} bytes of {size}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_eight_sellers_fetch_leaves_the_buyer_about_once() {
    // Tests run beside each other: where nodes are slow, the owner helps.
    check_swarm(8, 24 * MIB + 5, 48 * MIB).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_seller_gets_everything_from_the_buyer() {
    check_swarm(1, 9 * MIB, 9 * MIB).await;
}

#[tokio::test]
async fn a_seller_gives_a_content_to_its_owner_and_to_who_has_the_owners_pass_only() {
    let (buyer, nodes) = (Node::start(100).await, nodes(3).await);
    let [seller, bearer, stranger] = &nodes[..] else { panic!("three nodes") };
    let blob = buyer.store.put_bytes(bytes(2 * MIB)).await.unwrap();
    seller.net.gather(hired(&buyer, blob)).await.unwrap();
    let asked = |node: &Node| (node.net.clone(), Gather::open(seller.peer, blob));
    let (net, gather) = asked(stranger);
    let error = net.gather(gather).await.unwrap_err();
    assert!(error.to_string().contains("this content is shown to who has signed for it"), "{error}");
    // The bearer has the owner's pass from the owner.
    let mut gather = hired(&buyer, blob);
    gather.others = vec![seller.peer];
    bearer.net.gather(gather).await.unwrap();
    assert!(bearer.store.has(&blob.hash));
    // The owner may have its own back.
    let (hash, path) = (blob.hash, buyer.store.path(&blob.hash).unwrap());
    std::fs::remove_file(path).unwrap();
    assert!(buyer.store.read(hash, 0, 1).await.is_err());
    buyer.net.fetch(seller.peer, blob).await.unwrap();
}

/// Asks `seller` for a content as `bearer` with a pass that `owner` has signed, good until `until`.
async fn ask_with_pass(seller: &Node, bearer: &Node, owner: u8, content: Hash, until: u64) -> Option<String> {
    let pass = Pass { content, bearer: bearer.peer.key, until };
    let pass = proto::Signed::new(pass, &KeyPair::from_secret([owner; 32]));
    let window = dial::Window { stream: 1 << 20, connection: 1 << 20 };
    let connected = bearer.net.inner.dialler.connect(seller.peer.addr, seller.peer.key, window).await;
    let (mut client, driver) = connected.unwrap();
    bearer.net.inner.spawn(driver);
    let open = proto::wire::v1::FetchOpen {
        hash: content.0.to_vec(),
        size: 0,
        sender: Some(bearer.peer.to_pb()),
        pass: Some(pass.to_pb()),
    };
    let open = proto::wire::v1::FetchSaid { body: Some(proto::wire::v1::fetch_said::Body::Open(open)) };
    client.fetch(tokio_stream::iter([open])).await.err().map(|status| format!("{:?}", status.code()))
}

#[tokio::test]
async fn a_pass_is_good_for_its_content_its_bearer_its_time_and_from_the_owner_only() {
    let (buyer, nodes) = (Node::start(100).await, nodes(2).await);
    let [seller, bearer] = &nodes[..] else { panic!("two nodes") };
    let blob = buyer.store.put_bytes(bytes(10)).await.unwrap();
    let other = buyer.store.put_bytes(bytes(11)).await.unwrap();
    seller.net.gather(hired(&buyer, blob)).await.unwrap();
    seller.net.gather(hired(&buyer, other)).await.unwrap();
    let refused = Some("FailedPrecondition".into());
    assert_eq!(ask_with_pass(seller, bearer, 100, blob.hash, u64::MAX).await, None);
    assert_eq!(ask_with_pass(seller, bearer, 2, blob.hash, u64::MAX).await, refused, "signed by the bearer");
    assert_eq!(ask_with_pass(seller, bearer, 100, blob.hash, 1_000).await, refused, "long over");
    assert_eq!(ask_with_pass(seller, bearer, 100, Hash([1; 32]), u64::MAX).await, Some("NotFound".into()));
}

#[tokio::test]
async fn a_source_that_sends_other_bytes_is_left_alone_and_the_others_bring_the_rest() {
    let (honest, liar, one) = (Node::start(100).await, Node::start(101).await, Node::start(1).await);
    let content = bytes(8 * MIB);
    let blob = honest.store.put_bytes(content.clone()).await.unwrap();
    liar.store.put_bytes(content.clone()).await.unwrap();
    let path = liar.store.path(&blob.hash).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&path, vec![7; 8 * MIB]).unwrap();
    honest.net.set_caps(Caps { up: Some(4 << 20), ..Caps::NONE });
    let gather = Gather { others: vec![liar.peer], ..Gather::open(honest.peer, blob) };
    one.net.gather(gather).await.unwrap();
    assert_eq!(std::fs::read(one.store.path(&blob.hash).unwrap()).unwrap(), content);
    assert!(honest.net.volume().0 >= 8 << 20, "nothing of the liar was kept");
    assert!(liar.net.volume().0 > 0, "it was asked");
}

#[tokio::test]
async fn what_is_half_here_is_given_to_others_already() {
    let (source, half, one) = (Node::start(100).await, Node::start(1).await, Node::start(2).await);
    let content = bytes(4 * MIB);
    let blob = source.store.put_bytes(content.clone()).await.unwrap();
    source.net.set_caps(Caps { up: Some(1 << 20), ..Caps::NONE });
    let (net, gather) = (half.net.clone(), Gather::open(source.peer, blob));
    let first = tokio::spawn(async move { net.gather(gather).await });
    while half.store.used() < Bytes(MIB as u64) {
        tokio::task::yield_now().await;
    }
    one.net.fetch(half.peer, blob).await.unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(std::fs::read(one.store.path(&blob.hash).unwrap()).unwrap(), content);
    assert_eq!(source.net.volume().0, 4 << 20, "the other one asked half's node only");
}

#[tokio::test]
async fn nothing_comes_for_others_while_the_owner_needs_the_machine() {
    let (buyer, seller) = (Node::start(100).await, Node::start(1).await);
    let blob = buyer.store.put_bytes(bytes(3 * MIB)).await.unwrap();
    seller.net.suspend(true);
    let (net, gather) = (seller.net.clone(), hired(&buyer, blob));
    let fetch = tokio::spawn(async move { net.gather(gather).await });
    // The owner's own comes all the same.
    let own = buyer.store.put_bytes(bytes(MIB)).await.unwrap();
    seller.net.fetch(buyer.peer, own).await.unwrap();
    assert!(!seller.store.has(&blob.hash) && !fetch.is_finished());
    seller.net.suspend(false);
    timeout(LONG, fetch).await.unwrap().unwrap().unwrap();
    assert!(seller.store.has(&blob.hash));
}

#[tokio::test]
async fn a_content_that_is_public_at_its_source_is_public_here_too() {
    let (publisher, seller, other) = (Node::start(100).await, Node::start(1).await, Node::start(2).await);
    let blob = publisher.store.put_bytes(bytes(5 * MIB)).await.unwrap();
    publisher.net.publish(blob);
    seller.net.gather(hired(&publisher, blob)).await.unwrap();
    assert_eq!(seller.net.public(), [blob]);
    publisher.net.shutdown().await;
    other.net.fetch(seller.peer, blob).await.unwrap();
    assert!(other.store.has(&blob.hash));
}
