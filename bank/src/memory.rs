//! Which commands were executed, and what was answered, so that a repeated command gets the same answer
//! and nothing moves twice.
//!
//! Only commands that changed the ledger are remembered. A refusal is not: nothing moved, so a buyer that was
//! short of money may send the very same command again when it has some, and it is still executed at most
//! once. (To remember refusals would let everybody fill the memory for nothing, and the journal with it: what is
//! remembered has to follow from the records.) What is remembered and when it is forgotten follows from the records
//! alone (their content and their times), so that a replayed ledger remembers the same.
//!
//! A row takes 88 bytes, and the index some twelve more. The command itself is not kept: whoever asks again brings it
//! along, and the answer is made from it and the few figures that the bank added.

use crate::fingerprint::Fingerprint;
use crate::index::Index;
use crate::slab::Slab;
use proto::message::bank::{How, Shares};
use proto::{CommandId, Money, Span, Time};

/// How long an executed command is remembered, counted from the end of what it began: the id of a hold ages
/// from the moment the hold is closed, all others from their record. After that its id is free again.
pub const IDEMPOTENCY_WINDOW: Span = Span::secs(7 * 24 * 60 * 60);
/// How many executed commands of one account are remembered beside its open holds; the oldest is forgotten
/// first.
pub const REMEMBERED_PER_ACCOUNT: u32 = 65_536;

/// What the bank added to a command when it answered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The account was opened: what it had available and held then.
    Opened(Box<(Money, Money)>),
    /// The hold was placed: when it expires.
    Held(Time),
    /// The hold was placed, and has ended.
    Ended(Box<End>),
    /// A hold was released: what came back.
    Released(Money),
    /// A hold was settled: to the seller, to the owner, back.
    Settled(Box<[Money; 3]>),
    /// A seller put up this bond.
    Accepted(Money),
    /// A seller claimed: until when it stands.
    Claimed(Time),
    /// A buyer objected: its deposit and the seller's stake.
    Disputed(Box<(Money, Money)>),
    /// The order stands in the record of this number.
    Recorded(u64),
    /// The row is free.
    Forgotten,
}

/// How a hold ended that a remembered command had placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// When it would have expired.
    pub(crate) expires: Time,
    /// How.
    pub(crate) how: How,
    /// Who got what.
    pub(crate) shares: Shares,
}

/// An executed command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Executed {
    /// What it is known by.
    pub(crate) fingerprint: Fingerprint,
    /// What was answered.
    pub(crate) answer: Answer,
}

/// An executed command that is remembered.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    pub(crate) id: CommandId,
    pub(crate) executed: Executed,
    /// Since when it is over and ages; the beginning of time for what is not over. What is over at once ages from the time
    /// of its record.
    pub(crate) time: Time,
    /// Whose it is, as a lane.
    pub(crate) lane: u32,
    next: u32,
    previous: u32,
    next_in_lane: u32,
}

/// No row.
const NONE: u32 = u32::MAX;

/// The rows of one account that age, from the oldest to the newest.
#[derive(Clone, Copy, Debug)]
struct Lane {
    first: u32,
    last: u32,
    count: u32,
}

/// The executed commands by id. The rows that age form a chain from the oldest to the newest, and those of each account
/// another: records come in the order of their times, so a row is only ever added at the end.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    rows: Slab<Remembered>,
    by_id: Index<CommandId>,
    oldest: u32,
    newest: u32,
    lanes: Vec<Lane>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { rows: Slab::default(), by_id: Index::default(), oldest: NONE, newest: NONE, lanes: Vec::new() }
    }
}

impl Remembered {
    /// Whether it is over and ages.
    pub(crate) fn is_aging(&self) -> bool {
        self.time > Time(0)
    }
}

impl Memory {
    /// The executed command with this id.
    pub(crate) fn find(&self, id: CommandId) -> Option<&Remembered> {
        self.rows.at(self.number(id)?)
    }

    /// How many commands are remembered.
    pub(crate) fn count(&self) -> usize {
        self.rows.count()
    }

    /// All that is remembered: first what ages, from the oldest on, then the rest by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Remembered> {
        let aging = std::iter::successors(self.rows.at(self.oldest), |row| self.rows.at(row.next));
        let is_open = |row: &&Remembered| !row.is_aging() && row.executed.answer != Answer::Forgotten;
        let mut open: Vec<&Remembered> = self.rows.iter().map(|(_, row)| row).filter(is_open).collect();
        open.sort_unstable_by_key(|row| row.id);
        aging.chain(open)
    }

    /// Remembers a command of the account with this lane until it has aged; it ages when that is said.
    pub(crate) fn remember(&mut self, id: CommandId, executed: Executed, lane: u32) {
        self.add(id, executed, lane);
    }

    /// Remembers a command that is over at `time`, and ages from then on.
    pub(crate) fn remember_over(&mut self, id: CommandId, executed: Executed, lane: u32, time: Time) {
        if let Some(number) = self.add(id, executed, lane) {
            self.age_row(number, time);
        }
    }

    fn add(&mut self, id: CommandId, executed: Executed, lane: u32) -> Option<u32> {
        let row =
            Remembered { id, executed, time: Time(0), lane, next: NONE, previous: NONE, next_in_lane: NONE };
        let number = self.rows.add(row)?;
        let rows = &self.rows;
        self.by_id.add(id, number, |row| rows.at(row).map(|row| row.id));
        Some(number)
    }

    /// Notes how the hold `id` ended.
    pub(crate) fn close(&mut self, id: CommandId, how: How, shares: Shares) {
        let Some(row) = self.number(id).and_then(|number| self.rows.at_mut(number)) else { return };
        if let Answer::Held(expires) = row.executed.answer {
            row.executed.answer = Answer::Ended(Box::new(End { expires, how, shares }));
        }
    }

    /// The command `id` is over and ages from `time` on, which is no earlier than that of any call before.
    pub(crate) fn age(&mut self, id: CommandId, time: Time) {
        if let Some(number) = self.number(id) {
            self.age_row(number, time);
        }
    }

    fn age_row(&mut self, number: u32, time: Time) {
        let previous = self.newest;
        let Some(row) = self.rows.at_mut(number).filter(|row| !row.is_aging()) else { return };
        (row.time, row.previous) = (time.max(Time(1)), previous);
        let lane = row.lane;
        match self.rows.at_mut(previous) {
            Some(former) => former.next = number,
            None => self.oldest = number,
        }
        self.newest = number;
        if self.join_lane(lane, number) > REMEMBERED_PER_ACCOUNT {
            let oldest = self.lane(lane).map_or(NONE, |lane| lane.first);
            self.forget(oldest);
        }
    }

    /// Forgets what is older than the window at `time`.
    pub(crate) fn forget_aged(&mut self, time: Time) {
        while let Some(oldest) = self.rows.at(self.oldest) {
            if time.since(oldest.time) <= IDEMPOTENCY_WINDOW {
                return;
            }
            self.forget(self.oldest);
        }
    }

    fn number(&self, id: CommandId) -> Option<u32> {
        self.by_id.find(id, |row| self.rows.at(row).is_some_and(|row| row.id == id))
    }

    fn lane(&mut self, lane: u32) -> Option<&mut Lane> {
        self.lanes.get_mut(usize::try_from(lane).ok()?)
    }

    /// Adds a row at the end of its lane, and gives the lane's length.
    fn join_lane(&mut self, number: u32, row: u32) -> u32 {
        let empty = Lane { first: NONE, last: NONE, count: 0 };
        let end = usize::try_from(number).unwrap_or(usize::MAX).saturating_add(1);
        if self.lanes.len() < end {
            self.lanes.resize(end, empty);
        }
        let Some(lane) = self.lane(number) else { return 0 };
        let former = std::mem::replace(&mut lane.last, row);
        if former == NONE {
            lane.first = row;
        }
        lane.count += 1;
        let count = lane.count;
        if let Some(former) = self.rows.at_mut(former) {
            former.next_in_lane = row;
        }
        count
    }

    /// Forgets a row that is the oldest of its lane.
    fn forget(&mut self, number: u32) {
        let Some(row) = self.rows.at_mut(number) else { return };
        row.executed.answer = Answer::Forgotten;
        let (id, lane, next_in_lane) = (row.id, row.lane, row.next_in_lane);
        let (previous, next) = (row.previous, row.next);
        match self.rows.at_mut(previous) {
            Some(previous) => previous.next = next,
            None => self.oldest = next,
        }
        match self.rows.at_mut(next) {
            Some(next) => next.previous = previous,
            None => self.newest = previous,
        }
        if let Some(lane) = self.lane(lane) {
            lane.first = next_in_lane;
            lane.count -= 1;
            if next_in_lane == NONE {
                lane.last = NONE;
            }
        }
        self.by_id.remove(id, number);
        self.rows.free(number);
    }
}
