//! What has to be known of a function before it is rewritten.

use crate::Refused;
use crate::cost;
use crate::survey::invalid;
use std::collections::BTreeSet;
use wasmparser::{FunctionBody, Operator};

/// What is known of a function of the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    /// The functions it calls, one entry for each call.
    pub(crate) calls: Vec<u32>,
    /// The types by which it calls through tables, one entry for each call.
    pub(crate) indirect: Vec<u32>,
    /// Whether it has a loop.
    pub(crate) loops: bool,
    /// Cycles of all its instructions together.
    pub(crate) cost: u64,
    /// Bytes that its frame has at most when it is saved.
    pub(crate) frame: u64,
}

/// Reads a function; adds to the functions of which references exist and to the data segments that are dropped.
pub(crate) fn read(
    code: &FunctionBody<'_>,
    function: u32,
    taken: &mut BTreeSet<u32>,
    dropped: &mut BTreeSet<u32>,
) -> Result<Body, Refused> {
    let length = code.range().end.saturating_sub(code.range().start);
    let mut body = Body { cost: cost::ENTRY.unsigned_abs(), frame: 64 + 8 * length, ..Body::default() };
    for locals in code.get_locals_reader().map_err(invalid)? {
        let (count, _) = locals.map_err(invalid)?;
        body.frame += 16 * u64::from(count);
    }
    let mut reader = code.get_operators_reader().map_err(invalid)?;
    while !reader.eof() {
        let operator = reader.read().map_err(invalid)?;
        body.cost = body.cost.saturating_add(cost::of(&operator).unsigned_abs());
        match operator {
            Operator::Call { function_index } => body.calls.push(function_index),
            Operator::CallIndirect { type_index, .. } => body.indirect.push(type_index),
            Operator::Loop { .. } => body.loops = true,
            Operator::RefFunc { function_index } => {
                taken.insert(function_index);
            }
            Operator::DataDrop { data_index } => {
                dropped.insert(data_index);
            }
            Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. } => return Err(Refused::TableChanged(function)),
            _ => {}
        }
    }
    Ok(body)
}
