//! How a function can be entered again in its middle.
//!
//! WebAssembly has no jumps into blocks. So every block that contains a site starts further out: at the start of the
//! body of the loop that it is in, or of the function (its *region*). There a table of branches, which only a function
//! that is being taken up again ever reaches, leads to the end of a block that closes just before the site. A site
//! inside a further loop is reached through the head of that loop, which has a table of its own.

use crate::Refused;
use crate::flat::{Callee, Flat, Label, Part, Site, Step};
use crate::work::Work;

/// Something that closes in a region, in the order in which it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A block of the program, or a part of a conditional, whose label this is.
    Label(Label),
    /// The block that ends before a call.
    Call(Call),
    /// The block that ends before a loop, whose sites are from the first to the last of these.
    Loop(Site, Site),
}

/// A call that can be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) site: Site,
    /// What it takes.
    pub(crate) ins: Part,
    pub(crate) callee: Callee,
}

/// The body of a loop without the loops in it, or of the function.
#[derive(Clone, Debug, Default)]
pub(crate) struct Region {
    /// Its own site.
    pub(crate) first: Site,
    /// The last site in it or in a loop in it.
    pub(crate) last: Site,
    /// What closes in it.
    pub(crate) events: Vec<Event>,
}

/// The regions of a function.
#[derive(Clone, Debug, Default)]
pub(crate) struct Regions {
    /// By the site of its head; empty for sites that are calls.
    regions: Vec<Region>,
    /// For each label whether its block starts where its region does.
    wide: Vec<bool>,
}

impl Regions {
    /// The region at whose head a site is.
    pub(crate) fn at(&self, site: Site) -> Option<&Region> {
        self.regions.get(site as usize)
    }

    /// Whether the block of a label starts where its region does.
    pub(crate) fn is_wide(&self, label: Label) -> bool {
        self.wide.get(label as usize) == Some(&true)
    }
}

/// A construct that is open, with the count of sites at its start.
enum Open {
    Block(Site),
    If(Site, Label, bool),
    Loop(Site),
}

/// Finds the regions of a function that can be suspended.
///
/// # Errors
/// If loops are nested so deeply that the tables would be too large.
pub(crate) fn regions(flat: &Flat<'_>, work: &mut Work) -> Result<Regions, Refused> {
    let mut regions = Regions {
        regions: vec![Region::default(); flat.sites as usize],
        wide: vec![false; flat.labels as usize],
    };
    let (mut open, mut heads, mut next) = (Vec::new(), vec![0], 1);
    for step in &flat.steps {
        let head = heads.last().copied().unwrap_or(0);
        match step {
            Step::Call { site: Some(site), ins, callee, .. } => {
                regions.push(head, Event::Call(Call { site: *site, ins: *ins, callee: *callee }));
                next = site + 1;
            }
            Step::Loop { site, .. } => {
                open.push(Open::Loop(*site));
                heads.push(*site);
                next = site + 1;
            }
            Step::EndLoop => {
                heads.pop();
                if let Some(Open::Loop(site)) = open.pop() {
                    regions.close(site, next - 1);
                    regions.push(heads.last().copied().unwrap_or(0), Event::Loop(site, next - 1));
                    work.places(u64::from(next - site))?;
                }
            }
            Step::Block { .. } => open.push(Open::Block(next)),
            Step::If { els, .. } => open.push(Open::If(next, *els, false)),
            Step::Else => {
                if let Some(Open::If(_, els, seen)) = open.last_mut() {
                    *seen = true;
                    regions.push(head, Event::Label(*els));
                }
            }
            Step::End { label } => regions.end(open.pop(), *label, head, next),
            _ => {}
        }
    }
    regions.close(0, next - 1);
    work.places(u64::from(next))?;
    Ok(regions)
}

impl Regions {
    fn push(&mut self, head: Site, event: Event) {
        if let Some(region) = self.regions.get_mut(head as usize) {
            region.events.push(event);
        }
    }

    fn close(&mut self, head: Site, last: Site) {
        if let Some(region) = self.regions.get_mut(head as usize) {
            (region.first, region.last) = (head, last);
        }
    }

    /// A block or conditional closes, which is wide if there was a site in it.
    fn end(&mut self, open: Option<Open>, label: Label, head: Site, next: Site) {
        let (start, els) = match open {
            Some(Open::Block(start)) => (start, None),
            Some(Open::If(start, els, seen)) => (start, Some((els, seen))),
            _ => return,
        };
        let wide = start != next;
        match els {
            Some((els, false)) if wide => self.push(head, Event::Label(els)),
            Some((_, true)) if !wide => {
                // Nothing else can have been added since: the event of `Else` was the last.
                if let Some(region) = self.regions.get_mut(head as usize) {
                    region.events.pop();
                }
            }
            _ => {}
        }
        if wide {
            self.push(head, Event::Label(label));
            if let Some(wide) = self.wide.get_mut(label as usize) {
                *wide = true;
            }
        }
    }
}
