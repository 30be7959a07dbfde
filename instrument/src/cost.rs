//! The cost model: what an instruction costs, in cycles.
//!
//! | instructions | cycles |
//! |---|---|
//! | `nop`, `drop`, `block`, `else`, `end`, `return`, `unreachable` | 0 |
//! | `loop`, for each turn | 1 |
//! | entry of a function | 1 |
//! | division, remainder, square root (of integers, floats and vectors) | 8 |
//! | `call` | 4 |
//! | `call_indirect` | 8 |
//! | `memory.copy`, `memory.fill`, `memory.init` | 8, and 1 for each whole 8 bytes |
//! | `memory.grow` | 1000 |
//! | everything else | 1 |
//!
//! Costs are charged when a run of instructions without a branch between them is entered: if one of them traps,
//! the whole run was charged. What the host does in a call is not charged by the module.

use wasmparser::Operator;

/// Which table of costs is applied. Programs are paid by the cycle, so it is among the rules of a network: a node
/// with another model counts other cycles.
///
/// Version 1 was the fuel of wasmtime; version 2 is the table of this module's documentation with budgets that end
/// at multiples of [`SLICE`](crate::layout::SLICE).
pub const COST_MODEL: u32 = 2;

/// Cycles for the entry of a function, beyond its instructions.
pub(crate) const ENTRY: i64 = 1;

/// Cycles for a turn of a loop, beyond its instructions.
pub(crate) const TURN: i64 = 1;

/// A bulk instruction costs one cycle for each `1 << BULK_SHIFT` bytes.
pub(crate) const BULK_SHIFT: i64 = 3;

/// What an instruction costs, without its part that depends on a length and without [`TURN`].
pub(crate) fn of(operator: &Operator<'_>) -> i64 {
    use Operator as O;
    match operator {
        O::Nop
        | O::Drop
        | O::Block { .. }
        | O::Loop { .. }
        | O::Else
        | O::End
        | O::Return
        | O::Unreachable => 0,
        O::I32DivS
        | O::I32DivU
        | O::I32RemS
        | O::I32RemU
        | O::I64DivS
        | O::I64DivU
        | O::I64RemS
        | O::I64RemU => 8,
        O::F32Div | O::F64Div | O::F32Sqrt | O::F64Sqrt => 8,
        O::F32x4Div | O::F64x2Div | O::F32x4Sqrt | O::F64x2Sqrt => 8,
        O::Call { .. } => 4,
        O::CallIndirect { .. } => 8,
        O::MemoryCopy { .. } | O::MemoryFill { .. } | O::MemoryInit { .. } => 8,
        O::MemoryGrow { .. } => 1000,
        _ => 1,
    }
}
