//! Tasks: create, list, get, cancel, stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::{self, BoxFuture};
use futures_util::{FutureExt, StreamExt};
use orchestrator_core::id::{AcceptSeq, Digest, ProjectId, SessionId, TaskId};
use orchestrator_core::machine::Explanation;
use orchestrator_core::queue::ClassName;
use orchestrator_core::session::SessionBudget;
use orchestrator_core::task::{Engine, TaskRecord, TaskSpec};
use store::{TaskBody, TaskQuery, TaskRow};
use uuid::Uuid;

use super::trouble::{Missing, Trouble};
use super::{App, Caller};
use crate::keys::{self, Turned};
use crate::owner::{Clock, LiveView, OwnerHandle, SystemClock};
use crate::stream::{
    CountedReader, Opened, Opener, OpenerStep, Opening, ReadFrom, Reading, StreamId, Waiting,
    Watch, read_ended, read_live,
};

/// Tasks on a page unless the caller says otherwise.
const PAGE_DEFAULT: u32 = 50;

/// A task to create.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTask {
    /// Its id.
    pub id: TaskId,
    /// SHA-256 of the canonical request.
    pub fingerprint: Digest,
    /// The idempotency key that it came under.
    pub key: Option<String>,
    /// What is asked for.
    pub spec: TaskSpec,
    /// The project it goes to; the caller's own, or else the default one, if none.
    pub project: Option<ProjectId>,
    /// What its session may use from now on; as before if none.
    pub budget: Option<SessionBudget>,
    /// The text, and what else only store and runner need.
    pub body: TaskBody,
}

/// A created task.
#[derive(Clone, Debug)]
pub struct Created {
    /// Its record.
    pub record: Arc<TaskRecord>,
    /// True if an earlier request had created it.
    pub replayed: bool,
    /// What its session may still use of what is limited.
    pub left: SessionBudget,
}

/// Which tasks to list.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// Only in this state, by the store's name.
    pub state: Option<&'static str>,
    /// Only of this class.
    pub priority: Option<ClassName>,
    /// Only of this session.
    pub session: Option<SessionId>,
    /// Only of this project.
    pub project: Option<ProjectId>,
    /// Most tasks.
    pub limit: Option<u32>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// A task to show.
#[derive(Clone, Debug)]
pub struct ShownTask {
    /// Record and labels.
    pub row: TaskRow,
    /// Tokens that its stream carries.
    pub position: u64,
    /// Why it stands where it stands, if it has not ended and somebody asked.
    pub why: Option<Explanation>,
}

/// A task whose stream is read.
pub struct WatchedTask {
    /// What there is to read.
    pub opening: Opening,
    /// Class of the task.
    pub priority: ClassName,
    /// Kind of engine that ran it, or else was asked for.
    pub engine: Option<Engine>,
    /// Resolves as soon as the reader's key is in force no more, and says why: nothing more may be told then.
    pub shut_out: BoxFuture<'static, Turned>,
}

impl WatchedTask {
    fn new(record: &TaskRecord, opening: Opening, shut_out: BoxFuture<'static, Turned>) -> Self {
        let ran = record.started.as_ref().map(|started| started.engine);
        Self {
            opening,
            priority: record.spec.priority,
            engine: ran.or(record.spec.engine),
            shut_out,
        }
    }
}

/// A page of tasks.
#[derive(Clone, Debug)]
pub struct ListedTasks {
    /// The tasks, newest first.
    pub tasks: Vec<ShownTask>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

impl App {
    /// Accepts a task. `named` says that the caller chose the id, which makes a repeat safe.
    ///
    /// # Errors
    /// If it is refused, or the outcome is not known.
    pub async fn task_create(
        &self,
        caller: &Caller,
        task: NewTask,
        named: bool,
    ) -> Result<Created, Trouble> {
        let engine = task.spec.engine;
        let outcome = self.task_create_command(caller, task, named).await;
        self.count_refusal(engine, &outcome);
        outcome
    }

    /// A page of tasks. A record read.
    ///
    /// # Errors
    /// If the cursor is none, or the store cannot be read.
    pub async fn task_list(
        &self,
        caller: &Caller,
        filter: ListFilter,
    ) -> Result<ListedTasks, Trouble> {
        let ListFilter {
            state,
            priority,
            session,
            project,
            limit,
            cursor,
        } = filter;
        let before = match cursor {
            None => None,
            Some(text) => Some(cursor_of(&text).ok_or(Trouble::Cursor)?),
        };
        let own = caller.project();
        if own.is_some() && project.is_some() && own != project {
            // Another project's tasks are not there for this key.
            return Ok(ListedTasks {
                tasks: Vec::new(),
                next: None,
            });
        }
        let limit = limit.unwrap_or(PAGE_DEFAULT);
        let query = TaskQuery {
            tenant: Some(caller.tenant()),
            project: own.or(project),
            state,
            priority,
            session,
            before,
            limit,
        };
        let page = self.reads.task_list(query).await?;
        let next = page
            .rows
            .last()
            .filter(|_| page.more)
            .map(|row| row.record.seq.0.to_string());
        let tasks = page
            .rows
            .into_iter()
            .map(|row| self.shown(row, None))
            .collect();
        Ok(ListedTasks { tasks, next })
    }

    /// One task, with why it stands where it stands.
    ///
    /// # Errors
    /// If there is none, or the store cannot be read.
    pub async fn task_get(&self, caller: &Caller, task: TaskId) -> Result<ShownTask, Trouble> {
        let row = self.row(caller, task).await?;
        let why = match row.record.state.is_final() {
            true => None,
            // Without a live answer the record is still worth showing.
            false => self.owner.explain(task).await.unwrap_or_default(),
        };
        Ok(self.shown(row, why))
    }

    /// Cancels a task.
    ///
    /// # Errors
    /// If there is none, or the outcome is not known.
    pub async fn task_cancel(&self, caller: &Caller, task: TaskId) -> Result<ShownTask, Trouble> {
        self.row(caller, task).await?;
        self.task_cancel_command(task).await?;
        let row = self.row(caller, task).await?;
        Ok(self.shown(row, None))
    }

    /// Lets a parked task run again.
    ///
    /// # Errors
    /// If there is none, it has ended, or the outcome is not known.
    pub async fn task_requeue(&self, caller: &Caller, task: TaskId) -> Result<ShownTask, Trouble> {
        self.row(caller, task).await?;
        self.task_requeue_command(task).await?;
        let row = self.row(caller, task).await?;
        Ok(self.shown(row, None))
    }

    /// What there is to read of a task's stream. A live read.
    ///
    /// # Errors
    /// If there is no such task, or the store cannot be read.
    pub async fn task_stream(
        &self,
        caller: &Caller,
        task: TaskId,
        after: Option<StreamId>,
    ) -> Result<WatchedTask, Trouble> {
        let from = after.map_or(ReadFrom::Start, ReadFrom::After);
        let mut opener = Opener::new(Arc::clone(&self.streams), task, from);
        let mut step = OpenerStep::Record;
        let opened = loop {
            step = match step {
                OpenerStep::Opened(opened) => break opened,
                OpenerStep::Record => opener.record(self.row(caller, task).await?.record),
                OpenerStep::Text => opener.text(self.reads.task_text(task).await?),
            };
        };
        let Opened { record, reading } = *opened;
        let (sent_away, shut_out) = self.shut_out(caller);
        let opening = match reading {
            Reading::Ended(reader) => read_ended(reader),
            Reading::Live { reader, counted } => {
                let watch = OwnerWatch {
                    owner: self.owner.clone(),
                    task,
                    priority: record.spec.priority,
                };
                let counted = counted.map(|stream| {
                    CountedReader::new(&stream, self.readers_reporter(task, sent_away))
                });
                match read_live(reader, watch, counted) {
                    Opening::Frames(frames) => {
                        Opening::Frames(frames.take_until(self.closing()).boxed())
                    }
                    Opening::NothingMore => Opening::NothingMore,
                }
            }
        };
        Ok(WatchedTask::new(&record, opening, shut_out))
    }

    /// The end of a caller's key, and whether that has come. Who needs no key is never shut out.
    fn shut_out(&self, caller: &Caller) -> (Arc<AtomicBool>, BoxFuture<'static, Turned>) {
        let sent_away = Arc::new(AtomicBool::new(false));
        let Some(key) = caller.key_id() else {
            return (sent_away, future::pending().boxed());
        };
        let ended = keys::ended(self.owner.keys(), key, || SystemClock::default().now().wall);
        let away = Arc::clone(&sent_away);
        let shut_out = ended.inspect(move |_| away.store(true, Ordering::Relaxed));
        (sent_away, shut_out.boxed())
    }

    /// Resolves when the daemon ends.
    fn closing(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut closing = self.closing.subscribe();
        async move {
            let _gone = closing.wait_for(|closing| *closing).await;
        }
    }

    fn shown(&self, row: TaskRow, why: Option<Explanation>) -> ShownTask {
        let position = self.streams.position(&row.record);
        ShownTask { row, position, why }
    }

    pub(super) async fn row(&self, caller: &Caller, task: TaskId) -> Result<TaskRow, Trouble> {
        let row = self.reads.task_get(caller.tenant(), task).await?;
        let row = row.filter(|row| caller.sees(&row.record));
        row.ok_or(Trouble::Missing(Missing::Task(Uuid::from_u128(task.0))))
    }
}

/// The accept sequence that a cursor stands for. The store counts in 63 bits.
fn cursor_of(text: &str) -> Option<AcceptSeq> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = text.parse().ok().filter(|_| digits)?;
    (number <= i64::MAX.cast_unsigned()).then_some(AcceptSeq(number))
}

/// Where one task stands, by the owner.
struct OwnerWatch {
    owner: OwnerHandle,
    task: TaskId,
    priority: ClassName,
}

impl Watch for OwnerWatch {
    async fn waiting(&self) -> Option<Waiting> {
        let explanation = self.owner.explain(self.task).await.ok()??;
        Some(waiting(&self.owner.view(), self.priority, &explanation))
    }
}

/// Where a task of a class stands, as its readers are told.
#[must_use]
pub fn waiting(view: &LiveView, priority: ClassName, explanation: &Explanation) -> Waiting {
    Waiting {
        queue_depth: view.queue_depth(priority),
        queue_position: explanation.queue_position,
        predicted_start_ms: explanation.predicted_start_ms,
        start_band: explanation.start_band,
        on_time_permille: explanation.on_time_permille,
        budget_left: explanation.budget_left,
        // The reader knows which it is told of.
        attempt: 0,
    }
}
