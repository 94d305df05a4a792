//! The wall clock jumps, between two runs over one file and in the middle of one: nothing is lost, order and
//! ids hold, and what depends on time errs on the side that harms nobody.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};

use orchestrator_core::effect::{AttemptOrder, Effect};
use orchestrator_core::id::{AttemptId, PayloadRef, SessionId, SessionKey, TaskId, TenantId};
use orchestrator_core::input::{Ask, AttemptEnd, Report};
use orchestrator_core::machine::MachineConfig;
use orchestrator_core::queue::ClassName;
use orchestrator_core::reply::Reply;
use orchestrator_core::session::SessionView;
use orchestrator_core::task::{FinishReason, TaskFault, TaskState};
use orchestrator_core::time::{MonoMs, Now, WallMs};
use store::{Commit, ReadStore, TaskQuery};
use store_sqlite::{SqliteReader, SqliteStore};

use super::rig::text;
use super::things::{config, create, ready};
use crate::owner::{Clock, Dice, Notice, Outlet, Owner, OwnerHandle, OwnerLimits, spawn};

const START: u64 = 1_700_000_000_000;
const HOUR: i64 = 3_600_000;
const YEAR: i64 = 365 * 24 * HOUR;
const SESSION: SessionId = SessionId(77);
/// Tokens of every text.
const TOKENS: u64 = 5;

/// Clocks that a test turns.
#[derive(Clone)]
struct Hands {
    mono: Arc<AtomicU64>,
    wall: Arc<AtomicU64>,
}

impl Hands {
    fn at(wall: u64) -> Self {
        Self {
            mono: Arc::new(AtomicU64::new(1_000)),
            wall: Arc::new(AtomicU64::new(wall)),
        }
    }

    /// Time passes, by both clocks.
    fn pass(&self, ms: u64) {
        self.mono.fetch_add(ms, Ordering::SeqCst);
        self.wall.fetch_add(ms, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock.
    fn set(&self, wall: u64) {
        self.wall.store(wall, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Now {
        Now {
            mono: MonoMs(self.mono.load(Ordering::SeqCst)),
            wall: WallMs(self.wall.load(Ordering::SeqCst)),
        }
    }
}

/// Passes on what is to be run; anything that is not as it should be ends the test.
struct Orders(mpsc::Sender<AttemptOrder>);

impl Outlet for Orders {
    fn effect(&mut self, effect: Effect) {
        if let Effect::AttemptStart(order) = effect {
            let _the_test_is_over = self.0.send(*order);
        }
    }

    fn committed(&mut self, _: &Commit) {}

    fn notice(&mut self, notice: Notice) {
        assert!(matches!(notice, Notice::Recovered { .. }), "{notice:?}");
    }
}

/// One run of an owner over a directory.
struct Run {
    owner: Owner<SqliteStore>,
    handle: OwnerHandle,
    reads: SqliteReader,
    hands: Hands,
    orders: Receiver<AttemptOrder>,
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// A retry pauses for so long that nobody would wait for it who believed a wrong clock.
fn patient() -> MachineConfig {
    let mut config = config();
    config.retry.backoff_base_ms = 60_000;
    config.retry.backoff_cap_ms = 60_000;
    config
}

impl Run {
    fn begin(dir: &Path, wall: u64) -> Self {
        let store = SqliteStore::open(dir, "a test").unwrap();
        let reads = store.reader();
        let hands = Hands::at(wall);
        let (tell, orders) = mpsc::channel();
        let limits = OwnerLimits::default();
        let dice = Dice::from_os();
        let owner = spawn(store, patient(), limits, hands.clone(), dice, Orders(tell)).unwrap();
        let handle = owner.handle();
        wait(handle.report(ready(), None));
        Self {
            owner,
            handle,
            reads,
            hands,
            orders,
        }
    }

    /// Hands a task over; the odd ones in the session.
    fn create(&self, id: u128, priority: ClassName) {
        let mut ask = create(id, priority);
        if let Ask::TaskCreate { create, .. } = &mut ask
            && id % 2 == 1
        {
            create.spec.session = Some(SESSION);
        }
        let reply = wait(self.handle.command(ask, None));
        assert!(matches!(reply, Ok(Reply::TaskCreated { .. })), "{reply:?}");
    }

    fn order(&self) -> AttemptOrder {
        self.orders.recv().unwrap()
    }

    fn finish(&self, attempt: AttemptId) {
        let end = AttemptEnd::Finished {
            finish: FinishReason::Stop,
            tokens_in: 1,
            tokens_out: TOKENS,
            decode_ms: 1,
            first_token_ms: Some(1),
            text: PayloadRef(0),
        };
        let report = Report::AttemptEnded { attempt, end };
        wait(self.handle.report(report, Some(text(0, TOKENS))));
    }

    fn break_off(&self, attempt: AttemptId) {
        let end = AttemptEnd::Failed {
            fault: TaskFault::WorkerReset,
            detail: "as planned".to_owned(),
        };
        wait(
            self.handle
                .report(Report::AttemptEnded { attempt, end }, None),
        );
    }

    fn session(&self) -> Option<SessionView> {
        wait(
            self.handle
                .session(SessionKey::new(TenantId::DEFAULT, SESSION)),
        )
        .unwrap()
    }

    fn state(&self, id: u128) -> TaskState {
        let row = wait(self.reads.task_get(TenantId::DEFAULT, TaskId(id)));
        row.unwrap().unwrap().record.state
    }

    /// The ids of all tasks, the newest first.
    fn list(&self) -> Vec<u128> {
        let query = TaskQuery {
            tenant: Some(TenantId::DEFAULT),
            limit: 100,
            ..TaskQuery::default()
        };
        let page = wait(self.reads.task_list(query)).unwrap();
        page.rows.iter().map(|row| row.record.id.0).collect()
    }

    fn until_live(&self, count: usize) {
        while wait(self.handle.ask_live(|machine, _| machine.live_count())).unwrap() != count {}
    }

    fn end(self) {
        drop(self.owner.stop());
    }
}

/// A run that leaves tasks in every state that waits for time: one under way with a text begun, one that
/// waits for another try, and some in both classes of the queue. Gives the ids of its attempts.
fn leave_work_behind(dir: &Path) -> BTreeSet<AttemptId> {
    let run = Run::begin(dir, START);
    for (id, priority) in (1..).zip([
        ClassName::INTERACTIVE,
        ClassName::BATCH,
        ClassName::BATCH,
        ClassName::INTERACTIVE,
        ClassName::BATCH,
        ClassName::INTERACTIVE,
    ]) {
        run.create(id, priority);
        run.hands.pass(10);
    }
    let (first, second) = (run.order(), run.order());
    assert_eq!((first.task, second.task), (TaskId(1), TaskId(2)));
    let chunk = Report::AttemptChunk {
        attempt: first.attempt,
        from: 0,
        to: 3,
        chunk: PayloadRef(0),
    };
    wait(run.handle.report(chunk, Some(text(0, 3))));
    run.break_off(second.attempt);
    let third = run.order();
    assert_eq!(third.task, TaskId(4));
    run.end();
    [first, second, third]
        .iter()
        .map(|order| order.attempt)
        .collect()
}

/// Begins again with the wall clock moved, and judges everything. `order` names the tasks that start at once, as
/// they do.
fn goes_on_after(shift: i64, order: &[u128]) {
    let dir = tempfile::tempdir().unwrap();
    let mut attempts = leave_work_behind(dir.path());
    let run = Run::begin(dir.path(), START.saturating_add_signed(shift));
    assert_eq!(run.list(), [6, 5, 4, 3, 2, 1], "{shift}");
    let expired = shift >= HOUR;
    let session = run.session();
    assert_eq!(session.is_none(), expired, "{shift}: {session:?}");
    if let Some(view) = session {
        assert_eq!(view.record.turns, 3, "{shift}");
        let ttl = patient().session_ttl_ms;
        assert!(
            (1..=ttl).contains(&view.ttl_ms_remaining),
            "{shift}: {view:?}"
        );
    }

    // What is new comes after what was there, whatever the clock says.
    run.create(7, ClassName::INTERACTIVE);
    assert_eq!(run.list(), [7, 6, 5, 4, 3, 2, 1], "{shift}");
    assert_eq!(
        run.session().unwrap().record.turns,
        if expired { 1 } else { 4 },
        "{shift}"
    );

    let mut started = Vec::new();
    while started.len() < order.len() {
        let order = run.order();
        assert!(attempts.insert(order.attempt), "{shift}: an id came twice");
        assert_eq!(order.position, if order.task == TaskId(1) { 3 } else { 0 });
        started.push(order.task.0);
        run.finish(order.attempt);
    }
    assert_eq!(started, order, "{shift}");
    run.until_live(7 - order.len());
    // Whoever waits for another try waits no longer than such a pause is.
    run.hands.pass(60_000);
    run.create(8, ClassName::BATCH);
    while started.len() < 8 {
        let ordered = run.order();
        assert!(
            attempts.insert(ordered.attempt),
            "{shift}: an id came twice"
        );
        started.push(ordered.task.0);
        run.finish(ordered.attempt);
    }
    started.sort_unstable();
    assert_eq!(started, [1, 2, 3, 4, 5, 6, 7, 8], "{shift}");
    run.until_live(0);
    for id in 1..=8 {
        assert_eq!(run.state(id), TaskState::Completed, "{shift}: task {id}");
        let kept = wait(run.reads.task_text(TaskId(id))).unwrap().unwrap();
        assert_eq!(kept, text(0, TOKENS), "{shift}: task {id}");
    }
    run.end();
}

/// Set back, time seems not to have passed: nothing is older than it was, and the classes keep their order.
#[test]
fn a_clock_set_back_between_runs_loses_nothing() {
    for shift in [-HOUR, -YEAR, i64::MIN / 2] {
        goes_on_after(shift, &[1, 4, 6, 7, 3, 5]);
    }
}

/// Set forward, everything has waited for long: batch tasks are due and take their share beside interactive ones,
/// pauses and idle sessions are over.
#[test]
fn a_clock_set_forward_between_runs_loses_nothing() {
    for shift in [HOUR, YEAR, 100 * YEAR] {
        goes_on_after(shift, &[1, 2, 4, 3, 6, 7, 5]);
    }
}

#[test]
fn a_clock_that_jumps_in_the_middle_of_a_run_moves_no_timer() {
    let dir = tempfile::tempdir().unwrap();
    let run = Run::begin(dir.path(), START);
    run.create(1, ClassName::INTERACTIVE);
    run.create(2, ClassName::INTERACTIVE);
    let (first, second) = (run.order(), run.order());
    run.break_off(second.attempt);
    for (id, shift) in (3..).zip([-YEAR, YEAR, -HOUR, 0]) {
        run.hands.set(START.saturating_add_signed(shift));
        run.create(id, ClassName::BATCH);
        let session = run.session().unwrap();
        assert!(session.ttl_ms_remaining > 0, "{shift}: {session:?}");
    }
    assert_eq!(run.list(), [6, 5, 4, 3, 2, 1]);
    // Its lease is not over, and its pause neither, although a year went by and came back.
    assert_eq!(run.state(1), TaskState::Dispatched);
    assert!(matches!(run.state(2), TaskState::Waiting(_)));
    run.finish(first.attempt);
    let mut attempts = BTreeSet::from([first.attempt, second.attempt]);
    for task in 3..=6 {
        let order = run.order();
        assert_eq!(order.task, TaskId(task));
        assert!(attempts.insert(order.attempt));
        run.finish(order.attempt);
    }
    run.end();
}
