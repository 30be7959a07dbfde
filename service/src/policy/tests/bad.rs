//! Files that are refused, with the exact messages.

use super::*;
use std::fmt::Write as _;

fn check(table: &[(&str, &[&str])]) {
    for (text, expected) in table {
        assert_eq!(faults(text), *expected, "{text}");
    }
}

#[test]
fn times() {
    for (piece, many) in [("a.", 520_000), ("[", 1_040_000), ("{a=", 340_000), ("[[", 520_000), ("\n", 1_040_000), ("[a", 520_000), ("a\n", 520_000), ("a=", 520_000), ("{a", 520_000), ("a,", 520_000), ("[a]\n",260_000), ("[[a]]\n",170_000), ("\"\n",520_000),("=",1_040_000),("é=1\n",200_000), ("x='é", 200_000)] {
        for text in [piece.repeat(many), format!("a={}", piece.repeat(many)), format!("a=[{}]", piece.repeat(many))] {
            let t = std::time::Instant::now();
            let n = parse(&text, "p").map_err(|f| f.len());
            println!("{piece:?} {:?} {:?} {:?}", &text.get(..4), n.err(), t.elapsed());
        }
    }
    let keys: String = (0..120_000).map(|n| format!("k{n}=1\n")).collect();
    for text in [keys.clone(), format!("[cpu]\n{keys}"), format!("access.deny_nodes=[{}]", "1,".repeat(500_000)), "[[schedule]]\nx=1\n".repeat(60_000), (0..120_000).map(|n| format!("k{n:x} ")).collect::<String>(), (0..80_000).map(|n| format!("[k{n:x}]\n")).collect::<String>()] {
            let t = std::time::Instant::now();
            let n = parse(&text, "p").map_err(|f| f.len());
            println!("{:?} {} {:?} {:?}", &text.get(..10),text.len(), n.err(), t.elapsed());
    }
}

#[test]
fn dump() {
    for text in [
        "x = ",
        "x = 3 4",
        "[cpu\nx=1",
        "[cpu]\n[cpu]\n",
        "a = 1\na = 2",
        "x = abc",
        "x = \"abc",
        "x = [1,\n2",
        "= 3",
        "x",
        "x = 1.2.3",
        "x = 01",
        "[[a]\n",
        "a.b=1\na=2",
        "x = 'é\ny=1",
        "x={a=1,,}",
        "x = [1 2]",
        "[]",
        "[cpu] x = 1",
        "x == 3",
        "x=1,",
        "x = True",
        "max cores = 3",
        "x : 3",
        "x = 1_",
        "x = \"\\q\"",
        "\u{0}",
        "x=\"a\u{1}\"",
        "x = 5GiB",
        "x = 22:00-07:00",
        "x = 50%",
        "// c\n",
        "x = .5",
        "x = 5.",
        "[cpu]]\n",
        "a = 1\n[a]\nb=1\n",
        "[[s]]\n[s]\n",
        "\r",
        "x = {a = 1",
        "x = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        &("a.".repeat(90) + "a=1"),
        "cpu.max_cores=1\n[cpu]\n",
        "cpu={}\n[cpu.x]",
        "cpu = 3\ncpu.x=3",
    ] {
        println!("{text:?}");
        for f in parse(text, "p").unwrap_err() {
            println!("      {f}");
        }
    }
}
