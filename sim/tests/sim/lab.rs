//! Experiments as files: what is read, what is refused, and what comes out.

mod adding;
mod files;
mod models;
mod reading;
mod results;
mod running;
mod shipped;
