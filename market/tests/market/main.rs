//! The market from outside: prices, papers, the owner's manners, and a small world with faults.

#[cfg(test)]
mod batch;
#[cfg(test)]
mod buyer;
#[cfg(test)]
mod estate;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod inheritance;
#[cfg(test)]
mod overlay;
#[cfg(test)]
mod owner;
#[cfg(test)]
mod papers;
#[cfg(test)]
mod pricing;
#[cfg(test)]
mod rebuild;
#[cfg(test)]
mod sales;
#[cfg(test)]
mod seller;
#[cfg(test)]
mod storage;
#[cfg(test)]
mod survey;
#[cfg(test)]
mod tickets;
#[cfg(test)]
mod totality;
#[cfg(test)]
mod trust;
#[cfg(test)]
mod world;
