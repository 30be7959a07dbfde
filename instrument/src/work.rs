//! How much may be done for one module, so that no module takes long.

use crate::Refused;

/// Words of sets that the analyses of one module may touch; a few seconds.
const WORDS: u64 = 1 << 32;

/// Values that may be saved at all places of one function together, and entries of its tables of places.
const PLACES: u64 = 1 << 20;

/// What is left to be done for a module.
#[derive(Debug)]
pub(crate) struct Work {
    function: u32,
    words: u64,
    places: u64,
}

impl Work {
    /// For a module.
    pub(crate) fn new() -> Self {
        Self { function: 0, words: WORDS, places: PLACES }
    }

    /// The next function begins.
    pub(crate) fn begin(&mut self, function: u32) {
        self.function = function;
        self.places = PLACES;
    }

    /// The function being worked on.
    pub(crate) fn function(&self) -> u32 {
        self.function
    }

    /// Counts words of sets.
    ///
    /// # Errors
    /// If there were too many.
    pub(crate) fn words(&mut self, words: u64) -> Result<(), Refused> {
        self.words =
            self.words.checked_sub(words).ok_or_else(|| self.refused("the steps to analyse it", WORDS))?;
        Ok(())
    }

    /// Counts values that are saved, or entries of tables of places.
    ///
    /// # Errors
    /// If there were too many in this function.
    pub(crate) fn places(&mut self, places: u64) -> Result<(), Refused> {
        self.places = self
            .places
            .checked_sub(places)
            .ok_or_else(|| self.refused("the values to save at all its places", PLACES))?;
        Ok(())
    }

    fn refused(&self, what: &'static str, limit: u64) -> Refused {
        Refused::FunctionTooLarge { function: self.function, what, limit }
    }
}
