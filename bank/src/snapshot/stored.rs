//! How single values are written into a snapshot: numbers little-endian, one value behind the other, lists with their
//! length before them. Every value has one encoding.

use proto::message::bank::{How, Shares};
use proto::{CommandId, Cycles, Hash, Money, PublicKey, Rate, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Why bytes are no value.
pub(crate) type Broken = &'static str;

/// A value with a place in a snapshot.
pub(crate) trait Stored: Sized {
    /// Writes it.
    fn put(&self, out: &mut Vec<u8>);

    /// Reads it.
    fn take(from: &mut Source<'_>) -> Result<Self, Broken>;
}

/// What is left to read.
#[derive(Debug)]
pub(crate) struct Source<'a>(pub(crate) &'a [u8]);

/// Writes [`Stored`] for a structure, field by field: a new field is one more name.
macro_rules! stored {
    ($type:ty { $($field:ident),* $(,)? }) => {
        impl $crate::snapshot::Stored for $type {
            fn put(&self, out: &mut Vec<u8>) {
                $($crate::snapshot::Stored::put(&self.$field, out);)*
            }

            fn take(from: &mut $crate::snapshot::Source<'_>) -> Result<Self, $crate::snapshot::Broken> {
                Ok(Self { $($field: $crate::snapshot::Stored::take(from)?),* })
            }
        }
    };
}
pub(crate) use stored;

impl Source<'_> {
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or("it ends too early")?;
        self.0 = tail;
        Ok(*head)
    }

    /// The values of a list, one after the other.
    pub(crate) fn list<T: Stored>(
        &mut self,
        mut each: impl FnMut(T) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        let count = u64::take(self)?;
        (0..count).try_for_each(|_| each(T::take(self)?))
    }
}

/// Writes a list.
pub(crate) fn put_list<T: Stored>(out: &mut Vec<u8>, count: usize, values: impl Iterator<Item = T>) {
    u64::try_from(count).unwrap_or(u64::MAX).put(out);
    values.for_each(|value| value.put(out));
}

impl<const N: usize> Stored for [u8; N] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, Broken> {
        from.bytes()
    }
}

macro_rules! numbers {
    ($($type:ident),*) => {$(
        impl Stored for $type {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn take(from: &mut Source<'_>) -> Result<Self, Broken> {
                from.bytes().map(Self::from_le_bytes)
            }
        }
    )*};
}
numbers!(u8, u32, u64);

macro_rules! wrapped {
    ($($type:ident),*) => {$(
        impl Stored for $type {
            fn put(&self, out: &mut Vec<u8>) {
                self.0.put(out);
            }

            fn take(from: &mut Source<'_>) -> Result<Self, Broken> {
                Stored::take(from).map(Self)
            }
        }
    )*};
}
wrapped!(Money, Rate, Cycles, Time, PublicKey, CommandId, Hash);

impl Stored for bool {
    fn put(&self, out: &mut Vec<u8>) {
        u8::from(*self).put(out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, Broken> {
        match u8::take(from)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err("neither yes nor no"),
        }
    }
}

impl<T: Stored> Stored for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        u64::try_from(self.len()).unwrap_or(u64::MAX).put(out);
        self.iter().for_each(|value| value.put(out));
    }

    fn take(from: &mut Source<'_>) -> Result<Self, Broken> {
        let mut values = Self::new();
        from.list(|value| {
            values.push(value);
            Ok(())
        })?;
        Ok(values)
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, Broken> {
        Ok((A::take(from)?, B::take(from)?))
    }
}

impl<T: Stored> Stored for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, Broken> {
        T::take(from).map(Self::new)
    }
}

impl<T: Stored + Copy + Default, const N: usize> Stored for Parts<T, N> {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.iter().for_each(|part| part.put(out));
    }

    fn take(from: &mut Source<'_>) -> Result<Self, Broken> {
        let mut parts = [T::default(); N];
        parts.iter_mut().try_for_each(|part| T::take(from).map(|read| *part = read))?;
        Ok(Self(parts))
    }
}

/// A few values of the same type.
pub(crate) struct Parts<T, const N: usize>(pub(crate) [T; N]);

impl<K: Stored + Ord, V: Stored> Stored for BTreeMap<K, V> {
    fn put(&self, out: &mut Vec<u8>) {
        u64::try_from(self.len()).unwrap_or(u64::MAX).put(out);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }

    fn take(from: &mut Source<'_>) -> Result<Self, Broken> {
        let mut map = Self::new();
        from.list(|(key, value): (K, V)| {
            map.insert(key, value);
            Ok(())
        })?;
        Ok(map)
    }
}

impl<K: Stored + Ord> Stored for BTreeSet<K> {
    fn put(&self, out: &mut Vec<u8>) {
        u64::try_from(self.len()).unwrap_or(u64::MAX).put(out);
        self.iter().for_each(|key| key.put(out));
    }

    fn take(from: &mut Source<'_>) -> Result<Self, Broken> {
        let mut set = Self::new();
        from.list(|key: K| {
            set.insert(key);
            Ok(())
        })?;
        Ok(set)
    }
}

impl Stored for How {
    fn put(&self, out: &mut Vec<u8>) {
        self.number().put(out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, Broken> {
        Self::from_number(u32::take(from)?).ok_or("an end of a hold that is none")
    }
}

stored!(Shares { buyer_held, seller_held, buyer, seller, owner, arbiter, pool });
