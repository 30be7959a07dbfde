//! Task files for the tests, and what their programs leave when all is well.

use std::fmt::Write as _;
use std::path::PathBuf;

/// A program of `examples/faults`: so many million turns of a generator, then `sum.txt` with its checksum.
pub(crate) const SLOW: &str = "examples/faults/slow.wasm";

/// One kind of sub-task, and how many of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slow {
    pub name: &'static str,
    pub count: usize,
    /// Million turns; each takes 22.5 million cycles.
    pub millions: u32,
    /// The price limit, in credits.
    pub price: u32,
}

/// What `slow` leaves after so many million turns, as the same source says when it is compiled for this
/// machine (`cc -O2 examples/faults/slow.c`).
pub(crate) fn checksum(millions: u32) -> &'static str {
    match millions {
        1 => "1 e276e53ac6171f48\n",
        50 => "50 702414ceaa892c56\n",
        200 => "200 64a1cf97a847419c\n",
        400 => "400 369eca91afc9546e\n",
        600 => "600 d746212b5c74d665\n",
        2_000 => "2000 5d2f4c0074e3c6b4\n",
        _ => panic!("nobody has computed the checksum of {millions} million turns"),
    }
}

/// Whether short sub-tasks of one kind may share a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bought {
    Together,
    /// Each has a contract of its own, as all have that are to end at a time.
    Singly,
}

/// The task file for `kinds`.
pub(crate) fn task_file(kinds: &[Slow], bought: Bought) -> String {
    let deadline = if bought == Bought::Singly { "    <Deadline>2h</Deadline>\n" } else { "" };
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(SLOW);
    let mut text = String::from("<TaskFile version=\"1\">\n  <Name>slow</Name>\n");
    for Slow { name, count, millions, price } in kinds {
        // 22.5 Mc a turn, and a tenth more for the limit on cycles that follows from price and bid.
        let work = u64::from(*millions) * 25 + 25;
        write!(
            text,
            "  <SubTask name=\"{name}\">\n    <CpuCycles>100</CpuCycles>\n    \
             <Work unit=\"Mcycles\">{work}</Work>\n    <Price>{price}</Price>\n    <File>{}</File>\n    \
             <InputParameters><Param>{millions}</Param></InputParameters>\n    \
             <OutputFiles><OutputFile as=\"{name}-${{n}}.txt\">sum.txt</OutputFile></OutputFiles>\n    \
             <Limits><Memory>64MiB</Memory></Limits>\n{deadline}    \
             <Sweep><Var name=\"n\" from=\"1\" to=\"{count}\" step=\"1\"/></Sweep>\n  </SubTask>\n",
            program.display()
        )
        .expect("a text takes everything");
    }
    text.push_str("</TaskFile>\n");
    text
}
