//! Did you mean: the known name that an unknown one was probably meant to be.

/// The longest name that is compared, in bytes.
const MAX_COMPARED: usize = 64;

/// The candidate nearest to `name`: letters of the wrong case, or one slip per three letters, at least one.
pub(super) fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > MAX_COMPARED {
        return None;
    }
    let small = name.to_lowercase();
    let slips = (small.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&small, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= slips && *distance < candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

/// The first characters of a text, for messages: whole up to 60 characters, else 57 and an ellipsis; what
/// cannot be shown becomes a space.
pub(super) fn shortened(text: &str) -> String {
    let visible = |character: char| if character.is_control() { ' ' } else { character };
    match text.char_indices().nth(60) {
        None => text.chars().map(visible).collect(),
        Some(_) => text.chars().take(57).map(visible).chain("…".chars()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_hand_find_the_name_and_other_words_do_not() {
        let names = ["Price", "Param", "CpuCycles", "OS", "i"];
        let table = [
            ("Prise", Some("Price")),
            ("price", Some("Price")),
            ("Pirce", Some("Price")),
            ("cpucycle", Some("CpuCycles")),
            ("0S", Some("OS")),
            ("j", None),
            ("Cost", None),
            ("", None),
        ];
        for (given, expected) in table {
            assert_eq!(closest(given, names), expected, "{given}");
        }
        assert_eq!(closest(&"Price".repeat(1_000), names), None);
    }

    #[test]
    fn long_texts_are_shortened_to_what_can_be_shown() {
        assert_eq!(shortened(&"ä".repeat(60)), "ä".repeat(60));
        assert_eq!(shortened("a\nb\u{1b}"), "a b ");
        assert_eq!(shortened(&"ä".repeat(61)), format!("{}…", "ä".repeat(57)));
    }
}
