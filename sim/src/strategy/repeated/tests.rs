use super::*;
use crate::experiment::Value;

fn pricer(name: &str) -> Box<dyn Pricer> {
    let setting = Setting::new(
        &crate::model::PricingGame::standard(),
        [("strategies.sellers", Value::Text(name.into()))],
    );
    let kind = Pricers::standard().find(name).expect("it ships");
    (kind.pricer)(&setting.expect("it fits"), 11)
}

#[test]
fn a_best_reply_undercuts_by_one_step_and_never_below_its_cost() {
    let check = |asked: &[usize], cost: usize, demand: usize, capacity: Option<usize>, expected: usize| {
        let seen = Seen { me: 0, asked, cost, highest: 10, demand, capacity };
        let ask = pricer("best-reply").ask(&seen, &mut Dice::new(1, "test", 0));
        assert_eq!(ask, expected, "{asked:?} {cost} {demand} {capacity:?}");
    };
    check(&[9, 8], 2, 1, None, 7);
    // To share at one step above cost is better than to sell all at cost.
    check(&[9, 3], 2, 1, None, 3);
    check(&[9, 2], 2, 1, None, 9);
    check(&[1, 2], 2, 1, None, 3);
    check(&[4], 2, 1, None, 10);
    // Two are bought, each seller has one: the second lowest rival is the one to undercut.
    check(&[9, 5, 8], 2, 2, Some(1), 7);
    check(&[9, 5, 8], 2, 3, Some(1), 10);
}

#[test]
fn a_learner_that_is_alone_learns_to_ask_for_the_reserve() {
    let mut learner = pricer("q-learning");
    let mut dice = Dice::new(1, "test", 0);
    let mut asked = 0;
    for _ in 0..200_000 {
        let before = [asked];
        let seen = Seen { me: 0, asked: &before, cost: 2, highest: 10, demand: 1, capacity: None };
        asked = learner.ask(&seen, &mut dice);
        learner.earned(asked as f64 - 2.0, &Seen { asked: &[asked], ..seen });
    }
    assert_eq!(asked, 10);
}
