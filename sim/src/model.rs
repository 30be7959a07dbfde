//! The models that experiments can name: one file each, and one line in
//! [`Registry::standard`](crate::experiment::Registry::standard).

mod capture;
mod churned;
mod draws;
mod nodes;
mod placement;

pub use capture::Capture;
pub use churned::Churned;
pub use draws::Draws;
pub use nodes::WholeNodes;
pub use placement::Placements;
