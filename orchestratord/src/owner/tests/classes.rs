//! A new owner under another configuration finds tasks of classes that are not there any more.

use orchestrator_core::id::{KeyId, TaskId};
use orchestrator_core::input::Ask;
use orchestrator_core::machine::MachineConfig;
use orchestrator_core::queue::{ClassConfig, ClassName};
use orchestrator_core::refusal::{ClassAsk, Refusal};
use orchestrator_core::task::{FinishReason, TaskState};

use super::rig::Rig;
use super::things::{config, create, key, ready};
use crate::owner::OwnerLimits;
use crate::owner::outlet::Notice;

const NIGHTLY: ClassName = ClassName::named("nightly").unwrap();

/// As ever, but for the less urgent class.
fn without_batch() -> MachineConfig {
    let mut config = config();
    config.classes[1] = ClassConfig {
        name: NIGHTLY,
        ..config.classes[1]
    };
    config
}

/// Task 1 is interactive, and 2 to 4 are batch; the next owner knows no batch.
fn restarted() -> Rig {
    let mut before = Rig::new();
    before.ask(create(1, ClassName::INTERACTIVE));
    for id in 2..=4 {
        before.ask(create(id, ClassName::BATCH));
    }
    before.settle();
    let store = before.store.snapshot();
    Rig::under(without_batch(), store, OwnerLimits::default())
}

fn retired(rig: &Rig) -> Vec<&Notice> {
    let told = |notice: &&Notice| matches!(notice, Notice::ClassesRetired { .. });
    rig.notices.iter().filter(told).collect()
}

#[test]
fn it_is_said_once_how_many_they_are() {
    let mut rig = restarted();
    rig.settle();
    let told = Notice::ClassesRetired {
        classes: vec![ClassName::BATCH],
        tasks: 3,
    };
    assert_eq!(retired(&rig), [&told]);
    let again = Rig::over(rig.store.snapshot(), OwnerLimits::default());
    assert_eq!(retired(&again), Vec::<&Notice>::new(), "it is named again");
}

#[test]
fn it_is_said_of_keys_in_force_too_which_are_not_named_any_more() {
    let mut before = Rig::new();
    for (id, class_max) in [
        (1, ClassName::BATCH),
        (2, ClassName::BATCH),
        (3, ClassName::BATCH),
        (4, ClassName::INTERACTIVE),
    ] {
        before.ask(Ask::KeyCreate(Box::new(key(id, class_max))));
    }
    before.settle();
    // Of a key that has ended nothing is said.
    before.ask(Ask::KeyRevoke { key: KeyId(3) });
    before.settle();
    let store = before.store.snapshot();
    let mut rig = Rig::under(without_batch(), store, OwnerLimits::default());
    rig.settle();
    let told = Notice::ClassesRetiredOfKeys {
        classes: vec![ClassName::BATCH],
        keys: 2,
    };
    let of_keys = |rig: &Rig| -> Vec<Notice> {
        let told = |notice: &&Notice| matches!(notice, Notice::ClassesRetiredOfKeys { .. });
        rig.notices.iter().filter(told).cloned().collect()
    };
    assert_eq!(of_keys(&rig), [told]);
    assert_eq!(retired(&rig), Vec::<&Notice>::new(), "no task waits");
    let again = Rig::over(rig.store.snapshot(), OwnerLimits::default());
    assert_eq!(of_keys(&again), []);
}

#[test]
fn they_are_shown_and_run_to_their_end_and_nobody_comes_after_them() {
    let mut rig = restarted();
    let newcomer = rig.ask(create(5, ClassName::BATCH));
    rig.ask(create(6, NIGHTLY));
    rig.settle();
    let view = rig.state.view();
    assert_eq!(
        view.queued,
        [
            (ClassName::INTERACTIVE, 1),
            (NIGHTLY, 1),
            (ClassName::BATCH, 3)
        ]
    );
    let refused = rig.reply(newcomer).as_ref().unwrap().refusal();
    let unknown = Refusal::ClassUnknown {
        class: ClassName::BATCH,
        by: ClassAsk::Task,
        known: vec![ClassName::INTERACTIVE, NIGHTLY],
    };
    assert_eq!(refused, Some(&unknown));
    rig.report(ready(), None);
    rig.settle();
    while let Some(attempt) = rig.running.keys().next().copied() {
        rig.finish(attempt, FinishReason::Stop);
        rig.settle();
    }
    for id in [1, 2, 3, 4, 6] {
        assert_eq!(rig.kept(TaskId(id)).unwrap().state, TaskState::Completed);
    }
    let kept = rig.kept(TaskId(2)).unwrap();
    assert_eq!(kept.spec.priority, ClassName::BATCH);
    assert_eq!(rig.kept(TaskId(5)), None);
    rig.judge_recovery();
}
