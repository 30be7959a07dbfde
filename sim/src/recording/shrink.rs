//! The smallest run that breaks the same invariant: delta debugging (Zeller and Hildebrandt, TSE 2002) over the schedule
//! of faults, then fewer sub-tasks; the run ends at the first event after which the invariant does not hold, and of
//! all that break it the one with the fewest events is kept.

use super::{Ending, ReadError, Recording};
use crate::mutant::Mutant;

/// A recording that was made smaller.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunk {
    /// The smallest run found.
    pub recording: Recording,
    /// Runs that it took.
    pub runs: u32,
}

struct Search<'a> {
    invariant: String,
    mutant: &'a mut dyn FnMut() -> Box<dyn Mutant>,
    progress: &'a mut dyn FnMut(&Recording),
    best: Recording,
    runs: u32,
}

impl Recording {
    /// The smallest run that breaks the same invariant; `mutant` gives the known bug anew for each run, and `progress` hears
    /// of every smaller run that was found. None if nothing is broken in this one.
    ///
    /// # Errors
    /// As [`Recording::replay`].
    pub fn shrink(
        &self,
        mutant: &mut dyn FnMut() -> Box<dyn Mutant>,
        progress: &mut dyn FnMut(&Self),
    ) -> Result<Option<Shrunk>, ReadError> {
        let (end, _) = self.replay_with(&mut *mutant())?;
        let Some(invariant) = end.broken.clone() else { return Ok(None) };
        let best = Self { end, ..self.clone() };
        let mut search = Search { invariant, mutant, progress, best, runs: 1 };
        search.shrink_faults()?;
        search.shrink_sub_tasks()?;
        // With less to do, fewer faults may be needed.
        search.shrink_faults()?;
        Ok(Some(Shrunk { recording: search.best, runs: search.runs }))
    }
}

impl Search<'_> {
    /// Whether a run breaks the invariant; it is kept if so.
    fn breaks(&mut self, faults: Vec<usize>, sub_tasks: usize) -> Result<bool, ReadError> {
        self.runs += 1;
        let candidate = Recording { faults, sub_tasks, ..self.best.clone() };
        let (end, _): (Ending, _) = candidate.replay_with(&mut *(self.mutant)())?;
        let is_broken = end.broken.as_ref() == Some(&self.invariant);
        if is_broken {
            self.best = Recording { end, ..candidate };
            (self.progress)(&self.best);
        }
        Ok(is_broken)
    }

    /// Leaves out ever smaller parts of the faults, until none can be left out.
    fn shrink_faults(&mut self) -> Result<(), ReadError> {
        let sub_tasks = self.best.sub_tasks;
        let mut part = self.best.faults.len();
        while part > 0 && !self.best.faults.is_empty() {
            let mut from = 0;
            while from < self.best.faults.len() {
                let left_out = from..from.saturating_add(part);
                let kept = (0..).zip(&self.best.faults).filter(|(place, _)| !left_out.contains(place));
                let kept: Vec<usize> = kept.map(|(_, fault)| *fault).collect();
                if !self.breaks(kept, sub_tasks)? {
                    from = left_out.end;
                }
            }
            part /= 2;
        }
        Ok(())
    }

    /// Halves what can still be left out of the sub-tasks.
    fn shrink_sub_tasks(&mut self) -> Result<(), ReadError> {
        let (mut too_few, mut step) = (0, self.best.sub_tasks);
        while step > 0 {
            step = (self.best.sub_tasks - too_few) / 2;
            let fewer = too_few + step;
            if fewer == 0 || fewer >= self.best.sub_tasks {
                break;
            }
            let faults = self.best.faults.clone();
            if !self.breaks(faults, fewer)? {
                too_few = fewer;
            }
        }
        Ok(())
    }
}
