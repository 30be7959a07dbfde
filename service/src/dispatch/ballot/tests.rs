use super::*;
use proptest::prelude::*;
use proto::Bytes;
use proto::message::service::Blob;

const R: Voice = Voice::Result;
const P: Voice = Voice::Pending;
const G: Voice = Voice::Gone;

fn exited(status: i32) -> Voice {
    Voice::Failure(Outcome::Exited(status))
}

/// Voices and what they come to; results agree if they have one letter, and are being compared if one of them has `?`.
fn check(voices: &[Voice], letters: &str, quorum: u32, most: u32, expected: &Decision) {
    let voices: Vec<(u32, Voice)> = (10..).zip(voices.iter().cloned()).collect();
    let pairs = pairs_of(letters);
    assert_eq!(decide(&voices, &pairs, Terms { quorum, most }), *expected, "{voices:?} {letters}");
}

/// What is known of results 10, 11, … with these letters.
fn pairs_of(letters: &str) -> Pairs {
    let mut pairs = Pairs::default();
    let letters: Vec<(u32, char)> = (10..).zip(letters.chars()).collect();
    for (one, a) in &letters {
        for (other, b) in letters.iter().filter(|(other, _)| other > one) {
            let pair = match a == b {
                _ if *a == '?' || *b == '?' => Pair::Asked,
                true => Pair::Same,
                false => Pair::Different(Difference::default()),
            };
            pairs.note(*one, *other, pair);
        }
    }
    pairs
}

#[test]
fn the_first_result_with_a_quorum_is_canonical() {
    use Decision::{Elect, Fail, More, NoQuorum, Wait};
    check(&[P, P, P], "   ", 2, 3, &Wait);
    check(&[R, P, P], "a", 2, 3, &Wait);
    check(&[R, P, P], "a", 1, 3, &Elect(10));
    check(&[R, R, P], "aa", 2, 3, &Elect(10));
    check(&[R, R, P], "ab", 2, 3, &Wait);
    check(&[R, R, R], "abb", 2, 3, &Elect(11));
    check(&[R, R, R], "ab?", 2, 3, &Wait);
    check(&[R, R, R], "abc", 2, 3, &NoQuorum);
    check(&[R, R, R], "abc", 2, 5, &More(1));
    check(&[R, R, R, P], "abc", 2, 5, &Wait);
    check(&[R, R, R, R], "abcb", 2, 5, &Elect(11));
    check(&[G, G, R], "  a", 2, 5, &More(1));
    check(&[G, G, G], "   ", 2, 5, &More(2));
    check(&[G, G, G], "   ", 3, 5, &NoQuorum);
    check(&[Voice::Stuck, R, R], " ab", 2, 5, &NoQuorum);
    check(&[Voice::Stuck, R, R], " aa", 2, 5, &Elect(11));
    check(&[exited(1), exited(1), P], "   ", 2, 3, &Fail(Outcome::Exited(1)));
    check(&[exited(1), exited(2), P], "   ", 2, 3, &Wait);
    check(&[exited(1), R, R], " aa", 2, 3, &Elect(11));
    check(&[exited(1), R, P], " a ", 2, 3, &Wait);
    check(&[exited(1), R, G], " a ", 2, 3, &NoQuorum);
}

#[test]
fn to_agree_is_not_transitive_and_a_quorum_has_a_centre() {
    // 10 and 11 agree, 11 and 12 agree, 10 and 12 do not: 11 is the only one with which three agree.
    let mut pairs = pairs_of("aaa");
    pairs.note(12, 10, Pair::Different(Difference::default()));
    let voices = [(10, R), (11, R), (12, R)];
    assert_eq!(decide(&voices, &pairs, Terms { quorum: 3, most: 3 }), Decision::Elect(11));
    assert_eq!(decide(&voices, &pairs, Terms { quorum: 2, most: 3 }), Decision::Elect(10));
    // A chain of four has no centre.
    let mut chain = pairs_of("abcd");
    [(10, 11), (11, 12), (12, 13)].iter().for_each(|(one, other)| chain.note(*one, *other, Pair::Same));
    let voices = [(10, R), (11, R), (12, R), (13, R)];
    assert_eq!(decide(&voices, &chain, Terms { quorum: 4, most: 4 }), Decision::NoQuorum);
}

#[test]
fn a_difference_is_told_from_both_sides() {
    let part = |name: &str, n: u8| {
        let content = (n > 0).then(|| Blob { hash: Hash([n; 32]), size: Bytes(u64::from(n)) });
        Part { name: name.into(), content }
    };
    let one = [part("a", 1), part("b", 2)];
    let other = [part("a", 1), part("b", 0)];
    assert_eq!(compare_hashes(&one, &one), None);
    let difference = compare_hashes(&one, &other).unwrap();
    assert_eq!((difference.output.as_str(), difference.found.as_str()), ("b", "nothing"));
    assert!(difference.expected.starts_with("2 B with BLAKE3 0202"), "{difference}");
    let mut pairs = Pairs::default();
    pairs.note(3, 7, Pair::Different(difference.clone()));
    assert_eq!(pairs.difference(3, 7), Some(difference.clone()));
    assert_eq!(pairs.difference(7, 3).map(|turned| turned.found), Some(difference.expected));
    assert_ne!(digest(&one), digest(&other));
    pairs.forget(7);
    assert_eq!(pairs.of(3, 7), None);
}

proptest! {
    /// Whatever the voices are: who is elected has a quorum, and what is bought stays within the most and is needed.
    #[test]
    fn a_decision_is_within_the_terms(
        kinds in prop::collection::vec(0_u8..5, 1..8),
        letters in "[abc?]{8}",
        quorum in 1_u32..5,
        spare in 0_u32..4,
    ) {
        let voice = |kind: &u8| match kind { 0 => P, 1 => G, 2 => exited(1), _ => R };
        let voices: Vec<(u32, Voice)> = (10..).zip(kinds.iter().map(voice)).collect();
        let pairs = pairs_of(&letters);
        let bought = u32::try_from(voices.len()).unwrap();
        let terms = Terms { quorum, most: bought + spare };
        let results: Vec<u32> = voices.iter().filter(|(_, v)| *v == R).map(|(index, _)| *index).collect();
        let pending = voices.iter().filter(|(_, v)| *v == P).count();
        match decide(&voices, &pairs, terms) {
            Decision::Elect(canonical) => {
                let with = results.iter().filter(|other| pairs.agree(canonical, **other) == Some(true)).count();
                prop_assert!(results.contains(&canonical) && with >= usize::try_from(quorum).unwrap());
            }
            Decision::More(count) => {
                prop_assert!(count >= 1 && bought + count <= terms.most);
                prop_assert!(count + u32::try_from(pending).unwrap() <= quorum);
            }
            Decision::Fail(outcome) => {
                let failures = voices.iter().filter(|(_, v)| *v == Voice::Failure(outcome.clone())).count();
                prop_assert!(failures >= usize::try_from(quorum).unwrap());
            }
            Decision::Wait => prop_assert!(pending > 0 || letters.contains('?')),
            Decision::NoQuorum => prop_assert!(!voices.is_empty()),
        }
    }
}
