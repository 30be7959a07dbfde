//! What this machine has to offer: its idle cores, memory and disk, the speed of a core, and its kind.

pub(crate) mod calibration;
pub(crate) mod load;

/// The kind of a machine, as programs for one platform ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Platform {
    /// `linux`, `macos`, `windows` …
    pub(crate) os: &'static str,
    /// `x86_64`, `aarch64` …
    pub(crate) arch: &'static str,
}

/// This machine's kind.
pub(crate) const PLATFORM: Platform = Platform { os: std::env::consts::OS, arch: std::env::consts::ARCH };

/// Why the machine cannot be looked at.
#[derive(Debug, thiserror::Error)]
#[error("the load of this machine cannot be read: {0}")]
pub(crate) struct SensorError(String);
