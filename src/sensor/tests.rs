//! The sensors on machines of files.

mod bus;
mod files;
mod whole;
