//! What the network and the clocks of complete nodes do, as parameters.

use super::whole;
use crate::clock::Clocks;
use crate::experiment::{Parameter, Setting, SettingError};
use crate::net::Model;
use crate::network::{HeldBack, HeldBackError, Latency};
use proto::Span;

const LATENCY: Parameter =
    Parameter::real("network.latency_ms", 1.0, 0.0, 10_000.0, "time of a message, in milliseconds");
const LOSS: Parameter =
    Parameter::real("network.loss_pct", 0.0, 0.0, 50.0, "messages that are lost, in percent");
const HELD: Parameter = Parameter::real(
    "network.held_back_pct",
    0.0,
    0.0,
    100.0,
    "messages that take longer than the others, so that later ones overtake them, in percent",
);
const HELD_FOR: Parameter = Parameter::real(
    "network.held_back_ms",
    0.0,
    0.0,
    10_000.0,
    "how much longer they take: any time up to this, in milliseconds",
);
const DRIFT: Parameter = Parameter::integer(
    "network.clock_drift_ppm",
    0,
    0,
    10_000,
    "how much too fast or too slow a node's clock runs at most, in millionths; the bank's is right",
);
const WRONG: Parameter = Parameter::real(
    "network.wrong_clocks_pct",
    0.0,
    0.0,
    100.0,
    "nodes whose clocks are set wrong, in percent",
);
const APART: Parameter = Parameter::real(
    "network.wrong_clocks_s",
    0.0,
    0.0,
    86_400.0,
    "how far those clocks are from the bank's at most, in either direction, in seconds",
);

pub(super) const PARAMETERS: [Parameter; 7] = [LATENCY, LOSS, HELD, HELD_FOR, DRIFT, WRONG, APART];

/// What can go wrong, each as the parameters that are not their defaults then.
pub(super) const FAULTS: [&[Parameter]; 4] = [&[LOSS], &[HELD, HELD_FOR], &[DRIFT], &[WRONG, APART]];

/// Whether the parameters fit each other.
pub(super) fn check(setting: &Setting) -> Result<(), SettingError> {
    held(setting).map_err(|error| SettingError::new(HELD.key, error.to_string()))?;
    if (setting.real(&WRONG) > 0.0) != (setting.real(&APART) > 0.0) {
        let why = format!("expected both `{}` and `{}`, or neither", WRONG.key, APART.key);
        return Err(SettingError::new(WRONG.key, why));
    }
    Ok(())
}

/// The network.
pub(super) fn net(setting: &Setting) -> Model {
    let ways = Latency::Constant(millis(setting, &LATENCY));
    let latency = match held(setting) {
        Ok(held) if held != HeldBack::NONE => Latency::HeldBack { ways: Box::new(ways), held },
        _ => ways,
    };
    Model { latency, loss: per_mille(setting, &LOSS), duplication: 0 }
}

/// The clocks.
pub(super) fn clocks(setting: &Setting) -> Clocks {
    Clocks {
        drift_ppm: u32::try_from(setting.count(&DRIFT)).unwrap_or(0),
        wrong: per_mille(setting, &WRONG),
        apart: Span(whole(setting.real(&APART) * 1e6)),
    }
}

fn held(setting: &Setting) -> Result<HeldBack, HeldBackError> {
    HeldBack::new(per_mille(setting, &HELD), millis(setting, &HELD_FOR))
}

fn per_mille(setting: &Setting, percent: &Parameter) -> u32 {
    u32::try_from(whole(setting.real(percent) * 10.0)).unwrap_or(0)
}

fn millis(setting: &Setting, parameter: &Parameter) -> Span {
    Span(whole(setting.real(parameter) * 1_000.0))
}
