//! The `market` room.
