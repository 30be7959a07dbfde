//! Blocks, loops and conditionals on the way into flat form.

use super::Lowering;
use crate::Refused;
use crate::cost;
use crate::flat::{Label, Step};
use wasmparser::{BlockType, ValType};

/// Which construct an instruction opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opens {
    /// The function itself.
    Function,
    /// `block`.
    Block,
    /// `loop`.
    Loop,
    /// `if`.
    If,
}

/// A construct that is open.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) opens: Opens,
    pub(super) label: Label,
    /// Height of the stack below its parameters.
    pub(super) base: u32,
    pub(super) parameters: Vec<ValType>,
    pub(super) results: Vec<ValType>,
}

impl Frame {
    /// The function itself, which is open from the start.
    pub(super) fn function(results: Vec<ValType>) -> Self {
        Self { opens: Opens::Function, label: 0, base: 0, parameters: Vec::new(), results }
    }

    /// Types of what a branch to it carries.
    pub(super) fn carries(&self) -> &[ValType] {
        if self.opens == Opens::Loop { &self.parameters } else { &self.results }
    }
}

const NO_FRAME: Refused = Refused::Internal("a construct that was not opened");

impl<'a> Lowering<'_, 'a> {
    /// Opens a block, a loop or a conditional.
    pub(super) fn block(&mut self, ty: BlockType, opens: Opens) -> Result<(), Refused> {
        let (parameters, results) = self.block_types(ty);
        let condition = if opens == Opens::If { self.stack.pop().map(|value| value.operand) } else { None };
        self.stack.settle_all(&mut self.flat);
        let label = self.new_label();
        let base = self.stack.height().saturating_sub(crate::flat::index(parameters.len()));
        self.frames.push(Frame { opens, label, base, parameters, results });
        match condition {
            Some(condition) => {
                let els = self.new_label();
                self.push_step(Step::If { condition, label, els });
                self.begin_run();
            }
            None if opens == Opens::Loop => {
                let site = self.flat.sites;
                self.flat.loops.insert(label);
                self.flat.sites += 1;
                self.run = self.flat.steps.len();
                self.push_step(Step::Loop { label, site, cost: cost::TURN });
            }
            None => self.push_step(Step::Block { label }),
        }
        Ok(())
    }

    /// `else`.
    pub(super) fn otherwise(&mut self) -> Result<(), Refused> {
        self.fall_through();
        let frame = self.frames.last().ok_or(NO_FRAME)?;
        let (base, parameters) = (frame.base, frame.parameters.clone());
        self.open_part(base, &parameters);
        Ok(())
    }

    /// `end`.
    pub(super) fn end(&mut self) -> Result<(), Refused> {
        if self.frames.len() == 1 {
            return if self.dead.is_some() { Ok(()) } else { self.give_back() };
        }
        self.fall_through();
        let frame = self.frames.pop().ok_or(NO_FRAME)?;
        self.push_step(match frame.opens {
            Opens::Loop => Step::EndLoop,
            _ => Step::End { label: frame.label },
        });
        self.stack.truncate(frame.base);
        for ty in &frame.results {
            self.stack.push_slot(*ty, &mut self.flat);
        }
        self.stack.settle_all(&mut self.flat);
        self.begin_run();
        Ok(())
    }

    /// Control reaches the end of a construct, or does not: its results are in their slots.
    fn fall_through(&mut self) {
        if self.dead.take().is_none() {
            self.stack.settle_all(&mut self.flat);
        }
    }

    fn open_part(&mut self, base: u32, parameters: &[ValType]) {
        self.push_step(Step::Else);
        self.stack.truncate(base);
        for ty in parameters {
            self.stack.push_slot(*ty, &mut self.flat);
        }
        self.stack.settle_all(&mut self.flat);
        self.begin_run();
    }

    fn block_types(&self, ty: BlockType) -> (Vec<ValType>, Vec<ValType>) {
        match ty {
            BlockType::Empty => (Vec::new(), Vec::new()),
            BlockType::Type(result) => (Vec::new(), vec![result]),
            BlockType::FuncType(index) => match self.survey.types.get(index as usize) {
                Some(ty) => (ty.params().to_vec(), ty.results().to_vec()),
                None => (Vec::new(), Vec::new()),
            },
        }
    }
}
