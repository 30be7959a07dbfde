//! All instructions that are not control, on the way into flat form.

use super::stack::Value;
use super::{Lowering, Types};
use crate::Refused;
use crate::flat::{Callee, Literal, Local, Operand, Step};
use crate::nan;
use crate::survey::invalid;
use wasmparser::{AbstractHeapType, HeapType, Operator, ValType};

const NO_OPERAND: Refused = Refused::Internal("an operand that is not there");

impl<'a> Lowering<'_, 'a> {
    /// Takes an instruction that is not control.
    pub(super) fn operator(
        &mut self,
        operator: Operator<'a>,
        offset: u64,
        types: &mut Types,
    ) -> Result<(), Refused> {
        let arity =
            operator.operator_arity(&*types).ok_or(Refused::Internal("an instruction without an arity"))?;
        types.op(offset, &operator).map_err(invalid)?;
        match operator {
            Operator::Nop => {}
            Operator::Drop => drop(self.stack.pop()),
            Operator::LocalGet { local_index } => {
                let ty = self.flat.type_of(local_index);
                self.stack.push(Operand::Local(local_index), ty, &mut self.flat);
            }
            Operator::LocalSet { local_index } => drop(self.set(local_index)?),
            Operator::LocalTee { local_index } => {
                let value = self.set(local_index)?;
                self.stack.push(Operand::Local(local_index), value.ty, &mut self.flat);
            }
            Operator::I32Const { value } => self.literal(Literal::I32(value), ValType::I32),
            Operator::I64Const { value } => self.literal(Literal::I64(value), ValType::I64),
            Operator::F32Const { value } => self.literal(Literal::F32(value.bits()), ValType::F32),
            Operator::F64Const { value } => self.literal(Literal::F64(value.bits()), ValType::F64),
            Operator::V128Const { value } => self.literal(Literal::V128(value.i128()), ValType::V128),
            Operator::Call { function_index } => {
                let host = function_index < self.survey.imports;
                let stops = host || self.survey.suspendable.get(function_index as usize) == Some(&true);
                self.call(operator, arity, if host { Callee::Host } else { Callee::Own }, stops, types)?;
            }
            Operator::CallIndirect { type_index, .. } => {
                let stops = self.survey.indirect.get(type_index as usize) == Some(&true);
                self.call(operator, arity, Callee::Indirect, stops, types)?;
            }
            operator => self.plain(operator, arity, types)?,
        }
        Ok(())
    }

    fn literal(&mut self, literal: Literal, ty: ValType) {
        self.stack.push(Operand::Literal(literal), ty, &mut self.flat);
    }

    fn plain(
        &mut self,
        operator: Operator<'a>,
        (takes, gives): (u32, u32),
        types: &Types,
    ) -> Result<(), Refused> {
        let ins = self.stack.pop_many(takes);
        let ins = self.flat.keep_operands(ins.into_iter().map(|value| value.operand));
        let out = match gives {
            0 => None,
            1 => Some(self.stack.push_slot(result(types, 0)?, &mut self.flat)),
            _ => return Err(Refused::Internal("an instruction with several results")),
        };
        let lanes = nan::lanes(&operator);
        self.push_step(Step::Plain { operator, ins, out });
        if let (Some(lanes), Some(local)) = (lanes, out) {
            self.push_step(Step::CanonicalLanes { local, lanes });
        }
        Ok(())
    }

    fn call(
        &mut self,
        operator: Operator<'a>,
        (takes, gives): (u32, u32),
        callee: Callee,
        stops: bool,
        types: &Types,
    ) -> Result<(), Refused> {
        let ins = self.stack.pop_many(takes);
        let ins = self.flat.keep_operands(ins.into_iter().map(|value| value.operand));
        let mut outs = Vec::with_capacity(gives as usize);
        for k in (0..gives).rev() {
            outs.push(self.stack.push_slot(result(types, k)?, &mut self.flat));
        }
        let outs = self.flat.keep_indices(outs);
        let site = (stops && self.suspendable).then_some(self.flat.sites);
        self.flat.sites += u32::from(site.is_some());
        self.push_step(Step::Call { operator, ins, outs, callee, site });
        Ok(())
    }

    /// `local.set`: the instruction that made the value writes to the local at once, if it can.
    fn set(&mut self, local: Local) -> Result<Value, Refused> {
        let value = self.stack.pop().ok_or(NO_OPERAND)?;
        if value.operand == Operand::Local(local) {
            return Ok(value);
        }
        let steps = self.flat.steps.len();
        self.stack.settle_local(local, &mut self.flat);
        let undisturbed = steps == self.flat.steps.len();
        if let (Some(Step::Plain { out: Some(out), .. }), true) = (self.flat.steps.last_mut(), undisturbed)
            && value.operand == Operand::Local(*out)
            && self.stack.is_slot(*out)
        {
            *out = local;
        } else {
            self.push_step(Step::Move { from: value.operand, to: local });
        }
        Ok(value)
    }
}

/// Type of the `k`-th value from the top.
fn result(types: &Types, k: u32) -> Result<ValType, Refused> {
    let ty =
        types.get_operand_type(k as usize).flatten().ok_or(Refused::Internal("a value without a type"))?;
    Ok(widest(ty))
}

/// The type of a local that can hold a value: the type of a reference may say more than that of a local can.
fn widest(ty: ValType) -> ValType {
    match ty {
        ValType::Ref(reference) => match reference.heap_type() {
            HeapType::Abstract { ty: AbstractHeapType::Extern | AbstractHeapType::NoExtern, .. } => {
                ValType::EXTERNREF
            }
            _ => ValType::FUNCREF,
        },
        ty => ty,
    }
}
