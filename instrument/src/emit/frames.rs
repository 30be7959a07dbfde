//! Saving a frame, and taking it up again.
//!
//! A frame is the values of the locals that are needed at the site where the function was left, in ascending order
//! without gaps, and then the number of the site (32 bits). The frame of a caller lies above those of its callees, so
//! that the topmost is always the next to be taken up.

use super::{Emit, Hint, Source, Target, in_frame};
use crate::Refused;
use crate::flat::{Callee, Local, Site, index};
use crate::layout::{NORMAL, REWINDING, TOO_DEEP};
use crate::regions::{Call, Event, Region};
use wasm_encoder::{BlockType, Instruction as I};
use wasmparser::ValType;

/// Bytes of the number of a site.
const SITE_SIZE: u64 = 4;

/// What the engine needs for a frame beyond the values in it, in bytes.
const OVERHEAD: u64 = 64;

/// A frame counts twice what is saved of it: the engine keeps other values beside those.
const SPILLS: u64 = 2;

/// Bytes of a value in a frame.
fn size(ty: ValType) -> u64 {
    match ty {
        ValType::V128 => 16,
        ValType::I64 | ValType::F64 => 8,
        ValType::I32 | ValType::F32 | ValType::Ref(_) => 4,
    }
}

impl<'f> Emit<'f, '_> {
    /// Opens the blocks that close within a region, the last outermost.
    pub(super) fn open_region(&mut self, head: Site) {
        let regions = self.source.regions;
        let Some(region) = regions.at(head) else { return };
        for event in region.events.iter().rev() {
            let target = match event {
                Event::Label(label) => Target::Label(*label),
                Event::Call(Call { site, .. }) | Event::Loop(site, _) => Target::Site(*site),
            };
            self.open(target, &I::Block(BlockType::Empty));
        }
    }

    /// At the head of a region: charges for it, and if the meter gets below zero, saves the frame or goes where one is
    /// taken up. The meter is compared with the charge before that is taken off, which engines do in one instruction.
    pub(super) fn look(&mut self, head: Site) -> Result<(), Refused> {
        let regions = self.source.regions;
        let region = regions.at(head).ok_or(Refused::Internal("a site without a region"))?;
        let cost = self.turn_cost(head);
        if self.is_innermost(head) {
            self.stop_if_less(head, cost);
        } else {
            self.if_less(cost);
            self.put_all(&[I::GlobalGet(self.source.indices.state), I::I32Const(REWINDING), I::I32Ne]);
            self.open_unlikely();
            self.charge(cost);
            self.save(head);
            self.close();
            self.take_up(region)?;
            self.close();
        }
        self.charge(cost);
        Ok(())
    }

    /// Whether a site is the head of a loop without sites in it: it calls nobody that can be suspended, and is only ever
    /// entered by its head.
    pub(super) fn is_innermost(&self, head: Site) -> bool {
        head != 0 && self.source.regions.at(head).is_some_and(|region| region.first == region.last)
    }

    /// Opens what is done if less is left than so many cycles.
    pub(super) fn if_less(&mut self, cycles: i64) {
        self.put_all(&[I::LocalGet(self.meter), I::I64Const(cycles), I::I64LtS]);
        self.open_unlikely();
    }

    /// At the head of an innermost loop: saves the frame if less is left than what it charges.
    pub(super) fn stop_if_less(&mut self, head: Site, cost: i64) {
        self.if_less(cost);
        self.charge(cost);
        self.save(head);
        self.close();
    }

    /// Leads to the site of the topmost frame. At the entry of the function that may be the entry itself: then it goes
    /// on behind this.
    fn take_up(&mut self, region: &Region) -> Result<(), Refused> {
        // For each site of the region the way to it; 0 is its head.
        let mut table = vec![0];
        let mut ways = Vec::new();
        for event in &region.events {
            match *event {
                Event::Label(_) => {}
                Event::Call(call) => {
                    ways.push(Way::Call(call));
                    table.push(index(ways.len()));
                }
                Event::Loop(first, last) => {
                    ways.push(Way::Head(first));
                    table.push(index(ways.len()));
                    if last > first {
                        ways.push(Way::Into(first));
                        table.extend((first..last).map(|_| index(ways.len())));
                    }
                }
            }
        }
        let count = index(ways.len());
        for _ in 0..=count {
            self.open_plain(&I::Block(BlockType::Empty));
        }
        // A branch that is never taken, and marked so, for each of the blocks: it makes what follows them unlikely too.
        for distance in 0..=count {
            self.put(&I::I32Const(0));
            self.hint(Hint::Unlikely);
            self.put(&I::BrIf(distance));
        }
        self.put_all(&[I::GlobalGet(self.source.indices.top), I::I32Const(4), I::I32Sub]);
        self.put(&I::I32Load(in_frame(self.source.indices.stack, 0)));
        self.put_all(&[I::I32Const(region.first.cast_signed()), I::I32Sub]);
        // The innermost block is the way to the last entry; the outermost the way to the head.
        let table: Vec<u32> = table.into_iter().map(|way| count - way).collect();
        self.put(&I::BrTable(table.into(), count));
        for way in ways.iter().rev() {
            self.close();
            self.follow(*way)?;
        }
        self.close();
        if region.first == 0 {
            self.load(0);
            self.go_on(self.turn_cost(0));
        } else {
            // The head of a loop is a site of the region around it.
            self.put(&I::Unreachable);
        }
        Ok(())
    }

    fn follow(&mut self, way: Way) -> Result<(), Refused> {
        let site = match way {
            Way::Into(site) => site,
            Way::Head(site) => {
                self.load(site);
                self.go_on(self.turn_cost(site));
                site
            }
            Way::Call(call) => {
                self.load(call.site);
                match call.callee {
                    Callee::Host => self.go_on(0),
                    Callee::Own | Callee::Indirect => self.clear_arguments(call)?,
                }
                call.site
            }
        };
        self.branch(Target::Site(site));
        Ok(())
    }

    /// What the head of a region charges.
    pub(super) fn turn_cost(&self, head: Site) -> i64 {
        self.turns.get(head as usize).copied().unwrap_or(0)
    }

    /// A call that is made again with arguments that nobody looks at: zeros, so that they need not be kept.
    fn clear_arguments(&mut self, call: Call) -> Result<(), Refused> {
        let flat = self.source.flat;
        let arguments: Vec<Local> =
            flat.operands(call.ins).iter().filter_map(|operand| operand.local()).collect();
        for local in arguments {
            if self.needed(call.site).binary_search(&local).is_err() {
                self.zero(flat.type_of(local))?;
                self.put(&I::LocalSet(local));
            }
        }
        Ok(())
    }

    /// The program runs again, with the budget that it was given for that, and with what the head to which it goes will
    /// charge a second time.
    fn go_on(&mut self, again: i64) {
        self.set_state(NORMAL);
        let indices = self.source.indices;
        self.put_all(&[I::GlobalGet(indices.next), I::LocalTee(self.meter), I::GlobalSet(indices.meter)]);
        self.charge(-again);
    }

    /// Saves the frame and goes to the end of the function.
    pub(super) fn save(&mut self, site: Site) {
        let (memory, top) = (self.source.indices.stack, self.source.indices.top);
        self.store_meter();
        self.put_all(&[I::GlobalGet(top), I::LocalSet(self.address)]);
        let mut offset = 0;
        for local in self.needed(site) {
            let ty = self.source.flat.type_of(*local);
            self.put_all(&[I::LocalGet(self.address), I::LocalGet(*local)]);
            let place = in_frame(memory, offset);
            self.put(&match ty {
                ValType::I64 => I::I64Store(place),
                ValType::F32 => I::F32Store(place),
                ValType::F64 => I::F64Store(place),
                ValType::V128 => I::V128Store(place),
                ValType::I32 | ValType::Ref(_) => I::I32Store(place),
            });
            offset += size(ty);
        }
        self.put_all(&[I::LocalGet(self.address), I::I32Const(site.cast_signed())]);
        self.put(&I::I32Store(in_frame(memory, offset)));
        let bytes = i32::try_from(offset + SITE_SIZE).unwrap_or(i32::MAX);
        self.put_all(&[I::LocalGet(self.address), I::I32Const(bytes), I::I32Add, I::GlobalSet(top)]);
        self.branch(Target::Leave);
    }

    /// Takes the topmost frame, which is of this site.
    fn load(&mut self, site: Site) {
        let (memory, top) = (self.source.indices.stack, self.source.indices.top);
        let bytes = i32::try_from(self.source.frame_size(site)).unwrap_or(i32::MAX);
        self.put_all(&[
            I::GlobalGet(top),
            I::I32Const(bytes),
            I::I32Sub,
            I::LocalTee(self.address),
            I::GlobalSet(top),
        ]);
        let mut offset = 0;
        for local in self.needed(site) {
            let ty = self.source.flat.type_of(*local);
            self.put(&I::LocalGet(self.address));
            let place = in_frame(memory, offset);
            self.put(&match ty {
                ValType::I64 => I::I64Load(place),
                ValType::F32 => I::F32Load(place),
                ValType::F64 => I::F64Load(place),
                ValType::V128 => I::V128Load(place),
                ValType::I32 | ValType::Ref(_) => I::I32Load(place),
            });
            self.put(&I::LocalSet(*local));
            offset += size(ty);
        }
    }

    fn needed(&self, site: Site) -> &'f [Local] {
        self.source.needed(site)
    }

    /// At the entry: counts the frame, and ends the program if that is too much.
    pub(super) fn count_frame(&mut self) {
        let (indices, weight) = (self.source.indices, self.weight);
        self.put_all(&[
            I::GlobalGet(indices.depth),
            I::I32Const(weight),
            I::I32Add,
            I::LocalTee(self.address),
        ]);
        self.put_all(&[I::GlobalSet(indices.depth), I::LocalGet(self.address)]);
        self.put_all(&[I::I32Const(indices.deepest.cast_signed()), I::I32GtU]);
        self.open_unlikely();
        self.store_meter();
        self.set_state(TOO_DEEP);
        self.put(&I::Unreachable);
        self.close();
    }

    /// At a return: the frame is gone.
    pub(super) fn uncount_frame(&mut self) {
        let (indices, weight) = (self.source.indices, self.weight);
        self.put_all(&[
            I::GlobalGet(indices.depth),
            I::I32Const(weight),
            I::I32Sub,
            I::GlobalSet(indices.depth),
        ]);
    }

    /// The end of the function, its frame being saved. If it was this function that found the budget used up, the
    /// host is asked, and on its word the frame is taken up at once. The first values are zero, so that nothing has
    /// to be carried from here to the start.
    pub(super) fn leave(&mut self) -> Result<(), Refused> {
        self.put(&I::Call(self.source.indices.ask));
        self.open_plain(&I::If(BlockType::Empty));
        let (live, flat) = (self.source.live, self.source.flat);
        for local in &live.entry {
            self.zero(flat.type_of(*local))?;
            self.put(&I::LocalSet(*local));
        }
        self.branch(Target::Again);
        self.close();
        for ty in &flat.results {
            self.zero(*ty)?;
        }
        self.put(&I::Return);
        Ok(())
    }
}

impl<'f> Source<'f, '_> {
    /// The locals that are saved at a site.
    fn needed(&self, site: Site) -> &'f [Local] {
        self.live.sites.get(site as usize).map(Vec::as_slice).unwrap_or_default()
    }

    /// Bytes of a frame that is saved there.
    fn frame_size(&self, site: Site) -> u64 {
        let values: u64 = self.needed(site).iter().map(|local| size(self.flat.type_of(*local))).sum();
        values + SITE_SIZE
    }

    /// What a frame of this function counts.
    pub(super) fn weight(&self) -> i32 {
        let largest = (0..self.flat.sites).map(|site| self.frame_size(site)).max().unwrap_or(0);
        i32::try_from(largest.saturating_mul(SPILLS).saturating_add(OVERHEAD)).unwrap_or(i32::MAX)
    }
}

/// A way to a site from the head of its region.
#[derive(Clone, Copy)]
enum Way {
    /// To a call.
    Call(Call),
    /// To the head of a loop.
    Head(Site),
    /// Into a loop, which has a table of its own.
    Into(Site),
}
