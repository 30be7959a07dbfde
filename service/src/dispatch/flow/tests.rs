use super::*;
use crate::dispatch::{Dispatch, Patience, Submission};
use crate::effect::Effect;
use crate::event::{Event, EventKind};
use crate::worker::tests::{hold, job, keys, peer, ticket};
use proptest::prelude::*;
use proto::message::bank::{BankOutcome, BankReply, Order};
use proto::message::service::{Acceptance, Offer, Outcome, Report, ServiceMessage};
use proto::{Capacity, CommandId, Cycles, Money, Refusal, RefusalCode, Rules};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const TASK: ContractId = CommandId([77; 16]);

/// The output of the sub-task `index`.
fn made(index: u32) -> Blob {
    Blob { hash: Hash::of(format!("output {index}").as_bytes()), size: Bytes(3) }
}

/// A sub-task that leaves `out`, and gets the outputs of those that it waits for.
fn plan(index: u32, depends_on: Vec<u32>) -> SubTaskPlan {
    let mut job = job(30);
    job.outputs = vec!["out".into()];
    let feed = |from: &u32| {
        let slot = Slot::Input(format!("in{from}"));
        Feed { from: *from, what: Produced::Output("out".into()), slot }
    };
    SubTaskPlan {
        bid: Rate(9),
        price: Money::credits(1),
        work: Some(Cycles(1_000_000_000)),
        feeds: depends_on.iter().map(feed).collect(),
        depends_on,
        ..SubTaskPlan::bare(format!("s{index}"), job)
    }
}

fn dispatch(plans: Vec<SubTaskPlan>) -> Dispatch {
    let rng = ChaCha8Rng::from_seed([1; 32]);
    let mut dispatch = Dispatch::new(peer(2), keys(2), peer(9).key, Rules::LOCAL, rng);
    let patience = Patience::For(Span::secs(60));
    dispatch.submit(Submission { task: TASK, plans, patience, budget: None, stop_when: None }, Time(0));
    dispatch
}

/// The whole world of a buyer: a market that always has somebody, a bank with money, sellers that do what they should.
struct World {
    dispatch: Dispatch,
    /// Sub-tasks whose programs fail.
    failing: BTreeSet<u32>,
    tickets: BTreeMap<ContractId, Signed<Ticket>>,
    /// The jobs of the offers, in their order.
    begun: Vec<(u32, Vec<NamedBlob>)>,
    ended: Vec<(u32, Verdict)>,
}

impl World {
    fn run(plans: Vec<SubTaskPlan>, failing: BTreeSet<u32>) -> Self {
        let dispatch = dispatch(plans);
        let (tickets, begun, ended) = (BTreeMap::new(), Vec::new(), Vec::new());
        let mut world = Self { dispatch, failing, tickets, begun, ended };
        loop {
            if let Some(effect) = world.dispatch.effects.pop_front() {
                world.carry_out(effect);
            } else if !world.dispatch.assign(Time(0)) {
                return world;
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Buy { tickets, .. } => {
                for id in tickets {
                    let ticket = ticket(id);
                    self.tickets.insert(id, ticket.clone());
                    self.dispatch.bought(ticket, Time(0));
                }
            }
            Effect::Order { id, order: Order::PlaceHold(placed) } => {
                let outcome = BankOutcome::Held(hold(&self.tickets[&id], placed.amount));
                self.dispatch.bank_answered(BankReply { command: id, outcome }, Time(0));
            }
            Effect::Order { id, .. } => {
                let outcome = BankOutcome::Refused(Refusal::new(RefusalCode::HoldClosed, "no", ""));
                self.dispatch.bank_answered(BankReply { command: id, outcome }, Time(0));
            }
            Effect::Send { message: ServiceMessage::Offer(offer), .. } => self.execute(&offer),
            Effect::Fetch { contract, .. } => self.dispatch.fetched(contract, Ok(()), Time(0)),
            Effect::Tell(Event { kind: EventKind::Ended { sub_task, end }, .. }) => {
                self.ended.push((sub_task, end.verdict));
            }
            _ => {}
        }
    }

    fn execute(&mut self, offer: &Signed<Offer>) {
        let Offer { contract, sub_task, job, .. } = &offer.body;
        self.begun.push((*sub_task, job.inputs.clone()));
        let accepted = Acceptance { contract: *contract, offer: offer.hash(), bond: None };
        let accepted = ServiceMessage::Accept(Box::new(Signed::new(accepted, &keys(1))));
        self.dispatch.receive(peer(1), accepted, Time(0));
        let fails = self.failing.contains(sub_task);
        let outputs =
            if fails { vec![] } else { vec![NamedBlob { name: "out".into(), blob: made(*sub_task) }] };
        let report = Report {
            contract: *contract,
            offer: offer.hash(),
            outcome: if fails { Outcome::Exited(1) } else { Outcome::Succeeded },
            cycles: Cycles(0),
            outputs,
            stdout: None,
            stderr: None,
            more: Vec::new(),
        };
        let report = ServiceMessage::Report(Box::new(Signed::new(report, &keys(1))));
        self.dispatch.receive(peer(1), report, Time(0));
    }
}

/// The plans of an acyclic graph: each waits for some of those before it.
fn plans(edges: &[(u32, u32)], count: u32) -> Vec<SubTaskPlan> {
    let before = |index: u32| -> BTreeSet<u32> {
        edges
            .iter()
            .filter(|(_, to)| *to % count == index)
            .map(|(from, _)| from % count)
            .filter(|from| *from < index)
            .collect()
    };
    (0..count).map(|index| plan(index, before(index).into_iter().collect())).collect()
}

proptest! {
    /// Whatever waits for what: each sub-task begins once all that it waits for has succeeded, with what that has made,
    /// or it ends with them; and all end, each once.
    #[test]
    fn each_sub_task_begins_when_its_inputs_are_there_or_never(
        edges in prop::collection::vec((0_u32..24, 0_u32..24), 0..60),
        failing in prop::collection::btree_set(0_u32..24, 0..4),
    ) {
        let plans = plans(&edges, 24);
        let world = World::run(plans.clone(), failing.clone());
        let mut done = BTreeSet::new();
        let mut broken = failing.clone();
        for (index, plan) in (0_u32..).zip(&plans) {
            if plan.depends_on.iter().any(|need| broken.contains(need)) {
                broken.insert(index);
            }
        }
        for (index, inputs) in &world.begun {
            let plan = &plans[*index as usize];
            prop_assert!(plan.depends_on.iter().all(|need| done.contains(need)), "{index} begins too early");
            let expected: Vec<_> =
                plan.depends_on.iter().map(|need| NamedBlob { name: format!("in{need}"), blob: made(*need) }).collect();
            prop_assert_eq!(inputs, &expected);
            if !failing.contains(index) {
                done.insert(*index);
            }
        }
        let ended: BTreeMap<u32, &Verdict> = world.ended.iter().map(|(index, verdict)| (*index, verdict)).collect();
        prop_assert_eq!((world.ended.len(), ended.len()), (24, 24));
        for (index, verdict) in ended {
            let has_begun = world.begun.iter().any(|(begun, _)| *begun == index);
            match verdict {
                Verdict::Succeeded => prop_assert!(!broken.contains(&index)),
                Verdict::DependencyFailed { .. } => prop_assert!(broken.contains(&index) && !has_begun),
                other => prop_assert!(failing.contains(&index) && has_begun, "{index}: {other}"),
            }
        }
        prop_assert!(!world.dispatch.is_busy());
    }
}

#[test]
fn what_fails_is_named_to_all_that_wait_for_it() {
    let plans = vec![plan(0, vec![]), plan(1, vec![0]), plan(2, vec![1]), plan(3, vec![])];
    let world = World::run(plans, BTreeSet::from([0]));
    let ended: BTreeMap<u32, String> =
        world.ended.iter().map(|(index, verdict)| (*index, verdict.to_string())).collect();
    let never = "never began: sub-task `s0`, which it waits for, did not succeed";
    assert_eq!(ended[&0], "failed: the program exited with status 1");
    assert_eq!((ended[&1].as_str(), ended[&2].as_str()), (never, never));
    assert_eq!(ended[&3], "succeeded");
}

#[test]
fn a_circle_that_no_parser_has_seen_ends_at_once() {
    let world = World::run(vec![plan(0, vec![1]), plan(1, vec![0])], BTreeSet::new());
    assert_eq!(world.ended.len(), 2);
    assert!(world.ended.iter().all(|(_, verdict)| matches!(verdict, Verdict::DependencyFailed { .. })));
    assert!(world.begun.is_empty() && !world.dispatch.is_busy());
}

#[test]
fn a_cancelled_task_ends_also_where_it_has_not_begun() {
    let mut dispatch = dispatch(vec![plan(0, vec![]), plan(1, vec![0]), plan(2, vec![1])]);
    dispatch.cancel(TASK, Time(0));
    assert!(!dispatch.is_busy());
    let verdicts: Vec<_> = dispatch
        .status(TASK)
        .unwrap()
        .sub_tasks
        .into_iter()
        .map(|sub_task| sub_task.end.unwrap().verdict)
        .collect();
    assert_eq!(verdicts, [Verdict::Cancelled, Verdict::Cancelled, Verdict::Cancelled]);
}

#[test]
fn the_longest_way_is_bought_for_first() {
    // 0, 1 and 2 are ready; 2 leads to 3 and 4, 1 leads to 4.
    let plans =
        vec![plan(0, vec![]), plan(1, vec![]), plan(2, vec![]), plan(3, vec![2]), plan(4, vec![1, 3])];
    let flow = Flow::new(&plans);
    let ranks: Vec<u64> = (0..5).map(|index| flow.rank(index)).collect();
    assert_eq!(ranks, [1_000_000, 2_000_000, 3_000_000, 2_000_000, 1_000_000].map(|rank| 1_000 * rank));
    let world = World::run(plans, BTreeSet::new());
    let order: Vec<u32> = world.begun.iter().map(|(index, _)| *index).collect();
    assert_eq!(order, [2, 1, 0, 3, 4]);
}

/// A ticket for the seller `n`, whose cores execute `per_core` Mc/s.
fn ticket_of(id: CommandId, n: u8, per_core: u64) -> Signed<Ticket> {
    let mut body = ticket(id).body;
    body.winner.body.seller = peer(n);
    body.winner.body.per_core = Capacity(per_core);
    Signed::new(body, &keys(3))
}

/// Which sellers the sub-tasks 1 and 2 get, after the seller 4 has made what 2 needs: 2 has `megabytes` of input, and the
/// rank of 1 is higher where `first` leads.
fn check_choice(megabytes: u64, first: u32, speeds: [u64; 2], expected: [(u32, u8); 2]) {
    let mut plans = vec![plan(0, vec![]), plan(1, vec![]), plan(2, vec![0]), plan(3, vec![first])];
    plans[1].depends_on = vec![0];
    let mut dispatch = dispatch(plans);
    let run = dispatch.tasks.get_mut(&TASK).unwrap();
    let blob = Blob { hash: Hash([9; 32]), size: Bytes(megabytes * 1_000_000) };
    run.run_mut(2).unwrap().plan.job.inputs.push(NamedBlob { name: "in0".into(), blob });
    run.flow.note_contents(keys(4).public(), [blob].into_iter());
    let ids = [CommandId([1; 16]), CommandId([2; 16])];
    let tickets = vec![ticket_of(ids[0], 4, speeds[0]), ticket_of(ids[1], 5, speeds[1])];
    let chosen = run.choose(tickets, &[1, 2]);
    let seller =
        |ticket: &Signed<Ticket>| (4..=5).find(|n| ticket.body.winner.body.seller == peer(*n)).unwrap();
    let found: Vec<_> = chosen.iter().map(|(ticket, index)| (*index, seller(ticket))).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_first_of_the_list_gets_the_seller_with_which_it_ends_first() {
    // Without inputs to speak of the faster one, whoever it is.
    check_choice(0, 1, [1_000, 2_000], [(1, 5), (2, 4)]);
    check_choice(0, 2, [1_000, 2_000], [(2, 5), (1, 4)]);
    check_choice(0, 2, [2_000, 1_000], [(2, 4), (1, 5)]);
    // 100 MB take eight seconds: the slower one that has them is the better one.
    check_choice(100, 2, [1_000, 2_000], [(2, 4), (1, 5)]);
}
