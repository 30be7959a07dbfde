//! The `bank` room.
