//! From WebAssembly to the flat form.

mod branches;
mod frames;
mod operators;
mod stack;

use super::{Flat, Label, Step, index};
use crate::Refused;
use crate::cost;
use crate::survey::{Survey, invalid};
use frames::Frame;
use stack::Stack;
use wasmparser::{FuncValidator, FunctionBody, Operator, ValidatorResources};

/// Validator of a function; it knows the types on the operand stack.
pub(crate) type Types = FuncValidator<ValidatorResources>;

/// Puts a function into flat form.
///
/// # Errors
/// If it is invalid (which a validated module is not).
pub(crate) fn lower<'a>(
    survey: &Survey,
    function: u32,
    code: &FunctionBody<'a>,
    types: &mut Types,
) -> Result<Flat<'a>, Refused> {
    let mut lowering = Lowering::new(survey, function, code)?;
    types.read_locals(&mut code.get_binary_reader()).map_err(invalid)?;
    let mut reader = code.get_operators_reader().map_err(invalid)?;
    while !reader.eof() {
        let (operator, offset) = reader.read_with_offset().map_err(invalid)?;
        lowering.step(operator, offset, types)?;
    }
    Ok(lowering.flat)
}

/// A function on its way into flat form.
struct Lowering<'s, 'a> {
    survey: &'s Survey,
    flat: Flat<'a>,
    stack: Stack,
    frames: Vec<Frame>,
    /// The step that carries the cost of the present run.
    run: usize,
    /// In code that cannot be reached: how many constructs were opened in it.
    dead: Option<u32>,
    suspendable: bool,
}

impl<'s, 'a> Lowering<'s, 'a> {
    fn new(survey: &'s Survey, function: u32, code: &FunctionBody<'a>) -> Result<Self, Refused> {
        let ty = survey.type_of(function).ok_or(Refused::Internal("a function without a type"))?;
        let mut flat = Flat {
            locals: ty.params().to_vec(),
            parameters: index(ty.params().len()),
            results: ty.results().to_vec(),
            ..Flat::default()
        };
        for locals in code.get_locals_reader().map_err(invalid)? {
            let (count, ty) = locals.map_err(invalid)?;
            flat.locals.extend((0..count).map(|_| ty));
        }
        flat.slots = index(flat.locals.len());
        let suspendable = survey.suspendable.get(function as usize) == Some(&true);
        flat.sites = u32::from(suspendable);
        flat.steps.push(Step::Charge(cost::ENTRY));
        let stack = Stack::new(flat.slots);
        let frames = vec![Frame::function(flat.results.clone())];
        Ok(Self { survey, flat, stack, frames, run: 0, dead: None, suspendable })
    }

    /// Takes the next instruction.
    fn step(&mut self, operator: Operator<'a>, offset: u64, types: &mut Types) -> Result<(), Refused> {
        if let Some(depth) = self.dead {
            types.op(offset, &operator).map_err(invalid)?;
            return self.dead_step(&operator, depth);
        }
        self.charge(cost::of(&operator));
        match operator {
            Operator::Block { blockty } => self.block(blockty, frames::Opens::Block),
            Operator::Loop { blockty } => self.block(blockty, frames::Opens::Loop),
            Operator::If { blockty } => self.block(blockty, frames::Opens::If),
            Operator::Else => self.otherwise(),
            Operator::End => self.end(),
            Operator::Br { relative_depth } => self.branch(relative_depth),
            Operator::BrIf { relative_depth } => self.branch_if(relative_depth),
            Operator::BrTable { ref targets } => self.branch_table(targets),
            Operator::Return => self.give_back(),
            Operator::Unreachable => {
                self.push_step(Step::Trap);
                self.dead = Some(0);
                Ok(())
            }
            operator => return self.operator(operator, offset, types),
        }?;
        types.op(offset, &operator).map_err(invalid)
    }

    /// Passes over an instruction that cannot be reached.
    fn dead_step(&mut self, operator: &Operator<'a>, depth: u32) -> Result<(), Refused> {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                self.dead = Some(depth + 1)
            }
            Operator::End if depth > 0 => self.dead = Some(depth - 1),
            Operator::End => return self.end(),
            Operator::Else if depth == 0 => return self.otherwise(),
            _ => {}
        }
        Ok(())
    }

    fn push_step(&mut self, step: Step<'a>) {
        self.flat.steps.push(step);
    }

    fn new_label(&mut self) -> Label {
        self.flat.labels += 1;
        self.flat.labels - 1
    }

    /// Adds to the cost of the present run.
    fn charge(&mut self, cycles: i64) {
        if let Some(Step::Charge(cost) | Step::Loop { cost, .. }) = self.flat.steps.get_mut(self.run) {
            *cost += cycles;
        }
    }

    /// What follows is reached from elsewhere too, or not always: a new run.
    fn begin_run(&mut self) {
        self.run = self.flat.steps.len();
        self.push_step(Step::Charge(0));
    }
}
