//! Numbers for the names of operating systems and architectures, so that a search compares numbers.

use proto::message::market::Platform;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The lowest bit of a platform's word: native programs are run.
const NATIVE: u64 = 1;
/// The bits of a name's number.
const NAME_BITS: u32 = 18;
const NAME: u64 = (1 << NAME_BITS) - 1;
const ARCH_AT: u32 = 1;
pub(crate) const OS_AT: u32 = ARCH_AT + NAME_BITS;
/// The bits of a platform's word.
pub(crate) const WORD_BITS: u32 = OS_AT + NAME_BITS;
/// Listings that can have a name each for system and architecture.
pub(crate) const MAX_NAMED: usize = 1 << (NAME_BITS - 1);

/// The names in the books, each with a number while a listing has it.
#[derive(Debug, Default)]
pub(crate) struct Names {
    numbers: BTreeMap<Arc<str>, u32>,
    /// By number; one that nobody has any more stays until it is given again.
    named: Vec<Named>,
    /// Numbers that nobody has any more.
    idle: Vec<u32>,
}

#[derive(Debug)]
struct Named {
    name: Arc<str>,
    listings: u32,
}

/// What a platform's word has to be where the mask has a bit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) word: u64,
    pub(crate) mask: u64,
}

impl Names {
    /// Counts one more listing with `platform`; its word.
    pub(crate) fn enter(&mut self, platform: &Platform) -> u64 {
        word(self.enter_name(&platform.os), self.enter_name(&platform.arch), platform.native)
    }

    /// Counts one listing with `platform` less.
    pub(crate) fn leave(&mut self, platform: &Platform) {
        for name in [&platform.os, &platform.arch] {
            let Some(number) = self.number(name) else { continue };
            let Some(named) = self.named.get_mut(number as usize) else { continue };
            named.listings = named.listings.saturating_sub(1);
            if named.listings == 0 {
                self.idle.push(number);
                self.numbers.remove(name.as_str());
            }
        }
    }

    /// The platform with this word, as far as it is in it.
    pub(crate) fn platform(&self, word: u64) -> Option<Platform> {
        let name = |at: u32| {
            let number = usize::try_from((word >> at) & NAME).ok()?;
            Some(self.named.get(number)?.name.as_ref().to_owned())
        };
        Some(Platform {
            os: name(OS_AT)?,
            arch: name(ARCH_AT)?,
            native: word & NATIVE != 0,
            ..Platform::default()
        })
    }

    /// The word of a platform whose names are known.
    pub(crate) fn word(&self, platform: &Platform) -> Option<u64> {
        Some(word(self.number(&platform.os)?, self.number(&platform.arch)?, platform.native))
    }

    /// What to look for; `None` if no listing has such a name. An empty name stands for any.
    pub(crate) fn wanted(&self, os: &str, arch: &str, native: bool) -> Option<Wanted> {
        let mut wanted = Wanted::default();
        for (name, at) in [(os, OS_AT), (arch, ARCH_AT)] {
            if !name.is_empty() {
                wanted.word |= u64::from(self.number(name)?) << at;
                wanted.mask |= NAME << at;
            }
        }
        if native {
            wanted.word |= NATIVE;
            wanted.mask |= NATIVE;
        }
        Some(wanted)
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    fn enter_name(&mut self, name: &str) -> u32 {
        if let Some(number) = self.number(name) {
            if let Some(named) = self.named.get_mut(number as usize) {
                named.listings = named.listings.saturating_add(1);
            }
            return number;
        }
        let named = Named { name: name.into(), listings: 1 };
        // With none idle, the numbers given are 0 up to how many there are.
        let next = u32::try_from(self.named.len()).unwrap_or(u32::MAX);
        let number = self.idle.pop().unwrap_or(next);
        self.numbers.insert(Arc::clone(&named.name), number);
        match self.named.get_mut(number as usize) {
            Some(place) => *place = named,
            None => self.named.push(named),
        }
        number
    }
}

fn word(os: u32, arch: u32, native: bool) -> u64 {
    (u64::from(os) << OS_AT) | (u64::from(arch) << ARCH_AT) | u64::from(native)
}
