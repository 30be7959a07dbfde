//! Branches and returns on the way into flat form.
//!
//! What a branch carries is moved into the slots of its target first. So a conditional branch that carries something
//! elsewhere becomes a conditional with an unconditional branch in it, and a table of branches goes through a block
//! for each of its targets.

use super::frames::{Frame, Opens};
use super::{Lowering, index};
use crate::Refused;
use crate::flat::{Label, Local, Operand, Step};
use std::collections::BTreeMap;
use wasmparser::BrTable;

/// Where a branch goes, and what is to be moved for it.
#[derive(Clone, Debug)]
enum Target {
    /// To a label.
    Label(Label, Vec<(Operand, Local)>),
    /// Out of the function, with values.
    Out(Vec<Operand>),
}

impl Target {
    /// The label, if nothing has to be done before one goes there.
    fn bare(&self) -> Option<Label> {
        match self {
            Self::Label(label, moves) if moves.is_empty() => Some(*label),
            _ => None,
        }
    }
}

const NO_OPERAND: Refused = Refused::Internal("an operand that is not there");

impl<'a> Lowering<'_, 'a> {
    /// `br`.
    pub(super) fn branch(&mut self, depth: u32) -> Result<(), Refused> {
        let target = self.target(depth)?;
        self.go(target);
        self.dead = Some(0);
        Ok(())
    }

    /// `br_if`.
    pub(super) fn branch_if(&mut self, depth: u32) -> Result<(), Refused> {
        let condition = self.stack.pop().ok_or(NO_OPERAND)?.operand;
        let target = self.target(depth)?;
        if let Some(label) = target.bare() {
            self.push_step(Step::BranchIf { condition, label });
        } else {
            let (label, els) = (self.new_label(), self.new_label());
            self.push_step(Step::If { condition, label, els });
            self.go(target);
            self.push_step(Step::End { label });
        }
        self.begin_run();
        Ok(())
    }

    /// `br_table`.
    pub(super) fn branch_table(&mut self, table: &BrTable<'a>) -> Result<(), Refused> {
        let index_of = self.stack.pop().ok_or(NO_OPERAND)?.operand;
        let mut known: BTreeMap<u32, Label> = BTreeMap::new();
        let mut through: Vec<(Label, Target)> = Vec::new();
        let mut labels = Vec::with_capacity(table.len() as usize + 1);
        for depth in table.targets().chain([Ok(table.default())]) {
            let depth = depth.map_err(crate::survey::invalid)?;
            let label = match known.get(&depth) {
                Some(label) => *label,
                None => {
                    let target = self.target(depth)?;
                    let label = match target.bare() {
                        Some(label) => label,
                        None => {
                            let label = self.new_label();
                            through.push((label, target));
                            label
                        }
                    };
                    known.insert(depth, label);
                    label
                }
            };
            labels.push(label);
        }
        for (label, _) in through.iter().rev() {
            self.push_step(Step::Block { label: *label });
        }
        let labels = self.flat.keep_indices(labels);
        self.push_step(Step::BranchTable { index: index_of, labels });
        for (label, target) in through {
            self.push_step(Step::End { label });
            self.go(target);
        }
        self.dead = Some(0);
        Ok(())
    }

    /// `return`, and the end of the function.
    pub(super) fn give_back(&mut self) -> Result<(), Refused> {
        let results = index(self.flat.results.len());
        let values = self.stack.top(results);
        self.go(Target::Out(values.into_iter().map(|value| value.operand).collect()));
        self.dead = Some(0);
        Ok(())
    }

    fn go(&mut self, target: Target) {
        match target {
            Target::Label(label, moves) => {
                for (from, to) in moves {
                    self.push_step(Step::Move { from, to });
                }
                self.push_step(Step::Branch { label });
            }
            Target::Out(values) => {
                let values = self.flat.keep_operands(values);
                self.push_step(Step::Return { values });
            }
        }
    }

    /// What a branch of this depth does. The moves are in an order in which none overwrites what a later one reads:
    /// a slot is never above the place that it is filled from.
    fn target(&mut self, depth: u32) -> Result<Target, Refused> {
        let place = self.frames.len().checked_sub(1 + depth as usize);
        let frame =
            place.and_then(|place| self.frames.get(place)).ok_or(Refused::Internal("a branch to nowhere"))?;
        let values = self.stack.top(index(frame.carries().len()));
        if frame.opens == Opens::Function {
            return Ok(Target::Out(values.into_iter().map(|value| value.operand).collect()));
        }
        let Frame { label, base, .. } = *frame;
        let mut moves = Vec::new();
        for (height, value) in (base..).zip(values) {
            let slot = self.stack.slot(height, value.ty, &mut self.flat);
            if value.operand != Operand::Local(slot) {
                moves.push((value.operand, slot));
            }
        }
        Ok(Target::Label(label, moves))
    }
}
