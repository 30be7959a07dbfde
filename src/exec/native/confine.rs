//! What a process of ours does to itself before it becomes, or starts, a foreign program. Nothing of it can be undone.

use super::filter;
use super::orders::Orders;
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetStatus, Scope,
};
use nix::unistd::close;
use rustix::fd::{AsRawFd as _, BorrowedFd};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::stdio::dup2_stdin;
use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, CapabilitySets, CpuSet, clear_ambient_capability_set,
    remove_capability_from_bounding_set, sched_setaffinity, set_capabilities, set_capabilities_secure_bits,
};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Most open files of one process.
const MAX_FILES: u64 = 1024;
/// Most stack that a process may ask for; it starts with [`STACK`].
const MAX_STACK: u64 = 64 << 20;
/// The stack of a main thread, as everywhere.
const STACK: u64 = 8 << 20;
/// The version of Landlock whose rights are used where the kernel has them: 6 also keeps signals and abstract sockets
/// inside.
const LANDLOCK: ABI = ABI::V6;

/// Shuts this process in as it is ordered; `kept` stays open, and is closed for every program that it starts.
///
/// # Errors
/// What could not be done, in words. Nobody runs a program after that.
pub(super) fn confine(orders: &Orders, kept: &[BorrowedFd<'_>]) -> Result<(), String> {
    close_inherited(kept)?;
    let stdin = orders.stdin.as_deref().unwrap_or(Path::new("/dev/null"));
    let stdin = File::open(stdin).map_err(|error| format!("its standard input: {error}"))?;
    dup2_stdin(&stdin).map_err(|error| format!("its standard input: {error}"))?;
    drop(stdin);
    // Who starts with less than that is not given more: only root could.
    let _ = rustix::process::setpriority_process(None, orders.nice);
    keep_to_cores(&orders.cores)?;
    set_limits(orders).map_err(|error| format!("limits: {error}"))?;
    if orders.lays_down {
        lay_down().map_err(|error| format!("privileges: {error}"))?;
    }
    if !orders.readable.is_empty() || !orders.writable.is_empty() {
        landlock(&orders.readable, &orders.writable)?;
    }
    if orders.is_filtered {
        filter::apply(orders.has_local_sockets).map_err(|why| format!("the filter of calls: {why}"))?;
    }
    Ok(())
}

/// Closes everything but the three streams and `kept`: what whoever started the node left open is not the program's
/// business.
pub(super) fn close_inherited(kept: &[BorrowedFd<'_>]) -> Result<(), String> {
    let is_kept = |number: i32| number <= 2 || kept.iter().any(|kept| kept.as_raw_fd() == number);
    let open = std::fs::read_dir("/proc/self/fd").map_err(|error| format!("open files: {error}"))?;
    let numbers = open.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    // The list is complete before anything of it is closed; the directory itself is closed by then.
    for number in numbers.filter(|number| !is_kept(*number)).collect::<Vec<i32>>() {
        let _ = close(number);
    }
    Ok(())
}

/// Keeps to these processors: a program that sees four of them would start four threads.
fn keep_to_cores(cores: &[usize]) -> Result<(), String> {
    if cores.is_empty() {
        return Ok(());
    }
    let mut set = CpuSet::new();
    cores.iter().filter(|core| **core < CpuSet::MAX_CPU).for_each(|core| set.set(*core));
    sched_setaffinity(None, &set).map_err(|error| format!("processors: {error}"))
}

fn set_limits(orders: &Orders) -> rustix::io::Result<()> {
    let fixed = |resource, most| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    fixed(Resource::Core, 0)?;
    fixed(Resource::Nofile, MAX_FILES)?;
    fixed(Resource::Msgqueue, 0)?;
    fixed(Resource::Rtprio, 0)?;
    fixed(Resource::Data, orders.memory)?;
    fixed(Resource::Fsize, orders.file)?;
    // The first signal can be caught, the second one a second later cannot.
    let seconds = Rlimit { current: Some(orders.seconds), maximum: Some(orders.seconds.saturating_add(1)) };
    setrlimit(Resource::Cpu, seconds)?;
    setrlimit(Resource::Stack, Rlimit { current: Some(STACK), maximum: Some(MAX_STACK) })?;
    orders.processes.map_or(Ok(()), |most| fixed(Resource::Nproc, most))
}

/// Lays down every privilege, and every way to come by one again. Of use where the node runs as root and no namespace
/// has taken them already.
fn lay_down() -> rustix::io::Result<()> {
    use CapabilitiesSecureBits as Bits;
    let none = CapabilitySet::empty();
    let held = rustix::thread::capabilities(None)?;
    if held.permitted.contains(CapabilitySet::SETPCAP) {
        for capability in CapabilitySet::all().iter() {
            // The kernel may know fewer.
            let _ = remove_capability_from_bounding_set(capability);
        }
        let locked =
            Bits::NO_ROOT | Bits::NO_ROOT_LOCKED | Bits::NO_SETUID_FIXUP | Bits::NO_SETUID_FIXUP_LOCKED;
        set_capabilities_secure_bits(
            locked | Bits::NO_CAP_AMBIENT_RAISE | Bits::NO_CAP_AMBIENT_RAISE_LOCKED,
        )?;
    }
    clear_ambient_capability_set()?;
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    rustix::thread::set_no_new_privs(true)
}

/// Leaves these paths to read and execute, and those to write too; no others, no TCP, no signals outward.
fn landlock(readable: &[PathBuf], writable: &[PathBuf]) -> Result<(), String> {
    let words = |error: landlock::RulesetError| format!("Landlock: {error}");
    let all = AccessFs::from_all(LANDLOCK);
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)
        .and_then(|rules| rules.handle_access(AccessNet::from_all(LANDLOCK)))
        .and_then(|rules| rules.scope(Scope::from_all(LANDLOCK)))
        .and_then(Ruleset::create)
        .map_err(words)?;
    let devices = AccessFs::MakeChar | AccessFs::MakeBlock;
    let rights = [(readable, AccessFs::from_read(LANDLOCK)), (writable, all & !devices)];
    let mut ruleset = ruleset;
    for (paths, rights) in rights {
        for path in paths {
            // What this machine does not have needs no right.
            let Ok(place) = PathFd::new(path) else { continue };
            let rights = if path.is_dir() { rights } else { rights & AccessFs::from_file(LANDLOCK) };
            ruleset = ruleset.add_rule(PathBeneath::new(place, rights)).map_err(words)?;
        }
    }
    let status = ruleset.restrict_self().map_err(words)?;
    if status.ruleset == RulesetStatus::NotEnforced { Err("Landlock: not enforced".into()) } else { Ok(()) }
}

/// The version of Landlock that this machine has, as far as it matters here: 0 (none), 1, 3 (truncation), 4 (TCP) or 6.
pub(super) fn landlock_version() -> u32 {
    let has_files = |version| {
        let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        rules.handle_access(AccessFs::from_all(version)).and_then(Ruleset::create).is_ok()
    };
    let has_net = || {
        let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        rules.handle_access(AccessNet::from_all(ABI::V4)).and_then(Ruleset::create).is_ok()
    };
    let has_scope = || {
        let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        rules.scope(Scope::from_all(ABI::V6)).and_then(Ruleset::create).is_ok()
    };
    match () {
        () if !has_files(ABI::V1) => 0,
        () if !has_files(ABI::V3) => 1,
        () if !has_net() => 3,
        () if !has_scope() => 4,
        () => 6,
    }
}

/// Whether this machine filters system calls.
pub(super) fn has_filter() -> bool {
    let actions = std::fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail");
    actions.is_ok_and(|actions| actions.split_ascii_whitespace().any(|action| action == "errno"))
}
