//! What a node opens its account with: the operator's invitation and a proof of work, where the network's rules ask for them.

use crate::cli::exit;
use crate::control::Failure;
use proto::admission::{Admission, find_nonce};
use proto::message::bank::{Invitation, OpenAccount};
use proto::wire::Wire as _;
use proto::{PublicKey, Signed};
use std::path::Path;

/// Hashes between two looks whether the node still wants it: some milliseconds.
const SLICE: u64 = 1 << 16;
/// The most work that this program does for an account, in bits: hours. A network that asks for more is refused.
const MAX_BITS: u32 = 40;
/// The longest invitation, in hexadecimal digits: it is much shorter.
const LONGEST: u64 = 4_096;

/// Reads the invitation that `--invitation` names or holds.
///
/// # Errors
/// A file that cannot be read, or a text that is no invitation.
pub(super) fn invitation(given: Option<&str>) -> Result<Option<Signed<Invitation>>, Failure> {
    let Some(given) = given else { return Ok(None) };
    let path = Path::new(given);
    let text = if path.is_file() {
        let length = path.metadata().map_or(0, |metadata| metadata.len());
        if length > LONGEST {
            return Err(none(given));
        }
        std::fs::read_to_string(path).map_err(|error| Failure::no_file(path, &error))?
    } else {
        given.to_owned()
    };
    let bytes = unhexed(text.trim()).ok_or_else(|| none(given))?;
    Signed::decode(&bytes).map(Some).map_err(|_| none(given))
}

fn none(given: &str) -> Failure {
    let shown: String = given.chars().take(40).collect();
    Failure::new("invitation", format!("`{shown}` is neither an invitation nor a file with one"), exit::USAGE)
        .hint("the operator of the bank makes one with `compup2p bank invite ACCOUNT`")
}

fn unhexed(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    let is_whole = pairs.remainder().is_empty() && !digits.is_empty();
    let byte = |pair: &[u8]| pair.iter().fold(0_u8, |byte, digit| (byte << 4) | digit);
    is_whole.then(|| pairs.map(byte).collect())
}

/// Does the work that the rules ask for, beside everything else. The nonce follows from the keys alone.
///
/// # Errors
/// Rules that ask for more than anybody would do.
pub(super) async fn prepare(
    admission: Admission,
    invitation: Option<Signed<Invitation>>,
    bank: PublicKey,
    account: PublicKey,
) -> Result<OpenAccount, Failure> {
    let bits = admission.work_bits;
    if bits > MAX_BITS {
        let message =
            format!("this network asks for a proof of work of {bits} bits, this program does {MAX_BITS}");
        return Err(Failure::new("not_admitted", message, exit::REFUSED));
    }
    if bits > 24 {
        tracing::info!(bits, "works for its account: this may take minutes");
    }
    let mut start = 0;
    let nonce = loop {
        let search = move || find_nonce(bank, account, bits, start, SLICE);
        match tokio::task::spawn_blocking(search).await.map_err(Failure::from_display("thread"))? {
            Some(nonce) => break nonce,
            None => start += SLICE,
        }
    };
    Ok(OpenAccount { invitation, nonce })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::admission::work;
    use proto::{KeyPair, Time};

    #[test]
    fn an_invitation_comes_as_a_text_or_in_a_file() {
        let keys = KeyPair::from_secret([1; 32]);
        let body = Invitation { bank: keys.public(), account: PublicKey([2; 32]), expires: Time(5) };
        let paper = Signed::new(body, &keys);
        let text = proto::id::hex(&paper.encode());
        assert_eq!(invitation(Some(&text)), Ok(Some(paper.clone())));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{text}\n")).unwrap();
        assert_eq!(invitation(file.path().to_str()), Ok(Some(paper)));
        assert_eq!(invitation(None), Ok(None));
        for wrong in ["", "abc", "zz", "00", "/nowhere/at/all", &text[2..], &format!("{text}é")] {
            assert_eq!(invitation(Some(wrong)).unwrap_err().exit, exit::USAGE, "{wrong}");
        }
    }

    #[tokio::test]
    async fn the_work_is_done_and_is_the_same_each_time() {
        let (bank, account) = (PublicKey([1; 32]), PublicKey([2; 32]));
        let admission = Admission { work_bits: 17, ..Admission::OPEN };
        let opening = prepare(admission, None, bank, account).await.unwrap();
        assert!(work(bank, account, opening.nonce) >= 17);
        assert_eq!(prepare(admission, None, bank, account).await, Ok(opening));
        let greedy = Admission { work_bits: 41, ..Admission::OPEN };
        assert_eq!(prepare(greedy, None, bank, account).await.unwrap_err().code, "not_admitted");
    }
}
