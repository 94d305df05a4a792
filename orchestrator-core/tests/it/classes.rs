//! Classes by name: any number of them, and those of an earlier configuration.

use orchestrator_core::bulk::{BulkAction, BulkFilter};
use orchestrator_core::effect::AttemptOrder;
use orchestrator_core::id::TenantId;
use orchestrator_core::machine::MachineConfig;
use orchestrator_core::queue::{ClassConfig, ClassName, FullPolicy};
use orchestrator_core::refusal::{ClassAsk, Refusal};
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{FinishReason, TaskSpec, TaskState};

use crate::rig::{Rig, facts, one_pool, spec};

fn name(name: &str) -> ClassName {
    ClassName::named(name).unwrap()
}

fn class(of: &str, band: u32, full: FullPolicy) -> ClassConfig {
    ClassConfig {
        name: name(of),
        capacity: 2,
        full,
        weight: 1,
        band,
    }
}

/// `urgent` and `soon` share a band, and `later` and `idle` have each their own.
fn four() -> MachineConfig {
    let mut config = one_pool(1);
    config.classes = vec![
        class("urgent", 1, FullPolicy::ShedLowPriority),
        class("soon", 1, FullPolicy::ShedLowPriority),
        class("later", 2, FullPolicy::DropLru),
        class("idle", 3, FullPolicy::Reject),
    ];
    config.lease_ttl_ms = 3_600_000;
    config
}

fn of(class: &str) -> TaskSpec {
    TaskSpec {
        priority: name(class),
        ..spec()
    }
}

/// A rig whose only slot is taken by task 0, of the most urgent class.
fn busy(config: MachineConfig) -> (Rig, AttemptOrder) {
    let mut rig = Rig::new(config);
    rig.replica_ready(facts("default-0", 1));
    let first = rig.machine.classes().names()[0];
    let order = rig.create(0, of(first.as_str())).starts().remove(0);
    (rig, order)
}

/// Runs one task after the other to its end; the order in which those ran that waited.
fn run_all(rig: &mut Rig, mut running: AttemptOrder) -> Vec<u128> {
    let mut ran = Vec::new();
    while let Some(next) = rig.finished(&running, FinishReason::Stop, 1).starts().pop() {
        ran.push(next.task.0);
        running = next;
    }
    ran
}

fn states(rig: &Rig, tasks: impl IntoIterator<Item = u128>) -> Vec<TaskState> {
    tasks.into_iter().map(|task| rig.state(task)).collect()
}

#[test]
fn bands_go_one_before_the_other() {
    let (mut rig, running) = busy(four());
    for (task, class) in [(1, "idle"), (2, "later"), (3, "soon"), (4, "urgent")] {
        rig.create(task, of(class));
    }
    let position = |task| rig.machine.queue_position(rig.now, rig.row(task).id);
    assert_eq!([1, 2].map(position), [Some(3), Some(2)]);
    let ran = run_all(&mut rig, running);
    // Task 0 was urgent, so that it is the other flow's turn first.
    assert_eq!(ran, [3, 4, 2, 1]);
}

#[test]
fn what_is_due_goes_into_the_first_band_whatever_its_class() {
    let (mut rig, _) = busy(four());
    rig.create(1, of("idle"));
    rig.advance(rig.machine.config().ageing_ms);
    rig.create(2, of("later"));
    rig.create(3, of("later"));
    let position = |task| rig.machine.queue_position(rig.now, rig.row(task).id);
    assert_eq!([1, 2, 3].map(position), [Some(0), Some(1), Some(2)]);
}

#[test]
fn who_sheds_takes_the_places_of_the_least_urgent_that_wait() {
    let (mut rig, _) = busy(four());
    for (task, class) in [
        (1, "later"),
        (2, "idle"),
        (3, "idle"),
        (4, "soon"),
        (5, "soon"),
    ] {
        rig.create(task, of(class));
    }
    // The one that was accepted last, of the least urgent class; then of the next.
    for (task, victim) in [(6, 3), (7, 2), (8, 1)] {
        rig.create(task, of("soon"));
        assert_eq!(rig.state(victim), TaskState::Failed);
    }
    let refusal = rig.create(9, of("soon")).reply().refusal().cloned();
    assert!(
        matches!(refusal, Some(Refusal::QueueFull { capacity: 2, .. })),
        "{refusal:?}"
    );
    assert_eq!(states(&rig, 4..=8), [TaskState::Queued; 5]);
}

#[test]
fn a_class_that_is_not_there_is_refused_with_those_that_are() {
    let (mut rig, _) = busy(four());
    let unknown = |by| {
        Reply::Refused(Refusal::ClassUnknown {
            class: name("soom"),
            by,
            known: ["urgent", "soon", "later", "idle"].map(name).to_vec(),
        })
    };
    let out = rig.create(1, of("soom"));
    assert_eq!(out.reply(), &unknown(ClassAsk::Task));
    let filter = BulkFilter {
        priority: Some(name("soom")),
        ..BulkFilter::of(TenantId::DEFAULT)
    };
    let out = rig.bulk(1, BulkAction::Cancel, filter);
    assert_eq!(out.reply(), &unknown(ClassAsk::Bulk));
}

/// Tasks 1 to 4 wait in class `nightly`, and 5 in `weekly`, as the daemon ends; the next configuration names neither.
fn retired() -> (Rig, AttemptOrder) {
    let mut before = one_pool(1);
    let mut nightly = class("nightly", 1, FullPolicy::DropLru);
    nightly.capacity = 10;
    before.classes = vec![nightly, class("weekly", 2, FullPolicy::DropLru)];
    let (mut rig, _) = busy(before);
    for task in 1..=4 {
        rig.create(task, of("nightly"));
    }
    rig.create(5, of("weekly"));
    rig.restart_with(four());
    // The one that ran comes back, and is a retired one too.
    rig.advance(0);
    let running = rig.replica_ready(facts("default-0", 1)).starts().remove(0);
    (rig, running)
}

#[test]
fn tasks_of_a_class_that_is_gone_keep_its_name_and_wait_in_the_last_band() {
    let (mut rig, running) = retired();
    assert_eq!(running.task.0, 0);
    let known: Vec<String> = rig
        .machine
        .classes()
        .known()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        known,
        ["urgent", "soon", "later", "idle", "nightly", "weekly"]
    );
    assert_eq!(rig.machine.queue_depth(name("nightly")), Some(4));
    assert_eq!(rig.machine.queue_depth(name("weekly")), Some(1));
    assert_eq!(rig.machine.queue_depth(name("idle")), Some(0));
    let unknown = name("never");
    assert_eq!(rig.machine.queue_depth(unknown), None);
    assert_eq!(rig.machine.predictions(unknown), None);
    assert_eq!(rig.row(1).spec.priority, name("nightly"));
    rig.create(10, of("idle"));
    rig.create(11, of("later"));
    let ran = run_all(&mut rig, running);
    // First the band above; then `idle`, `nightly` and `weekly` take turns at weight 1.
    assert_eq!(ran[0], 11);
    assert_eq!(ran.len(), 7, "{ran:?}");
    let turn = |task| ran.iter().position(|other| *other == task);
    assert!(turn(10) < turn(2) && turn(5) < turn(2), "{ran:?}");
}

#[test]
fn a_class_that_is_gone_takes_nobody_and_loses_nobody() {
    let (mut rig, _) = retired();
    let refusal = rig.create(9, of("nightly")).reply().refusal().cloned();
    assert!(
        matches!(refusal, Some(Refusal::ClassUnknown { .. })),
        "{refusal:?}"
    );
    // As many as there is room for, and more: nobody goes for them who waits in a class that is gone.
    for task in 20..40 {
        rig.create(task, of("urgent"));
        rig.create(task + 100, of("later"));
    }
    assert_eq!(states(&rig, 1..=5), [TaskState::Queued; 5]);
    // What was accepted under its id is still answered.
    let again = rig.create(1, of("nightly"));
    assert!(matches!(
        again.reply(),
        Reply::TaskCreated { replayed: true, .. }
    ));
}
