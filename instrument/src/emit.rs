//! Writes a flat function as WebAssembly that is metered and can be suspended.
//!
//! The meter is in a local while a function runs, and in the global [`METER`](crate::layout::METER) when it calls or
//! ends. Everything that is not the usual way is behind a branch that is marked unlikely, and leaves the function by
//! its end, so that the usual way has no calls of ours in it.

mod frames;
mod steps;
mod unrolled;

use crate::Refused;
use crate::flat::{Flat, Label, Literal, Local, Operand, Site, Step};
use crate::live::Live;
use crate::module::{Indices, Shift};
use crate::regions::Regions;
use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, BranchHint, Function, Instruction as I, MemArg};
use wasmparser::ValType;

/// What is to be written.
pub(crate) struct Source<'f, 'a> {
    pub(crate) flat: &'f Flat<'a>,
    pub(crate) live: &'f Live,
    pub(crate) regions: &'f Regions,
    pub(crate) indices: &'f Indices,
    /// Whether frames of this function are counted against the limit of the stack.
    pub(crate) counted: bool,
}

/// A function that was written.
pub(crate) struct Written {
    pub(crate) code: Function,
    pub(crate) hints: Vec<BranchHint>,
}

/// Something that can be branched to.
#[derive(Clone, Copy, Debug)]
enum Target {
    /// A label of the program.
    Label(Label),
    /// The end of the block before a site.
    Site(Site),
    /// The end of the function, with the frame saved.
    Leave,
    /// The start of the function.
    Again,
}

/// Whether a branch is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hint {
    Likely,
    Unlikely,
}

/// A function that is being written.
struct Emit<'f, 'a> {
    source: Source<'f, 'a>,
    shift: Shift,
    code: Function,
    hints: Vec<BranchHint>,
    /// How many constructs are open.
    depth: u32,
    /// At which depth each target was opened: labels, then sites, then the two others.
    opened: Vec<u32>,
    /// The constructs of the program that are open.
    open: Vec<steps::Open>,
    /// Local with the meter.
    meter: Local,
    /// Local for addresses, on the unusual way only.
    address: Local,
    /// What a frame counts, in bytes.
    weight: i32,
    /// What a turn costs, for each site that is the head of a loop, and the entry, which is site 0.
    turns: Vec<i64>,
}

/// Writes a function.
///
/// # Errors
/// Only if the pass contradicts itself.
pub(crate) fn emit(source: Source<'_, '_>) -> Result<Written, Refused> {
    let flat = source.flat;
    let mut shift = source.indices.shift();
    let mut types = Vec::with_capacity(flat.locals.len());
    for ty in flat.locals.iter().skip(flat.parameters as usize) {
        types.push(shift.val_type(*ty).map_err(|_| Refused::Internal("a type that cannot be written"))?);
    }
    types.extend([wasm_encoder::ValType::I64, wasm_encoder::ValType::I32]);
    let meter = crate::flat::index(flat.locals.len());
    let mut emit = Emit {
        shift,
        code: Function::new_with_locals_types(types),
        hints: Vec::new(),
        depth: 0,
        opened: vec![0; flat.labels as usize + flat.sites as usize + 2],
        open: Vec::new(),
        meter,
        address: meter + 1,
        turns: turns(flat),
        weight: if source.counted { source.weight() } else { 0 },
        source,
    };
    emit.function()?;
    Ok(Written { code: emit.code, hints: emit.hints })
}

impl Emit<'_, '_> {
    fn function(&mut self) -> Result<(), Refused> {
        let suspendable = self.source.flat.sites > 0;
        if suspendable {
            self.open(Target::Again, &I::Loop(BlockType::Empty));
            self.open(Target::Leave, &I::Block(BlockType::Empty));
            self.open_region(0);
        }
        let mut steps = self.source.flat.steps.iter();
        let cost = match steps.next() {
            Some(Step::Charge(cost)) => *cost,
            _ => return Err(Refused::Internal("a function without a first charge")),
        };
        self.load_meter();
        if suspendable {
            self.look(0)?;
        } else {
            self.charge(cost);
        }
        if self.source.counted {
            self.count_frame();
        }
        self.steps(steps.as_slice())?;
        if suspendable {
            self.put(&I::Unreachable);
            self.close();
            self.leave()?;
            self.close();
        }
        self.put(&I::Unreachable);
        self.put(&I::End);
        Ok(())
    }

    fn put(&mut self, instruction: &I<'_>) {
        self.code.instruction(instruction);
    }

    fn put_all(&mut self, instructions: &[I<'_>]) {
        instructions.iter().for_each(|instruction| self.put(instruction));
    }

    fn open(&mut self, target: Target, instruction: &I<'_>) {
        self.put(instruction);
        self.opened_at(target, self.depth);
        self.depth += 1;
    }

    /// From here on a target is what was opened at a depth.
    fn opened_at(&mut self, target: Target, depth: u32) {
        let place = self.place(target);
        if let Some(opened) = self.opened.get_mut(place) {
            *opened = depth;
        }
    }

    /// Opens a construct that nothing branches to.
    fn open_plain(&mut self, instruction: &I<'_>) {
        self.put(instruction);
        self.depth += 1;
    }

    /// Opens a conditional whose part is seldom executed.
    fn open_unlikely(&mut self) {
        self.hint(Hint::Unlikely);
        self.open_plain(&I::If(BlockType::Empty));
    }

    /// Whether the conditional or branch that comes next is taken.
    fn hint(&mut self, hint: Hint) {
        let branch_func_offset = crate::flat::index(self.code.byte_len());
        self.hints
            .push(BranchHint { branch_func_offset, branch_hint_value: u32::from(hint == Hint::Likely) });
    }

    fn close(&mut self) {
        self.put(&I::End);
        self.depth = self.depth.saturating_sub(1);
    }

    /// How far out a target is.
    fn distance(&self, target: Target) -> u32 {
        let opened = self.opened.get(self.place(target)).copied().unwrap_or(0);
        self.depth.saturating_sub(opened + 1)
    }

    fn place(&self, target: Target) -> usize {
        let (labels, sites) = (self.source.flat.labels as usize, self.source.flat.sites as usize);
        match target {
            Target::Label(label) => label as usize,
            Target::Site(site) => labels + site as usize,
            Target::Leave => labels + sites,
            Target::Again => labels + sites + 1,
        }
    }

    fn branch(&mut self, target: Target) {
        let distance = self.distance(target);
        self.put(&I::Br(distance));
    }

    fn get(&mut self, operand: Operand) {
        match operand {
            Operand::Local(local) => self.put(&I::LocalGet(local)),
            Operand::Literal(Literal::I32(value)) => self.put(&I::I32Const(value)),
            Operand::Literal(Literal::I64(value)) => self.put(&I::I64Const(value)),
            Operand::Literal(Literal::F32(bits)) => self.put(&I::F32Const(f32::from_bits(bits).into())),
            Operand::Literal(Literal::F64(bits)) => self.put(&I::F64Const(f64::from_bits(bits).into())),
            Operand::Literal(Literal::V128(value)) => self.put(&I::V128Const(value)),
        }
    }

    /// Puts a zero, or a reference to nothing, on the stack.
    fn zero(&mut self, ty: ValType) -> Result<(), Refused> {
        match ty {
            ValType::I32 => self.put(&I::I32Const(0)),
            ValType::I64 => self.put(&I::I64Const(0)),
            ValType::F32 => self.put(&I::F32Const(0.0.into())),
            ValType::F64 => self.put(&I::F64Const(0.0.into())),
            ValType::V128 => self.put(&I::V128Const(0)),
            ValType::Ref(reference) => {
                let heap = self.shift.heap_type(reference.heap_type());
                self.put(&I::RefNull(heap.map_err(|_| Refused::Internal("a type that cannot be written"))?));
            }
        }
        Ok(())
    }

    fn load_meter(&mut self) {
        self.put_all(&[I::GlobalGet(self.source.indices.meter), I::LocalSet(self.meter)]);
    }

    fn store_meter(&mut self) {
        self.put_all(&[I::LocalGet(self.meter), I::GlobalSet(self.source.indices.meter)]);
    }

    fn charge(&mut self, cycles: i64) {
        if cycles != 0 {
            self.put_all(&[I::LocalGet(self.meter), I::I64Const(cycles), I::I64Sub, I::LocalSet(self.meter)]);
        }
    }

    /// Charges for a bulk instruction whose length in bytes is an operand.
    fn charge_length(&mut self, length: Operand) {
        self.put(&I::LocalGet(self.meter));
        self.get(length);
        self.put_all(&[I::I64ExtendI32U, I::I64Const(crate::cost::BULK_SHIFT), I::I64ShrU, I::I64Sub]);
        self.put(&I::LocalSet(self.meter));
    }

    fn set_state(&mut self, state: i32) {
        self.put_all(&[I::I32Const(state), I::GlobalSet(self.source.indices.state)]);
    }
}

/// What a turn of each loop costs, by its site, and first what the entry of the function does.
fn turns(flat: &Flat<'_>) -> Vec<i64> {
    let mut turns = vec![0; flat.sites as usize];
    for step in &flat.steps {
        if let Step::Loop { site, cost, .. } = step
            && let Some(turn) = turns.get_mut(*site as usize)
        {
            *turn = *cost;
        }
    }
    if let (Some(Step::Charge(cost)), Some(entry)) = (flat.steps.first(), turns.first_mut()) {
        *entry = *cost;
    }
    turns
}

/// The address of something in the memory of frames.
fn in_frame(memory_index: u32, offset: u64) -> MemArg {
    MemArg { offset, align: 2, target: wasm_encoder::MemArgTarget::Memory(memory_index), ordering: None }
}
