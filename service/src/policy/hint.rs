//! Did you mean: the known key that an unknown one was probably meant to be.

use super::fault::Hint;
use super::keys;

/// The longest name that is compared, in bytes.
const MAX_COMPARED: usize = 64;

/// What `key`, which `section` with its keys `allowed` does not have, was probably meant to be.
pub(super) fn hint(key: &str, section: &str, allowed: &[&'static str]) -> Option<Hint> {
    if let Some(owner) = keys::owner_of(key).filter(|owner| *owner != section) {
        return Some(Hint::BelongsIn(owner));
    }
    closest(key, allowed.iter().copied()).map(Hint::DidYouMean)
}

/// The candidate nearest to `name`: another case, `-` for `_`, or one slip per three letters, at least one.
pub(super) fn closest(name: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    if name.len() > MAX_COMPARED {
        return None;
    }
    let small = name.to_lowercase().replace('-', "_");
    let slips = (small.chars().count() / 3).max(1);
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(&small, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= slips && *distance < candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}

/// The first characters of a text, for messages: whole up to 60 characters, else 57 and an ellipsis; what cannot be
/// shown becomes a space.
pub(super) fn shortened(text: &str) -> String {
    let visible = |character: char| if character.is_control() { ' ' } else { character };
    match text.char_indices().nth(60) {
        None => text.chars().map(visible).collect(),
        Some(_) => text.chars().take(57).map(visible).chain("…".chars()).collect(),
    }
}
