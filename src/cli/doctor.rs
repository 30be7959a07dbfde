//! `compup2p doctor`: what this machine has to run native programs behind.

use super::{Done, exit};
use crate::control::{DoctorView, Failure};
use crate::exec::{Executor as _, Native};
use crate::output::Printer;

/// Looks at this machine; no node needs to run.
pub(super) fn run(printer: Printer) -> Done {
    let own = std::env::current_exe().map_err(Failure::from_display("disk"))?;
    let native = Native::new(own).map_err(Failure::from_display("disk"))?;
    let doctor = DoctorView::of(&native.layers(), native.missing());
    printer.doctor(&doctor)?;
    Ok(if doctor.ready { exit::SUCCESS } else { exit::FAILED })
}
