//! Contents.

use super::*;
use proto::Hash;
use std::os::unix::fs::PermissionsExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const SIZE: usize = 5 << 20;
const MIB: u64 = 1 << 20;

fn bytes(size: usize) -> Vec<u8> {
    blake3::Hasher::new().finalize_xof().take_bytes(size)
}

trait TakeBytes {
    fn take_bytes(self, size: usize) -> Vec<u8>;
}

impl TakeBytes for blake3::OutputReader {
    fn take_bytes(mut self, size: usize) -> Vec<u8> {
        let mut bytes = vec![0; size];
        self.fill(&mut bytes);
        bytes
    }
}

async fn check_fetched(size: usize) {
    let (seller, buyer) = (Node::start(1).await, Node::start(2).await);
    let blob = buyer.store.put_bytes(bytes(size)).await.unwrap();
    seller.net.fetch(buyer.peer, blob).await.unwrap();
    assert_eq!(std::fs::read(seller.store.path(&blob.hash).unwrap()).unwrap(), bytes(size));
    buyer.net.shutdown().await;
    seller.net.fetch(buyer.peer, blob).await.expect("what is here needs nobody");
}

#[tokio::test]
async fn a_content_is_fetched_whole() {
    for size in [0, 1, MAX_PIECE, SIZE + 1] {
        check_fetched(size).await;
    }
}

#[tokio::test]
async fn a_content_that_is_not_there_is_reported_as_such() {
    let (one, two) = (Node::start(1).await, Node::start(2).await);
    let (from, hash) = (two.peer, Hash([7; 32]));
    let error = one.net.fetch(from, Blob { hash, size: Bytes(9) }).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{from} does not have the content {hash}"));
    assert_eq!(one.store.used(), Bytes(0));
}

#[tokio::test]
async fn other_bytes_than_promised_are_found_out() {
    let (one, liar) = (Node::start(1).await, Node::start(2).await);
    let blob = liar.store.put_bytes(bytes(SIZE)).await.unwrap();
    let path = liar.store.path(&blob.hash).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut lie = bytes(SIZE);
    lie[SIZE - 1] ^= 1;
    std::fs::write(&path, &lie).unwrap();
    let error = one.net.fetch(liar.peer, blob).await.unwrap_err();
    assert!(matches!(error, FetchError::WrongContent { from, .. } if from == liar.peer), "{error}");
    assert!(!one.store.has(&blob.hash));
    assert!(one.store.used() <= Bytes(4 * MIB), "the last piece is wrong");
    // More bytes than promised are not even read to their end.
    let short = Blob { size: Bytes(10), ..blob };
    let error = one.net.fetch(liar.peer, short).await.unwrap_err();
    assert!(matches!(error, FetchError::WrongContent { .. }), "{error}");
    assert_eq!(one.store.used(), Bytes(0));
}

#[tokio::test]
async fn an_honest_peer_is_not_blamed_for_the_bytes_of_another() {
    let (one, honest) = (Node::start(1).await, Node::start(2).await);
    let blob = honest.store.put_bytes(bytes(SIZE)).await.unwrap();
    let partial = one.place.path().join("partial").join(proto::id::hex(&blob.hash.0));
    std::fs::write(partial, vec![0; SIZE]).unwrap();
    one.net.fetch(honest.peer, blob).await.unwrap();
    assert!(one.store.has(&blob.hash));
}

/// Passes bytes on. The first connection stops after `limit` of them and is cut when `cut` resolves. Tells how
/// many bytes each connection has brought.
async fn relay(
    to: SocketAddr,
    limit: u64,
    cut: impl Future<Output = ()> + Send + 'static,
) -> (SocketAddr, mpsc::Receiver<u64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (tell, told) = mpsc::channel(8);
    tokio::spawn(async move {
        let mut first = Some((limit, cut));
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(to).await.unwrap();
            let (mut near_read, mut near_write) = near.into_split();
            let (far_read, mut far_write) = far.into_split();
            let up = tokio::spawn(async move {
                let _done = tokio::io::copy(&mut near_read, &mut far_write).await.is_ok();
            });
            let (limit, cut) = first.take().map_or((u64::MAX, None), |(limit, cut)| (limit, Some(cut)));
            let brought = tokio::io::copy(&mut far_read.take(limit), &mut near_write).await.unwrap_or(0);
            if let Some(cut) = cut {
                cut.await;
            }
            up.abort();
            let _closed = near_write.shutdown().await.is_ok();
            tell.send(brought).await.unwrap();
        }
    });
    (addr, told)
}

#[tokio::test]
async fn a_fetch_that_was_cut_goes_on_where_it_was() {
    let (one, two) = (Node::start(1).await, Node::start(2).await);
    let blob = two.store.put_bytes(bytes(SIZE)).await.unwrap();
    let store = Arc::clone(&one.store);
    let two_pieces_are_there = async move {
        while store.used() < Bytes(2 << 20) {
            tokio::task::yield_now().await;
        }
    };
    let (addr, mut told) = relay(two.peer.addr, 3 << 20, two_pieces_are_there).await;
    timeout(LONG, one.net.fetch(Peer::new(addr, 0, two.peer.key), blob)).await.unwrap().unwrap();
    assert_eq!(told.recv().await, Some(3 << 20));
    let rest = timeout(LONG, told.recv()).await.unwrap().unwrap();
    assert!(rest < (3 << 20) + (1 << 19), "{rest} bytes in the second attempt");
    assert_eq!(one.store.used(), blob.size);
}

#[tokio::test]
async fn a_peer_that_is_gone_is_tried_a_few_times_and_what_came_is_kept() {
    let (one, two) = (Node::start(1).await, Node::start(2).await);
    let blob = two.store.put_bytes(bytes(SIZE)).await.unwrap();
    let arrival = one.store.arrival(two.store.outline(blob.hash).await.unwrap()).await.unwrap();
    arrival.write(0, bytes(MAX_PIECE)).await.unwrap();
    drop(arrival);
    two.net.shutdown().await;
    let error = one.net.fetch(two.peer, blob).await.unwrap_err();
    assert!(matches!(error, FetchError::Cut { .. }), "{error}");
    assert_eq!(one.store.used(), Bytes(MIB));
}

#[tokio::test]
async fn one_content_is_fetched_once_however_many_ask() {
    let (one, two) = (Node::start(1).await, Node::start(2).await);
    let blob = two.store.put_bytes(bytes(SIZE)).await.unwrap();
    let (addr, mut told) = relay(two.peer.addr, u64::MAX, async {}).await;
    let from = Peer::new(addr, 0, two.peer.key);
    let asked: Vec<_> = (0..4)
        .map(|_| {
            let net = one.net.clone();
            tokio::spawn(async move { net.fetch(from, blob).await })
        })
        .collect();
    for fetched in asked {
        fetched.await.unwrap().unwrap();
    }
    assert!(timeout(LONG, told.recv()).await.unwrap().is_some());
    assert_eq!(told.try_recv().ok(), None, "there was one connection");
    assert!(two.place.path().join("objects").is_dir());
}

#[tokio::test]
async fn a_content_takes_its_time_under_a_cap_of_either_side_and_is_counted() {
    for (up, down) in [(Some(MIB), None), (None, Some(MIB))] {
        let (seller, buyer) = (Node::start(1).await, Node::start(2).await);
        buyer.net.set_caps(Caps { up, ..Caps::NONE });
        seller.net.set_caps(Caps { down, ..Caps::NONE });
        let blob = buyer.store.put_bytes(bytes(4 << 20)).await.unwrap();
        let start = std::time::Instant::now();
        seller.net.fetch(buyer.peer, blob).await.unwrap();
        // A quarter of a second's worth may have been saved before.
        assert!(start.elapsed() >= Duration::from_millis(3_700), "{:?}", start.elapsed());
        assert_eq!((buyer.net.volume(), seller.net.volume()), ((4 * MIB, 0), (0, 4 * MIB)));
        assert_eq!(std::fs::read(seller.store.path(&blob.hash).unwrap()).unwrap(), bytes(4 << 20));
    }
}

#[tokio::test]
async fn a_cap_that_is_lifted_lets_what_waits_pass_at_once() {
    let (seller, buyer) = (Node::start(1).await, Node::start(2).await);
    // It would take over an hour.
    buyer.net.set_caps(Caps { up: Some(1_024), ..Caps::NONE });
    let blob = buyer.store.put_bytes(bytes(4 << 20)).await.unwrap();
    let fetched = seller.net.fetch(buyer.peer, blob);
    let lifted = async {
        while buyer.net.volume().0 == 0 {
            tokio::task::yield_now().await;
        }
        buyer.net.set_caps(Caps::NONE);
    };
    let both = async { tokio::join!(fetched, lifted) };
    timeout(LONG, both).await.expect("it does not wait for the old cap").0.unwrap();
}

#[tokio::test]
async fn as_many_contents_are_sent_at_a_time_as_the_cap_allows_and_the_others_wait() {
    let (seller, buyer) = (Node::start(1).await, Node::start(2).await);
    buyer.net.set_caps(Caps { transfers: 1, ..Caps::NONE });
    let mut blobs = Vec::new();
    for size in 1..=6 {
        blobs.push(buyer.store.put_bytes(bytes(size << 18)).await.unwrap());
    }
    let fetches = blobs.iter().map(|blob| {
        let (net, from, blob) = (seller.net.clone(), buyer.peer, *blob);
        tokio::spawn(async move { net.fetch(from, blob).await })
    });
    for fetch in fetches.collect::<Vec<_>>() {
        timeout(LONG, fetch).await.expect("all have their turn").unwrap().unwrap();
    }
    assert!(blobs.iter().all(|blob| seller.store.has(&blob.hash)));
}

#[tokio::test]
async fn what_is_kept_back_is_sent_to_who_has_signed_for_it_and_to_nobody_else() {
    let (seller, buyer, other) = (Node::start(1).await, Node::start(2).await, Node::start(3).await);
    let blob = seller.store.withhold_bytes(bytes(MAX_PIECE + 1)).await.unwrap();
    for node in [&buyer, &other] {
        let error = node.net.fetch(seller.peer, blob).await.unwrap_err();
        assert!(error.to_string().contains("this content is shown to who has signed for it"), "{error}");
        assert_eq!(node.store.used(), Bytes(0));
    }
    seller.store.show(&blob.hash, buyer.peer.key);
    buyer.net.fetch(seller.peer, blob).await.unwrap();
    assert!(other.net.fetch(seller.peer, blob).await.is_err());
    // What the buyer has is the buyer's: it gives it to whom it likes.
    other.net.fetch(buyer.peer, blob).await.unwrap();
}
