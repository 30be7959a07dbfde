//! Rewrites WebAssembly modules so that a program is metered, can be stopped anywhere, and can be saved and go on elsewhere.
//!
//! Pure: bytes in, bytes out. The executor in `src/exec` runs what comes out.
