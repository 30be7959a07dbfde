//! The models that experiments can name: one file each, and one line in
//! [`Registry::standard`](crate::experiment::Registry::standard).

mod draws;

pub use draws::Draws;
