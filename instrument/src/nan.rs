//! Where the bits of a NaN that was computed could be seen, it is made the canonical one.
//!
//! Which NaN an arithmetic instruction yields is up to the machine (WebAssembly core specification 2.0, §4.3.3). No
//! program can tell as long as it only computes and compares. So values that arithmetic may have produced are
//! followed, and made canonical before their bits get out: into memory, a global, a call, a result, an integer, a
//! vector, or an instruction that works on the sign. A vector is made canonical at once; in memory some wait for each
//! other ([`together`]).

mod aligned;
mod together;

use crate::Refused;
use crate::bits::Bits;
use crate::flat::{Flat, Label, Lanes, Operand, Part, Step, index};
use crate::work::Work;
use aligned::{SIZES, is_constant_multiple, is_multiple};
use together::{Spare, Store, Waiting, is_beside_memory, steps};
use wasmparser::{MemArg, Operator, ValType};

/// What an instruction does with floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Float {
    /// Computes: its result may be any NaN.
    Computes,
    /// Hands on what it gets.
    HandsOn,
    /// Its result does not tell one NaN from another.
    Blind,
    /// Shows bits.
    Shows,
}

/// The lanes in which a vector instruction computes floats, if it does.
pub(crate) fn lanes(operator: &Operator<'_>) -> Option<Lanes> {
    use Operator as O;
    match operator {
        O::F32x4Add | O::F32x4Sub | O::F32x4Mul | O::F32x4Div | O::F32x4Sqrt | O::F32x4Min | O::F32x4Max => {
            Some(Lanes::F32)
        }
        O::F32x4Ceil | O::F32x4Floor | O::F32x4Trunc | O::F32x4Nearest | O::F32x4DemoteF64x2Zero => {
            Some(Lanes::F32)
        }
        O::F64x2Add | O::F64x2Sub | O::F64x2Mul | O::F64x2Div | O::F64x2Sqrt | O::F64x2Min | O::F64x2Max => {
            Some(Lanes::F64)
        }
        O::F64x2Ceil | O::F64x2Floor | O::F64x2Trunc | O::F64x2Nearest | O::F64x2PromoteLowF32x4 => {
            Some(Lanes::F64)
        }
        _ => None,
    }
}

fn float(operator: &Operator<'_>) -> Float {
    use Operator as O;
    match operator {
        O::F32Add | O::F32Sub | O::F32Mul | O::F32Div | O::F32Sqrt | O::F32Min | O::F32Max => Float::Computes,
        O::F32Ceil | O::F32Floor | O::F32Trunc | O::F32Nearest | O::F32DemoteF64 => Float::Computes,
        O::F64Add | O::F64Sub | O::F64Mul | O::F64Div | O::F64Sqrt | O::F64Min | O::F64Max => Float::Computes,
        O::F64Ceil | O::F64Floor | O::F64Trunc | O::F64Nearest | O::F64PromoteF32 => Float::Computes,
        O::F32Abs | O::F64Abs | O::Select | O::TypedSelect { .. } => Float::HandsOn,
        O::F32Eq | O::F32Ne | O::F32Lt | O::F32Gt | O::F32Le | O::F32Ge => Float::Blind,
        O::F64Eq | O::F64Ne | O::F64Lt | O::F64Gt | O::F64Le | O::F64Ge => Float::Blind,
        O::I32TruncF32S | O::I32TruncF32U | O::I32TruncF64S | O::I32TruncF64U => Float::Blind,
        O::I64TruncF32S | O::I64TruncF32U | O::I64TruncF64S | O::I64TruncF64U => Float::Blind,
        O::I32TruncSatF32S | O::I32TruncSatF32U | O::I32TruncSatF64S | O::I32TruncSatF64U => Float::Blind,
        O::I64TruncSatF32S | O::I64TruncSatF32U | O::I64TruncSatF64S | O::I64TruncSatF64U => Float::Blind,
        _ => Float::Shows,
    }
}

/// Puts the steps that make NaNs canonical into a function.
///
/// # Errors
/// If the function is too large.
pub(crate) fn canonicalise(flat: &mut Flat<'_>, work: &mut Work) -> Result<(), Refused> {
    let computes =
        |step: &Step<'_>| matches!(step, Step::Plain { operator, .. } if float(operator) == Float::Computes);
    if !flat.steps.iter().any(computes) {
        return Ok(());
    }
    let (canonical, groups) = {
        let mut sweep = Sweep {
            flat,
            now: None,
            at: vec![None; flat.labels as usize],
            open: Vec::new(),
            out: Vec::new(),
            waiting: Waiting::default(),
            again: true,
        };
        while sweep.again {
            sweep.again = false;
            sweep.run(work)?;
        }
        (sweep.out, sweep.waiting.into_groups())
    };
    let mut new: Vec<(usize, Step<'_>)> =
        canonical.into_iter().map(|(place, local)| (place, Step::Canonical { local })).collect();
    let mut spare = Spare::default();
    for group in groups {
        steps(&group, &mut spare, flat, &mut new);
    }
    new.sort_by_key(|(place, _)| *place);
    let old = std::mem::take(&mut flat.steps);
    let mut new = new.into_iter().peekable();
    for (place, step) in old.into_iter().enumerate() {
        while let Some((_, step)) = new.next_if(|(before, _)| *before == place) {
            flat.steps.push(step);
        }
        flat.steps.push(step);
    }
    Ok(())
}

/// A load or store of a float: whether it stores, where, and how many bytes.
fn access(operator: &Operator<'_>) -> Option<(bool, MemArg, u64)> {
    match operator {
        Operator::F32Load { memarg } => Some((false, *memarg, 4)),
        Operator::F64Load { memarg } => Some((false, *memarg, 8)),
        Operator::F32Store { memarg } => Some((true, *memarg, 4)),
        Operator::F64Store { memarg } => Some((true, *memarg, 8)),
        _ => None,
    }
}

/// A construct that is open.
enum Open {
    /// A block or a loop.
    Plain,
    /// A conditional, with what is known where its other part begins, or where it ends if it has none.
    If(Option<Bits>),
}

/// One walk over the code with the set of the locals that may hold a computed NaN; none where it cannot be reached. For
/// each size of floats the set also holds, further up, the locals that may be other than a multiple of it.
struct Sweep<'f, 'a> {
    flat: &'f Flat<'a>,
    now: Option<Bits>,
    /// The same at labels: of loops kept from walk to walk, of the others while they are open.
    at: Vec<Option<Bits>>,
    open: Vec<Open>,
    /// The locals to make canonical, each before which step.
    out: Vec<(usize, u32)>,
    waiting: Waiting,
    again: bool,
}

impl Sweep<'_, '_> {
    fn run(&mut self, work: &mut Work) -> Result<(), Refused> {
        let bits = Bits::new(self.flat.locals.len() * (1 + SIZES.len()));
        let words = bits.words();
        self.now = Some(bits);
        (0..self.flat.parameters).for_each(|parameter| self.put_multiple(parameter, |_, _| false));
        self.out.clear();
        self.waiting.clear();
        work.words(self.flat.steps.len() as u64)?;
        for (place, step) in self.flat.steps.iter().enumerate() {
            if !matches!(step, Step::Plain { .. } | Step::Move { .. } | Step::Charge(_)) {
                work.words(words.saturating_mul(step.ways()))?;
                self.look(place);
            }
            match step {
                Step::Plain { operator, ins, out } => {
                    self.plain(place, operator, *ins, *out);
                    let ins = self.flat.operands(*ins);
                    out.iter().for_each(|out| {
                        self.put_multiple(*out, |sweep, size| {
                            is_multiple(operator, ins, size, |operand| sweep.is_multiple(operand, size))
                        });
                    });
                }
                Step::Move { from, to } => {
                    self.settle(*from);
                    let tainted = self.is_tainted(*from);
                    self.put(*to, tainted);
                    self.put_multiple(*to, |sweep, size| sweep.is_multiple(*from, size));
                }
                Step::Call { ins, outs, .. } => {
                    self.show(place, *ins);
                    for out in self.flat.indices(*outs) {
                        self.put(*out, false);
                        self.put_multiple(*out, |_, _| false);
                    }
                }
                Step::Return { values } => {
                    self.show(place, *values);
                    self.now = None;
                }
                step => self.control(step),
            }
        }
        Ok(())
    }

    fn plain(&mut self, place: usize, operator: &Operator<'_>, ins: Part, out: Option<u32>) {
        let float = float(operator);
        let operands = self.flat.operands(ins);
        if matches!(float, Float::Computes | Float::Blind) {
            operands.iter().filter_map(|operand| operand.local()).for_each(|local| self.use_up(local));
        } else {
            operands.iter().for_each(|operand| self.settle(*operand));
        }
        let tainted = match float {
            Float::Computes => true,
            Float::Blind => false,
            Float::HandsOn => operands.iter().any(|operand| self.is_tainted(*operand)),
            Float::Shows => match access(operator) {
                Some((true, memarg, size)) if self.waits(place, operands, memarg, size) => return,
                Some((false, memarg, size)) if self.is_in_doubt(place, operands, &memarg, size) => {
                    out.iter().for_each(|out| {
                        self.put(*out, true);
                        self.waiting.put(*out, Some(place));
                    });
                    return;
                }
                _ => {
                    if !is_beside_memory(operator) && access(operator).is_none_or(|access| access.0) {
                        self.look(place);
                    }
                    self.show(place, ins);
                    false
                }
            },
        };
        out.iter().for_each(|out| self.put(*out, tainted));
    }

    /// Whether a store of a computed float need not be looked at yet.
    fn waits(&mut self, place: usize, operands: &[Operand], memarg: MemArg, size: u64) -> bool {
        let &[address, Operand::Local(value)] = operands else { return false };
        if !self.is_tainted(Operand::Local(value)) || !self.is_address(address, &memarg, size) {
            return false;
        }
        if !self.waiting.has_room(size) {
            self.look(place);
        }
        self.waiting.push(Store { place, address, memarg, value }, size);
        true
    }

    /// Whether a float that is read may be one that has not been looked at. If it may be a part of one, they are.
    fn is_in_doubt(&mut self, place: usize, operands: &[Operand], memarg: &MemArg, size: u64) -> bool {
        let &[address] = operands else { return false };
        if self.waiting.is_empty() {
            return false;
        }
        if !self.waiting.is_readable(size) || !self.is_address(address, memarg, size) {
            self.look(place);
            return false;
        }
        !self.waiting.is_apart(address, memarg)
    }

    /// All that was stored is looked at before a step, and before what is still in doubt was read.
    fn look(&mut self, place: usize) {
        while let Some(local) = self.waiting.first_doubt() {
            self.settle(Operand::Local(local));
        }
        self.waiting.look(place);
    }

    /// The bits of an operand are wanted: it is no longer in doubt.
    fn settle(&mut self, operand: Operand) {
        if let Operand::Local(local) = operand
            && self.waiting.settle(local)
        {
            self.put(local, false);
        }
    }

    /// The value of a local was used, which is the end of it if it is a place of the operand stack.
    fn use_up(&mut self, local: u32) {
        if local >= self.flat.slots {
            self.waiting.put(local, None);
        }
    }

    /// Whether a float of so many bytes may be at an address without overlapping another.
    fn is_address(&self, address: Operand, memarg: &MemArg, size: u64) -> bool {
        memarg.offset.is_multiple_of(size) && self.is_multiple(address, size)
    }

    fn is_multiple(&self, operand: Operand, size: u64) -> bool {
        match operand {
            Operand::Local(local) => {
                self.now.as_ref().is_some_and(|now| !now.contains(self.others(local, size)))
            }
            operand => operand.constant().is_some_and(|constant| is_constant_multiple(constant, size)),
        }
    }

    /// Says for each size of floats whether a local is a multiple of it.
    fn put_multiple(&mut self, local: u32, is: impl Fn(&Self, u64) -> bool) {
        for size in SIZES {
            let (is, number) = (is(self, size), self.others(local, size));
            if let Some(now) = &mut self.now {
                now.put(number, !is);
            }
        }
    }

    /// The number in the set that says that a local may be other than a multiple of a size.
    fn others(&self, local: u32, size: u64) -> u32 {
        let plane = SIZES.iter().position(|known| *known == size).map_or(0, |plane| plane + 1);
        index(plane * self.flat.locals.len()).saturating_add(local)
    }

    fn control(&mut self, step: &Step<'_>) {
        match step {
            Step::Block { .. } => self.open.push(Open::Plain),
            Step::Loop { label, .. } => {
                self.open.push(Open::Plain);
                self.flow_to(*label);
                self.now = self.at.get(*label as usize).cloned().flatten();
            }
            Step::If { .. } => self.open.push(Open::If(self.now.clone())),
            Step::Else => {
                if let Some(Open::If(otherwise)) = self.open.last_mut() {
                    std::mem::swap(otherwise, &mut self.now);
                }
            }
            Step::End { label } => {
                self.flow_to(*label);
                if let Some(Open::If(other)) = self.open.pop() {
                    self.now = other;
                    self.flow_to(*label);
                }
                self.now = self.at.get_mut(*label as usize).and_then(Option::take);
            }
            Step::EndLoop => drop(self.open.pop()),
            Step::Branch { label } => {
                self.flow_to(*label);
                self.now = None;
            }
            Step::BranchIf { label, .. } => self.flow_to(*label),
            Step::BranchTable { labels, .. } => {
                for label in self.flat.indices(*labels) {
                    self.flow_to(*label);
                }
                self.now = None;
            }
            Step::Trap => self.now = None,
            _ => {}
        }
    }

    /// What is known now is known at a label too.
    fn flow_to(&mut self, label: Label) {
        let (Some(now), Some(at)) = (&self.now, self.at.get_mut(label as usize)) else { return };
        let new = match at {
            Some(at) => at.join(now),
            None => {
                *at = Some(now.clone());
                true
            }
        };
        self.again |= new && self.flat.is_loop(label);
    }

    fn show(&mut self, place: usize, ins: Part) {
        for operand in self.flat.operands(ins) {
            if let (Operand::Local(local), true) = (*operand, self.is_tainted(*operand)) {
                self.out.push((place, local));
                self.put(local, false);
            }
        }
    }

    fn is_tainted(&self, operand: Operand) -> bool {
        operand.local().is_some_and(|local| {
            matches!(self.flat.type_of(local), ValType::F32 | ValType::F64)
                && self.now.as_ref().is_some_and(|now| now.contains(local))
        })
    }

    fn put(&mut self, local: u32, tainted: bool) {
        self.waiting.put(local, None);
        if let Some(now) = &mut self.now {
            now.put(local, tainted);
        }
    }
}
