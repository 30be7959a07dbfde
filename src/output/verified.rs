//! What an audit of a bank's files has shown.

use serde::Serialize;
use std::fmt::Write as _;

/// The figures of `bank verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Verified {
    /// Its key.
    pub(crate) bank: String,
    pub(crate) records: u64,
    pub(crate) accounts: usize,
    /// In credits, as the two below.
    pub(crate) issued: String,
    pub(crate) available: String,
    pub(crate) held: String,
    pub(crate) open_holds: usize,
    /// The chain of the last record.
    pub(crate) head: String,
    /// How many records the newest snapshot has, if there is one: it was compared.
    pub(crate) snapshot: Option<u64>,
    /// Of all files together.
    pub(crate) bytes: u64,
    /// Bytes of a last write that was cut short: the next start cuts them off.
    pub(crate) torn_bytes: u64,
}

impl Verified {
    pub(crate) fn text(&self) -> String {
        let Self { bank, records, accounts, issued, available, held, open_holds, head, .. } = self;
        let mut text = format!(
            "the books of the bank {bank} are right: chain, sums and signatures of {records} records\n\
             accounts    {accounts}\n\
             issued      {issued} credits\n\
             available   {available} credits\n\
             held        {held} credits in {open_holds} open holds\n\
             head        {head}\n"
        );
        match self.snapshot {
            Some(records) => {
                let _ =
                    writeln!(text, "snapshot    of {records} records, equal to what the journal comes to");
            }
            None => text.push_str("snapshot    none\n"),
        }
        if self.torn_bytes > 0 {
            let bytes = self.torn_bytes;
            let _ = writeln!(
                text,
                "a last write of {bytes} bytes is torn: nobody was told of it, the next start cuts it off"
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_verified_is_told_with_the_figures_to_compare() {
        let verified = Verified {
            bank: "b1".into(),
            records: 12,
            accounts: 3,
            issued: "30.00".into(),
            available: "28.00".into(),
            held: "2.00".into(),
            open_holds: 1,
            head: "c0ffee".into(),
            snapshot: Some(10),
            bytes: 4_096,
            torn_bytes: 7,
        };
        let text = "the books of the bank b1 are right: chain, sums and signatures of 12 records\n\
                    accounts    3\nissued      30.00 credits\navailable   28.00 credits\n\
                    held        2.00 credits in 1 open holds\nhead        c0ffee\n\
                    snapshot    of 10 records, equal to what the journal comes to\n\
                    a last write of 7 bytes is torn: nobody was told of it, the next start cuts it off\n";
        assert_eq!(verified.text(), text);
        let calm = Verified { snapshot: None, torn_bytes: 0, ..verified };
        assert!(calm.text().ends_with("snapshot    none\n"));
    }
}
