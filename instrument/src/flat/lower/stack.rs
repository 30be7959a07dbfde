//! The operand stack while a function is put into flat form.

use crate::flat::{Flat, Local, Operand, Step, index};
use std::collections::BTreeMap;
use wasmparser::ValType;

/// How many values at the top of the stack may be other than slots. It bounds the time that a `local.set` takes.
const UNSETTLED: usize = 64;

/// A value on the operand stack.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    /// Where it is.
    pub(super) operand: Operand,
    /// Its type.
    pub(super) ty: ValType,
}

/// The operand stack.
#[derive(Debug)]
pub(super) struct Stack {
    values: Vec<Value>,
    /// Values below this height are all in their slots.
    settled: usize,
    /// The local for each height and type.
    slots: BTreeMap<(u32, ValType), Local>,
    /// Locals from here on are slots.
    first_slot: Local,
}

impl Stack {
    /// An empty stack in a function with so many locals.
    pub(super) fn new(locals: u32) -> Self {
        Self { values: Vec::new(), settled: 0, slots: BTreeMap::new(), first_slot: locals }
    }

    /// How many values there are.
    pub(super) fn height(&self) -> u32 {
        index(self.values.len())
    }

    /// The slot for a height and a type.
    pub(super) fn slot(&mut self, height: u32, ty: ValType, flat: &mut Flat<'_>) -> Local {
        let next = index(flat.locals.len());
        let slot = *self.slots.entry((height, ty)).or_insert(next);
        if slot == next {
            flat.locals.push(ty);
        }
        slot
    }

    /// Whether a local is a slot.
    pub(super) fn is_slot(&self, local: Local) -> bool {
        local >= self.first_slot
    }

    /// Puts a value on top that is in its slot.
    pub(super) fn push_slot(&mut self, ty: ValType, flat: &mut Flat<'_>) -> Local {
        let slot = self.slot(self.height(), ty, flat);
        self.values.push(Value { operand: Operand::Local(slot), ty });
        slot
    }

    /// Puts a constant or a local on top.
    pub(super) fn push(&mut self, operand: Operand, ty: ValType, flat: &mut Flat<'_>) {
        self.values.push(Value { operand, ty });
        while self.values.len() - self.settled > UNSETTLED {
            self.settle(self.settled, flat);
            self.settled += 1;
        }
    }

    /// Takes the topmost value.
    pub(super) fn pop(&mut self) -> Option<Value> {
        let value = self.values.pop();
        self.settled = self.settled.min(self.values.len());
        value
    }

    /// Takes the topmost values, in the order in which they were put there.
    pub(super) fn pop_many(&mut self, count: u32) -> Vec<Value> {
        let start = self.values.len().saturating_sub(count as usize);
        let values = self.values.split_off(start);
        self.settled = self.settled.min(start);
        values
    }

    /// The topmost values, in the order in which they were put there.
    pub(super) fn top(&self, count: u32) -> Vec<Value> {
        let start = self.values.len().saturating_sub(count as usize);
        self.values.get(start..).unwrap_or(&[]).to_vec()
    }

    /// Forgets what is above a height.
    pub(super) fn truncate(&mut self, height: u32) {
        self.values.truncate(height as usize);
        self.settled = self.settled.min(self.values.len());
    }

    /// Moves every value into its slot.
    pub(super) fn settle_all(&mut self, flat: &mut Flat<'_>) {
        for place in self.settled..self.values.len() {
            self.settle(place, flat);
        }
        self.settled = self.values.len();
    }

    /// Moves the values that are a certain local into their slots, since the local is about to change.
    pub(super) fn settle_local(&mut self, local: Local, flat: &mut Flat<'_>) {
        for place in self.settled..self.values.len() {
            if self.values.get(place).is_some_and(|value| value.operand == Operand::Local(local)) {
                self.settle(place, flat);
            }
        }
    }

    fn settle(&mut self, place: usize, flat: &mut Flat<'_>) {
        let Some(Value { operand, ty }) = self.values.get(place).copied() else { return };
        let slot = self.slot(index(place), ty, flat);
        if operand != Operand::Local(slot) {
            flat.steps.push(Step::Move { from: operand, to: slot });
            if let Some(value) = self.values.get_mut(place) {
                value.operand = Operand::Local(slot);
            }
        }
    }
}
