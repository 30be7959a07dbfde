//! How fast contents move, and what leaves their owner: `cargo bench --bench staging`.
//!
//! Both sides of every comparison run here, on the loopback and on the same disk: a plain copy over TCP, hashing by
//! BLAKE3 on one core (what `b3sum --num-threads 1` does to a file in memory), and one copy for each of the sellers.
//! `COMPUP2P_BENCH_MIB` is the size (56, the issue's), `COMPUP2P_BENCH_SELLERS` the sellers (8).

use crate::net::store::{Access, Store};
use crate::net::{Gather, Net};
use proto::message::service::Blob;
use proto::{Bytes, KeyPair, Peer};
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Copies of a measurement, of which the median is shown.
const ROUNDS: usize = 5;

struct Node {
    net: Net,
    store: Arc<Store>,
    peer: Peer,
    _place: tempfile::TempDir,
    _events: mpsc::Receiver<crate::net::Event>,
}

impl Node {
    async fn start(seed: u8) -> Result<Self, Box<dyn std::error::Error>> {
        let place = tempfile::tempdir()?;
        let store = Arc::new(Store::open(place.path(), Bytes(64 << 30))?);
        let (inbox, events) = mpsc::channel(16);
        let keys = KeyPair::from_secret([seed; 32]);
        let net = Net::start("127.0.0.1:0".parse()?, keys.clone(), Arc::clone(&store), inbox).await?;
        let peer = Peer::new(net.address(), 0, keys.public());
        Ok(Self { net, store, peer, _place: place, _events: events })
    }
}

/// Measures everything and prints it.
pub(crate) fn run() -> Result<(), Box<dyn std::error::Error>> {
    let number = |name: &str, usual: usize| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let (mib, sellers) = (number("COMPUP2P_BENCH_MIB", 56), number("COMPUP2P_BENCH_SELLERS", 8));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(mib, sellers))
}

async fn measure(mib: usize, sellers: usize) -> Result<(), Box<dyn std::error::Error>> {
    let mut bytes = vec![0; mib << 20];
    getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
    let bytes = Arc::new(bytes);
    let (mut hashed, mut copied, mut fetched) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let start = Instant::now();
        std::hint::black_box(blake3::hash(&bytes));
        hashed.push(start.elapsed());
        copied.push(copy_by_tcp(&bytes).await?);
        fetched.push(one_fetch(&bytes, round).await?);
    }
    let (hashed, copied, fetched) = (median(hashed), median(copied), median(fetched));
    say(&format!("{mib} MiB, medians of {ROUNDS}"))?;
    say(&format!("BLAKE3 on one core         {:>8.0} MB/s", rate(mib, hashed)))?;
    say(&format!("plain copy by TCP to disk  {:>8.0} MB/s", rate(mib, copied)))?;
    let ratio = fetched.as_secs_f64() / copied.as_secs_f64();
    say(&format!(
        "one fetch, verified        {:>8.0} MB/s, {ratio:.2} x the time of the copy",
        rate(mib, fetched)
    ))?;
    let (mut swarms, mut singles, mut sent) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        let (time, left) = many(&bytes, sellers, true).await?;
        swarms.push(time);
        sent.push(left);
        singles.push(many(&bytes, sellers, false).await?.0);
    }
    let (swarm, single) = (median(swarms), median(singles));
    sent.sort_unstable();
    let left = sent.get(sent.len() / 2).copied().unwrap_or(0);
    let times = left as f64 / bytes.len() as f64;
    say(&format!(
        "{sellers} sellers together        {:>8.2} s, {times:.2} x the content left the owner",
        swarm.as_secs_f64()
    ))?;
    let ratio = swarm.as_secs_f64() / single.as_secs_f64();
    say(&format!(
        "{sellers} copies by themselves    {:>8.2} s: together takes {ratio:.2} x that",
        single.as_secs_f64()
    ))?;
    Ok(())
}

/// One node fetches from another.
async fn one_fetch(bytes: &[u8], round: usize) -> Result<Duration, Box<dyn std::error::Error>> {
    let (from, to) = (Node::start(1).await?, Node::start(2).await?);
    let blob = put(&from, bytes).await?;
    let start = Instant::now();
    to.net.gather(Gather::open(from.peer, blob)).await?;
    let time = start.elapsed();
    if !to.store.holds(&blob.hash) {
        return Err(format!("round {round}: the content is not there").into());
    }
    Ok(time)
}

async fn put(node: &Node, bytes: &[u8]) -> Result<Blob, Box<dyn std::error::Error>> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(bytes)?;
    Ok(node.store.put_file(file.path().to_path_buf()).await?)
}

/// All sellers fetch at a time: `together` from each other too, or else each for itself. The time until the last one has it,
/// and the bytes that left the owner.
async fn many(
    bytes: &[u8],
    sellers: usize,
    together: bool,
) -> Result<(Duration, u64), Box<dyn std::error::Error>> {
    let owner = Node::start(1).await?;
    let blob = put(&owner, bytes).await?;
    let mut nodes = Vec::new();
    for seed in (2..).take(sellers) {
        let node = Node::start(seed).await?;
        if !together {
            // Nobody can be introduced to a node that does not say where it is.
            node.net.set_me(Peer::new(([192, 0, 2, 1], 9).into(), 0, node.peer.key));
        }
        nodes.push(node);
    }
    let start = Instant::now();
    let fetches = nodes.iter().map(|node| {
        let access = Access::Passed([owner.peer.key].into());
        let (net, gather) = (node.net.clone(), Gather { access, ..Gather::open(owner.peer, blob) });
        tokio::spawn(async move { net.gather(gather).await })
    });
    for fetch in fetches.collect::<Vec<_>>() {
        fetch.await??;
    }
    Ok((start.elapsed(), owner.net.volume().0))
}

/// The same bytes over a bare connection into a file that is synced, as the store does.
async fn copy_by_tcp(bytes: &Arc<Vec<u8>>) -> Result<Duration, Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let sent = Arc::clone(bytes);
    let start = Instant::now();
    let sender = tokio::spawn(async move {
        let (mut to, _) = listener.accept().await?;
        to.write_all(&sent).await
    });
    let place = tempfile::tempdir()?;
    let mut file = tokio::fs::File::create(place.path().join("copy")).await?;
    file.set_max_buf_size(1 << 20);
    let mut from = TcpStream::connect(addr).await?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        file.write_all(buffer.get(..count).unwrap_or_default()).await?;
    }
    file.flush().await?;
    file.sync_data().await?;
    sender.await??;
    Ok(start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn rate(mib: usize, time: Duration) -> f64 {
    (mib << 20) as f64 / 1e6 / time.as_secs_f64()
}

fn say(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
