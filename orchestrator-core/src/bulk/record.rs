//! What is asked of a bulk, and what is remembered of it.

use crate::id::{AcceptSeq, BulkId, PrincipalId, ProjectId, SessionId, TaskId, TenantId};
use crate::queue::ClassName;
use crate::task::{TaskRecord, TaskState};
use crate::time::WallMs;

/// What a bulk does to each task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BulkAction {
    /// Cancels it, unless that has been asked for already.
    Cancel,
    /// Takes it back into the queue, if it is parked.
    Requeue,
}

impl BulkAction {
    /// True if it would change a task that stands so.
    #[must_use]
    pub fn changes(self, state: TaskState) -> bool {
        match self {
            Self::Cancel => !state.is_final() && state != TaskState::CancelRequested,
            Self::Requeue => state == TaskState::Parked,
        }
    }
}

/// Where a task stands that has not ended, without what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LiveState {
    /// A cancel is durable; the attempt has not ended yet.
    CancelRequested,
    /// An attempt was ordered and has not shown a sign of life.
    Dispatched,
    /// Given up until a person looks at it.
    Parked,
    /// Eligible; waits for a slot.
    Queued,
    /// An attempt produces tokens.
    Running,
    /// Not eligible yet.
    Waiting,
}

impl LiveState {
    /// True if a task stands so.
    #[must_use]
    pub fn is(self, state: TaskState) -> bool {
        match state {
            TaskState::CancelRequested => self == Self::CancelRequested,
            TaskState::Dispatched => self == Self::Dispatched,
            TaskState::Parked => self == Self::Parked,
            TaskState::Queued => self == Self::Queued,
            TaskState::Running => self == Self::Running,
            TaskState::Waiting(_) => self == Self::Waiting,
            TaskState::Cancelled | TaskState::Completed | TaskState::Failed => false,
        }
    }
}

/// Which live tasks a bulk is about: those to which everything applies that is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkFilter {
    /// Of this tenant.
    pub tenant: TenantId,
    /// Of this project.
    pub project: Option<ProjectId>,
    /// In this state when the walk comes to them.
    pub state: Option<LiveState>,
    /// Of this class.
    pub priority: Option<ClassName>,
    /// Of this session.
    pub session: Option<SessionId>,
    /// Accepted at this time or later.
    pub accepted_from: Option<WallMs>,
    /// Accepted before this time.
    pub accepted_before: Option<WallMs>,
}

impl BulkFilter {
    /// Everything that a tenant has.
    #[must_use]
    pub const fn of(tenant: TenantId) -> Self {
        Self {
            tenant,
            project: None,
            state: None,
            priority: None,
            session: None,
            accepted_from: None,
            accepted_before: None,
        }
    }

    /// True if a task is one of them. One that has ended is none.
    #[must_use]
    pub fn matches(&self, task: &TaskRecord) -> bool {
        let at = task.accepted_at;
        !task.state.is_final()
            && task.tenant == self.tenant
            && self.project.is_none_or(|project| task.project == project)
            && self.state.is_none_or(|state| state.is(task.state))
            && self
                .priority
                .is_none_or(|class| task.spec.priority == class)
            && self.session.is_none_or(|id| task.spec.session == Some(id))
            && self.accepted_from.is_none_or(|from| at >= from)
            && self.accepted_before.is_none_or(|before| at < before)
    }
}

/// A bulk to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkBegin {
    /// Its id, made for it. A bulk with the same id that has begun is answered, and nothing else is done.
    pub id: BulkId,
    /// What is to be done.
    pub action: BulkAction,
    /// To which tasks.
    pub filter: BulkFilter,
    /// Who asks.
    pub by: PrincipalId,
}

/// How many tasks a bulk is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BulkCount {
    /// Tasks that the filter fits.
    pub matched: u64,
    /// Those of them that were changed, or would be; the others stand so already.
    pub changed: u64,
}

/// What is remembered of a bulk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkRecord {
    /// Its id.
    pub id: BulkId,
    /// What it does.
    pub action: BulkAction,
    /// To which tasks.
    pub filter: BulkFilter,
    /// Who began it.
    pub by: PrincipalId,
    /// When.
    pub at: WallMs,
    /// The newest task that had been accepted when it began: later ones are not touched.
    pub through: AcceptSeq,
    /// The task that the walk came to last; it goes by id.
    pub place: Option<TaskId>,
    /// What it has met so far.
    pub count: BulkCount,
    /// When the walk was over.
    pub ended_at: Option<WallMs>,
}

/// A count under way of what a bulk would meet: it walks as the bulk would, some tasks in each look, and changes
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkTally {
    /// What would be done.
    pub action: BulkAction,
    /// To which tasks.
    pub filter: BulkFilter,
    /// When the count began, and the newest task that had been accepted then; none before the first look.
    pub began: Option<(WallMs, AcceptSeq)>,
    /// The last task, by id, that there was when the count began: it ends there, however many come after it.
    pub last: Option<TaskId>,
    /// The task that it came to last; it goes by id.
    pub place: Option<TaskId>,
    /// What it has met so far.
    pub count: BulkCount,
    /// True once it has come to the end.
    pub over: bool,
}

impl BulkTally {
    /// A count that has not looked at anything yet.
    #[must_use]
    pub fn new(action: BulkAction, filter: BulkFilter) -> Self {
        Self {
            action,
            filter,
            began: None,
            last: None,
            place: None,
            count: BulkCount::default(),
            over: false,
        }
    }
}
