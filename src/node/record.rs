//! What this node did as a seller, over all its runs: one small file that is replaced whenever something changed.

use crate::control::{HiredView, RecordView};
use proto::{Money, Time};
use serde::{Deserialize, Serialize};
use service::Record;
use std::io::Write as _;
use std::path::PathBuf;

/// The sums of the runs that have ended, and the last contract of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    contracts: u64,
    paid: u64,
    /// Micro-credits.
    earned: u64,
    last_hired: Option<HiredView>,
}

/// The book of a seller: former runs and this one.
pub(crate) struct SellersBook {
    path: PathBuf,
    former: Kept,
    saved: Record,
}

impl SellersBook {
    /// Reads what former runs have left at `path`. A file that cannot be read counts as none, and is not replaced before
    /// there is something to write.
    pub(crate) fn open(path: PathBuf) -> Self {
        let text = std::fs::read_to_string(&path).ok();
        let former = text.and_then(|text| match serde_json::from_str(&text) {
            Ok(kept) => Some(kept),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "the book of earnings cannot be read");
                None
            }
        });
        Self { path, former: former.unwrap_or_default(), saved: Record::default() }
    }

    /// Writes what has changed since the last time.
    pub(crate) fn save(&mut self, record: Record) {
        if record == self.saved {
            return;
        }
        match self.write(&self.sum(&record)) {
            Ok(()) => self.saved = record,
            Err(error) => tracing::warn!(%error, "the book of earnings could not be written"),
        }
    }

    /// The book as commands show it.
    pub(crate) fn view(&self, record: &Record) -> RecordView {
        let all = self.sum(record);
        RecordView {
            contracts: record.hired,
            ended: record.ended,
            paid: record.paid,
            earned: record.earned.to_string(),
            contracts_ever: all.contracts,
            paid_ever: all.paid,
            earned_ever: Money(all.earned).to_string(),
            last_hired: all.last_hired,
        }
    }

    fn sum(&self, record: &Record) -> Kept {
        let last = record.last.map(|hire| HiredView {
            at: rfc3339(hire.at),
            buyer: hire.buyer.key.to_hex(),
            address: hire.buyer.addr.to_string(),
            price: hire.price.to_string(),
        });
        Kept {
            contracts: self.former.contracts.saturating_add(record.hired),
            paid: self.former.paid.saturating_add(record.paid),
            earned: self.former.earned.saturating_add(record.earned.0),
            last_hired: last.or_else(|| self.former.last_hired.clone()),
        }
    }

    fn write(&self, kept: &Kept) -> std::io::Result<()> {
        let text = serde_json::to_string(kept).map_err(std::io::Error::other)?;
        let directory = self.path.parent().unwrap_or(std::path::Path::new("."));
        let mut part = tempfile::NamedTempFile::new_in(directory)?;
        part.write_all(text.as_bytes())?;
        part.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// A moment of the network's time, which is counted from the Unix epoch.
pub(crate) fn rfc3339(time: Time) -> String {
    let micros = i64::try_from(time.0).unwrap_or(i64::MAX);
    let stamp = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX);
    stamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{KeyPair, Peer, Rate};
    use service::Hire;

    fn record(hired: u64, earned: u64) -> Record {
        let buyer = Peer::new("10.0.0.1:7740".parse().unwrap(), 0, KeyPair::from_secret([1; 32]).public());
        let last =
            (hired > 0).then_some(Hire { at: Time(1_795_251_660_000_000), buyer, price: Rate(200_000) });
        Record { hired, ended: hired, paid: hired, earned: Money(earned), last }
    }

    fn sums(view: &RecordView) -> (u64, &str, u64, &str) {
        (view.contracts, &view.earned, view.contracts_ever, &view.earned_ever)
    }

    #[test]
    fn earnings_add_up_over_all_runs() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("earnings.json");
        let mut book = SellersBook::open(path.clone());
        assert_eq!(book.view(&record(0, 0)).last_hired, None);
        book.save(record(2, 1_500_000));
        book.save(record(3, 2_000_000));
        assert_eq!(sums(&book.view(&record(3, 2_000_000))), (3, "2", 3, "2"));
        let mut next = SellersBook::open(path.clone());
        let view = next.view(&record(0, 0));
        assert_eq!(sums(&view), (0, "0", 3, "2"));
        let hired = view.last_hired.unwrap();
        assert_eq!((hired.at.as_str(), hired.price.as_str()), ("2026-11-21T09:01:00Z", "0.2"));
        next.save(record(1, 250_000));
        assert_eq!(sums(&SellersBook::open(path).view(&record(0, 0))), (0, "0", 4, "2.25"));
    }

    #[test]
    fn a_book_that_cannot_be_read_counts_as_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("earnings.json");
        std::fs::write(&path, "{").unwrap();
        let book = SellersBook::open(path.clone());
        assert_eq!(sums(&book.view(&record(1, 7))), (1, "0.000007", 1, "0.000007"));
        assert_eq!(std::fs::read_to_string(path).unwrap(), "{");
    }
}
