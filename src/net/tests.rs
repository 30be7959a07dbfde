//! Real sockets on 127.0.0.1.

mod channel;
mod contents;
mod exchange;
mod swarm;

use super::*;
use proto::message::chord::{ChordMessage, Ping};
use proto::{Bytes, RequestId};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

/// A node with what it hears.
struct Node {
    net: Net,
    events: mpsc::Receiver<Event>,
    peer: Peer,
    store: Arc<Store>,
    place: tempfile::TempDir,
}

impl Node {
    async fn start(seed: u8) -> Self {
        let place = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(place.path(), Bytes(64 << 20)).unwrap());
        let (inbox, events) = mpsc::channel(16);
        let keys = KeyPair::from_secret([seed; 32]);
        let listen = "127.0.0.1:0".parse().unwrap();
        let net = Net::start(listen, keys.clone(), Arc::clone(&store), inbox).await.unwrap();
        let peer = Peer::new(net.address(), 0, keys.public());
        Self { net, events, peer, store, place }
    }

    async fn next(&mut self) -> Event {
        timeout(LONG, self.events.recv()).await.expect("an event").expect("a running network")
    }

    #[track_caller]
    fn expect_nothing(&mut self) {
        assert_eq!(self.events.try_recv().ok(), None);
    }
}

fn message(number: u64) -> Message {
    Message::Chord(ChordMessage::Ping(Ping { request: RequestId(number) }))
}

fn received(from: Peer, number: u64) -> Event {
    Event::Received { from, message: message(number) }
}
