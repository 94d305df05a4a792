//! Many tasks are cancelled, or taken back into the queue, by one command: a walk over the live tasks, a few a step.

use std::ops::Bound;

use crate::bulk::{BulkAction, BulkBegin, BulkCount, BulkFilter, BulkRecord, BulkTally, Bulks};
use crate::id::{BulkId, ReplyToken, TaskId};
use crate::machine::driver::Machine;
use crate::machine::step::Answer;
use crate::refusal::{ClassAsk, Refusal};
use crate::reply::Reply;
use crate::time::Now;

/// Most pieces of walking in one step, so that there is always room for other work.
pub(super) const BULK_PIECES_PER_STEP: usize = 4;

/// Most tasks that are looked at in one piece, of which one at most is changed.
const LOOKS_PER_PIECE: usize = 64;

/// Most tasks that a count looks at in one go: as many as bulks do in a step.
pub const TALLY_LOOKS_MAX: usize = BULK_PIECES_PER_STEP * LOOKS_PER_PIECE;

/// When it may be worth trying again where too many run: they end by themselves, and soon.
const RETRY_AFTER_MS: u64 = 1_000;

impl Machine {
    /// Begins a bulk over what has been accepted so far.
    pub(super) fn bulk_begin(&mut self, now: Now, reply: ReplyToken, begin: BulkBegin) {
        let BulkBegin {
            id,
            action,
            filter,
            by,
        } = begin;
        let begun = self.bulks.get(id).is_some();
        let answer = match self.bulk_room(&filter) {
            _ if begun => Answer::Bulk(id),
            Err(refusal) => Answer::Ready(Reply::Refused(refusal)),
            Ok(goes) => {
                if let Some(goes) = goes {
                    self.bulks.forget(goes);
                    self.step.bulk_forgotten = Some(goes);
                }
                self.bulk_put(BulkRecord {
                    id,
                    action,
                    filter,
                    by,
                    at: now.wall,
                    through: self.accept_seq,
                    place: None,
                    count: BulkCount::default(),
                    ended_at: None,
                });
                Answer::Bulk(id)
            }
        };
        self.step.replies.push((reply, answer));
    }

    /// The bulk that has to be forgotten for another one, if one has to.
    fn bulk_room(&self, filter: &BulkFilter) -> Result<Option<BulkId>, Refusal> {
        self.bulk_fits(filter)?;
        let room = self.bulks.make_room(filter.tenant);
        room.map_err(|()| Refusal::BulksFull {
            retry_after_ms: RETRY_AFTER_MS,
        })
    }

    /// Could there be tasks that a filter is about? Live ones may be of classes that are configured no more.
    fn bulk_fits(&self, filter: &BulkFilter) -> Result<(), Refusal> {
        match filter.priority {
            Some(class) if !self.classes.is_known(class) => Err(Refusal::ClassUnknown {
                class,
                by: ClassAsk::Bulk,
                known: self.classes.known(),
            }),
            _ => Ok(()),
        }
    }

    /// Walks on by one piece. False if there is nothing to walk.
    pub(super) fn bulk_walk(&mut self, now: Now) -> bool {
        let Some(mut row) = self.bulks.next_turn() else {
            return false;
        };
        let (found, over) = self.bulk_look(&mut row);
        if over {
            row.ended_at = Some(now.wall);
        }
        let action = row.action;
        self.bulk_put(row);
        match (found, action) {
            (None, _) => {}
            (Some(task), BulkAction::Cancel) => self.cancel(now, task),
            (Some(task), BulkAction::Requeue) => self.requeue(task),
        }
        true
    }

    /// Looks at the tasks that come next, up to the first one to change. That one, and whether there are no more.
    fn bulk_look(&self, row: &mut BulkRecord) -> (Option<TaskId>, bool) {
        let from = row.place.map_or(Bound::Unbounded, Bound::Excluded);
        let ahead = self.tasks.range((from, Bound::Unbounded));
        for (looks, (id, live)) in ahead.enumerate() {
            if looks == LOOKS_PER_PIECE {
                return (None, false);
            }
            row.place = Some(*id);
            let task = &live.record;
            if task.seq > row.through || !row.filter.matches(task) {
                continue;
            }
            row.count.matched += 1;
            if row.action.changes(task.state) {
                row.count.changed += 1;
                return (Some(*id), false);
            }
        }
        (None, true)
    }

    fn bulk_put(&mut self, row: BulkRecord) {
        self.step.bulks.insert(row.id);
        self.bulks.put(row);
    }

    /// Every bulk that is remembered.
    #[must_use]
    pub fn bulks(&self) -> &Bulks {
        &self.bulks
    }

    /// Counts on what a bulk would meet, over [`TALLY_LOOKS_MAX`] tasks at most. Whoever counts asks again until it is
    /// over; what happens in between shows in the tasks that the count has yet to come to.
    ///
    /// # Errors
    /// The refusal that the bulk would have for its filter.
    pub fn bulk_tally(&self, now: Now, mut tally: BulkTally) -> Result<BulkTally, Refusal> {
        self.bulk_fits(&tally.filter)?;
        let through = match tally.began {
            Some((_, through)) => through,
            None => {
                tally.began = Some((now.wall, self.accept_seq));
                tally.last = self.tasks.last_key_value().map(|(id, _)| *id);
                self.accept_seq
            }
        };
        let from = tally.place.map_or(Bound::Unbounded, Bound::Excluded);
        // Newcomers mostly have rising ids, so that the count would have them before it for as long as they come.
        let last = tally.last;
        let ahead = self.tasks.range((from, Bound::Unbounded));
        let ahead = ahead.take_while(|(id, _)| Some(**id) <= last);
        for (looks, (id, live)) in ahead.enumerate() {
            if looks == TALLY_LOOKS_MAX {
                return Ok(tally);
            }
            tally.place = Some(*id);
            let task = &live.record;
            if task.seq <= through && tally.filter.matches(task) {
                tally.count.matched += 1;
                tally.count.changed += u64::from(tally.action.changes(task.state));
            }
        }
        tally.over = true;
        Ok(tally)
    }

    pub(super) fn bulk_row(&self, id: BulkId) -> Option<Box<BulkRecord>> {
        self.bulks.get(id).cloned().map(Box::new)
    }
}
