//! An owner, its store, its outlet and a runner, stepped by hand and judged at each release.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::FutureExt;
use orchestrator_core::effect::Effect;
use orchestrator_core::id::{AcceptSeq, AttemptId, PayloadRef, ReplyToken, TaskId, TenantId};
use orchestrator_core::input::{Ask, AttemptEnd, Report};
use orchestrator_core::machine::{Machine, MachineConfig, Recovered};
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{AttemptState, FinishReason, TaskFault, TaskRecord, TaskState};
use orchestrator_core::time::{MonoMs, Now, WallMs};
use store::{ColdStore, FeedStore, OwnerStore, ReadFuture, ReadStore, TaskBody, TaskText};
use store_memory::{Faults, MemoryStore};

use super::things::config;
use crate::owner::outlet::Notice;
use crate::owner::{
    Dice, OwnerLimits, OwnerState, OwnerUnavailable, Question, Release, StoreAnswer, StoreCall,
};

/// Token number `index` of every text.
fn token(index: u64) -> String {
    format!("t{index} ")
}

/// Tokens `from..to` of every text.
pub(super) fn text(from: u64, to: u64) -> TaskText {
    let mut text = TaskText::default();
    (from..to).for_each(|index| text.push(&token(index)));
    text
}

/// An attempt that was ordered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub(super) task: TaskId,
    /// Tokens of the text that the owner was told of.
    pub(super) told: u64,
}

pub(super) struct Rig {
    pub(super) state: OwnerState,
    config: MachineConfig,
    pub(super) store: MemoryStore,
    cold: Box<dyn ColdStore>,
    pub(super) dice: Dice,
    pub(super) now: Now,
    /// Asked of the store and not carried out.
    pub(super) call: Option<StoreCall>,
    /// Carried out and not told to the owner.
    pub(super) answer: Option<StoreAnswer>,
    /// Each command with its answer, once there is one.
    pub(super) replies: BTreeMap<ReplyToken, Option<Result<Reply, OwnerUnavailable>>>,
    /// The tasks that commands would create.
    pub(super) creates: BTreeMap<ReplyToken, TaskId>,
    /// What was let out, in words.
    pub(super) journal: Vec<String>,
    pub(super) notices: Vec<Notice>,
    /// Attempts that were started and not reported over.
    pub(super) running: BTreeMap<AttemptId, Running>,
    /// Attempts that are to stop.
    pub(super) stopping: BTreeSet<AttemptId>,
    /// Commits that were let out.
    pub(super) commits: Vec<u64>,
    newest_accepted: AcceptSeq,
    pub(super) effects_out: usize,
    /// Tasks whose end someone may wait for: those found at the start, accepted or started since.
    awaited: BTreeSet<TaskId>,
    /// Tasks whose end was told.
    told: BTreeSet<TaskId>,
    /// The last commit that another owner is known to have made.
    foreign: u64,
}

fn now<T>(read: ReadFuture<'_, T>) -> T {
    read.now_or_never()
        .expect("memory is at once")
        .expect("memory can be read")
}

impl Rig {
    pub(super) fn new() -> Self {
        Self::over(MemoryStore::new(), OwnerLimits::default())
    }

    pub(super) fn over(store: MemoryStore, limits: OwnerLimits) -> Self {
        Self::under(config(), store, limits)
    }

    /// Under another configuration.
    pub(super) fn under(
        config: MachineConfig,
        mut store: MemoryStore,
        limits: OwnerLimits,
    ) -> Self {
        let at = Now {
            mono: MonoMs(1_000),
            wall: WallMs(1_700_000_000_000),
        };
        let loaded = store.load().unwrap();
        let mut rig = Self {
            newest_accepted: loaded.accept_seq,
            awaited: loaded.tasks.iter().map(|task| task.id).collect(),
            told: BTreeSet::new(),
            foreign: 0,
            state: OwnerState::new(config.clone(), limits, at, loaded),
            config,
            cold: store.cold().unwrap(),
            store,
            dice: Dice::from_seed(1),
            now: at,
            call: None,
            answer: None,
            replies: BTreeMap::new(),
            creates: BTreeMap::new(),
            journal: Vec::new(),
            notices: Vec::new(),
            running: BTreeMap::new(),
            stopping: BTreeSet::new(),
            commits: Vec::new(),
            effects_out: 0,
        };
        rig.advance();
        rig
    }

    pub(super) fn faults(&self) -> &Faults {
        self.store.faults()
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, ms: u64) {
        self.now = Now {
            mono: self.now.mono + ms,
            wall: self.now.wall + ms,
        };
    }

    /// Passes a command in, looked up as the driver does it.
    pub(super) fn ask(&mut self, ask: Ask) -> ReplyToken {
        let named = match &ask {
            Ask::TaskCreate { create, .. } => Some(create.id),
            _ => None,
        };
        let needed = self.state.lookup(&ask);
        let found = if needed.is_empty() {
            Ok(Vec::new())
        } else {
            self.cold.prefetch(&needed)
        };
        let token = match found {
            Ok(found) => {
                let found: HashMap<_, _> = found
                    .into_iter()
                    .map(|record| (record.id, record))
                    .collect();
                let body = named.map(|_| TaskBody {
                    prompt: "prompt".to_owned(),
                    metadata: vec![],
                });
                self.state
                    .command(self.now, &mut self.dice, ask, body, &found)
            }
            Err(error) => self.state.command_blind(&error.to_string()),
        };
        self.replies.insert(token, None);
        if let Some(task) = named {
            self.creates.insert(token, task);
        }
        token
    }

    pub(super) fn report(&mut self, report: Report, text: Option<TaskText>) {
        self.state.report(self.now, &mut self.dice, report, text);
    }

    pub(super) fn ask_live(&mut self, about: Option<TaskId>, question: Question) {
        self.state.ask_live(self.now, about, question);
    }

    /// An attempt makes tokens and reports them.
    pub(super) fn chunk(&mut self, attempt: AttemptId, tokens: u64) {
        let Some(running) = self.running.get_mut(&attempt) else {
            return;
        };
        let (from, to) = (running.told, running.told + tokens);
        running.told = to;
        let chunk = PayloadRef(0);
        self.report(
            Report::AttemptChunk {
                attempt,
                from,
                to,
                chunk,
            },
            Some(text(from, to)),
        );
    }

    /// An attempt reaches its end.
    pub(super) fn finish(&mut self, attempt: AttemptId, finish: FinishReason) {
        let Some(running) = self.running.remove(&attempt) else {
            return;
        };
        self.stopping.remove(&attempt);
        let end = AttemptEnd::Finished {
            finish,
            tokens_in: 3,
            tokens_out: running.told,
            decode_ms: 5,
            first_token_ms: Some(9),
            text: PayloadRef(0),
        };
        self.report(
            Report::AttemptEnded { attempt, end },
            Some(text(0, running.told)),
        );
    }

    /// An attempt breaks.
    pub(super) fn fail(&mut self, attempt: AttemptId, fault: TaskFault) {
        self.running.remove(&attempt);
        self.stopping.remove(&attempt);
        let end = AttemptEnd::Failed {
            fault,
            detail: "as planned".to_owned(),
        };
        self.report(Report::AttemptEnded { attempt, end }, None);
    }

    /// Moves on, keeping what is asked of the store for later.
    pub(super) fn advance(&mut self) {
        let doubts = self.state.doubts(self.now);
        if !doubts.is_empty() {
            match self.cold.prefetch(&doubts) {
                Ok(found) => {
                    let found = found.into_iter().map(|record| (record.id, record));
                    self.state.doubts_resolved(&found.collect());
                }
                Err(error) => self.state.doubts_remain(self.now, error.to_string()),
            }
        }
        while self.state.tick(self.now, &mut self.dice) {}
        self.state.advance(self.now);
        if self.call.is_none()
            && self.answer.is_none()
            && let Some(call) = self.state.poll_store(self.now)
        {
            self.call = Some(call);
        }
        while let Some(release) = self.state.poll_release() {
            self.judge(release);
        }
    }

    /// The store carries out what was asked; the owner does not hear of it yet.
    pub(super) fn carry_out(&mut self) {
        if let Some(call) = self.call.take() {
            self.answer = Some(match call {
                StoreCall::Commit(commit) => StoreAnswer::Committed(self.store.commit(&commit)),
                StoreCall::Load => StoreAnswer::Loaded(self.store.load().map(Box::new)),
                StoreCall::Probe(epoch) => StoreAnswer::Probed(self.store.probe(epoch)),
            });
        }
    }

    /// The owner hears the answer.
    pub(super) fn hear(&mut self) {
        if let Some(answer) = self.answer.take() {
            self.state.store_answer(self.now, &mut self.dice, answer);
        }
        self.advance();
    }

    /// Runs until nothing moves by itself, except that time stands still.
    pub(super) fn settle(&mut self) {
        self.advance();
        while self.call.is_some() || self.answer.is_some() {
            self.carry_out();
            self.hear();
        }
    }

    /// Settles, and lets time pass until nothing is due within `ms`.
    pub(super) fn settle_for(&mut self, ms: u64) {
        let until = self.now.mono + ms;
        loop {
            self.settle();
            match self.state.next_wake() {
                Some(at) if at <= until => self.pass((at - self.now.mono).max(1)),
                _ => break,
            }
        }
        self.pass(until - self.now.mono);
        self.settle();
    }

    /// The answer to a command, which must be there.
    #[track_caller]
    pub(super) fn reply(&self, token: ReplyToken) -> &Result<Reply, OwnerUnavailable> {
        self.replies[&token].as_ref().expect("it has an answer")
    }

    /// The record of a task as it is durable.
    pub(super) fn kept(&self, task: TaskId) -> Option<TaskRecord> {
        now(self.store.task_get(TenantId::DEFAULT, task)).map(|row| row.record)
    }

    /// The durable text of a task.
    pub(super) fn kept_text(&self, task: TaskId) -> TaskText {
        now(self.store.task_text(task)).unwrap()
    }

    /// Nothing may be let out before what justifies it is durable.
    fn judge(&mut self, release: Release) {
        match release {
            Release::Committed(commit) => {
                let last = self.commits.last().copied();
                let left_out = last.map_or(0, |last| last + 1)..commit.commit_seq;
                assert!(
                    last.is_none() || left_out.clone().all(|seq| self.was_in_doubt(seq)),
                    "a commit was left out: {left_out:?}"
                );
                assert!(last < Some(commit.commit_seq), "a commit came twice");
                let log = now(self.store.commit_list(commit.commit_seq - 1, 1));
                assert_eq!(log[0].events, commit.events, "it is not in the log");
                self.commits.push(commit.commit_seq);
                self.journal.push(format!("commit {}", commit.commit_seq));
            }
            Release::Effect(effect) => self.judge_effect(effect),
            Release::Live(deliver) => {
                deliver();
                self.journal.push("live".to_owned());
            }
            Release::Notice(notice) => self.notices.push(notice),
            Release::Reply(token, reply) => self.judge_reply(token, reply),
            Release::View(view) => {
                if view.store_trouble.is_none() {
                    let durable = self.commits.last().copied().unwrap_or(view.commit_seq);
                    assert!(
                        view.commit_seq <= durable.max(self.foreign)
                            || self.was_in_doubt(view.commit_seq),
                        "a view ran ahead of the store"
                    );
                }
            }
        }
    }

    /// Another owner has had a term: what is durable now may be none of this one's doing.
    pub(super) fn was_overtaken(&mut self) {
        self.foreign = self.store.peek().commit_seq;
    }

    /// True if the owner was told that the outcome of a commit is unknown.
    fn was_in_doubt(&self, seq: u64) -> bool {
        self.notices.iter().any(
            |notice| matches!(notice, Notice::CommitUnknown { commit_seq, .. } if *commit_seq == seq),
        )
    }

    fn judge_effect(&mut self, effect: Effect) {
        self.effects_out += 1;
        match effect {
            Effect::AttemptCancel { attempt, task } => {
                let record = self.kept(task).expect("a task to be stopped is durable");
                let history = now(self.store.attempt_list(task));
                let row = history.iter().find(|row| row.id == attempt);
                let row = row.expect("an attempt to be stopped is durable");
                let demanded = record.state == TaskState::CancelRequested;
                assert!(
                    demanded || row.state != AttemptState::Live,
                    "an attempt was stopped for no durable reason"
                );
                self.stopping.insert(attempt);
                self.journal.push(format!("stop {}", task.0));
            }
            Effect::AttemptStart(order) => {
                let history = now(self.store.attempt_list(order.task));
                assert!(
                    history.iter().any(|row| row.id == order.attempt),
                    "an attempt ran ahead of its row"
                );
                let kept = self.kept_text(order.task).tokens();
                assert!(
                    kept >= order.position,
                    "a text was shorter than its position"
                );
                let running = Running {
                    task: order.task,
                    told: order.position,
                };
                self.running.insert(order.attempt, running);
                self.journal.push(format!("start {}", order.task.0));
            }
            Effect::TaskEnded {
                task,
                end,
                position,
            } => {
                let record = self.kept(task).expect("a task that has ended is durable");
                assert!(
                    record.state.is_final(),
                    "an end was told before it was durable"
                );
                assert_eq!((record.end, record.position), (Some(end), position));
                assert!(self.told.insert(task), "the end of {task} was told twice");
                self.journal.push(format!("ended {}", task.0));
            }
            Effect::TaskStarted { task, started, .. } => {
                let record = self.kept(task).expect("a task that was started is durable");
                assert_eq!(record.started.as_deref(), Some(&started));
                self.awaited.insert(task);
                self.journal.push(format!("started {}", task.0));
            }
        }
    }

    fn judge_reply(&mut self, token: ReplyToken, reply: Result<Reply, OwnerUnavailable>) {
        let waiting = self.replies.get_mut(&token).expect("a reply to nobody");
        assert!(waiting.is_none(), "{token:?} was answered twice");
        *waiting = Some(reply.clone());
        match &reply {
            Ok(Reply::TaskCreated { record, replayed }) => {
                let kept = self.kept(record.id).expect("an accepted task is durable");
                assert!(kept.revision >= record.revision);
                if !replayed {
                    assert!(record.seq > self.newest_accepted, "replies out of order");
                    self.newest_accepted = record.seq;
                    self.awaited.insert(record.id);
                }
                self.journal.push(format!("created {}", record.id.0));
            }
            Ok(Reply::TaskCancelled(record)) => {
                let kept = self.kept(record.id).expect("a cancelled task is durable");
                assert!(
                    kept.state.is_final(),
                    "a cancel was answered before the end was durable"
                );
                self.journal.push(format!("cancelled {}", record.id.0));
            }
            Ok(Reply::TaskRequeued(record)) => {
                let kept = self.kept(record.id).expect("a requeued task is durable");
                assert!(kept.revision >= record.revision);
                self.journal.push(format!("requeued {}", record.id.0));
            }
            Ok(Reply::Refused(_) | Reply::TaskRefused(_)) => {
                self.journal.push("refused".to_owned())
            }
            Ok(
                Reply::BulkBegun(_)
                | Reply::KeyCreated(_)
                | Reply::KeyRevoked(_)
                | Reply::QueueSwitched(_)
                | Reply::QuotaPut(_)
                | Reply::SessionPut(_),
            ) => self.judge_row(reply.as_ref().unwrap()),
            Ok(Reply::SessionDeleted) => self.journal.push("session deleted".to_owned()),
            Err(error) if error.is_not_applied() => self.journal.push("not applied".to_owned()),
            Err(_) => self.journal.push("unknown".to_owned()),
        }
    }

    /// A row that a reply shows is durable as it is shown, or further on.
    fn judge_row(&mut self, reply: &Reply) {
        let durable = self.store.peek();
        let (kept, told) = match reply {
            Reply::BulkBegun(row) => {
                let kept = durable.bulks.iter().find(|kept| kept.id == row.id);
                let kept = kept.is_some_and(|kept| kept.place >= row.place);
                (kept, format!("bulk {}", row.id))
            }
            Reply::KeyCreated(key) | Reply::KeyRevoked(key) => {
                (durable.keys.contains(key), format!("key {}", key.id))
            }
            Reply::QueueSwitched(row) => {
                let kept = durable.pauses.contains(row);
                (kept, format!("queue {:?}", row.pool))
            }
            Reply::QuotaPut(view) => {
                let put = view.put.as_ref().expect("it was put");
                (durable.quotas.contains(put), format!("quota {:?}", put.of))
            }
            Reply::SessionPut(view) => {
                let kept = durable.sessions.contains(&view.record);
                (kept, format!("session {} put", view.record.id))
            }
            other => panic!("{other:?} shows no row of its own"),
        };
        assert!(kept, "{told}: shown before it was durable");
        self.journal.push(told);
    }

    /// What is durable, recovered, equals the machine but for soft state.
    pub(super) fn judge_recovery(&self) {
        assert!(self.state.is_settled());
        let loaded = self.store.snapshot().load().unwrap();
        let recovered = Recovered {
            epoch: loaded.epoch,
            accept_seq: loaded.accept_seq,
            tasks: loaded.tasks,
            attempts: loaded.attempts,
            sessions: loaded.sessions,
            keys: loaded.keys,
            idempotency: loaded.idempotency,
            quotas: loaded.quotas,
            quota_levels: loaded.quota_levels,
            pauses: loaded.pauses,
            bulks: loaded.bulks,
        };
        let machine = self.state.machine().expect("it serves");
        let again = Machine::recover(self.config.clone(), self.now, recovered);
        assert_eq!(again.hard_state(), machine.hard_state());
    }

    /// Whoever waits for the end of a task has been told of it, if it has ended.
    pub(super) fn judge_ends(&self) {
        for task in self.awaited.difference(&self.told) {
            let kept = self.kept(*task);
            let over = kept.is_some_and(|record| record.state.is_final());
            assert!(!over, "nobody was told that {task} has ended");
        }
    }
}
