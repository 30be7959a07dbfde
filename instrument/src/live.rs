//! Which locals are needed at each place where a function can be suspended.
//!
//! The usual analysis from the end to the start, repeated until the heads of loops no longer change: at most once for
//! each level of nested loops and once more.

use crate::Refused;
use crate::bits::Bits;
use crate::flat::{Callee, Flat, Label, Local, Operand, Part, Step};
use crate::work::Work;
use wasmparser::ValType;

/// What is needed where.
#[derive(Debug, Default)]
pub(crate) struct Live {
    /// For each site the locals to save, ascending.
    pub(crate) sites: Vec<Vec<Local>>,
    /// The locals whose first value (of parameters the argument, of others zero) is needed.
    pub(crate) entry: Vec<Local>,
}

/// Finds what is needed at the sites of a function.
///
/// # Errors
/// If the function is too large, or a reference would have to be saved.
pub(crate) fn live(flat: &Flat<'_>, work: &mut Work) -> Result<Live, Refused> {
    let mut sweep = Sweep {
        flat,
        now: Bits::new(flat.locals.len()),
        at: vec![None; flat.labels as usize],
        open: Vec::new(),
        sites: vec![Vec::new(); flat.sites as usize],
        again: true,
    };
    while sweep.again {
        sweep.again = false;
        sweep.run(work, false)?;
    }
    sweep.run(work, true)?;
    let entry: Vec<Local> = sweep.now.members().collect();
    let parameters = entry.iter().copied().filter(|local| *local < flat.parameters).collect();
    let mut sites = sweep.sites;
    if let Some(site) = sites.first_mut() {
        *site = parameters;
    }
    for site in &sites {
        work.places(site.len() as u64)?;
        if site.iter().any(|local| matches!(flat.type_of(*local), ValType::Ref(_))) {
            return Err(Refused::ReferenceKept(work.function()));
        }
    }
    Ok(Live { sites, entry })
}

/// A block or conditional that is walked through backwards.
struct Open {
    /// What is needed behind it.
    after: Bits,
    /// What is needed at the start of its other part.
    otherwise: Option<Bits>,
}

struct Sweep<'f, 'a> {
    flat: &'f Flat<'a>,
    /// What is needed at this moment.
    now: Bits,
    /// What is needed at labels: of loops kept from sweep to sweep, of the others while they are open.
    at: Vec<Option<Bits>>,
    open: Vec<Open>,
    sites: Vec<Vec<Local>>,
    again: bool,
}

const UNBALANCED: Refused = Refused::Internal("constructs that do not match");

impl Sweep<'_, '_> {
    fn run(&mut self, work: &mut Work, last: bool) -> Result<(), Refused> {
        self.now.clear();
        let words = self.now.words();
        work.words(self.flat.steps.len() as u64)?;
        for step in self.flat.steps.iter().rev() {
            if !matches!(step, Step::Plain { .. } | Step::Move { .. } | Step::Charge(_)) {
                work.words(words.saturating_mul(step.ways()))?;
            }
            self.step(step, last)?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step<'_>, last: bool) -> Result<(), Refused> {
        match step {
            Step::Charge(_) | Step::Canonical { .. } | Step::CanonicalLanes { .. } | Step::EndLoop => {}
            // Between what it needs and this there is no site.
            Step::CanonicalPlaces { .. } => {}
            Step::Plain { ins, out, .. } => {
                out.iter().for_each(|out| self.now.remove(*out));
                self.need_all(*ins);
            }
            Step::Move { from, to } => {
                self.now.remove(*to);
                self.need(*from);
            }
            Step::Call { ins, outs, callee, site, .. } => {
                self.flat.indices(*outs).iter().for_each(|out| self.now.remove(*out));
                if let (Some(site), true) = (site, last) {
                    self.call_site(*site, *ins, *callee);
                }
                self.need_all(*ins);
            }
            Step::End { label } => {
                self.set_label(*label, Some(self.now.clone()));
                self.open.push(Open { after: self.now.clone(), otherwise: None });
            }
            Step::Else => {
                let open = self.open.last_mut().ok_or(UNBALANCED)?;
                open.otherwise = Some(self.now.clone());
                self.now.copy(&open.after);
            }
            Step::If { condition, label, .. } => {
                let open = self.open.pop().ok_or(UNBALANCED)?;
                self.now.join(&open.otherwise.unwrap_or(open.after));
                self.need(*condition);
                self.set_label(*label, None);
            }
            Step::Block { label } => {
                self.open.pop().ok_or(UNBALANCED)?;
                self.set_label(*label, None);
            }
            Step::Loop { label, site, .. } => self.head(*label, *site, last),
            Step::Branch { .. } | Step::BranchIf { .. } | Step::BranchTable { .. } => self.branch(step),
            Step::Return { values } => {
                self.now.clear();
                self.need_all(*values);
            }
            Step::Trap => self.now.clear(),
        }
        Ok(())
    }

    fn branch(&mut self, step: &Step<'_>) {
        match step {
            Step::BranchIf { condition, label } => {
                self.join_label(*label);
                self.need(*condition);
            }
            Step::Branch { label } => {
                self.now.clear();
                self.join_label(*label);
            }
            Step::BranchTable { index, labels } => {
                self.now.clear();
                for label in self.flat.indices(*labels) {
                    self.join_label(*label);
                }
                self.need(*index);
            }
            _ => {}
        }
    }

    /// The head of a loop is reached from its end.
    fn head(&mut self, label: Label, site: u32, last: bool) {
        let Some(head) = self.at.get_mut(label as usize) else { return };
        match head {
            Some(head) => self.again |= head.join(&self.now),
            None => {
                *head = Some(self.now.clone());
                self.again = true;
            }
        }
        if last && let Some(site) = self.sites.get_mut(site as usize) {
            *site = self.now.members().collect();
        }
    }

    /// Suspended in a call, a function needs what it needs afterwards, and what it takes to call once more.
    fn call_site(&mut self, site: u32, ins: Part, callee: Callee) {
        let mut needed = self.now.clone();
        let ins = self.flat.operands(ins);
        let again = match callee {
            Callee::Own => &[],
            Callee::Host => ins,
            Callee::Indirect => ins.last().map(std::slice::from_ref).unwrap_or_default(),
        };
        again.iter().filter_map(|operand| operand.local()).for_each(|local| needed.insert(local));
        if let Some(site) = self.sites.get_mut(site as usize) {
            *site = needed.members().collect();
        }
    }

    fn need(&mut self, operand: Operand) {
        if let Operand::Local(local) = operand {
            self.now.insert(local);
        }
    }

    fn need_all(&mut self, part: Part) {
        for operand in self.flat.operands(part) {
            if let Operand::Local(local) = operand {
                self.now.insert(*local);
            }
        }
    }

    fn join_label(&mut self, label: Label) {
        if let Some(Some(there)) = self.at.get(label as usize) {
            self.now.join(there);
        }
    }

    fn set_label(&mut self, label: Label, needed: Option<Bits>) {
        if let Some(at) = self.at.get_mut(label as usize) {
            *at = needed;
        }
    }
}
