//! Where the bits of a NaN that was computed could be seen, it is made the canonical one.
//!
//! Which NaN an arithmetic instruction yields is up to the machine (WebAssembly core specification 2.0, §4.3.3). No
//! program can tell as long as it only computes and compares. So values that arithmetic may have produced are
//! followed, and made canonical before their bits get out: into memory, a global, a call, a result, an integer, a
//! vector, or an instruction that works on the sign. A vector is made canonical at once.

use crate::Refused;
use crate::bits::Bits;
use crate::flat::{Flat, Label, Lanes, Operand, Part, Step};
use crate::work::Work;
use wasmparser::{Operator, ValType};

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
    let steps = {
        let mut sweep = Sweep {
            flat,
            now: Some(Bits::new(flat.locals.len())),
            at: vec![None; flat.labels as usize],
            open: Vec::new(),
            out: Vec::new(),
            again: true,
        };
        while sweep.again {
            sweep.again = false;
            sweep.run(work)?;
        }
        sweep.out
    };
    let old = std::mem::take(&mut flat.steps);
    let mut marks = steps.into_iter().peekable();
    for (place, step) in old.into_iter().enumerate() {
        while let Some((_, local)) = marks.next_if(|(mark, _)| *mark == place) {
            flat.steps.push(Step::Canonical { local });
        }
        flat.steps.push(step);
    }
    Ok(())
}

/// A construct that is open.
enum Open {
    /// A block or a loop.
    Plain,
    /// A conditional, with what is known where its other part begins, or where it ends if it has none.
    If(Option<Bits>),
}

/// One walk over the code with the set of the locals that may hold a computed NaN; none where it cannot be reached.
struct Sweep<'f, 'a> {
    flat: &'f Flat<'a>,
    now: Option<Bits>,
    /// The same at labels: of loops kept from walk to walk, of the others while they are open.
    at: Vec<Option<Bits>>,
    open: Vec<Open>,
    /// The locals to make canonical, each before which step.
    out: Vec<(usize, u32)>,
    again: bool,
}

impl Sweep<'_, '_> {
    fn run(&mut self, work: &mut Work) -> Result<(), Refused> {
        self.now = Some(Bits::new(self.flat.locals.len()));
        self.out.clear();
        let words = self.flat.locals.len() as u64 / 64 + 1;
        work.words(self.flat.steps.len() as u64)?;
        for (place, step) in self.flat.steps.iter().enumerate() {
            if !matches!(step, Step::Plain { .. } | Step::Move { .. } | Step::Charge(_)) {
                work.words(words)?;
            }
            match step {
                Step::Plain { operator, ins, out } => self.plain(place, operator, *ins, *out),
                Step::Move { from, to } => {
                    let tainted = self.is_tainted(*from);
                    self.put(*to, tainted);
                }
                Step::Call { ins, outs, .. } => {
                    self.show(place, *ins);
                    self.flat.indices(*outs).iter().for_each(|out| self.put(*out, false));
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
        let tainted = match float(operator) {
            Float::Computes => true,
            Float::Blind => false,
            Float::HandsOn => self.flat.operands(ins).iter().any(|operand| self.is_tainted(*operand)),
            Float::Shows => {
                self.show(place, ins);
                false
            }
        };
        out.iter().for_each(|out| self.put(*out, tainted));
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
        if let Some(now) = &mut self.now {
            now.put(local, tainted);
        }
    }
}
