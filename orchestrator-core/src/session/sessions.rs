//! All sessions that have not run out.

use std::collections::BTreeMap;

use crate::id::{ReplicaName, SessionKey};
use crate::session::SessionRecord;
use crate::time::{AgeMs, MonoMs, Now};

/// A session in memory.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Session {
    /// Its row.
    pub(crate) record: SessionRecord,
    /// When it was touched, by the monotonic clock. Soft.
    pub(crate) touched: AgeMs,
}

/// A session as readers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Its row.
    pub record: SessionRecord,
    /// Tasks it takes at most.
    pub turns_max: u32,
    /// Milliseconds until it runs out if no task comes.
    pub ttl_ms_remaining: u64,
}

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sessions {
    by_id: BTreeMap<SessionKey, Session>,
    ttl_ms: u64,
}

impl Sessions {
    /// None yet.
    pub(crate) fn new(ttl_ms: u64) -> Self {
        Self {
            by_id: BTreeMap::new(),
            ttl_ms,
        }
    }

    /// A session that has not run out.
    pub(crate) fn get(&self, id: SessionKey, now: MonoMs) -> Option<&Session> {
        self.by_id
            .get(&id)
            .filter(|session| session.touched.elapsed(now) < self.ttl_ms)
    }

    /// The row of a session, whether or not it has run out.
    pub(crate) fn row(&self, id: SessionKey) -> Option<&SessionRecord> {
        self.by_id.get(&id).map(|session| &session.record)
    }

    /// All of them, by id.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &SessionRecord> {
        self.by_id.values().map(|session| &session.record)
    }

    /// Takes in a session from a record.
    pub(crate) fn restore(&mut self, now: Now, record: SessionRecord) {
        let touched = AgeMs::of_wall(now, record.touched_at);
        self.by_id.insert(record.key(), Session { record, touched });
    }

    /// When a session runs out; `None` if there is none. At least 1 ms ahead of the zero of the clock.
    pub(crate) fn expires(&self, id: SessionKey) -> Option<MonoMs> {
        let session = self.by_id.get(&id)?;
        let ttl = i64::try_from(self.ttl_ms).unwrap_or(i64::MAX);
        let at = session.touched.0.saturating_add(ttl);
        Some(MonoMs(u64::try_from(at).unwrap_or(0)))
    }

    /// A task is accepted: one more turn, in a new session if the old one has run out.
    pub(crate) fn accept(&mut self, id: SessionKey, now: Now) {
        if self.get(id, now.mono).is_none() {
            let record = SessionRecord {
                id: id.session,
                tenant: id.tenant,
                turns: 0,
                replica: None,
                touched_at: now.wall,
            };
            self.by_id.insert(
                id,
                Session {
                    record,
                    touched: AgeMs::at(now.mono),
                },
            );
        }
        if let Some(session) = self.by_id.get_mut(&id) {
            session.record.turns += 1;
        }
        self.touch(id, now);
    }

    /// A task was dispatched. True if that changed anything.
    pub(crate) fn dispatched(&mut self, id: SessionKey, replica: &ReplicaName, now: Now) -> bool {
        if self.get(id, now.mono).is_none() {
            return false;
        }
        let Some(session) = self.by_id.get_mut(&id) else {
            return false;
        };
        if session.record.replica.as_ref() == Some(replica) {
            return false;
        }
        session.record.replica = Some(replica.clone());
        true
    }

    /// A task was accepted or ended. True if there is such a session.
    pub(crate) fn touch(&mut self, id: SessionKey, now: Now) -> bool {
        if self.get(id, now.mono).is_none() {
            return false;
        }
        let Some(session) = self.by_id.get_mut(&id) else {
            return false;
        };
        session.record.touched_at = now.wall;
        session.touched = AgeMs::at(now.mono);
        true
    }

    /// Forgets a session.
    pub(crate) fn remove(&mut self, id: SessionKey) {
        self.by_id.remove(&id);
    }

    /// A session as readers see it.
    pub(crate) fn view(&self, id: SessionKey, now: MonoMs, turns_max: u32) -> Option<SessionView> {
        let session = self.get(id, now)?;
        Some(SessionView {
            record: session.record.clone(),
            turns_max,
            ttl_ms_remaining: self.ttl_ms - session.touched.elapsed(now),
        })
    }
}
