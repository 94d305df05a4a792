//! Held queues: they accept, dispatch nothing, say so, and go on where they were.

use orchestrator_core::id::{KeyId, PoolName, PrincipalId};
use orchestrator_core::input::Ask;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::placement::Verdict;
use orchestrator_core::queue::{PauseRecord, QueueSwitch};
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{FinishReason, TaskState};

use crate::pools::two_pools;
use crate::rig::{Out, Rig, facts, interactive_of, spec};

impl Rig {
    /// Key 7 holds a queue or lets it go on.
    pub(crate) fn queue_switch(&mut self, pool: Option<&str>, paused: bool) -> Out {
        let switch = QueueSwitch {
            pool: pool.map(PoolName::new),
            by: PrincipalId::from(KeyId(7)),
        };
        self.ask(if paused {
            Ask::QueuePause(switch)
        } else {
            Ask::QueueResume(switch)
        })
    }
}

fn switched(out: &Out) -> PauseRecord {
    match out.reply() {
        Reply::QueueSwitched(row) => (**row).clone(),
        other => panic!("not switched: {other:?}"),
    }
}

#[test]
fn a_held_queue_accepts_and_dispatches_nothing_until_it_goes_on() {
    let mut rig = Rig::ready(2);
    rig.create(1, spec());
    assert_eq!(rig.state(1), TaskState::Dispatched);
    let out = rig.queue_switch(None, true);
    let row = switched(&out);
    assert_eq!(out.mutations, [Mutation::PausePut(Box::new(row.clone()))]);
    assert_eq!((row.paused, row.at), (true, rig.now.wall));
    assert_eq!(row.by.key(), Some(KeyId(7)));

    rig.create(2, spec());
    rig.advance(20_000);
    assert_eq!(rig.state(2), TaskState::Queued);
    let why = rig.machine.explain(rig.now, rig.row(2).id).unwrap();
    assert!(why.summary.contains("paused"), "{}", why.summary);
    assert_eq!(why.candidates[0].verdict, Verdict::Paused);
    let pool = &rig.machine.pools()[0];
    assert_eq!(
        (pool.paused, pool.slots_free, pool.slots_total),
        (true, 0, 2)
    );

    let started = rig.queue_switch(None, false).starts();
    assert_eq!(started.len(), 1, "the very step lets it go on");
    assert_eq!(rig.state(2), TaskState::Dispatched);
    assert!(!rig.machine.pools()[0].paused);
}

#[test]
fn what_runs_goes_on_and_a_slot_that_comes_free_stays_free() {
    let mut rig = Rig::ready(1);
    let order = rig.create(1, spec()).starts().remove(0);
    rig.create(2, spec());
    rig.queue_switch(Some("default"), true);
    rig.finished(&order, FinishReason::Stop, 3);
    rig.advance(10_000);
    assert_eq!(rig.state(1), TaskState::Completed);
    assert_eq!(rig.state(2), TaskState::Queued);
    rig.queue_switch(Some("default"), false);
    assert_eq!(rig.state(2), TaskState::Dispatched);
}

#[test]
fn a_pool_is_held_by_its_own_switch_or_that_of_all() {
    let mut rig = Rig::new(two_pools());
    rig.replica_ready(facts("default-0", 1));
    let held = |rig: &Rig| -> Vec<bool> {
        let pools = rig.machine.pools();
        pools.iter().map(|pool| pool.paused).collect()
    };
    rig.queue_switch(Some("large"), true);
    assert_eq!(held(&rig), [false, true]);
    rig.queue_switch(None, true);
    assert_eq!(held(&rig), [true, true]);
    rig.queue_switch(None, false);
    assert_eq!(held(&rig), [false, true]);
    rig.create(1, spec());
    assert_eq!(rig.state(1), TaskState::Dispatched);
}

#[test]
fn a_repeat_changes_nothing_and_names_who_did_it_first() {
    let mut rig = Rig::ready(1);
    let first = switched(&rig.queue_switch(None, true));
    rig.advance(1_000);
    let again = rig.queue_switch(None, true);
    assert!(again.mutations.is_empty());
    assert_eq!(switched(&again), first);
    // One that was never held goes on as it did.
    let never = rig.queue_switch(Some("default"), false);
    assert!(!switched(&never).paused);
}

#[test]
fn a_restart_keeps_what_is_held() {
    let mut rig = Rig::ready(1);
    rig.queue_switch(Some("default"), true);
    rig.create(1, spec());
    rig.restart();
    rig.replica_ready(facts("default-0", 1));
    rig.advance(1_000);
    assert_eq!(rig.state(1), TaskState::Queued);
    rig.queue_switch(Some("default"), false);
    assert_eq!(rig.state(1), TaskState::Dispatched);
}

#[test]
fn there_is_no_queue_of_a_pool_that_is_not() {
    let mut rig = Rig::ready(1);
    let out = rig.queue_switch(Some("nowhere"), true);
    assert!(out.mutations.is_empty());
    let refusal = Refusal::PoolUnknown {
        pool: PoolName::new("nowhere"),
        known: vec![PoolName::new("default")],
    };
    assert_eq!(out.reply(), &Reply::Refused(refusal));
}

#[test]
fn a_held_queue_is_bounded_like_any_other() {
    let mut config = crate::rig::one_pool(1);
    interactive_of(&mut config).capacity = 2;
    let mut rig = Rig::new(config);
    rig.replica_ready(facts("default-0", 4));
    rig.queue_switch(None, true);
    rig.create(1, spec());
    rig.create(2, spec());
    let out = rig.create(3, spec());
    let full = matches!(out.reply().refusal(), Some(Refusal::QueueFull { .. }));
    assert!(full, "{out:?}");
}
