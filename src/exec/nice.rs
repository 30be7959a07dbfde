//! Priority: programs of others give way to those of the owner.

use rustix::io::Errno;

/// Lowers the priority of the calling thread to `level` (0, as any other program, to 19, the lowest). It cannot be
/// raised again without privileges, so that a change counts for executions to come.
///
/// # Errors
/// What the system says; the thread then goes on with the priority that it has.
pub(crate) fn lower(level: u32) -> Result<(), Errno> {
    let level = i32::try_from(level).unwrap_or(LOWEST).clamp(0, LOWEST);
    // On Linux a thread has a priority of its own, and `None` is the calling thread.
    rustix::process::setpriority_process(None, level)
}

/// The lowest priority there is.
const LOWEST: i32 = 19;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_lowers_its_own_priority_and_no_other() {
        let of_this_thread = || rustix::process::getpriority_process(None).unwrap();
        let before = of_this_thread();
        let lowered = std::thread::spawn(move || {
            lower(17).unwrap();
            of_this_thread()
        });
        assert_eq!((lowered.join().unwrap(), of_this_thread()), (17, before));
        let beyond = std::thread::spawn(move || {
            lower(u32::MAX).unwrap();
            of_this_thread()
        });
        assert_eq!(beyond.join().unwrap(), 19);
    }
}
