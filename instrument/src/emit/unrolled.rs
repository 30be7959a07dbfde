//! Innermost loops of few instructions: several of their turns are written one after the other.
//!
//! The meter is compared once for all of them, with the most that the turns before the last can cost and what the head
//! of the last does. If less is left, the program looks as it does at other loops, and goes to the last of them. So every turn
//! is charged by itself and is stopped before where it would be without this; the engine adds up what follows each other.

use super::{Emit, Target};
use crate::Refused;
use crate::flat::{Label, Site, Step};
use wasm_encoder::{BlockType, Instruction as I};
use wasmparser::Operator;

/// How many turns are written.
const TURNS: u8 = 4;

/// Steps of a body up to which that is done: with more the meter is a small part of it.
const STEPS: usize = 12;

/// The inside of a small loop.
struct Body<'s, 'a> {
    steps: &'s [Step<'a>],
    /// What a turn costs at most beyond its head.
    most: i64,
}

impl Emit<'_, '_> {
    /// Writes steps, the small loops among them with several turns.
    pub(super) fn steps(&mut self, mut steps: &[Step<'_>]) -> Result<(), Refused> {
        while let Some((step, behind)) = steps.split_first() {
            steps = behind;
            if let Step::Loop { label, site, .. } = step
                && self.is_innermost(*site)
                && let Some(body) = small(behind)
            {
                self.several_turns(*label, *site, &body)?;
                steps = behind.get(body.steps.len() + 1..).unwrap_or_default();
            } else {
                self.step(step)?;
            }
        }
        Ok(())
    }

    fn several_turns(&mut self, label: Label, site: Site, body: &Body<'_, '_>) -> Result<(), Refused> {
        let cost = self.turn_cost(site);
        self.close();
        let out = self.depth;
        self.open_plain(&I::Block(BlockType::Empty));
        let head = self.depth;
        self.open(Target::Label(label), &I::Loop(BlockType::Empty));
        let last = self.depth;
        self.open_plain(&I::Block(BlockType::Empty));
        self.if_less(cost + (cost + body.most) * i64::from(TURNS - 1));
        self.stop_if_less(site, cost);
        self.put(&I::Br(self.depth - last - 1));
        self.close();
        for _ in 1..TURNS {
            // A branch to the head of the loop goes on with the next turn.
            self.open(Target::Label(label), &I::Block(BlockType::Empty));
            self.one_turn(cost, body)?;
            self.put(&I::Br(self.depth - out - 1));
            self.close();
        }
        self.close();
        self.opened_at(Target::Label(label), head);
        self.one_turn(cost, body)?;
        self.close();
        self.close();
        Ok(())
    }

    fn one_turn(&mut self, cost: i64, body: &Body<'_, '_>) -> Result<(), Refused> {
        self.charge(cost);
        body.steps.iter().try_for_each(|step| self.step(step))
    }
}

/// The body of a loop that begins with these steps, if it is small, calls nobody, and costs not more than is known here.
fn small<'s, 'a>(steps: &'s [Step<'a>]) -> Option<Body<'s, 'a>> {
    let mut most = 0;
    for (place, step) in steps.iter().enumerate().take(STEPS + 1) {
        match step {
            Step::EndLoop => return steps.get(..place).map(|steps| Body { steps, most }),
            Step::Charge(cost) => most += cost,
            // A table of branches is one step and may be long.
            Step::Loop { .. } | Step::Call { .. } | Step::BranchTable { .. } => return None,
            Step::Plain { operator: Operator::MemoryCopy { .. }, .. }
            | Step::Plain { operator: Operator::MemoryFill { .. }, .. }
            | Step::Plain { operator: Operator::MemoryInit { .. }, .. } => return None,
            _ => {}
        }
    }
    None
}
