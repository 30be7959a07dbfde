//! Whatever the text is, `parse` answers: a task that keeps the promises, or faults with a place.

use super::samples::{FIG_7, RICH};
use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Parses and looks whether the answer keeps what the documentation promises.
fn check(text: &str) {
    let set = set(&[("last", "23"), ("quality", "high")]);
    match parse(text, "t.xml", &set) {
        Ok(Parsed { task, .. }) => {
            let names: BTreeSet<_> = task.sub_tasks.iter().map(|sub_task| &sub_task.name).collect();
            assert!(!names.is_empty() && names.len() == task.sub_tasks.len());
            let prices: u64 = task.sub_tasks.iter().map(|sub_task| sub_task.price.0).sum();
            assert!(task.budget.is_none_or(|budget| prices <= budget.0));
            for sub_task in &task.sub_tasks {
                assert!(sub_task.price > Money::ZERO && sub_task.power > Capacity(0));
                assert!(sub_task.outputs.iter().all(|output| is_inside(&output.destination)));
                assert!(sub_task.inputs.iter().all(|input| is_inside(&input.name)));
            }
        }
        Err(faults) => {
            assert!(!faults.is_empty() && faults.len() <= MAX_FAULTS + 1);
            let lines = text.matches('\n').count() + 1;
            for fault in faults {
                assert!(fault.line as usize <= lines && (fault.line > 0 || fault.file == "--set"), "{fault}");
            }
        }
    }
}

fn is_inside(path: &str) -> bool {
    !path.is_empty() && path.split('/').all(|part| !matches!(part, "" | "." | "..")) && !path.contains('\\')
}

/// A valid file with one piece replaced, by a character boundary at or before each position.
fn spliced(text: &str, at: usize, length: usize, piece: &str) -> String {
    let start = text.floor_char_boundary(at % (text.len() + 1));
    let end = text.floor_char_boundary((start + length).min(text.len())).max(start);
    format!("{}{piece}{}", &text[..start], &text[end..])
}

const PIECES: &[&str] = &[
    "",
    "<",
    ">",
    "/",
    "&",
    "\"",
    "${",
    "}",
    "${i}",
    "<Price>",
    "</Price>",
    "<Price>0</Price>",
    "-1",
    "9999999999999999999999",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?xml",
    "<!DOCTYPE a>",
    "xmlns='u'",
    "\0",
    "ä",
    "..",
    "<a/>",
    "<Sweep/>",
    "zip",
    "<SubTask/>",
    "&#x0;",
    "&#xD;",
    " ",
    "\r\n",
    "0.0000000000000000001",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn anything_that_looks_like_xml_is_answered(parts in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        check(&parts.concat());
        check(&with(&parts.concat()));
    }

    #[test]
    fn damaged_files_are_answered(
        is_rich in any::<bool>(),
        cuts in prop::collection::vec((any::<usize>(), 0..60_usize, prop::sample::select(PIECES)), 1..4),
    ) {
        let mut text = if is_rich { RICH } else { FIG_7 }.to_owned();
        for (at, length, piece) in cuts {
            text = spliced(&text, at, length, piece);
        }
        check(&text);
    }

    #[test]
    fn damaged_values_are_answered(value in "[-0-9.eE+kKMGTiBsmhd ${}a-z/]{0,20}") {
        for element in ["Work", "StdOut", "StdIn", "CheckPointDataSize"] {
            check(&with(&format!("<{element}>{value}</{element}>")));
        }
        for element in ["WallTime", "Memory", "Network"] {
            check(&with(&format!("<Limits><{element}>{value}</{element}></Limits>")));
        }
        check(&with(&format!("<Sweep><Var name='i' from='{value}' to='5' step='{value}'/></Sweep>")));
    }
}
