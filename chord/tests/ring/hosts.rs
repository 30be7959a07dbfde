//! Hosts with several nodes in two rings, over one network that carries the messages of both.

use chord::interval::distance;
use chord::{At, Chord, Config, Handle, Host, HostError, Input, Output};
use proto::message::chord::ChordMessage;
use proto::{RingId, Span, Time};
use std::collections::BTreeMap;

/// The two rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ring {
    /// Its points are as random as SHA-1.
    Base,
    /// Its points are small numbers, as market ids are.
    Markets,
}

/// A node: its point, and the host that it runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    point: RingId,
    host: usize,
}

impl Handle for Place {
    fn id(&self) -> RingId {
        self.point
    }
}

const HOSTS: usize = 5;
const VIRTUAL: usize = 4;

/// What was looked up, where, and the owner with the word whether the way went around.
type Outcome = (Ring, RingId, Option<(Place, bool)>);

struct Mail {
    ring: Ring,
    from: Place,
    to: Place,
    message: ChordMessage<Place>,
}

struct World {
    now: Time,
    hosts: Vec<Host<Ring, Place>>,
    mail: BTreeMap<(Time, u64), Mail>,
    serial: u64,
    found: BTreeMap<(usize, u64), Outcome>,
    joined: usize,
}

fn market(number: u8) -> RingId {
    let mut id = [0; 20];
    id[19] = number;
    RingId(id)
}

/// Every node of both rings: random points on the one, multiples of ten on the other.
fn places(ring: Ring) -> Vec<Place> {
    let point = |number: usize| match ring {
        Ring::Base => RingId::hash(&number.to_be_bytes()),
        Ring::Markets => market(u8::try_from(number * 10).unwrap()),
    };
    (0..HOSTS * VIRTUAL).map(|number| Place { point: point(number), host: number % HOSTS }).collect()
}

impl World {
    fn new() -> Self {
        let hosts = (0..HOSTS).map(|_| Host::default()).collect();
        let mail = BTreeMap::new();
        let mut world = Self { now: Time(1), hosts, mail, serial: 0, found: BTreeMap::new(), joined: 0 };
        for ring in [Ring::Base, Ring::Markets] {
            let all = places(ring);
            for (number, place) in all.iter().enumerate() {
                let node = Chord::new(Config::LOCAL, *place, [u8::try_from(number).unwrap(); 32], world.now);
                let at = world.hosts[place.host].add(ring, node).unwrap();
                let input = if number == 0 { Input::Create } else { Input::Join { via: vec![all[0]] } };
                world.hosts[place.host].handle(at, input, world.now);
                world.carry_out(place.host);
                world.run(Span::millis(200));
            }
        }
        world.run(Span::secs(20));
        world
    }

    fn carry_out(&mut self, host: usize) {
        while let Some((at, output)) = self.hosts[host].poll_output() {
            match output {
                Output::Send { to, message } => {
                    self.serial += 1;
                    let from = Place { point: at.id, host };
                    let due = (self.now.after(Span::millis(2)), self.serial);
                    self.mail.insert(due, Mail { ring: at.ring, from, to, message });
                }
                Output::Found { token, key, owner, wraps, .. } => {
                    self.found.insert((host, token), (at.ring, key, Some((owner, wraps))));
                }
                Output::NotFound { token, key, .. } => {
                    self.found.insert((host, token), (at.ring, key, None));
                }
                Output::Joined => self.joined += 1,
                _ => {}
            }
        }
    }

    fn run(&mut self, span: Span) {
        let end = self.now.after(span);
        loop {
            let mail = self.mail.first_key_value().map(|((at, _), _)| *at);
            let timer = self.hosts.iter().filter_map(Host::poll_timeout).min();
            let Some(next) = mail.into_iter().chain(timer).min().filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            if mail == Some(next) {
                let (_, Mail { ring, from, to, message }) = self.mail.pop_first().unwrap();
                let at = At { ring, id: to.point };
                self.hosts[to.host].handle(at, Input::Receive { from, message }, self.now);
                self.carry_out(to.host);
                continue;
            }
            for host in 0..HOSTS {
                self.hosts[host].handle_timeouts(self.now);
                self.carry_out(host);
            }
        }
        self.now = end;
    }
}

fn owner(ring: Ring, key: RingId) -> Place {
    places(ring).into_iter().min_by_key(|place| distance(key, place.point)).unwrap()
}

#[test]
fn five_hosts_with_four_nodes_in_each_of_two_rings_find_every_owner() {
    let mut world = World::new();
    assert_eq!(world.joined, 2 * HOSTS * VIRTUAL);
    let mut asked = 0;
    for host in 0..HOSTS {
        for number in 0..45_u8 {
            let base = RingId::hash(&[number, 7]);
            assert!(world.hosts[host].look_up(Ring::Base, u64::from(number), base, world.now));
            let wanted = market(number * 5);
            assert!(world.hosts[host].look_up(Ring::Markets, 100 + u64::from(number), wanted, world.now));
            world.carry_out(host);
            asked += 2;
        }
    }
    world.run(Span::secs(5));
    assert_eq!(world.found.len(), asked);
    for ((_, token), (ring, key, found)) in &world.found {
        assert_eq!(*ring == Ring::Markets, *token >= 100);
        let has_more = places(*ring).iter().any(|place| place.point >= *key);
        assert_eq!(*found, Some((owner(*ring, *key), !has_more)), "{ring:?} {key:?}");
    }
}

#[test]
fn every_key_has_one_responsible_node_among_all_hosts() {
    let world = World::new();
    for number in 0..=255_u8 {
        for (ring, key) in [(Ring::Base, RingId::hash(&[number])), (Ring::Markets, market(number))] {
            let answering: Vec<At<Ring>> =
                world.hosts.iter().filter_map(|host| host.responsible(ring, key)).collect();
            assert_eq!(answering, [At { ring, id: owner(ring, key).point }]);
        }
    }
}

#[test]
fn a_place_is_given_once_and_what_is_for_no_place_is_ignored() {
    let mut host: Host<Ring, Place> = Host::default();
    let place = Place { point: market(3), host: 0 };
    let node = || Chord::new(Config::LOCAL, place, [0; 32], Time(1));
    let at = host.add(Ring::Base, node()).unwrap();
    assert_eq!(host.add(Ring::Base, node()).unwrap_err(), HostError::Taken);
    let other = host.add(Ring::Markets, node()).unwrap();
    host.handle(At { ring: Ring::Base, id: market(4) }, Input::Create, Time(2));
    assert_eq!((host.poll_output(), host.poll_timeout()), (None, None));
    assert!(!host.look_up(Ring::Base, 1, market(9), Time(2)));
    host.handle(at, Input::Create, Time(2));
    host.handle(other, Input::Create, Time(2));
    let said: Vec<(At<Ring>, Output<Place>)> = std::iter::from_fn(|| host.poll_output()).collect();
    assert_eq!(said.iter().filter(|(_, output)| *output == Output::Joined).count(), 2);
    assert!(host.poll_timeout().is_some());
    assert!(host.remove(at).is_some_and(|node| node.is_member()) && host.remove(at).is_none());
    assert!(host.remove(other).is_some());
    assert_eq!((host.poll_output(), host.poll_timeout()), (None, None));
}
