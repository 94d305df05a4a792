//! Under any schedule of inputs, answers and faults: nothing leaves before it is durable, nothing
//! acknowledged is lost, each command is answered once, order is kept. The rig judges each release.

use std::collections::{BTreeMap, BTreeSet};

use orchestrator_core::id::{AttemptId, TaskId};
use orchestrator_core::input::Report;
use orchestrator_core::machine::Machine;
use orchestrator_core::queue::ClassName;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{FinishReason, TaskFault, TaskState};
use orchestrator_core::time::Now;
use proptest::prelude::*;
use store_memory::{Fault, MemoryStore};

use super::rig::{Rig, text};
use super::things::{cancel, create, down, ready};
use crate::owner::{Deliver, OwnerLimits};

#[derive(Clone, Copy, Debug)]
enum Action {
    Create(u8, bool),
    Cancel(u8),
    Ready,
    Down,
    Running(u8),
    Chunk(u8, u8),
    Finish(u8),
    Break(u8),
    Stop,
    Look,
    Pass(u16),
    Advance,
    CarryOut,
    Hear,
    CommitFault(u8),
    ReadFault(u8),
    EndInDoubt(u8, bool),
    Crash,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        10 => (0..12u8, any::<bool>()).prop_map(|(id, batch)| Action::Create(id, batch)),
        4 => (0..12u8).prop_map(Action::Cancel),
        3 => Just(Action::Ready),
        1 => Just(Action::Down),
        3 => any::<u8>().prop_map(Action::Running),
        6 => (any::<u8>(), 1..5u8).prop_map(|(pick, tokens)| Action::Chunk(pick, tokens)),
        4 => any::<u8>().prop_map(Action::Finish),
        2 => any::<u8>().prop_map(Action::Break),
        3 => Just(Action::Stop),
        3 => Just(Action::Look),
        4 => (0..3_000u16).prop_map(Action::Pass),
        8 => Just(Action::Advance),
        8 => Just(Action::CarryOut),
        8 => Just(Action::Hear),
        3 => (0..5u8).prop_map(Action::CommitFault),
        1 => (0..3u8).prop_map(Action::ReadFault),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(pick, applied)| Action::EndInDoubt(pick, applied)),
        1 => Just(Action::Crash),
    ]
}

fn fault(kind: u8) -> Option<Fault> {
    match kind {
        0 => Some(Fault::NotApplied),
        1 => Some(Fault::Unknown { applied: false }),
        2 => Some(Fault::Unknown { applied: true }),
        3 => Some(Fault::Fenced),
        _ => None,
    }
}

/// An attempt ends in a commit whose outcome the owner never learns, and the owner recovers.
fn end_in_doubt(rig: &mut Rig, attempt: AttemptId, applied: bool) {
    rig.faults()
        .plan_commits([Some(Fault::Unknown { applied })]);
    rig.faults().fail_probes(9);
    rig.finish(attempt, FinishReason::Stop);
    rig.settle_for(5_000);
}

fn look(machine: &Machine, now: Now) -> Deliver {
    drop(machine.explain(now, TaskId(1)));
    Box::new(|| {})
}

/// A rig with what must survive the crashes of its owner.
struct World {
    rig: Rig,
    /// Every task that was acknowledged.
    acknowledged: BTreeSet<TaskId>,
    /// Tasks of which each request was told that it was not applied.
    never: BTreeMap<TaskId, bool>,
}

impl World {
    fn act(&mut self, action: Action) {
        let rig = &mut self.rig;
        let pick = |rig: &Rig, pick: u8| {
            let count = rig.running.len().max(1);
            rig.running.keys().nth(pick as usize % count).copied()
        };
        match action {
            Action::Create(id, batch) => {
                let priority = if batch {
                    ClassName::BATCH
                } else {
                    ClassName::INTERACTIVE
                };
                rig.ask(create(id.into(), priority));
            }
            Action::Cancel(id) => drop(rig.ask(cancel(id.into()))),
            Action::Ready => rig.report(ready(), None),
            Action::Down => rig.report(down(), None),
            Action::Running(at) => {
                if let Some(attempt) = pick(rig, at) {
                    rig.report(Report::AttemptRunning { attempt }, None);
                    rig.report(Report::AttemptRenewed { attempt }, None);
                }
            }
            Action::Chunk(at, tokens) => {
                if let Some(attempt) = pick(rig, at) {
                    rig.chunk(attempt, tokens.into());
                }
            }
            Action::Finish(at) => {
                if let Some(attempt) = pick(rig, at) {
                    rig.finish(attempt, FinishReason::Stop);
                }
            }
            Action::Break(at) => {
                if let Some(attempt) = pick(rig, at) {
                    rig.fail(attempt, TaskFault::WorkerReset);
                }
            }
            Action::Stop => {
                if let Some(attempt) = rig.stopping.pop_first() {
                    rig.finish(attempt, FinishReason::Cancelled);
                }
            }
            Action::Look => rig.ask_live(None, Box::new(look)),
            Action::Pass(ms) => rig.pass(ms.into()),
            Action::Advance => rig.advance(),
            Action::CarryOut => rig.carry_out(),
            Action::Hear => rig.hear(),
            Action::CommitFault(kind) => rig.faults().plan_commits([fault(kind)]),
            Action::ReadFault(kind) => match kind {
                0 => rig.faults().fail_loads(2),
                1 => rig.faults().fail_prefetches(1),
                _ => rig.faults().fail_probes(9),
            },
            Action::EndInDoubt(at, applied) => {
                if let Some(attempt) = pick(rig, at) {
                    end_in_doubt(rig, attempt, applied);
                }
            }
            Action::Crash => self.crash(),
        }
    }

    /// Takes down what was acknowledged and what was not.
    fn note_replies(&mut self) {
        let rig = &self.rig;
        for (token, reply) in &rig.replies {
            if let Some(Ok(Reply::TaskCreated { record, .. })) = reply {
                self.acknowledged.insert(record.id);
            }
            if let Some(task) = rig.creates.get(token) {
                let not_applied = match reply {
                    Some(Ok(Reply::Refused(_) | Reply::TaskRefused(_))) => true,
                    Some(Err(error)) => error.is_not_applied(),
                    _ => false,
                };
                *self.never.entry(*task).or_insert(true) &= not_applied;
            }
        }
    }

    /// The process dies; another takes over what is durable.
    fn crash(&mut self) {
        self.note_replies();
        self.rig = Rig::over(self.rig.store.snapshot(), OwnerLimits::default());
    }

    /// All is well again, and every attempt comes to its end, for long enough.
    fn heal(&mut self) {
        let rig = &mut self.rig;
        rig.faults().clear();
        rig.settle_for(20_000);
        rig.report(ready(), None);
        for _ in 0..100 {
            rig.settle();
            while let Some(attempt) = rig.stopping.pop_first() {
                rig.finish(attempt, FinishReason::Cancelled);
            }
            while let Some(attempt) = rig.running.keys().next().copied() {
                rig.finish(attempt, FinishReason::Stop);
            }
            rig.settle_for(1_000);
        }
        self.note_replies();
    }

    fn judge(&self) {
        let unanswered: Vec<_> = self
            .rig
            .replies
            .iter()
            .filter(|(_, reply)| reply.is_none())
            .collect();
        assert!(unanswered.is_empty(), "without an answer: {unanswered:?}");
        for task in &self.acknowledged {
            let kept = self
                .rig
                .kept(*task)
                .unwrap_or_else(|| panic!("{task} was acknowledged and is lost"));
            let over = kept.state.is_final() || kept.state == TaskState::Parked;
            assert!(over, "{task} never ended, it is {:?}", kept.state);
            let kept_text = self.rig.kept_text(*task);
            assert_eq!(
                kept_text,
                text(0, kept_text.tokens()),
                "the text of {task} has a gap or a repeat"
            );
        }
        for (task, never) in &self.never {
            if *never && !self.acknowledged.contains(task) {
                assert_eq!(
                    self.rig.kept(*task),
                    None,
                    "{task} was said not to be applied"
                );
            }
        }
        self.rig.judge_recovery();
        self.rig.judge_ends();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_leaves_too_early(actions in prop::collection::vec(action(), 1..120)) {
        let rig = Rig::over(MemoryStore::new(), OwnerLimits::default());
        let mut world = World { rig, acknowledged: BTreeSet::new(), never: BTreeMap::new() };
        for action in actions {
            world.act(action);
        }
        world.heal();
        world.judge();
    }
}
