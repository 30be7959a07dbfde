//! Computed floats that are stored without a branch between them, and are looked at together.
//!
//! A store may put a NaN that is not canonical into memory as long as nobody sees its bits. So a look can wait: floats
//! that are stored one after the other are added up, and only if the sum is a NaN is each place in memory looked at and
//! made canonical. What may come between two of them is what computes, and other floats that are read, under two
//! conditions. All addresses are multiples of the floats' size, so that what is read is one of these floats or none
//! of their bytes. And of a float that is read and may be one of these (a *doubt*), only the value is used: where its bits
//! are wanted, the look comes before it is read. A program that traps leaves what it had stored.

use crate::flat::{Flat, Local, Operand, Step};
use wasmparser::{MemArg, Operator, ValType};

/// How many stores are looked at together at most, and how many locals may be in doubt at once.
const MOST: usize = 8;

/// A store of a computed float that has not been looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Store {
    /// The step.
    pub(super) place: usize,
    pub(super) address: Operand,
    pub(super) memarg: MemArg,
    pub(super) value: Local,
}

/// Stores that are looked at together, right behind the last.
#[derive(Clone, Debug)]
pub(super) struct Group {
    stores: Vec<Store>,
}

/// The stores of a run of instructions that have not been looked at.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    stores: Vec<Store>,
    /// Size of what they store, in bytes.
    size: u64,
    /// Where what was read may be what they stored, with the step that read it; in the order of the steps.
    doubts: Vec<(Local, usize)>,
    groups: Vec<Group>,
}

impl Waiting {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stores.is_empty()
    }

    /// Whether a store of so many bytes can wait with the others.
    pub(super) fn has_room(&self, size: u64) -> bool {
        self.stores.is_empty() || (self.size == size && self.stores.len() < MOST)
    }

    pub(super) fn push(&mut self, store: Store, size: u64) {
        self.size = size;
        self.stores.push(store);
    }

    /// Whether a float of so many bytes may be read, if its address is a multiple of that.
    pub(super) fn is_readable(&self, size: u64) -> bool {
        self.size == size && self.doubts.len() < MOST
    }

    /// Whether what is read at an address of their size is none of these, both being known.
    pub(super) fn is_apart(&self, address: Operand, memarg: &MemArg) -> bool {
        let wanted = known(address, memarg);
        wanted.is_some()
            && self.stores.iter().all(|store| {
                let stored = known(store.address, &store.memarg);
                stored.is_some() && stored != wanted
            })
    }

    /// A local gets another value, which may be one of these if it is read at a step.
    pub(super) fn put(&mut self, local: Local, read: Option<usize>) {
        self.doubts.retain(|(doubt, _)| *doubt != local);
        self.doubts.extend(read.map(|place| (local, place)));
    }

    /// The bits of a local are wanted: if it is in doubt, what was stored before it was read is looked at by then. What
    /// was stored before an earlier doubt was read is looked at before that, since the look cannot come later.
    pub(super) fn settle(&mut self, local: Local) -> bool {
        let Some(doubt) = self.doubts.iter().position(|(doubt, _)| *doubt == local) else { return false };
        let reads: Vec<usize> = self.doubts.iter().take(doubt + 1).map(|(_, read)| *read).collect();
        self.doubts.remove(doubt);
        reads.into_iter().for_each(|read| self.look(read));
        true
    }

    /// A local in doubt, the first that was read.
    pub(super) fn first_doubt(&self) -> Option<Local> {
        self.doubts.first().map(|(local, _)| *local)
    }

    /// What was stored before a step is looked at before it.
    pub(super) fn look(&mut self, end: usize) {
        let later = self.stores.partition_point(|store| store.place < end);
        let stores: Vec<Store> = self.stores.drain(..later).collect();
        if !stores.is_empty() {
            self.groups.push(Group { stores });
        }
    }

    pub(super) fn into_groups(self) -> Vec<Group> {
        self.groups
    }
}

/// An address that is known.
fn known(address: Operand, memarg: &MemArg) -> Option<u64> {
    address.constant().map(|address| u64::from(address.cast_unsigned()) + memarg.offset)
}

/// Sums that are made side by side, so that the last of them is there sooner.
const SUMS: usize = 2;

/// Locals that are used for one group after the other.
#[derive(Debug, Default)]
pub(super) struct Spare(Vec<(ValType, Vec<Local>)>);

impl Spare {
    fn local(&mut self, ty: ValType, number: usize, flat: &mut Flat<'_>) -> Local {
        let known = self.0.iter().position(|(known, _)| *known == ty);
        let place = known.unwrap_or_else(|| {
            self.0.push((ty, Vec::new()));
            self.0.len() - 1
        });
        let locals = self.0.get_mut(place).map(|(_, locals)| locals);
        if let Some(local) = locals.as_ref().and_then(|locals| locals.get(number)) {
            return *local;
        }
        let local = flat.new_local(ty);
        locals.into_iter().for_each(|locals| locals.push(local));
        local
    }
}

/// The steps that a group needs, each with the step before which it stands.
pub(super) fn steps<'a>(
    group: &Group,
    spare: &mut Spare,
    flat: &mut Flat<'a>,
    out: &mut Vec<(usize, Step<'a>)>,
) {
    let [first, .., last] = group.stores.as_slice() else {
        return out
            .extend(group.stores.iter().map(|store| (store.place, Step::Canonical { local: store.value })));
    };
    let ty = flat.type_of(first.value);
    let sum_of = |sum: Local, other: Local, flat: &mut Flat<'a>| Step::Plain {
        operator: if ty == ValType::F64 { Operator::F64Add } else { Operator::F32Add },
        ins: flat.keep_operands([Operand::Local(sum), Operand::Local(other)]),
        out: Some(sum),
    };
    let mut places = Vec::with_capacity(group.stores.len());
    for (number, store) in group.stores.iter().enumerate() {
        let address = spare.local(ValType::I32, number, flat);
        out.push((store.place, Step::Move { from: store.address, to: address }));
        places.push((address, store.memarg));
        let sum = spare.local(ty, number % SUMS, flat);
        out.push((
            store.place,
            if number < SUMS {
                Step::Move { from: Operand::Local(store.value), to: sum }
            } else {
                sum_of(sum, store.value, flat)
            },
        ));
    }
    let (sum, other) = (spare.local(ty, 0, flat), spare.local(ty, 1, flat));
    out.push((last.place + 1, sum_of(sum, other, flat)));
    out.push((last.place + 1, Step::CanonicalPlaces { sum, places }));
}

/// Whether an instruction that does not compute floats is known to leave memory alone and not to trap.
pub(super) fn is_beside_memory(operator: &Operator<'_>) -> bool {
    use Operator as O;
    matches!(
        operator,
        O::I32Eqz
            | O::I32Eq
            | O::I32Ne
            | O::I32LtS
            | O::I32LtU
            | O::I32GtS
            | O::I32GtU
            | O::I32LeS
            | O::I32LeU
            | O::I32GeS
            | O::I32GeU
            | O::I32Add
            | O::I32Sub
            | O::I32Mul
            | O::I32And
            | O::I32Or
            | O::I32Xor
            | O::I32Shl
            | O::I32ShrS
            | O::I32ShrU
            | O::I32WrapI64
            | O::I64Eqz
            | O::I64Eq
            | O::I64Ne
            | O::I64LtS
            | O::I64LtU
            | O::I64GtS
            | O::I64GtU
            | O::I64LeS
            | O::I64LeU
            | O::I64GeS
            | O::I64GeU
            | O::I64Add
            | O::I64Sub
            | O::I64Mul
            | O::I64And
            | O::I64Or
            | O::I64Xor
            | O::I64Shl
            | O::I64ShrS
            | O::I64ShrU
            | O::I64ExtendI32S
            | O::I64ExtendI32U
            | O::F32Neg
            | O::F64Neg
            | O::F32Copysign
            | O::F64Copysign
            | O::F32ConvertI32S
            | O::F32ConvertI32U
            | O::F32ConvertI64S
            | O::F32ConvertI64U
            | O::F64ConvertI32S
            | O::F64ConvertI32U
            | O::F64ConvertI64S
            | O::F64ConvertI64U
            | O::I32ReinterpretF32
            | O::I64ReinterpretF64
            | O::F32ReinterpretI32
            | O::F64ReinterpretI64
            | O::GlobalGet { .. }
            | O::GlobalSet { .. }
    )
}
