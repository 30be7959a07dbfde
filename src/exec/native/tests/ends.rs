//! Ends that are the program's own doing.

use super::{Behind, Bench, WIDE, check, kinds, native, prints, told};
use crate::exec::saved::Saved;
use crate::exec::{Control, Executor as _};
use proto::message::service::{CheckpointMethod, Limits, Outcome};
use proto::{Bytes, Hash, Span};

#[test]
fn a_script_computes_prints_and_leaves_its_output() {
    for behind in kinds() {
        let bench = Bench::shell("echo $(($1 * $2)); echo well >&2; echo 42 > answer.txt", WIDE)
            .outputs(&["answer.txt"]);
        let mut bench = bench;
        bench.execution.arguments = vec!["6".into(), "7".into()];
        let ended = check(&bench, behind, &Outcome::Succeeded);
        assert_eq!((ended.stdout, ended.stderr), (b"42\n".to_vec(), b"well\n".to_vec()));
        assert_eq!(std::fs::read(bench.scratch.output("answer.txt").unwrap()).unwrap(), b"42\n");
    }
}

#[test]
fn an_elf_program_runs() {
    let program = std::fs::read("/bin/true").unwrap();
    for behind in kinds() {
        check(&Bench::new(&program, &[], WIDE), behind, &Outcome::Succeeded);
    }
}

#[test]
fn the_status_is_told_exactly_and_a_signal_by_its_name() {
    let trapped = |what: &str| Outcome::Trapped(what.into());
    for behind in kinds() {
        for (script, expected) in [
            ("exit 0", Outcome::Succeeded),
            ("exit 3", Outcome::Exited(3)),
            ("exit 125", Outcome::Exited(125)),
            ("exit 139", Outcome::Exited(139)),
            ("exit 255", Outcome::Exited(255)),
            ("kill -SEGV $$", trapped("ended by SIGSEGV (memory that is not its own)")),
            ("kill -KILL $$", trapped("ended by SIGKILL (killed)")),
            ("kill -ABRT $$", trapped("ended by SIGABRT (it gave up)")),
        ] {
            check(&Bench::shell(script, WIDE), behind, &expected);
        }
    }
}

#[test]
fn the_status_that_means_success_is_that_of_the_sub_task() {
    let mut bench = Bench::shell("exit 3", WIDE);
    bench.execution.success = 3;
    check(&bench, Behind::All, &Outcome::Succeeded);
}

#[test]
fn a_program_that_saves_itself_is_told_from_one_that_fails() {
    let mut bench = Bench::shell("echo 1 > state; exit 85", WIDE);
    bench.execution.checkpoint =
        Some(CheckpointMethod::BySelf { exit_code: 85, files: vec!["state".into()] });
    let ended = check(&bench, Behind::All, &Outcome::Exited(85));
    assert_eq!(ended.saved, Some(Saved::Files));
}

#[test]
fn what_cannot_be_run_is_told_from_what_fails() {
    let not = |why: &str| Outcome::NotRunnable(why.into());
    let neither = "neither the program nor its interpreter is there on this seller, or it is not a program";
    for behind in kinds() {
        for (program, expected) in [
            (
                &b"hello"[..],
                not("the file is neither an ELF program nor a script with `#!` at its beginning"),
            ),
            (b"", not("the file is empty")),
            (b"#!/usr/bin/no-such-interpreter\n", not(neither)),
        ] {
            check(&Bench::new(program, &[], WIDE), behind, &expected);
        }
    }
    let mut bench = Bench::shell("exit 0", WIDE);
    bench.execution.program_hash = Hash([7; 32]);
    let why = "the program does not have the hash it was named by";
    check(&bench, Behind::All, &Outcome::NotFetched(why.into()));
}

#[test]
fn a_declared_output_has_to_be_there_as_a_file() {
    let missing = Outcome::OutputMissing("out/a".into());
    for behind in kinds() {
        for script in [
            "true",
            "mkdir -p out/a",
            "mkdir out; mkfifo out/a",
            "mkdir out; ln -s /etc/passwd out/a",
            "ln -s /etc out",
        ] {
            check(&Bench::shell(script, WIDE).outputs(&["out/a"]), behind, &missing);
        }
        check(
            &Bench::shell("mkdir out; echo > out/a", WIDE).outputs(&["out/a"]),
            behind,
            &Outcome::Succeeded,
        );
    }
}

#[test]
fn standard_input_is_the_file_or_empty() {
    for behind in kinds() {
        prints(&Bench::shell("wc -c | tr -d ' '", WIDE), behind, "0\n");
        let mut bench = Bench::shell("cat", WIDE);
        let file = bench.base.path().join("input");
        std::fs::write(&file, b"some text\n").unwrap();
        bench.execution.stdin = Some(file);
        prints(&bench, behind, "some text\n");
    }
}

#[test]
fn the_environment_is_the_same_everywhere_and_nothing_of_the_node_s() {
    let mut bench = Bench::shell("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= | sort; pwd", WIDE);
    bench.execution.environment =
        vec![("LD_PRELOAD".into(), String::new()), ("WHO".into(), "me\nyou".into())];
    let expected = "COMPUP2P_NCPUS=1\nHOME=/work\nLC_ALL=C.UTF-8\nLD_PRELOAD=\n\
        PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin\n\
        SOURCE_DATE_EPOCH=1767225600\nTMPDIR=/tmp\nTZ=UTC\nWHO=me\nyou\n/work\n";
    prints(&bench, Behind::All, expected);
    for behind in kinds().into_iter().filter(|behind| *behind == Behind::NoNamespaces) {
        let ended = bench.run(behind);
        let home = format!("HOME={}\n", bench.scratch.path().display());
        assert!(String::from_utf8_lossy(&ended.stdout).contains(&home), "{}", told(&ended));
    }
}

#[test]
fn a_variable_that_cannot_be_one_is_refused() {
    for (name, value) in [("", "x"), ("A=B", "x"), ("A", "x\0y")] {
        let mut bench = Bench::shell("exit 0", WIDE);
        bench.execution.environment = vec![(name.into(), value.into())];
        let ended = bench.run(Behind::All);
        assert!(matches!(ended.outcome, Outcome::NotRunnable(_)), "{name:?}: {}", told(&ended));
    }
}

#[test]
fn a_loader_s_variables_of_a_sub_task_reach_its_program_only() {
    // Were bubblewrap or the supervisor given it, they would say so and go on, or not start at all.
    let mut bench = Bench::shell("exit 0", WIDE);
    bench.execution.environment = vec![("LD_PRELOAD".into(), "/work/evil.so".into())];
    let ended = check(&bench, Behind::All, &Outcome::Succeeded);
    let said = String::from_utf8_lossy(&ended.stderr).matches("evil.so").count();
    assert_eq!(said, 1, "{}", told(&ended));
}

#[test]
fn the_processor_time_of_the_whole_tree_is_metered() {
    let burn = "import os\ndef burn():\n  x = 0\n  for i in range(3000000): x += i\n\
        pids = []\nfor _ in range(2):\n  p = os.fork()\n  if p == 0:\n    burn()\n    os._exit(0)\n  pids.append(p)\n\
        for p in pids: os.waitpid(p, 0)\nt = os.times()\nprint(int((t.user + t.system + t.children_user + t.children_system) * 1000))";
    for behind in kinds() {
        let ended = check(&Bench::python(burn, WIDE), behind, &Outcome::Succeeded);
        let own: u64 = String::from_utf8_lossy(&ended.stdout).trim().parse().unwrap();
        // 1,000 Mc/s are a million cycles in a millisecond; the start and the end are metered too.
        let metered = ended.cycles.0 / 1_000_000;
        assert!(
            own > 100 && metered + 10 >= own && metered < own + 150,
            "{metered} ms metered, {own} ms by its own clock"
        );
    }
}

#[test]
fn what_the_owner_does_not_allow_is_not_run() {
    use service::policy::{Policy, Sandbox};
    let fresh = || super::super::Native::new(super::helper()).unwrap();
    let run = |native: &super::super::Native| {
        native.run(&Bench::shell("exit 0", WIDE).execution, &Control::default()).outcome
    };
    let closed = fresh();
    assert!(closed.refusal().is_some());
    assert!(matches!(run(&closed), Outcome::Abandoned(why) if why.contains("does not share it")));

    let required = Policy { share_native: true, sandbox: Sandbox::Required, ..Policy::default() };
    let mut strict = fresh();
    strict.govern(&required, super::PER_CORE);
    assert_eq!(run(&strict), Outcome::Succeeded);
    let whole = strict.walls.clone();
    for (walls, layer) in [
        (super::without_namespaces(whole.clone()), "namespaces"),
        (super::Walls { landlock: 0, ..whole.clone() }, "landlock"),
        (super::Walls { has_filter: false, ..whole.clone() }, "seccomp"),
    ] {
        strict.walls = walls;
        let outcome = run(&strict);
        assert!(
            matches!(&outcome, Outcome::Abandoned(why) if why.contains(&format!("`{layer}`"))),
            "{outcome}"
        );
    }
    let best = Policy { sandbox: Sandbox::Best, ..required };
    strict.walls = super::Walls { landlock: 0, ..super::without_namespaces(whole) };
    strict.govern(&best, super::PER_CORE);
    assert!(matches!(run(&strict), Outcome::Abandoned(why) if why.contains("owner's files")));
    strict.govern(&Policy { sandbox: Sandbox::None, ..best }, super::PER_CORE);
    assert_eq!(run(&strict), Outcome::Succeeded);
}

#[test]
fn a_stop_before_the_start_is_a_stop_and_a_full_scratch_a_limit() {
    let bench = Bench::shell("exit 0", WIDE);
    let control = Control::default();
    control.stop();
    assert_eq!(native(Behind::All).run(&bench.execution, &control).outcome, Outcome::Cancelled);
    let bench = Bench::shell("exit 0", Limits { disk: Bytes(10), wall: Span::secs(9), ..WIDE });
    std::fs::write(bench.scratch.path().join("input"), [0; 11]).unwrap();
    check(&bench, Behind::All, &Outcome::DiskLimit(Bytes(10)));
}
