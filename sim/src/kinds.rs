//! What an experiment chooses by a name, such as a population or a strategy: one value of everything that can be named. Such
//! a register is itself a value, so that a program or a test can add its own.

use crate::experiment::{Parameter, Setting};

/// Something that can be named in an experiment.
pub trait Named: Copy {
    /// Its name.
    fn name(&self) -> &'static str;

    /// What can be set; keys that no other of its sort has.
    fn parameters(&self) -> Vec<Parameter>;
}

/// Writes [`Named`] for a structure with a field `name`, and a field `parameters` that is a function.
macro_rules! named_by_fields {
    ($kind:ty) => {
        impl $crate::kinds::Named for $kind {
            fn name(&self) -> &'static str {
                self.name
            }

            fn parameters(&self) -> Vec<$crate::experiment::Parameter> {
                (self.parameters)()
            }
        }
    };
}
pub(crate) use named_by_fields;

/// Something of which a key of the experiment names one.
pub trait Chosen: Named + 'static {
    /// The key.
    const KEY: &'static str;
    /// What is chosen by it, in a few words.
    const ABOUT: &'static str;
    /// What is taken where none is named.
    const USUAL: Self;
}

/// Everything of a sort that an experiment can name.
#[derive(Clone, Debug)]
pub struct Kinds<K>(Vec<K>);

impl<K: Named> Kinds<K> {
    pub(crate) const fn new(all: Vec<K>) -> Self {
        Self(all)
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, kind: K) -> Self {
        self.0.push(kind);
        self
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &K> {
        self.0.iter()
    }

    /// The one of this name.
    pub(crate) fn find(&self, name: &str) -> Option<K> {
        self.0.iter().find(|kind| kind.name() == name).copied()
    }
}

impl<K: Chosen> Kinds<K> {
    /// The choice of one, and what can be set in each.
    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        let names = self.0.iter().map(Named::name).collect();
        let choice = Parameter::named(K::KEY, K::USUAL.name(), names, K::ABOUT);
        std::iter::once(choice).chain(self.0.iter().flat_map(Named::parameters)).collect()
    }

    /// The name that a setting chooses.
    pub(crate) fn name(setting: &Setting) -> &str {
        setting.text(&Parameter::named(K::KEY, K::USUAL.name(), Vec::new(), ""))
    }

    /// The one that a setting chooses.
    pub(crate) fn chosen(&self, setting: &Setting) -> K {
        self.find(Self::name(setting)).unwrap_or(K::USUAL)
    }
}
