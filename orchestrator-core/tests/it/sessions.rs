//! Sessions: turns, life, affinity.

use orchestrator_core::id::{ReplicaName, SessionId, SessionKey, TenantId};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{FinishReason, TaskSpec, TaskState};
use orchestrator_core::time::WallMs;

use crate::rig::{Out, Rig, facts, one_pool, spec};

fn key(session: u128) -> SessionKey {
    SessionKey::new(TenantId::DEFAULT, SessionId(session))
}

fn of(session: u128) -> TaskSpec {
    TaskSpec {
        session: Some(SessionId(session)),
        ..spec()
    }
}

/// Creates a task in session 1 and runs it to its end.
fn turn(rig: &mut Rig, task: u128) -> Out {
    let out = rig.create(task, of(1));
    for order in out.starts() {
        rig.finished(&order, FinishReason::Stop, 1);
    }
    out
}

#[test]
fn a_session_takes_eight_turns() {
    let mut rig = Rig::ready(1);
    for task in 1..=8 {
        turn(&mut rig, task);
    }
    let before = rig.machine.clone();
    let out = rig.create(9, of(1));
    assert!(matches!(
        out.reply().refusal(),
        Some(Refusal::SessionExhausted { turns_max: 8, .. })
    ));
    assert_eq!(rig.machine, before);
    rig.session_delete(1);
    assert!(matches!(
        rig.create(9, of(1)).reply(),
        Reply::TaskCreated { .. }
    ));
    assert_eq!(
        rig.machine.session(rig.now, key(1)).unwrap().record.turns,
        1
    );
}

#[test]
fn a_session_runs_out_ten_minutes_after_its_last_task_was_accepted_or_ended() {
    let mut rig = Rig::ready(1);
    let order = rig.create(1, of(1)).starts().remove(0);
    rig.pass(9 * 60_000);
    rig.finished(&order, FinishReason::Stop, 1);
    assert_eq!(rig.store.sessions[&key(1)].touched_at, rig.now.wall);
    rig.advance(10 * 60_000 - 1);
    let view = rig.machine.session(rig.now, key(1)).unwrap();
    assert_eq!((view.record.turns, view.ttl_ms_remaining), (1, 1));
    let out = rig.advance(1);
    assert_eq!(out.mutations, [Mutation::SessionDelete(key(1))]);
    assert!(rig.machine.session(rig.now, key(1)).is_none());
    assert!(matches!(
        rig.session_delete(1).reply(),
        Reply::Refused(Refusal::SessionUnknown { .. })
    ));
}

#[test]
fn a_session_that_ran_out_begins_anew_even_if_no_tick_came_between() {
    let mut rig = Rig::ready(1);
    turn(&mut rig, 1);
    rig.pass(10 * 60_000);
    turn(&mut rig, 2);
    assert_eq!(rig.store.sessions[&key(1)].turns, 1);
}

#[test]
fn many_sessions_run_out_a_bounded_number_at_a_time() {
    let mut rig = Rig::new(one_pool(1));
    for n in 1..=100 {
        rig.create(n, of(n));
    }
    rig.pass(10 * 60_000);
    let first = rig.step(orchestrator_core::input::Input::Tick);
    assert!(first.mutations.len() < 100);
    assert!(
        rig.machine.next_wake() <= Some(rig.now.mono),
        "there is more to do at once"
    );
    rig.advance(0);
    assert!(rig.store.sessions.is_empty());
}

#[test]
fn deleting_a_session_lets_its_work_run() {
    let mut rig = Rig::ready(1);
    let order = rig.create(1, of(1)).starts().remove(0);
    rig.create(2, of(1));
    assert_eq!(rig.session_delete(1).reply(), &Reply::SessionDeleted);
    let next = rig
        .finished(&order, FinishReason::Stop, 1)
        .starts()
        .remove(0);
    rig.finished(&next, FinishReason::Stop, 1);
    assert_eq!(
        (rig.state(1), rig.state(2)),
        (TaskState::Completed, TaskState::Completed)
    );
    assert!(rig.store.sessions.is_empty());
}

#[test]
fn a_session_goes_back_to_its_replica_if_that_has_room() {
    let mut rig = Rig::new(one_pool(2));
    rig.replica_ready(facts("default-1", 2));
    turn(&mut rig, 1);
    rig.replica_ready(facts("default-0", 2));
    // By load and name alone it would be default-0.
    let warm = turn(&mut rig, 2).starts().remove(0);
    assert_eq!(warm.replica, ReplicaName::new("default-1"));
    let other = rig.create(3, spec()).starts().remove(0);
    assert_eq!(other.replica, ReplicaName::new("default-0"));
    rig.replica_down("default-1");
    rig.advance(0);
    let moved = rig.create(4, of(1)).starts().remove(0);
    assert_eq!(moved.replica, ReplicaName::new("default-0"));
    assert_eq!(
        rig.store.sessions[&key(1)].replica,
        Some(ReplicaName::new("default-0"))
    );
}

#[test]
fn a_wall_clock_that_jumps_neither_ends_a_session_nor_keeps_it() {
    let mut rig = Rig::ready(1);
    turn(&mut rig, 1);
    rig.now.wall = WallMs(rig.now.wall.0 + 86_400_000);
    rig.advance(9 * 60_000);
    assert!(rig.machine.session(rig.now, key(1)).is_some());
    rig.now.wall = WallMs(1);
    rig.advance(60_000);
    assert!(rig.machine.session(rig.now, key(1)).is_none());
    // A session touched in the future of a clock that was set back lives on for one time to live, no longer.
    turn(&mut rig, 2);
    rig.now.wall = WallMs(0);
    rig.restart();
    assert!(rig.machine.session(rig.now, key(1)).is_some());
    rig.advance(10 * 60_000);
    assert!(rig.machine.session(rig.now, key(1)).is_none());
}
