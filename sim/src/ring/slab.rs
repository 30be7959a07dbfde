//! Values by small numbers that are used again.

#[derive(Debug)]
pub(crate) struct Slab<T> {
    values: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self { values: Vec::new(), free: Vec::new() }
    }

    /// Keeps a value; its number.
    pub(crate) fn keep(&mut self, value: T) -> u32 {
        if let Some(number) = self.free.pop() {
            if let Some(place) = self.values.get_mut(index(number)) {
                *place = Some(value);
            }
            return number;
        }
        self.values.push(Some(value));
        u32::try_from(self.values.len() - 1).unwrap_or(u32::MAX)
    }

    /// Takes a value out.
    pub(crate) fn take(&mut self, number: u32) -> Option<T> {
        let value = self.values.get_mut(index(number))?.take();
        if value.is_some() {
            self.free.push(number);
        }
        value
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.values.get(index(number))?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.values.get_mut(index(number))?.as_mut()
    }
}

/// A number as an index.
pub(crate) const fn index(number: u32) -> usize {
    number as usize
}
