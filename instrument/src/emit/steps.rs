//! The steps of a flat function, one by one.

use super::{Emit, Hint, Target};
use crate::Refused;
use crate::flat::{Label, Lanes, Local, Operand, Part, Site, Step};
use crate::layout::UNWINDING;
use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, Instruction as I};
use wasmparser::{MemArg, Operator, ValType};

/// Bits of the canonical NaN of 32 bits (WebAssembly core specification 2.0, §2.2.3).
const NAN_32: u32 = 0x7fc0_0000;

/// Bits of the canonical NaN of 64 bits.
const NAN_64: u64 = 0x7ff8_0000_0000_0000;

/// A construct of the program that is open; a conditional is `wide` if its blocks are opened by the region.
#[derive(Clone, Copy, Debug)]
pub(super) enum Open {
    Block,
    If { label: Label, wide: bool, parts: Parts },
}

/// Which part of a conditional is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    First,
    Second,
}

const UNBALANCED: Refused = Refused::Internal("constructs that do not match");

impl Emit<'_, '_> {
    pub(super) fn step(&mut self, step: &Step<'_>) -> Result<(), Refused> {
        match step {
            Step::Charge(cost) => self.charge(*cost),
            Step::Plain { operator, ins, out } => self.plain(operator, *ins, *out)?,
            Step::Move { from, to } => {
                self.get(*from);
                self.put(&I::LocalSet(*to));
            }
            Step::Canonical { local } => self.canonical(*local),
            Step::CanonicalLanes { local, lanes } => self.canonical_lanes(*local, *lanes),
            Step::CanonicalPlaces { sum, places } => self.canonical_places(*sum, places)?,
            Step::Call { operator, ins, outs, site, .. } => self.call(operator, *ins, *outs, *site)?,
            Step::Block { label } => self.block(*label),
            Step::Loop { label, site, .. } => self.turn(*label, *site)?,
            Step::If { condition, label, els } => self.condition(*condition, *label, *els),
            Step::Else => self.otherwise()?,
            Step::End { .. } => self.end()?,
            Step::EndLoop => self.close(),
            Step::Branch { label } => self.branch(Target::Label(*label)),
            Step::BranchIf { condition, label } => {
                self.get(*condition);
                let distance = self.distance(Target::Label(*label));
                self.put(&I::BrIf(distance));
            }
            Step::BranchTable { index, labels } => self.table(*index, *labels)?,
            Step::Return { values } => self.give_back(*values),
            Step::Trap => {
                self.store_meter();
                self.put(&I::Unreachable);
            }
        }
        Ok(())
    }

    fn block(&mut self, label: Label) {
        let wide = self.source.regions.is_wide(label);
        if !wide {
            self.open(Target::Label(label), &I::Block(BlockType::Empty));
        }
        self.open.push(Open::Block);
    }

    fn turn(&mut self, label: Label, site: Site) -> Result<(), Refused> {
        self.close();
        self.open(Target::Label(label), &I::Loop(BlockType::Empty));
        self.open_region(site);
        self.look(site)
    }

    fn condition(&mut self, condition: Operand, label: Label, els: Label) {
        let wide = self.source.regions.is_wide(label);
        self.get(condition);
        if wide {
            let distance = self.distance(Target::Label(els));
            self.put_all(&[I::I32Eqz, I::BrIf(distance)]);
        } else {
            self.open(Target::Label(label), &I::If(BlockType::Empty));
        }
        self.open.push(Open::If { label, wide, parts: Parts::First });
    }

    fn otherwise(&mut self) -> Result<(), Refused> {
        let Some(Open::If { label, wide, parts }) = self.open.last_mut() else { return Err(UNBALANCED) };
        *parts = Parts::Second;
        let (label, wide) = (*label, *wide);
        if wide {
            self.branch(Target::Label(label));
            self.close();
        } else {
            self.put(&I::Else);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refused> {
        if let Open::If { wide: true, parts: Parts::First, .. } = self.open.pop().ok_or(UNBALANCED)? {
            self.close();
        }
        self.close();
        Ok(())
    }

    fn table(&mut self, index: Operand, labels: Part) -> Result<(), Refused> {
        let labels = self.source.flat.indices(labels);
        let mut distances: Vec<u32> =
            labels.iter().map(|label| self.distance(Target::Label(*label))).collect();
        let default = distances.pop().ok_or(Refused::Internal("a table of branches without a default"))?;
        self.get(index);
        self.put(&I::BrTable(distances.into(), default));
        Ok(())
    }

    fn give_back(&mut self, values: Part) {
        if self.source.counted {
            self.uncount_frame();
        }
        self.store_meter();
        self.get_all(values);
        self.put(&I::Return);
    }

    fn get_all(&mut self, operands: Part) {
        let flat = self.source.flat;
        flat.operands(operands).iter().for_each(|operand| self.get(*operand));
    }

    fn plain(&mut self, operator: &Operator<'_>, ins: Part, out: Option<Local>) -> Result<(), Refused> {
        match operator {
            Operator::ElemDrop { .. } => return Ok(()),
            Operator::DataDrop { data_index } => {
                let flag = self.source.indices.dropped(*data_index)?;
                self.put_all(&[I::I32Const(1), I::GlobalSet(flag)]);
                return Ok(());
            }
            Operator::MemoryCopy { .. } | Operator::MemoryFill { .. } | Operator::MemoryInit { .. } => {
                if let Some(length) = self.source.flat.operands(ins).get(2) {
                    self.charge_length(*length);
                }
            }
            _ => {}
        }
        match operator {
            Operator::MemoryInit { data_index, .. } => self.initialise(*data_index, ins)?,
            _ => self.get_all(ins),
        }
        self.copy(operator)?;
        out.iter().for_each(|out| self.put(&I::LocalSet(*out)));
        Ok(())
    }

    /// The operands of `memory.init`. A segment that was dropped has no bytes: from it only nothing can be copied, from
    /// its start. Dropping is a note in a global, since a fresh instance has all its segments.
    fn initialise(&mut self, segment: u32, ins: Part) -> Result<(), Refused> {
        let flat = self.source.flat;
        let &[to, from, length] = flat.operands(ins) else {
            return Err(Refused::Internal("a memory.init without three operands"));
        };
        self.get(to);
        if let Ok(flag) = self.source.indices.dropped(segment) {
            // Out of bounds if dropped and there is anything to copy; otherwise as it was.
            self.put(&I::I32Const(-1));
            self.get(from);
            self.put(&I::GlobalGet(flag));
            self.get(from);
            self.get(length);
            self.put_all(&[I::I32Or, I::I32Const(0), I::I32Ne, I::I32And, I::Select]);
        } else {
            self.get(from);
        }
        self.get(length);
        Ok(())
    }

    fn copy(&mut self, operator: &Operator<'_>) -> Result<(), Refused> {
        let instruction = self.shift.instruction(operator.clone());
        let instruction =
            instruction.map_err(|_| Refused::Internal("an instruction that cannot be written"))?;
        self.put(&instruction);
        Ok(())
    }

    /// A call. If the callee was suspended, its results mean nothing and the frame is saved too.
    fn call(
        &mut self,
        operator: &Operator<'_>,
        ins: Part,
        outs: Part,
        site: Option<Site>,
    ) -> Result<(), Refused> {
        if site.is_some() {
            self.close();
        }
        self.store_meter();
        self.get_all(ins);
        self.copy(operator)?;
        self.load_meter();
        if let Some(site) = site {
            self.put_all(&[I::LocalGet(self.meter), I::I64Const(0), I::I64LtS]);
            self.open_unlikely();
            self.put_all(&[I::GlobalGet(self.source.indices.state), I::I32Const(UNWINDING), I::I32Eq]);
            self.open_unlikely();
            self.save(site);
            self.close();
            self.close();
        }
        let flat = self.source.flat;
        flat.indices(outs).iter().rev().for_each(|out| self.put(&I::LocalSet(*out)));
        Ok(())
    }

    fn canonical(&mut self, local: Local) {
        self.open_if_nan(local);
        self.put_all(&[self.nan(local), I::LocalSet(local)]);
        self.close();
    }

    fn canonical_places(&mut self, sum: Local, places: &[(Local, MemArg)]) -> Result<(), Refused> {
        let is_double = self.source.flat.type_of(sum) == ValType::F64;
        self.open_if_nan(sum);
        for (address, memarg) in places.iter().copied() {
            let (load, store) = match is_double {
                true => (Operator::F64Load { memarg }, Operator::F64Store { memarg }),
                false => (Operator::F32Load { memarg }, Operator::F32Store { memarg }),
            };
            self.put_all(&[I::LocalGet(address), I::LocalGet(address)]);
            self.copy(&load)?;
            self.put_all(&[I::LocalTee(sum), self.nan(sum), I::LocalGet(sum), I::LocalGet(sum)]);
            self.put_all(&[if is_double { I::F64Eq } else { I::F32Eq }, I::Select]);
            self.copy(&store)?;
        }
        self.close();
        Ok(())
    }

    /// The canonical NaN of the type of a local.
    fn nan(&self, local: Local) -> I<'static> {
        match self.source.flat.type_of(local) {
            ValType::F64 => I::F64Const(f64::from_bits(NAN_64).into()),
            _ => I::F32Const(f32::from_bits(NAN_32).into()),
        }
    }

    /// Opens what is done if a local is a NaN.
    fn open_if_nan(&mut self, local: Local) {
        // Not `ne`: engines test that with two branches, and this with one.
        let equal = if self.source.flat.type_of(local) == ValType::F64 { I::F64Ge } else { I::F32Ge };
        self.put_all(&[I::LocalGet(local), I::LocalGet(local), equal]);
        self.hint(Hint::Likely);
        self.open_plain(&I::If(BlockType::Empty));
        self.put(&I::Else);
    }

    fn canonical_lanes(&mut self, local: Local, lanes: Lanes) {
        let (nan, equal) = match lanes {
            Lanes::F32 => (i128::from(NAN_32) * 0x1_0000_0001_0000_0001_0000_0001, I::F32x4Eq),
            Lanes::F64 => (i128::from(NAN_64) * 0x1_0000_0000_0000_0001, I::F64x2Eq),
        };
        self.put_all(&[I::LocalGet(local), I::V128Const(nan), I::LocalGet(local), I::LocalGet(local), equal]);
        self.put_all(&[I::V128Bitselect, I::LocalSet(local)]);
    }
}
