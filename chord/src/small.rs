//! A map for few entries: one sorted vector, which takes no memory when it is empty.

#[derive(Clone, Debug)]
pub(crate) struct SmallMap<K, V> {
    entries: Vec<(K, V)>,
}

impl<K: Ord + Copy, V> SmallMap<K, V> {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.place(key) {
            Ok(at) => {
                if let Some(entry) = self.entries.get_mut(at) {
                    entry.1 = value;
                }
            }
            Err(at) => self.entries.insert(at, (key, value)),
        }
    }

    pub(crate) fn get(&self, key: K) -> Option<&V> {
        self.entries.get(self.place(key).ok()?).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        let at = self.place(key).ok()?;
        self.entries.get_mut(at).map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, key: K) -> Option<V> {
        let at = self.place(key).ok()?;
        let (_, value) = self.entries.remove(at);
        self.release();
        Some(value)
    }

    /// Takes out all entries that are `wanted`.
    pub(crate) fn take(&mut self, wanted: impl Fn(&V) -> bool) -> Vec<(K, V)> {
        let taken = self.entries.extract_if(.., |(_, value)| wanted(value)).collect();
        self.release();
        taken
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.entries.iter().map(|(key, value)| (*key, value))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (K, &mut V)> {
        self.entries.iter_mut().map(|(key, value)| (*key, value))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.iter().map(|(_, value)| value)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes on the heap, but for what the values own.
    pub(crate) fn footprint(&self) -> usize {
        self.entries.capacity() * size_of::<(K, V)>()
    }

    fn place(&self, key: K) -> Result<usize, usize> {
        self.entries.binary_search_by_key(&key, |(key, _)| *key)
    }

    fn release(&mut self) {
        if self.entries.is_empty() {
            self.entries = Vec::new();
        }
    }
}
