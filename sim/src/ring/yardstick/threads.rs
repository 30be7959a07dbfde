//! The run on one thread or several, with the same result bit for bit.
//!
//! Each thread has a part of the circle. It runs a bucket of time (33 ms) by itself, because a message takes longer
//! (50 ms) to reach another part: conservative windows, after Chandy and Misra (1979), with the latency as look-ahead. Then it
//! hands over what it has for the others and waits for what they have for it. Events come in the order of their own
//! numbers, so it makes no difference who hands over first.

use super::buckets::{Buckets, Event};
use super::node::ids;
use super::run::Part;
use super::{Counts, MAX_NODES, MAX_THREADS, Yardstick};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

/// How often a thread looks for what another sends before it sleeps.
const LOOKS: u32 = 1 << 12;
/// Hand-overs that may be on their way from one thread to another: it is ahead by one window at most.
const AHEAD: usize = 2;

/// One thread's ends of the channels to and from the others, by part; none to itself.
struct Post {
    to: Vec<Option<SyncSender<Vec<Event>>>>,
    from: Vec<Option<Receiver<Vec<Event>>>>,
}

pub(super) fn run(plan: &Yardstick, progress: &mut dyn FnMut(u64, u64)) -> Counts {
    let nodes = plan.nodes.clamp(1, MAX_NODES);
    let ids = ids(nodes, plan.seed);
    let threads = u32::from(plan.threads).clamp(1, MAX_THREADS.into()).min(nodes);
    let size = nodes.div_ceil(threads);
    let mut posts = posts(nodes.div_ceil(size) as usize).into_iter();
    let Some(mut first) = posts.next() else { return Counts::default() };
    thread::scope(|scope| {
        let ids = &ids;
        let work = |(number, mut post): (u32, Post)| {
            scope.spawn(move || {
                let part = Part::new(plan, ids, number, size);
                part.run(&mut |away, buckets| post.exchange(away, buckets), &mut |_, _| {})
            })
        };
        let others: Vec<_> = (1..).zip(posts).map(work).collect();
        let part = Part::new(plan, ids, 0, size);
        let mut all = part.run(&mut |away, buckets| first.exchange(away, buckets), progress);
        for other in others {
            match other.join() {
                Ok(counts) => all.add(&counts),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}

fn posts(count: usize) -> Vec<Post> {
    let none = |_| Post { to: Vec::new(), from: Vec::new() };
    let mut posts: Vec<Post> = (0..count).map(none).collect();
    for from in 0..count {
        for to in 0..count {
            let (sender, receiver) = (from != to).then(|| sync_channel(AHEAD)).unzip();
            if let Some(post) = posts.get_mut(from) {
                post.to.push(sender);
            }
            if let Some(post) = posts.get_mut(to) {
                post.from.push(receiver);
            }
        }
    }
    posts
}

impl Post {
    /// Hands over what is for others, and takes what they have. What came empties into `buckets` and is filled again
    /// for the next window.
    fn exchange(&mut self, away: &mut [Vec<Event>], buckets: &mut Buckets) {
        for (to, events) in self.to.iter().zip(away.iter_mut()) {
            // Who has ended by a panic takes nothing more; its thread is joined at the end.
            let _ = to.as_ref().map(|to| to.send(std::mem::take(events)));
        }
        for (from, events) in self.from.iter().zip(away) {
            let Some(mut came) = from.as_ref().and_then(receive) else { continue };
            for event in came.drain(..) {
                buckets.push(event);
            }
            *events = came;
        }
    }
}

/// What another thread hands over; nothing if it is no more.
fn receive(from: &Receiver<Vec<Event>>) -> Option<Vec<Event>> {
    for _ in 0..LOOKS {
        match from.try_recv() {
            Ok(events) => return Some(events),
            Err(TryRecvError::Empty) => std::hint::spin_loop(),
            Err(TryRecvError::Disconnected) => return None,
        }
    }
    from.recv().ok()
}
