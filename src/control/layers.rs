//! The walls around native programs, as commands show them.

use crate::exec::{Layer, LayerState};
use serde::{Deserialize, Serialize};

/// One wall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LayerView {
    pub(crate) name: String,
    /// What it holds back.
    pub(crate) what: String,
    pub(crate) active: bool,
    /// Why it does not stand, and what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<String>,
    /// Whether `limits.sandbox = "required"` asks for it.
    pub(crate) required: bool,
}

/// What a machine has to run native programs behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DoctorView {
    pub(crate) layers: Vec<LayerView>,
    /// Whether everything stands that `limits.sandbox = "required"` asks for.
    pub(crate) ready: bool,
}

impl LayerView {
    /// Of `layer`.
    pub(crate) fn of(layer: &Layer) -> Self {
        let missing = match &layer.state {
            LayerState::Active => None,
            LayerState::Missing(why) => Some(why.clone()),
        };
        Self {
            name: layer.name.into(),
            what: layer.what.into(),
            active: missing.is_none(),
            missing,
            required: crate::exec::native::REQUIRED.contains(&layer.name),
        }
    }
}

impl DoctorView {
    /// Of all layers of the executor of native programs.
    pub(crate) fn of(layers: &[Layer], missing: Option<&str>) -> Self {
        Self { layers: layers.iter().map(LayerView::of).collect(), ready: missing.is_none() }
    }
}
