//! What of a machine is compared by more than its name: the version of its operating system, and the walls that it puts
//! around native programs (paper §IV: a market owner knows the platform of each seller, its version among it).

use std::fmt;

/// Numbers of a version that count.
const PARTS: usize = 4;

/// The version of an operating system: of Linux the kernel's. Up to four numbers, of which the first counts most; the
/// largest of each is 65,535. All zero: unknown, or of no matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release(pub u64);

/// The layers of the sandbox for native programs that stand on a machine: one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layers(u8);

impl Release {
    /// The dotted numbers that `text` begins with: `6.8.0-45-generic` is 6.8.0. What follows them is the maker's and
    /// has no order that could be compared. A number beyond the largest counts as the largest; a fifth one does not count.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
        let numbers = text.get(..end).unwrap_or_default().split('.').take(PARTS);
        let number = |number: &str| match number {
            "" => 0,
            digits => digits.parse::<u16>().unwrap_or(u16::MAX),
        };
        let parts = numbers.map(number).chain(std::iter::repeat(0)).take(PARTS);
        Self(parts.fold(0, |version, part| (version << u16::BITS) | u64::from(part)))
    }

    /// The version that `text` is, if it is nothing but one to four numbers with dots between them, not all of them zero.
    #[must_use]
    pub fn exactly(text: &str) -> Option<Self> {
        let numbers: Vec<&str> = text.split('.').collect();
        let is_number = |number: &&str| {
            number.bytes().all(|digit| digit.is_ascii_digit()) && number.parse::<u16>().is_ok()
        };
        let is_version = numbers.len() <= PARTS && numbers.iter().all(is_number);
        Some(Self::of(text)).filter(|version| is_version && *version != Self::default())
    }
}

impl Layers {
    /// The names of the layers, in the order of their bits: as `compup2p doctor` shows them.
    pub const NAMES: [&'static str; 5] = ["own-user", "namespaces", "landlock", "seccomp", "cgroups"];

    /// Layers by their bits, if there are such.
    #[must_use]
    pub const fn of_bits(bits: u8) -> Option<Self> {
        if bits >> Self::NAMES.len() == 0 { Some(Self(bits)) } else { None }
    }

    /// Their bits.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The layer of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let place = Self::NAMES.iter().position(|known| *known == name)?;
        Some(Self(1 << place))
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of these that are not among `others`.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Release {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<u64> =
            (0..PARTS).rev().map(|part| (self.0 >> (part * 16)) & u64::from(u16::MAX)).collect();
        let used = parts.iter().rposition(|part| *part != 0).map_or(1, |last| last + 1).max(2);
        let words: Vec<String> = parts.iter().take(used).map(ToString::to_string).collect();
        out.pad(&words.join("."))
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stands = |(place, _): &(usize, &&str)| self.0 >> place & 1 == 1;
        let names: Vec<&str> = Self::NAMES.iter().enumerate().filter(stands).map(|(_, name)| *name).collect();
        out.pad(&names.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_the_dotted_numbers_that_a_text_begins_with() {
        for (text, expected) in [
            ("6.8.0-45-generic", "6.8"),
            ("6.12.1+deb13", "6.12.1"),
            ("5.15.0.91", "5.15.0.91"),
            ("10", "10.0"),
            ("1.2.3.4.5", "1.2.3.4"),
            ("99999.1", "65535.1"),
            ("generic", "0.0"),
            ("", "0.0"),
            ("6..1", "6.0.1"),
        ] {
            assert_eq!(Release::of(text).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn versions_are_compared_number_by_number() {
        let order = ["5.9", "5.10", "5.10.0.1", "5.10.1", "6", "6.0.1", "10.0"];
        let versions: Vec<Release> = order.iter().map(|text| Release::of(text)).collect();
        assert!(versions.is_sorted() && versions.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn what_is_asked_for_is_a_version_and_nothing_else() {
        for (text, is_version) in [
            ("6", true),
            ("6.1.0.4", true),
            ("6.1-rc1", false),
            ("6.1.0.4.2", false),
            ("65536", false),
            ("6..1", false),
            ("0.0", false),
            ("", false),
            ("+6", false),
        ] {
            assert_eq!(Release::exactly(text), is_version.then(|| Release::of(text)), "{text}");
        }
    }

    #[test]
    fn layers_are_told_by_their_names() {
        let two = Layers::named("landlock").unwrap().and(Layers::named("own-user").unwrap());
        assert_eq!((two.to_string().as_str(), two.bits()), ("own-user landlock", 5));
        assert_eq!(two.without(Layers::named("own-user").unwrap()).to_string(), "landlock");
        assert!(two.without(two).is_empty() && Layers::named("fence").is_none());
        assert_eq!((Layers::of_bits(31).map(Layers::bits), Layers::of_bits(32)), (Some(31), None));
    }
}
