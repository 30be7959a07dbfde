//! The ring as a whole: many cores in a small deterministic world.

#[cfg(test)]
mod churn;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod growth;
#[cfg(test)]
mod hanging;
#[cfg(test)]
mod hosts;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod leaving;
#[cfg(test)]
mod lookups;
#[cfg(test)]
mod manner;
#[cfg(test)]
mod meeting;
#[cfg(test)]
mod model;
#[cfg(test)]
mod newcomers;
#[cfg(test)]
mod options;
#[cfg(test)]
mod original;
#[cfg(test)]
mod script;
#[cfg(test)]
mod totality;
#[cfg(test)]
mod world;
