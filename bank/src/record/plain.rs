//! The encoding of the commonest record, a transfer, read where it lies: without a copy, and without a second
//! encoding to check the first. Everything that is not exactly in the form that [`super::Record::encode`] gives is left to
//! [`super::Record::decode`].

use super::{FORMAT, TRANSFERRED};
use proto::message::bank::{MAX_PAYMENTS, Payment};
use proto::{CommandId, Hash, Money, PublicKey, Time};

/// A record of a transfer.
#[derive(Debug)]
pub(crate) struct Plain<'a> {
    pub(crate) sequence: u64,
    pub(crate) time: Time,
    /// The command's digest, by the bank's word ([`crate::fingerprint::digest`]).
    pub(crate) digest: [u8; 16],
    pub(crate) id: CommandId,
    pub(crate) payer: PublicKey,
    pub(crate) payments: Vec<Payment>,
    pub(crate) memo: &'a str,
    pub(crate) chain: Hash,
}

impl<'a> Plain<'a> {
    /// The record that these bytes are, if it is a transfer in its usual form.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = Bytes(bytes);
        rest.exactly(&[FORMAT])?;
        let (sequence, time) = (rest.number()?, Time(rest.number()?));
        rest.exactly(&[TRANSFERRED])?;
        let digest = rest.array()?;
        let length = u32::from_le_bytes(rest.array()?);
        let mut signed = Bytes(rest.take(usize::try_from(length).ok()?)?);
        let chain = Hash(rest.array()?);
        let mut command = Bytes(signed.field(0x0a)?);
        let payer = PublicKey(signed.fixed(0x12)?);
        let _: [u8; 64] = signed.fixed(0x1a)?;
        let id = CommandId(command.fixed(0x0a)?);
        let _: [u8; 32] = command.fixed(0x12)?;
        let mut transfer = Bytes(command.field(0x3a)?);
        let payments = transfer.payments()?;
        let memo = if transfer.0.is_empty() { &[][..] } else { transfer.field(0x12)? };
        let is_default = memo.is_empty() && !transfer.0.is_empty();
        let is_whole = [rest, signed, command, transfer].iter().all(|rest| rest.0.is_empty());
        let memo = std::str::from_utf8(memo).ok().filter(|_| is_whole && !is_default)?;
        Some(Self { sequence, time, digest, id, payer, payments, memo, chain })
    }
}

/// What is left to read of the canonical encoding.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    fn exactly(&mut self, expected: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number of the wire's encoding in its shortest form.
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && byte > 1 || byte == 0 && shift > 0 {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// The content of a field with this tag.
    fn field(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.exactly(&[tag])?;
        let length = usize::try_from(self.varint()?).ok()?;
        self.take(length)
    }

    /// The content of a field of known length.
    fn fixed<const N: usize>(&mut self, tag: u8) -> Option<[u8; N]> {
        self.field(tag)?.try_into().ok()
    }

    fn payments(&mut self) -> Option<Vec<Payment>> {
        let mut payments = Vec::with_capacity(1);
        while self.0.first() == Some(&0x0a) {
            let mut payment = Bytes(self.field(0x0a)?);
            let to = PublicKey(payment.fixed(0x0a)?);
            payment.exactly(&[0x10])?;
            let amount = Money(payment.varint()?);
            if amount == Money::ZERO || !payment.0.is_empty() || payments.len() >= MAX_PAYMENTS {
                return None;
            }
            payments.push(Payment { to, amount });
        }
        Some(payments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Event, Record};
    use proptest::prelude::*;
    use proto::message::bank::{BankCommand, Order, Transfer};
    use proto::{Signature, Signed};

    fn record() -> impl Strategy<Value = Record> {
        let payment = (any::<[u8; 32]>(), prop_oneof![Just(1_u64), 1..400_u64, 1..=u64::MAX])
            .prop_map(|(to, amount)| Payment { to: PublicKey(to), amount: Money(amount) });
        let order = (prop::collection::vec(payment, 0..5), "[a-zß]{0,20}")
            .prop_map(|(payments, memo)| Order::Transfer(Transfer { payments, memo }));
        let keys = (any::<[u8; 16]>(), any::<[u8; 32]>(), any::<[u8; 32]>());
        (order, keys, any::<u64>(), any::<u64>()).prop_map(|(order, (id, bank, signer), sequence, time)| {
            let body = BankCommand { id: CommandId(id), bank: PublicKey(bank), order };
            let command = Signed { body, signer: PublicKey(signer), signature: Signature([3; 64]) };
            let event = Event::Transferred { command: Box::new(command) };
            Record::seal(sequence, Time(time), event, Hash::default())
        })
    }

    /// What is read in place is what the long way reads.
    fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
        let Some(plain) = Plain::read(bytes) else { return Ok(()) };
        // The long way also looks at the digest, which the place cannot: so it is put right first.
        let mut right = bytes.to_vec();
        let command = &bytes[34 + 4..bytes.len() - 32];
        let command: Signed<BankCommand> = proto::wire::Wire::decode(command).unwrap();
        let digest = crate::fingerprint::Fingerprint::of(&command).digest;
        right[18..34].copy_from_slice(&digest);
        let record = Record::decode(&right).unwrap();
        prop_assert_eq!(record.encode(), right, "only the canonical form is read in place");
        let Event::Transferred { command } = &record.event else { panic!("{record:?}") };
        let Order::Transfer(order) = &command.body.order else { panic!("{record:?}") };
        prop_assert_eq!(
            (plain.sequence, plain.time, plain.chain),
            (record.sequence, record.time, record.chain)
        );
        prop_assert_eq!((plain.id, plain.payer), (command.body.id, command.signer));
        prop_assert_eq!((&plain.payments, plain.memo), (&order.payments, order.memo.as_str()));
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_transfer_in_its_usual_form_is_read_in_place(record in record()) {
            let bytes = record.encode();
            prop_assert!(Plain::read(&bytes).is_some());
            check(&bytes)?;
        }

        #[test]
        fn other_bytes_are_read_as_the_long_way_reads_them(
            record in record(),
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4),
        ) {
            let mut bytes = record.encode();
            for (place, byte, kind) in edits {
                let place = place.index(bytes.len());
                match kind {
                    0 => bytes[place] = byte,
                    1 => bytes.insert(place, byte),
                    _ => drop(bytes.remove(place)),
                }
            }
            check(&bytes)?;
        }
    }
}
