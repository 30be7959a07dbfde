//! What a task looks for in its results (`StopWhen`).

use super::numeric::numbers;
use service::task::StopCondition;

/// What is found of it in a content, in words.
pub(super) fn search(condition: &StopCondition, name: &str, bytes: &[u8]) -> Option<String> {
    let first = || numbers(bytes).next();
    match condition {
        StopCondition::Exit(_) => None,
        StopCondition::Contains { text, .. } => {
            let place = bytes.windows(text.len().max(1)).position(|window| window == text.as_bytes())?;
            let line = 1 + bytes.iter().take(place).filter(|byte| **byte == b'\n').count();
            Some(format!("`{text}` stands in {name}, line {line}"))
        }
        StopCondition::Below { bound, .. } => {
            let number = first().filter(|number| *number < bound.to_f64())?;
            Some(format!("{number} in {name} is below {bound}"))
        }
        StopCondition::Above { bound, .. } => {
            let number = first().filter(|number| *number > bound.to_f64())?;
            Some(format!("{number} in {name} is above {bound}"))
        }
    }
}
