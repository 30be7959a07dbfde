//! The walls around native programs for people.

use super::clean;
use crate::control::{DoctorView, LayerView};
use std::fmt::Write as _;

/// One wall a line, with what is missing below it, and what that means.
pub(in crate::output) fn doctor(doctor: &DoctorView) -> String {
    let mut text = String::new();
    for LayerView { name, what, missing, required, .. } in &doctor.layers {
        let state = if missing.is_none() { "yes" } else { "no" };
        let _ = writeln!(text, "{name:<11} {state:<4} {}", clean(what));
        if let Some(why) = missing {
            let weight = if *required { "needed" } else { "not needed" };
            let _ = writeln!(text, "{:16} {weight}: {}", "", clean(why));
        }
    }
    text.push_str(if doctor.ready {
        "native programs can be run here in the whole sandbox; a policy allows them by `share.native = true`\n"
    } else {
        "native programs cannot be run here in the whole sandbox (`limits.sandbox = \"required\"`)\n"
    });
    text
}

/// The walls in one line.
pub(super) fn in_short(layers: &[LayerView]) -> String {
    let names = |active: bool| -> Vec<&str> {
        layers.iter().filter(|layer| layer.active == active).map(|layer| layer.name.as_str()).collect()
    };
    match (layers.is_empty(), names(true), names(false)) {
        (true, ..) => "programs of others are not run".into(),
        (_, active, missing) if missing.is_empty() => {
            format!("programs of others behind {}", active.join(", "))
        }
        (_, active, missing) => {
            format!("programs of others behind {}; without {}", active.join(", "), missing.join(", "))
        }
    }
}
