//! All sessions that have not run out.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{AcceptSeq, ReplicaName, SessionId, SessionKey, TenantId};
use crate::session::{Amounts, SessionBudget, SessionPut, SessionRecord, Shortfall};
use crate::time::{AgeMs, MonoMs, Now};

/// Most sessions of a tenant that were put and have had no task yet.
pub const SESSIONS_UNUSED_MAX: usize = 1_024;

/// A session in memory.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Session {
    /// Its row.
    pub(crate) record: SessionRecord,
    /// What its live tasks may use. Soft.
    pub(crate) reserved: Amounts,
    /// When it was touched, by the monotonic clock. Soft.
    pub(crate) touched: AgeMs,
}

/// A session as readers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Its row.
    pub record: SessionRecord,
    /// What is neither used nor reserved of what is limited.
    pub left: SessionBudget,
    /// Tasks it takes at most.
    pub turns_max: u32,
    /// Milliseconds that it lives after it was touched.
    pub ttl_ms: u64,
    /// Milliseconds until it runs out if no task comes.
    pub ttl_ms_remaining: u64,
}

/// What a session has to know of a task that it takes in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Newcomer {
    pub(crate) seq: AcceptSeq,
    /// The session's budget from now on; as it was if none.
    pub(crate) budget: Option<SessionBudget>,
    /// What the task may use.
    pub(crate) claim: Amounts,
}

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sessions {
    by_id: BTreeMap<SessionKey, Session>,
    /// Those that have had no task yet.
    unused: BTreeSet<(TenantId, SessionId)>,
    ttl_ms: u64,
}

impl Session {
    /// One that nobody has used.
    fn new(id: SessionKey, now: Now, began: AcceptSeq) -> Self {
        Self {
            record: SessionRecord {
                id: id.session,
                tenant: id.tenant,
                turns: 0,
                replica: None,
                began,
                budget: SessionBudget::default(),
                spent: Amounts::default(),
                ttl_ms: None,
                put: None,
                touched_at: now.wall,
            },
            reserved: Amounts::default(),
            touched: AgeMs::at(now.mono),
        }
    }
}

impl Sessions {
    /// None yet.
    pub(crate) fn new(ttl_ms: u64) -> Self {
        Self {
            by_id: BTreeMap::new(),
            unused: BTreeSet::new(),
            ttl_ms,
        }
    }

    /// A session that has not run out.
    pub(crate) fn get(&self, id: SessionKey, now: MonoMs) -> Option<&Session> {
        self.by_id
            .get(&id)
            .filter(|session| session.touched.elapsed(now) < self.ttl_ms(session))
    }

    fn ttl_ms(&self, session: &Session) -> u64 {
        session.record.ttl_ms.unwrap_or(self.ttl_ms)
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
        let session = Session {
            reserved: Amounts::default(),
            touched,
            record,
        };
        self.insert(session);
    }

    fn insert(&mut self, session: Session) {
        let id = session.record.key();
        if session.record.turns == 0 {
            self.unused.insert((id.tenant, id.session));
        }
        self.by_id.insert(id, session);
    }

    /// When a session runs out; `None` if there is none. At least 1 ms ahead of the zero of the clock.
    pub(crate) fn expires(&self, id: SessionKey) -> Option<MonoMs> {
        let session = self.by_id.get(&id)?;
        let ttl = i64::try_from(self.ttl_ms(session)).unwrap_or(i64::MAX);
        let at = session.touched.0.saturating_add(ttl);
        Some(MonoMs(u64::try_from(at).unwrap_or(0)))
    }

    /// A task is accepted: one more turn, in a new session if the old one has run out.
    pub(crate) fn accept(&mut self, id: SessionKey, now: Now, newcomer: Newcomer) {
        if self.get(id, now.mono).is_none() {
            self.insert(Session::new(id, now, newcomer.seq));
        }
        self.unused.remove(&(id.tenant, id.session));
        if let Some(session) = self.by_id.get_mut(&id) {
            session.record.turns += 1;
            session.record.budget = newcomer.budget.unwrap_or(session.record.budget);
            session.reserved = session.reserved.plus(newcomer.claim);
        }
        self.touch(id, now);
    }

    /// Somebody says what a session may use and how long it lives; a new one if there is none. `next` is the first task
    /// that a new one can have.
    ///
    /// # Errors
    /// If as many of the tenant have had no task as may; nothing has changed then.
    pub(crate) fn put(&mut self, now: Now, next: AcceptSeq, put: &SessionPut) -> Result<(), ()> {
        let id = put.session;
        if self.get(id, now.mono).is_none() {
            let first = (id.tenant, SessionId(0));
            let own = self.unused.range(first..);
            let own = own.take_while(|(tenant, _)| *tenant == id.tenant);
            // One that has run out, and that this takes the place of, is not one more.
            let others = own.filter(|(_, session)| *session != id.session);
            if others.count() >= SESSIONS_UNUSED_MAX {
                return Err(());
            }
            self.insert(Session::new(id, now, next));
        }
        // First, by the life it has had so far: by a shorter one it might have run out by now.
        self.touch(id, now);
        if let Some(session) = self.by_id.get_mut(&id) {
            session.record.budget = put.budget;
            session.record.ttl_ms = put.ttl_ms;
            session.record.put = Some((put.put_by, now.wall));
        }
        Ok(())
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

    /// It was put, or a task was accepted or ended. True if there is such a session.
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

    /// What does not suffice for a task that asks for so much, with the budget that it brings.
    pub(crate) fn shortfall(
        &self,
        id: SessionKey,
        now: MonoMs,
        budget: Option<SessionBudget>,
        asked: Amounts,
    ) -> Option<Shortfall> {
        let session = self.get(id, now);
        let budget = budget.or_else(|| session.map(|session| session.record.budget))?;
        let used = session.map(|session| session.record.spent.plus(session.reserved));
        budget.shortfall(used.unwrap_or_default(), asked)
    }

    /// A task that is known from before may still use so much.
    pub(crate) fn reserve(&mut self, id: SessionKey, seq: AcceptSeq, claim: Amounts) {
        if let Some(session) = self.of(id, seq) {
            session.reserved = session.reserved.plus(claim);
        }
    }

    /// A task has ended that might have used so much, and has used so much.
    pub(crate) fn settle(&mut self, id: SessionKey, seq: AcceptSeq, claim: Amounts, used: Amounts) {
        if let Some(session) = self.of(id, seq) {
            session.reserved = session.reserved.minus(claim);
            if !session.record.budget.is_unlimited() {
                session.record.spent = session.record.spent.plus(used);
            }
        }
    }

    /// An attempt held a slot for so long. True if that matters.
    pub(crate) fn spend_time(&mut self, id: SessionKey, seq: AcceptSeq, ms: u64) -> bool {
        let session = self.of(id, seq);
        let limited = session.filter(|session| session.record.budget.time_ms.is_some());
        let Some(session) = limited else {
            return false;
        };
        let time = Amounts {
            time_ms: ms,
            ..Amounts::default()
        };
        session.record.spent = session.record.spent.plus(time);
        true
    }

    /// The session that a task belongs to: not one that began under the same id after it.
    fn of(&mut self, id: SessionKey, seq: AcceptSeq) -> Option<&mut Session> {
        let session = self.by_id.get_mut(&id);
        session.filter(|session| session.record.began <= seq)
    }

    /// Forgets a session.
    pub(crate) fn remove(&mut self, id: SessionKey) {
        self.by_id.remove(&id);
        self.unused.remove(&(id.tenant, id.session));
    }

    /// A session as readers see it.
    pub(crate) fn view(&self, id: SessionKey, now: MonoMs, turns_max: u32) -> Option<SessionView> {
        let session = self.get(id, now)?;
        let used = session.record.spent.plus(session.reserved);
        Some(SessionView {
            left: session.record.budget.left(used),
            record: session.record.clone(),
            turns_max,
            ttl_ms: self.ttl_ms(session),
            ttl_ms_remaining: self.ttl_ms(session) - session.touched.elapsed(now),
        })
    }
}
