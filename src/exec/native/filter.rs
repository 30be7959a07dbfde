//! The filter of system calls: what no program needs to compute, and what others got out of sandboxes with.
//!
//! Everything else is let through: a list of what is allowed would be out of date with the next version of a language's
//! runtime, and the namespaces, Landlock and the lack of privileges stand behind the filter.

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter, sock_filter,
};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Calls that end with "not permitted" whatever their arguments.
const DENIED: &[i64] = &[
    // Other processes: to look into them or to take their descriptors.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_process_madvise,
    // File systems and namespaces: another view of the machine.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_quotactl,
    // The kernel and the machine.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    // Keys outlive a process and are shared by all of a user.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Calls that go past a filter of calls.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // What stays behind when a program ends, and is counted for nobody.
    libc::SYS_shmget,
    libc::SYS_msgget,
    libc::SYS_semget,
    libc::SYS_mq_open,
    // The cores are given out by the node.
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
];

/// The same of this kind of processor alone.
#[cfg(target_arch = "x86_64")]
const DENIED_HERE: &[i64] = &[
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_kexec_file_load,
    libc::SYS_uselib,
    libc::SYS_ustat,
    libc::SYS_sysfs,
];
#[cfg(not(target_arch = "x86_64"))]
const DENIED_HERE: &[i64] = &[];

/// A second set of calls for the same kernel (x32) begins here; nobody uses it, and it would go past the list.
const SECOND_SET: u32 = 0x4000_0000;

/// So many calls of the list are looked for one after the other.
const PART: usize = 8;

/// Classes and modes of `linux/bpf_common.h`: a load of a word from a fixed place, a jump if not less, a jump, a return.
const LOAD: u16 = 0x20;
const JUMP_FROM: u16 = 0x35;
const JUMP: u16 = 0x05;
const RETURN: u16 = 0x06;

/// `TIOCSTI` and `TIOCLINUX`: what is put into a terminal as if it had been typed there.
const TYPING: [u64; 2] = [0x5412, 0x541c];

/// Filters the calls of this thread and of all that it starts, for good.
///
/// # Errors
/// If this machine filters no calls.
pub(super) fn apply(has_local_sockets: bool) -> Result<(), String> {
    let words = |error: seccompiler::Error| error.to_string();
    apply_filter(prepared(has_local_sockets).as_ref()?).map_err(words)
}

/// The filter, made at the first call: who calls this before it copies itself spares its copies the work.
pub(super) fn prepared(has_local_sockets: bool) -> &'static Result<BpfProgram, String> {
    static CLOSED: LazyLock<Result<BpfProgram, String>> = LazyLock::new(|| whole(false));
    static LOCAL: LazyLock<Result<BpfProgram, String>> = LazyLock::new(|| whole(true));
    if has_local_sockets { &LOCAL } else { &CLOSED }
}

/// The filter: the number of the call is loaded, then it is told by halves which part of the list it may be in.
///
/// A filter that goes through the list from its beginning costs each program a quarter of a millisecond before its first
/// call, since the kernel tries it with every number there is to know which it always lets through.
fn whole(has_local_sockets: bool) -> Result<BpfProgram, String> {
    let rules: Vec<(i64, Vec<SeccompRule>)> = rules(has_local_sockets)?.into_iter().collect();
    let mut parts = Vec::new();
    // `clone3` takes its flags from memory, which no filter sees: who is told that it is not there uses `clone`.
    for part in rules.chunk_by(|(a, _), (b, _)| *a != libc::SYS_clone3 && *b != libc::SYS_clone3) {
        for part in part.chunks(PART) {
            let Some((first, _)) = part.first() else { continue };
            let errno = if *first == libc::SYS_clone3 { libc::ENOSYS } else { libc::EPERM };
            let first = u32::try_from(*first).map_err(|error| error.to_string())?;
            parts.push((first, program(part.iter().cloned().collect(), errno)?));
        }
    }
    let mut whole = vec![sock_filter { code: LOAD, jt: 0, jf: 0, k: 0 }];
    if cfg!(target_arch = "x86_64") {
        let deny = libc::SECCOMP_RET_ERRNO | libc::EPERM.unsigned_abs();
        whole.push(sock_filter { code: JUMP_FROM, jt: 0, jf: 1, k: SECOND_SET });
        whole.push(sock_filter { code: RETURN, jt: 0, jf: 0, k: deny });
    }
    whole.extend(halved(&parts));
    Ok(whole)
}

fn program(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: i32) -> Result<BpfProgram, String> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|error| error.to_string())?;
    let denial = SeccompAction::Errno(errno.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, denial, arch);
    filter.and_then(BpfProgram::try_from).map_err(|error| error.to_string())
}

/// Of parts of the list, each with the first number in it, the one that a number may be in.
fn halved(parts: &[(u32, BpfProgram)]) -> BpfProgram {
    let (below, from) = parts.split_at(parts.len() / 2);
    let (Some((first, _)), false) = (from.first(), below.is_empty()) else {
        return parts.iter().flat_map(|(_, part)| part.iter().cloned()).collect();
    };
    let (below, from) = (halved(below), halved(from));
    let mut whole = vec![
        sock_filter { code: JUMP_FROM, jt: 0, jf: 1, k: *first },
        sock_filter { code: JUMP, jt: 0, jf: 0, k: u32::try_from(below.len()).unwrap_or(u32::MAX) },
    ];
    whole.extend(below);
    whole.extend(from);
    whole
}

fn rules(has_local_sockets: bool) -> Result<BTreeMap<i64, Vec<SeccompRule>>, String> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        DENIED.iter().chain(DENIED_HERE).map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_clone3, Vec::new());
    // New namespaces by `clone`.
    let namespaces = [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWCGROUP,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
    ];
    let of_namespace = namespaces.map(|flag| u64::from(flag.unsigned_abs()));
    rules.insert(libc::SYS_clone, all(of_namespace.map(|flag| rule(0, Op::MaskedEq(flag), flag)))?);
    // Device nodes.
    let devices = [libc::S_IFCHR, libc::S_IFBLK].map(u64::from);
    let kind = u64::from(libc::S_IFMT);
    let of_device = |mode| all(devices.map(|device| rule(mode, Op::MaskedEq(kind), device)));
    rules.insert(libc::SYS_mknodat, of_device(2)?);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_mknod, of_device(1)?);
    // A terminal that is made to type what others read.
    rules.insert(libc::SYS_ioctl, all(TYPING.map(|number| rule(1, Op::Eq, number)))?);
    // Sockets: none, or those within this machine.
    let sockets = if has_local_sockets {
        vec![rule(0, Op::Ne, u64::from(libc::AF_UNIX.unsigned_abs()))?]
    } else {
        Vec::new()
    };
    rules.insert(libc::SYS_socket, sockets);
    Ok(rules)
}

fn all<const N: usize>(rules: [Result<SeccompRule, String>; N]) -> Result<Vec<SeccompRule>, String> {
    rules.into_iter().collect()
}

/// Whether argument `at` compares as `op` says with `value`.
fn rule(at: u8, op: Op, value: u64) -> Result<SeccompRule, String> {
    let condition = SeccompCondition::new(at, Len::Dword, op, value);
    condition.and_then(|condition| SeccompRule::new(vec![condition])).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a filter says of a call, and how many of its steps that takes.
    fn judge(filter: &[sock_filter], number: u32, arguments: [u64; 6]) -> (u32, usize) {
        let arch: u32 = if cfg!(target_arch = "x86_64") { 0xc000_003e } else { 0xc000_00b7 };
        // `struct seccomp_data`, in words: number, kind of processor, where it was called, arguments.
        let mut data = vec![number, arch, 0, 0];
        data.extend(arguments.iter().flat_map(|word| [(*word & 0xffff_ffff) as u32, (*word >> 32) as u32]));
        let (mut at, mut word) = (0, 0);
        for steps in 1.. {
            let sock_filter { code, jt, jf, k } = filter[at].clone();
            let go = |is_so: bool| usize::from(if is_so { jt } else { jf });
            at += 1;
            match code {
                LOAD => word = data[k as usize / 4],
                RETURN => return (k, steps),
                JUMP => at += k as usize,
                JUMP_FROM => at += go(word >= k),
                0x15 => at += go(word == k),
                0x25 => at += go(word > k),
                0x54 => word &= k,
                other => panic!("{other:#x}"),
            }
        }
        unreachable!()
    }

    #[test]
    fn the_halved_list_says_of_every_call_what_the_whole_one_does() {
        let denied = |errno: i32| libc::SECCOMP_RET_ERRNO | errno.unsigned_abs();
        for has_local_sockets in [false, true] {
            let rules = rules(has_local_sockets).unwrap();
            let list = program(rules.clone(), libc::EPERM).unwrap();
            let halved = whole(has_local_sockets).unwrap();
            let mut most = 0;
            for number in 0..1_024 {
                for argument in [0, 1, u64::from(libc::CLONE_NEWNS.unsigned_abs()), TYPING[0]] {
                    let (said, steps) = judge(&halved, number, [argument; 6]);
                    let expected = match judge(&list, number, [argument; 6]).0 {
                        _ if i64::from(number) == libc::SYS_clone3 => denied(libc::ENOSYS),
                        said => said,
                    };
                    assert_eq!(said, expected, "{number} {argument:#x}");
                    most = most.max(steps);
                }
                let in_second_set = judge(&halved, SECOND_SET + number, [0; 6]).0;
                if cfg!(target_arch = "x86_64") {
                    assert_eq!(in_second_set, denied(libc::EPERM), "{number}");
                }
            }
            assert!(most < 60, "{most}");
        }
    }
}
