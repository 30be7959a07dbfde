//! Files of the buyer, as elements name them.

use super::path;
use super::reader::{Reader, place_of};
use super::value::{self, Wrong};
use super::{LocalFile, Search};
use roxmltree::Node;

const SHA256: &str = "64 digits from 0 to 9 and a to f, as `sha256sum` prints them";

/// Reads the file that `node` names, and the place in the text that says what it is called in the scratch directory:
/// by the attribute `as`, else like the last part of its path.
pub(super) fn read(
    node: Node<'_, '_>,
    element: &'static str,
    reader: &mut Reader<'_>,
) -> Option<(LocalFile, usize)> {
    let (name, place) = named(node, element, reader);
    let is_named = node.has_attribute("as");
    let path = reader.value(node, element, |text| {
        let path = value::local(text)?;
        // The last part has to be a name as well, where nothing else is.
        if is_named { Ok(path) } else { last_part(&path).map(|_| path) }
    })?;
    let sha256 = match node.attribute_node("sha256") {
        Some(given) => Some(reader.attribute(given, "sha256", digest)?),
        None => None,
    };
    let search = match node.attribute("search") {
        Some("false" | "0") => Search::Here,
        _ => Search::Network,
    };
    Some((LocalFile { path, name: name?, sha256, search }, place))
}

/// What the file of `node` is called in the scratch directory, and the place in the text that says so.
pub(super) fn named(
    node: Node<'_, '_>,
    element: &'static str,
    reader: &mut Reader<'_>,
) -> (Option<String>, usize) {
    match node.attribute_node("as") {
        Some(given) => (reader.attribute(given, "as", value::inside), given.range_value().start),
        None => (reader.quiet(node, element, last_part), place_of(node)),
    }
}

fn last_part(text: &str) -> Result<String, Wrong> {
    Ok(path::inside(path::last_part(text))?)
}

/// A SHA-256 digest in 64 hexadecimal digits.
fn digest(text: &str) -> Result<[u8; 32], Wrong> {
    let mut digest = [0_u8; 32];
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 64 || !text.bytes().all(is_hex) {
        return Err(Wrong::Expected(SHA256));
    }
    for (index, byte) in digest.iter_mut().enumerate() {
        let pair = text.get(2 * index..2 * index + 2).unwrap_or_default();
        *byte = u8::from_str_radix(pair, 16).map_err(|_| Wrong::Expected(SHA256))?;
    }
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_64_small_hexadecimal_digits() {
        let mut expected = [0; 32];
        (expected[0], expected[31]) = (0x0f, 0xa0);
        assert_eq!(digest(&format!("0f{}a0", "00".repeat(30))), Ok(expected));
        for text in ["", "0f", &"0F".repeat(32), &"+f".repeat(32), &"0".repeat(65), &"é".repeat(32)] {
            assert_eq!(digest(text), Err(Wrong::Expected(SHA256)), "{text}");
        }
    }
}
