//! A function in flat form: between two instructions the operand stack is empty, and all state is in locals.
//!
//! Each place of the operand stack gets a local of its own for each type that it holds (a *slot*). A value that is a
//! constant or a local stays what it is until it is used, so that the code does not grow more than it must.

pub(crate) mod lower;

use std::collections::BTreeSet;
use wasmparser::{MemArg, Operator, ValType};

/// A target of branches.
pub(crate) type Label = u32;

/// Index of a local.
pub(crate) type Local = u32;

/// A place at which the function can be suspended; 0 is its entry.
pub(crate) type Site = u32;

/// A constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    /// `i32.const`.
    I32(i32),
    /// `i64.const`.
    I64(i64),
    /// `f32.const`, by its bits.
    F32(u32),
    /// `f64.const`, by its bits.
    F64(u64),
    /// `v128.const`.
    V128(i128),
}

/// What an instruction takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    /// The value of a local at that moment.
    Local(Local),
    /// A constant.
    Literal(Literal),
}

impl Operand {
    /// The local, if it is one.
    pub(crate) fn local(self) -> Option<Local> {
        match self {
            Self::Local(local) => Some(local),
            Self::Literal(_) => None,
        }
    }

    /// The constant, if it is one of 32 bits.
    pub(crate) fn constant(self) -> Option<i32> {
        match self {
            Self::Literal(Literal::I32(value)) => Some(value),
            _ => None,
        }
    }
}

/// Some of a function's operands or outputs, which lie in one list for all steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    start: u32,
    length: u32,
}

/// Who is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callee {
    /// A function of the module.
    Own,
    /// A function of the host: it is called again when the program goes on, so its arguments are kept.
    Host,
    /// An entry of a table, whose index is the last operand.
    Indirect,
}

/// One step of a flat function.
#[derive(Clone, Debug)]
pub(crate) enum Step<'a> {
    /// A run of instructions without a branch starts: its cost. The first step of a function is always one.
    Charge(i64),
    /// An instruction that neither branches nor calls.
    Plain { operator: Operator<'a>, ins: Part, out: Option<Local> },
    /// Copies a value.
    Move { from: Operand, to: Local },
    /// Makes a computed NaN the canonical one, in place.
    Canonical { local: Local },
    /// The same for each lane of a vector.
    CanonicalLanes { local: Local, lanes: Lanes },
    /// The same for floats in memory, at these addresses, if their `sum` is a NaN.
    CanonicalPlaces { sum: Local, places: Vec<(Local, MemArg)> },
    /// A call; `site` if it can be suspended in it.
    Call { operator: Operator<'a>, ins: Part, outs: Part, callee: Callee, site: Option<Site> },
    /// Opens a block; `Branch` to its label goes behind its `End`.
    Block { label: Label },
    /// Opens a loop; `Branch` to its label goes here. Each turn costs `cost`.
    Loop { label: Label, site: Site, cost: i64 },
    /// Opens a conditional; a branch to `label` goes behind its `End`. `els` is the label of the part that follows `Else`.
    If { condition: Operand, label: Label, els: Label },
    /// The other part of the conditional.
    Else,
    /// Closes the block or conditional that was opened last.
    End { label: Label },
    /// Closes the loop that was opened last.
    EndLoop,
    /// Goes to a label.
    Branch { label: Label },
    /// Goes to a label if the condition is not zero.
    BranchIf { condition: Operand, label: Label },
    /// Goes to one of some labels, the last being for all other indices.
    BranchTable { index: Operand, labels: Part },
    /// Returns values.
    Return { values: Part },
    /// `unreachable`.
    Trap,
}

impl Step<'_> {
    /// How many sets an analysis handles at it: one more for each entry of a table of branches.
    pub(crate) fn ways(&self) -> u64 {
        if let Self::BranchTable { labels, .. } = self { u64::from(labels.length) + 1 } else { 1 }
    }
}

/// How the lanes of a vector are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lanes {
    /// Four 32-bit floats.
    F32,
    /// Two 64-bit floats.
    F64,
}

/// A function in flat form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flat<'a> {
    /// Types of all locals: parameters, declared ones, slots.
    pub(crate) locals: Vec<ValType>,
    /// How many of them are parameters.
    pub(crate) parameters: u32,
    /// Locals from here on are places of the operand stack: they are used once.
    pub(crate) slots: Local,
    /// Types of its results.
    pub(crate) results: Vec<ValType>,
    /// Its code; there is nothing behind the last step.
    pub(crate) steps: Vec<Step<'a>>,
    /// How many labels there are.
    pub(crate) labels: u32,
    /// Those of them that are heads of loops.
    pub(crate) loops: BTreeSet<Label>,
    /// How many sites there are; none: it cannot be suspended.
    pub(crate) sites: u32,
    operands: Vec<Operand>,
    indices: Vec<u32>,
}

impl Flat<'_> {
    /// The operands of a part.
    pub(crate) fn operands(&self, part: Part) -> &[Operand] {
        slice(&self.operands, part)
    }

    /// The outputs or labels of a part.
    pub(crate) fn indices(&self, part: Part) -> &[u32] {
        slice(&self.indices, part)
    }

    /// Type of a local.
    pub(crate) fn type_of(&self, local: Local) -> ValType {
        self.locals.get(local as usize).copied().unwrap_or(ValType::I32)
    }

    /// Whether a branch to a label goes back to the head of a loop.
    pub(crate) fn is_loop(&self, label: Label) -> bool {
        self.loops.contains(&label)
    }

    /// Adds a local.
    pub(crate) fn new_local(&mut self, ty: ValType) -> Local {
        self.locals.push(ty);
        index(self.locals.len() - 1)
    }

    pub(crate) fn keep_operands(&mut self, operands: impl IntoIterator<Item = Operand>) -> Part {
        keep(&mut self.operands, operands)
    }

    fn keep_indices(&mut self, indices: impl IntoIterator<Item = u32>) -> Part {
        keep(&mut self.indices, indices)
    }
}

/// A count as an index. Modules are smaller than 4 GiB, so that nothing is ever cut.
pub(crate) fn index(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn slice<T>(list: &[T], part: Part) -> &[T] {
    let start = part.start as usize;
    list.get(start..start.saturating_add(part.length as usize)).unwrap_or(&[])
}

fn keep<T>(list: &mut Vec<T>, items: impl IntoIterator<Item = T>) -> Part {
    let start = list.len();
    list.extend(items);
    Part { start: index(start), length: index(list.len() - start) }
}
