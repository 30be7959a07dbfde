//! Experiments as files: what is read, what is refused, and what comes out.

#![cfg(test)]

#[path = "lab/adding.rs"]
mod adding;
#[path = "lab/files.rs"]
mod files;
#[path = "lab/models.rs"]
mod models;
#[path = "lab/reading.rs"]
mod reading;
#[path = "lab/results.rs"]
mod results;
#[path = "lab/running.rs"]
mod running;
#[path = "lab/shipped.rs"]
mod shipped;
