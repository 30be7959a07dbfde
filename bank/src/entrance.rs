//! What a command has to be before the ledger looks at its order.

use crate::fingerprint::Fingerprint;
use crate::record::MAX_COMMAND;
use proto::message::bank::BankCommand;
use proto::wire::Wire;
use proto::{PublicKey, Refusal, RefusalCode, Signed};

/// Bytes of an encoded command beside its content and the length of that: key, signature, and three tags with two lengths.
const AROUND: usize = 32 + 64 + 5;

/// A command as it came in, with what can be found out about it without the ledger, on any thread: what is dear is the
/// signature. The bank takes it as [`crate::Input::Checked`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub(crate) command: Signed<BankCommand>,
    /// The encoding of its content.
    content: Vec<u8>,
    /// Whether its signature is genuine; none if that was not found out yet.
    is_genuine: Option<bool>,
}

impl Checked {
    /// A command whose signature is verified now.
    #[must_use]
    pub fn new(command: Signed<BankCommand>) -> Self {
        let mut checked = Self::unverified(command);
        checked.is_genuine = Some(checked.command.is_genuine_as(&checked.content));
        checked
    }

    /// Whether its signature is genuine, as far as that was found out.
    #[must_use]
    pub fn is_genuine(&self) -> bool {
        self.is_genuine == Some(true)
    }

    /// A command whose signature is verified when nothing else is wrong with it.
    pub(crate) fn unverified(command: Signed<BankCommand>) -> Self {
        let content = command.body.encode();
        Self { command, content, is_genuine: None }
    }

    /// What it is known by.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_content(&self.command, &self.content)
    }

    /// Whether it is a genuine command of `sender`, for the bank whose key is `bank`, of bearable size.
    pub(crate) fn admit(&self, sender: PublicKey, bank: PublicKey) -> Result<(), Refusal> {
        let Self { command, content, is_genuine } = self;
        if command.signer != sender {
            let message = format!("the command is signed by {}, the channel is of {sender}", command.signer);
            return Err(Refusal::new(RefusalCode::NotYours, message, "send your own commands only"));
        }
        if command.body.bank != bank {
            let message = format!("the command is for the bank {}, this is {bank}", command.body.bank);
            return Err(Refusal::new(RefusalCode::Mismatch, message, ""));
        }
        let size = content.len() + length_of(content.len()) + AROUND;
        if size > MAX_COMMAND {
            let message = format!("the command has {size} bytes, the bank keeps {MAX_COMMAND} at most");
            let hint = "declare fewer outputs for the sub-task";
            return Err(Refusal::new(RefusalCode::Malformed, message, hint));
        }
        if !is_genuine.unwrap_or_else(|| command.is_genuine_as(content)) {
            let message = format!("the command is not signed by {sender}");
            return Err(Refusal::new(RefusalCode::NotYours, message, ""));
        }
        Ok(())
    }
}

/// How many bytes the wire takes for a length: seven bits in each.
const fn length_of(length: usize) -> usize {
    let bits = usize::BITS - length.leading_zeros();
    if bits == 0 { 1 } else { bits.div_ceil(7) as usize }
}

/// Whether a command of a record was one that a bank takes.
pub(crate) fn admit(
    command: &Signed<BankCommand>,
    sender: PublicKey,
    bank: PublicKey,
) -> Result<(), Refusal> {
    Checked::unverified(command.clone()).admit(sender, bank)
}
