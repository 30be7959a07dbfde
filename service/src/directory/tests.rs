use super::kept::{MAX_KEPT, MAX_OF_ONE};
use super::*;
use proptest::prelude::*;
use proto::{Bytes, Hash, PublicKey};

const RENEWAL: Span = Span::secs(20);

fn keys(n: u8) -> KeyPair {
    KeyPair::from_secret([n; 32])
}

fn peer(n: u8) -> Peer {
    Peer::new(([10, 0, 0, n], 7_740).into(), 0, keys(n).public())
}

fn directory(n: u8) -> Directory {
    Directory::new(peer(n), keys(n), RENEWAL)
}

fn blob(n: u8) -> Blob {
    Blob { hash: Hash([n; 32]), size: Bytes(u64::from(n)) }
}

fn naming(n: u8, name: &str, content: u8, serial: u64) -> Signed<Naming> {
    Signed::new(Naming { name: name.into(), content: blob(content), serial }, &keys(n))
}

fn at(seconds: u64) -> Time {
    Time(seconds * 1_000_000)
}

/// Carries everything between `nodes`, of which the last one answers for all points. Tells what was found.
fn settle(nodes: &mut [Directory], now: Time) -> Vec<(u64, Findings)> {
    let mut found = Vec::new();
    let owner = nodes.last().unwrap().me;
    loop {
        let next = nodes.iter_mut().enumerate().find_map(|(at, node)| Some((at, node.effects.pop_front()?)));
        let Some((from, effect)) = next else { return found };
        match effect {
            Effect::Lookup { token, .. } => nodes[from].found(token, Some(owner), now),
            Effect::Found { token, findings } => found.push((token, findings)),
            Effect::Send { to, message } => {
                let sender = nodes[from].me;
                let receiver = nodes.iter_mut().find(|node| node.me.key == to.key).unwrap();
                let is_owner = receiver.me == owner;
                receiver.receive(sender, message, |_| is_owner, now);
            }
        }
    }
}

fn search(nodes: &mut [Directory], point: RingId, now: Time) -> Findings {
    nodes[0].search(7, point, now);
    let mut found = settle(nodes, now);
    assert_eq!(found.len(), 1);
    found.remove(0).1
}

fn holders(findings: &Findings) -> Vec<Peer> {
    findings.holdings.iter().map(|paper| paper.body.holder).collect()
}

#[test]
fn what_is_advertised_is_found_as_long_as_it_is_renewed() {
    let mut nodes = vec![directory(1), directory(2), directory(3), directory(9)];
    for n in [2, 3] {
        nodes[n - 1].advertise(&[blob(40), blob(41)], vec![], at(0));
        nodes[n - 1].handle_timeouts(at(0));
    }
    settle(&mut nodes, at(0));
    assert_eq!(holders(&search(&mut nodes, point(&blob(40).hash), at(1))), [peer(2), peer(3)]);
    assert_eq!(search(&mut nodes, point(&blob(42).hash), at(1)), Findings::default());
    // One of them goes on, the other one is gone.
    for seconds in [20, 40, 60] {
        nodes[1].handle_timeouts(at(seconds));
        settle(&mut nodes, at(seconds));
    }
    assert_eq!(holders(&search(&mut nodes, point(&blob(41).hash), at(61))), [peer(2)]);
    nodes[3].handle_timeouts(at(61));
    assert_eq!(nodes[3].kept.count(), 2);
    nodes[1].advertise(&[], vec![], at(61));
    nodes[3].handle_timeouts(at(200));
    assert_eq!((nodes[3].kept.count(), nodes[3].poll_timeout()), (0, None));
}

#[test]
fn of_two_papers_about_a_name_the_newer_one_counts() {
    let mut nodes = vec![directory(1), directory(2), directory(9)];
    let name = point_of_name("tool", &keys(2).public());
    for (content, serial, expected) in [(40, 5, 40), (41, 6, 41), (42, 5, 41), (43, 6, 43)] {
        nodes[1].advertise(&[], vec![naming(2, "tool", content, serial)], at(0));
        nodes[1].handle_timeouts(at(0));
        settle(&mut nodes, at(0));
        let found = search(&mut nodes, name, at(1));
        let named: Vec<_> = found.namings.iter().map(|paper| paper.body.content).collect();
        assert_eq!(named, [blob(expected)], "{content}, {serial}");
    }
    assert_eq!(search(&mut nodes, point_of_name("tool", &keys(3).public()), at(1)), Findings::default());
}

#[test]
fn a_node_keeps_its_own_where_it_answers_itself() {
    let mut nodes = vec![directory(1)];
    nodes[0].advertise(&[blob(40)], vec![naming(1, "tool", 40, 1)], at(0));
    nodes[0].handle_timeouts(at(0));
    settle(&mut nodes, at(0));
    assert_eq!(holders(&search(&mut nodes, point(&blob(40).hash), at(1))), [peer(1)]);
    assert_eq!(search(&mut nodes, point_of_name("tool", &keys(1).public()), at(1)).namings.len(), 1);
}

/// `from` advertises; the node answers whether it keeps all of it.
#[track_caller]
fn check_kept(from: u8, holdings: Vec<Signed<Holding>>, namings: Vec<Signed<Naming>>, expected: bool) {
    let mut node = directory(9);
    let advertise = Advertise { request: RequestId(4), holdings, namings };
    let message = ContentsMessage::Advertise(Box::new(advertise));
    node.receive(peer(from), message, |at| at != point(&blob(99).hash), at(0));
    let answer = Advertised { request: RequestId(4), is_kept: expected };
    let answer = Effect::Send { to: peer(from), message: ContentsMessage::Advertised(answer) };
    assert_eq!(node.effects.pop_front(), Some(answer));
    assert_eq!(node.kept.count(), usize::from(expected));
}

fn holding(of: u8, holder: u8, signer: u8) -> Signed<Holding> {
    let point = point(&blob(of).hash);
    Signed::new(Holding { point, size: Bytes(1), holder: peer(holder) }, &keys(signer))
}

#[test]
fn only_what_is_right_and_the_senders_own_is_kept() {
    check_kept(2, vec![holding(40, 2, 2)], vec![], true);
    check_kept(2, vec![holding(40, 3, 3)], vec![], false);
    check_kept(2, vec![holding(40, 2, 3)], vec![], false);
    check_kept(2, vec![holding(40, 3, 2)], vec![], false);
    check_kept(2, vec![holding(99, 2, 2)], vec![], false);
    check_kept(2, vec![], vec![naming(2, "tool", 40, 1)], true);
    check_kept(2, vec![], vec![naming(3, "tool", 40, 1)], false);
    check_kept(2, vec![], vec![naming(2, &"x".repeat(MAX_NAME + 1), 40, 1)], false);
    let mut forged = naming(2, "tool", 40, 1);
    forged.body.content = blob(41);
    check_kept(2, vec![], vec![forged], false);
}

#[test]
fn an_answer_counts_from_who_was_asked_and_as_far_as_it_is_signed() {
    let mut node = directory(1);
    let wanted = point(&blob(40).hash);
    node.search(7, wanted, at(0));
    node.found(0, Some(peer(9)), at(0));
    let holdings = vec![holding(40, 2, 2), holding(41, 2, 2), holding(40, 3, 2)];
    let asked = node.effects.iter().find_map(|effect| match effect {
        Effect::Send { message: ContentsMessage::Search(search), .. } => Some(search.request),
        _ => None,
    });
    let found = FoundContent { request: asked.unwrap(), holdings, namings: vec![naming(2, "tool", 40, 1)] };
    node.effects.clear();
    let answer = |from| (peer(from), ContentsMessage::Found(Box::new(found.clone())));
    let (from, message) = answer(8);
    node.receive(from, message, |_| true, at(1));
    assert_eq!(node.effects.pop_front(), None);
    let (from, message) = answer(9);
    node.receive(from, message, |_| true, at(1));
    let findings = Findings { holdings: vec![holding(40, 2, 2)], namings: vec![] };
    assert_eq!(node.effects.pop_front(), Some(Effect::Found { token: 7, findings }));
}

#[test]
fn a_search_that_nobody_answers_comes_to_an_end() {
    let mut node = directory(1);
    node.search(7, RingId([1; 20]), at(0));
    node.search(8, RingId([1; 20]), at(0));
    node.found(1, None, at(1));
    node.found(0, Some(peer(9)), at(1));
    node.effects.retain(|effect| matches!(effect, Effect::Found { .. }));
    let nothing = |token| Effect::Found { token, findings: Findings::default() };
    assert_eq!(node.effects.pop_front(), Some(nothing(8)));
    assert_eq!(node.poll_timeout(), Some(at(10)));
    node.handle_timeouts(at(10));
    assert_eq!((node.effects.pop_front(), node.poll_timeout()), (Some(nothing(7)), None));
}

#[test]
fn there_is_a_bound_on_the_papers_of_one_signer() {
    let mut node = directory(9);
    let signer = keys(2);
    let mut kept = 0;
    for chunk in (0..=MAX_OF_ONE).collect::<Vec<_>>().chunks(MAX_PAPERS) {
        let named = |n: &usize| Naming { name: n.to_string(), content: blob(1), serial: 0 };
        let namings = chunk.iter().map(|n| Signed::new(named(n), &signer)).collect();
        let advertise = Advertise { request: RequestId(0), holdings: vec![], namings };
        node.receive(peer(2), ContentsMessage::Advertise(Box::new(advertise)), |_| true, at(0));
        kept = node.kept.count();
    }
    assert_eq!(kept, MAX_OF_ONE);
    const { assert!(MAX_OF_ONE * 8 < MAX_KEPT) };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever comes, what is kept is counted, ends, and every search is answered once.
    #[test]
    fn nothing_breaks_the_directory(steps in prop::collection::vec((0_u8..6, 1_u8..5, 0_u8..4, 0_u64..50), 1..60)) {
        let mut nodes = vec![directory(1), directory(2), directory(3), directory(4)];
        let (mut now, mut asked, mut answered) = (0, 0_u64, 0);
        for (what, n, content, wait) in steps {
            let node = usize::from(n) - 1;
            now += wait;
            match what {
                0 => nodes[node].advertise(&[blob(content)], vec![], at(now)),
                1 => nodes[node].advertise(&[], vec![naming(n, "x", content, now)], at(now)),
                2 => {
                    nodes[node].search(asked, point(&blob(content).hash), at(now));
                    asked += 1;
                }
                3 => nodes[node].found(u64::from(content), None, at(now)),
                _ => nodes[node].handle_timeouts(at(now)),
            }
            answered += settle(&mut nodes, at(now)).len();
            for node in &nodes {
                prop_assert!(node.kept.count() <= 8);
            }
        }
        for node in &mut nodes {
            node.advertise(&[], vec![], at(now));
            node.handle_timeouts(at(now + 1_000));
            prop_assert_eq!(node.kept.count(), 0);
        }
        answered += settle(&mut nodes, at(now + 1_000)).len();
        prop_assert_eq!(answered as u64, asked);
    }
}

#[test]
fn a_point_does_not_tell_the_hash() {
    let hash = Hash([7; 32]);
    assert_ne!(point(&hash).0[..], hash.0[..20]);
    assert_ne!(point_of_name("a", &PublicKey([1; 32])), point_of_name("a", &PublicKey([2; 32])));
}
