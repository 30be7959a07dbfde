//! Programs that try to get out.

use super::{Behind, Bench, WIDE, kinds, prints};
use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;

/// Runs a Python script that calls `attempt(name, f)` for each way out, and has to have got nowhere with any.
fn nothing_works(attempts: &str) {
    for behind in kinds() {
        let script = format!(
            "import ctypes, errno, os, signal, socket, sys\nlibc = ctypes.CDLL(None, use_errno=True)\n\
            def call(number, *args):\n  r = libc.syscall(number, *args)\n  if r < 0: raise OSError(ctypes.get_errno(), '')\n  return r\n\
            def attempt(name, f):\n  try:\n    got = f()\n  except (OSError, KeyError, ValueError, ZeroDivisionError) as e: return\n  print('ESCAPED', name, repr(got)[:200])\n\
            {attempts}\nprint('end')"
        );
        prints(&Bench::python(&script, WIDE), behind, "end\n");
    }
}

#[test]
fn the_owner_s_files_are_not_read() {
    let home = std::env::home_dir().unwrap();
    let (secret, place) = (tempfile::TempDir::new().unwrap(), tempfile::TempDir::new_in(home).unwrap());
    for dir in [&secret, &place] {
        fs::write(dir.path().join("key"), b"secret").unwrap();
    }
    let paths = [secret.path().join("key"), place.path().join("key")].map(|path| path.display().to_string());
    nothing_works(&format!(
        "for path in ['{}', '{}', '/etc/shadow', '/root/.bashrc', '/root', '/home', '/var/log', '/etc/ssh', '/etc/machine-id.bak', '/sys/class/net', '/boot']:\n  \
        attempt(path, lambda: open(path).read() if os.path.isfile(path) else os.listdir(path))\n\
        attempt('write', lambda: open('/usr/evil', 'w'))\nattempt('write', lambda: open('/evil', 'w'))\n\
        attempt('write', lambda: open('/etc/evil', 'w'))\nattempt('write', lambda: open('/dev/evil', 'w'))\n\
        attempt('link', lambda: os.link('{}', 'stolen'))",
        paths[0], paths[1], paths[1]
    ));
}

#[test]
fn a_user_has_no_name_of_the_host_s_and_a_home_of_its_own() {
    let script = "import os, pwd\nme = pwd.getpwuid(os.getuid())\nprint(me.pw_name, me.pw_dir, os.getuid(), os.uname().nodename, len(pwd.getpwall()))";
    prints(&Bench::python(script, WIDE), Behind::All, "compup2p /work 1000 compup2p 3\n");
}

#[test]
fn the_network_is_not_reached() {
    let (tcp, udp) = (TcpListener::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let (tcp, udp) = (tcp.local_addr().unwrap().port(), udp.local_addr().unwrap().port());
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("socket");
    let _by_path = UnixListener::bind(&path).unwrap();
    let name = format!("compup2p-test-{}", std::process::id());
    let address =
        <std::os::unix::net::SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(&name)
            .unwrap();
    let _by_name = UnixListener::bind_addr(&address).unwrap();
    nothing_works(&format!(
        "def tcp(host, port):\n  s = socket.socket(socket.AF_INET, socket.SOCK_STREAM); s.settimeout(2); s.connect((host, port)); return s\n\
        def udp(port):\n  s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); return s.sendto(b'x', ('127.0.0.1', port))\n\
        def unix(path):\n  s = socket.socket(socket.AF_UNIX); s.connect(path); return s\n\
        attempt('tcp', lambda: tcp('127.0.0.1', {tcp}))\nattempt('tcp out', lambda: tcp('1.1.1.1', 443))\n\
        attempt('udp', lambda: udp({udp}))\nattempt('dns', lambda: socket.getaddrinfo('example.com', 80))\n\
        attempt('listen', lambda: socket.create_server(('127.0.0.1', 0)))\n\
        attempt('raw', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))\n\
        attempt('netlink', lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))\n\
        attempt('by path', lambda: unix('{}'))\nattempt('by name', lambda: unix('\\0{name}'))\n\
        attempt('io_uring', lambda: call(425, 8, ctypes.create_string_buffer(120)))",
        path.display()
    ));
}

#[test]
fn other_processes_are_not_seen_looked_into_or_signalled() {
    let mut victim = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
    let (other, own) = (victim.id(), std::process::id());
    nothing_works(&format!(
        "for pid in [{other}, {own}]:\n  \
        attempt('cmdline', lambda: open(f'/proc/{{pid}}/environ').read())\n  \
        attempt('kill', lambda: os.kill(pid, signal.SIGTERM))\n  \
        attempt('ptrace', lambda: call(101, 16, pid, 0, 0))\n  \
        attempt('mem', lambda: open(f'/proc/{{pid}}/mem', 'r+b'))\n\
        attempt('kill all', lambda: os.kill(-1, signal.SIGUSR1) if os.getpid() > 300 else 1 / 0) if False else None\n\
        attempt('ptrace me', lambda: call(101, 0, 0, 0, 0))\n\
        attempt('supervisor', lambda: open(f'/proc/{{os.getppid()}}/mem', 'r+b'))\n\
        attempt('supervisor', lambda: open(f'/proc/{{os.getppid()}}/environ').read())"
    ));
    assert!(victim.try_wait().unwrap().is_none());
    victim.kill().unwrap();
    victim.wait().unwrap();
}

#[test]
fn a_program_that_signals_its_supervisor_gets_no_further() {
    for behind in kinds() {
        // The first process of a namespace is not ended from within; without one Landlock keeps signals inside.
        let script = "import os, signal\nfor s in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP):\n  \
            try: os.kill(os.getppid(), s)\n  except OSError: pass\nprint('alive')";
        prints(&Bench::python(script, WIDE), behind, "alive\n");
    }
}

#[test]
fn nothing_tells_the_paths_of_the_host() {
    let bench = Bench::shell(
        "cat /proc/1/cmdline /proc/self/mountinfo /proc/self/environ | tr '\\0' '\\n'; ls -l /proc/self/fd",
        WIDE,
    );
    let ended = bench.run(Behind::All);
    let text = String::from_utf8_lossy(&ended.stdout);
    let command: Vec<&str> = text.lines().filter(|line| !line.contains(" - ")).collect();
    let base = bench.base.path().file_name().unwrap().to_str().unwrap();
    let own = super::helper();
    let own = own.parent().and_then(std::path::Path::to_str).unwrap();
    assert!(!command.iter().any(|line| line.contains(base) || line.contains(own)), "{text}");
}

#[test]
fn privileges_devices_and_namespaces_are_not_to_be_had() {
    nothing_works(
        "attempt('setuid', lambda: os.setuid(4242))\nattempt('root', lambda: os.setuid(0) if os.getuid() else 1 / 0 or 1)\nattempt('setgroups', lambda: os.setgroups([0]))\n\
        attempt('mknod', lambda: os.mknod('dev', 0o600 | 0o020000, os.makedev(1, 1)))\n\
        attempt('mknod', lambda: os.mknod('dev', 0o600 | 0o060000, os.makedev(254, 0)))\n\
        attempt('mount', lambda: call(165, b'none', b'.', b'tmpfs', 0, 0))\nattempt('chroot', lambda: os.chroot('.'))\n\
        attempt('unshare', lambda: call(272, 0x10000000))\nattempt('setns', lambda: call(308, 0, 0))\n\
        attempt('clone', lambda: call(56, 0x10000000 | 17, 0, 0, 0, 0))\n\
        attempt('bpf', lambda: call(321, 0, 0, 0))\nattempt('perf', lambda: call(298, 0, 0, 0, 0, 0))\n\
        attempt('userfaultfd', lambda: call(323, 0))\nattempt('module', lambda: call(175, 0, 0, 0))\n\
        attempt('keyctl', lambda: call(250, 0, -3, 1))\nattempt('reboot', lambda: call(169, 0, 0, 0, 0))\n\
        attempt('handle', lambda: call(304, -100, 0, 0))\nattempt('clock', lambda: call(227, 0, 0))\n\
        attempt('x32', lambda: call(0x40000000 + 39))\nattempt('hostname', lambda: call(170, b'evil', 4))\n\
        attempt('sysctl', lambda: open('/proc/sys/kernel/core_pattern', 'w'))\n\
        attempt('sysctl', lambda: open('/proc/sys/vm/drop_caches', 'w'))\n\
        attempt('sysrq', lambda: open('/proc/sysrq-trigger', 'w').fileno() if os.path.getsize('/proc/sysrq-trigger') else 1)\n\
        attempt('mem', lambda: open('/dev/mem', 'rb'))\nattempt('disk', lambda: open('/dev/vda', 'rb'))\n\
        attempt('kmsg', lambda: open('/dev/kmsg', 'rb'))\nattempt('typing', lambda: call(16, 0, 0x5412, b'x'))\n\
        attempt('high priority', lambda: os.nice(-5))",
    );
}

#[test]
fn a_set_user_bit_gives_nothing() {
    for behind in kinds() {
        let script = "cp /usr/bin/id id 2>/dev/null; chmod 6755 id; ./id -u; grep -E '^(NoNewPrivs|CapEff)' /proc/self/status 2>/dev/null; exit 0";
        let bench = Bench::shell(script, WIDE);
        let ended = bench.run(behind);
        let text = String::from_utf8_lossy(&ended.stdout).into_owned();
        match behind {
            Behind::All | Behind::Bubblewrap => {
                assert_eq!(text, "1000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n")
            }
            // Nothing of `/proc` is to be seen there.
            Behind::NoNamespaces => assert_eq!(text, format!("{}\n", rustix::process::getuid().as_raw())),
        }
    }
}

#[test]
fn outputs_that_lead_out_are_not_collected() {
    let dir = tempfile::TempDir::new().unwrap();
    fs::write(dir.path().join("key"), b"secret").unwrap();
    let key = dir.path().join("key").display().to_string();
    for behind in kinds() {
        for script in [
            format!("ln -s {key} out"),
            "ln -s /etc/passwd out".into(),
            "ln -s /proc/self/environ out".into(),
            format!("ln {key} out 2>/dev/null; exit 0"),
            "mkdir real; echo x > real/file; ln -s real/file out".into(),
            "mkfifo out".into(),
        ] {
            let bench = Bench::shell(&script, WIDE).outputs(&["out"]);
            let expected = proto::message::service::Outcome::OutputMissing("out".into());
            super::check(&bench, behind, &expected);
            assert_eq!(bench.scratch.output("out"), None);
        }
    }
}

#[test]
fn the_sandbox_s_record_cannot_be_forged() {
    use proto::message::service::Outcome;
    let forged = "printf '\\0compup2p-sandbox exited 0 1 1\\n' >&2";
    for behind in kinds() {
        super::check(&Bench::shell(&format!("{forged}; exit 4"), WIDE), behind, &Outcome::Exited(4));
        // Left behind to write when the supervisor has written.
        let late = format!(
            "(setsid sh -c 'trap \"\" TERM HUP; while :; do {}; sleep 0.01; done' &); sleep 0.1; exit 4",
            forged.replace('\'', "\"")
        );
        super::check(&Bench::shell(&late, WIDE), behind, &Outcome::Exited(4));
    }
}
