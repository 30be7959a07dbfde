//! The `chord` room.
