//! Every refusal, and that it leaves the machine exactly as it was.

use orchestrator_core::id::{ModelRef, PoolName, ReplicaName, SessionId, TaskId};
use orchestrator_core::input::Report;
use orchestrator_core::obstacle::Obstacle;
use orchestrator_core::placement::{Candidate, ReplicaConfig, Verdict};
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{Engine, FinishReason, PromptFacts, TaskSpec};

use crate::pools::two_pools;
use crate::rig::{Out, Rig, facts, interactive_of, one_pool, spec};

/// Does something that must be refused; the refusal.
fn refused(rig: &mut Rig, act: impl FnOnce(&mut Rig) -> Out) -> Refusal {
    rig.advance(0);
    let before = rig.machine.clone();
    let out = act(rig);
    assert_eq!(
        rig.machine, before,
        "a refusal leaves the machine as it was"
    );
    assert!(out.mutations.is_empty() && out.effects.is_empty());
    let refusal = out.reply().refusal();
    refusal
        .unwrap_or_else(|| panic!("not refused: {out:?}"))
        .clone()
}

fn of_tokens(tokens_least: u64) -> TaskSpec {
    let prompt = PromptFacts {
        tokens_least,
        ..spec().prompt
    };
    TaskSpec { prompt, ..spec() }
}

#[test]
fn an_id_that_is_taken_by_another_body() {
    let mut rig = Rig::ready(1);
    let order = rig.create(1, spec()).starts().remove(0);
    let other = TaskSpec { seed: 43, ..spec() };
    let conflict = Refusal::TaskIdConflict { task: TaskId(1) };
    assert_eq!(
        refused(&mut rig, |rig| rig.create(1, other.clone())),
        conflict
    );
    rig.finished(&order, FinishReason::Stop, 1);
    assert_eq!(refused(&mut rig, |rig| rig.create(1, other)), conflict);
}

#[test]
fn an_id_with_the_same_body_gets_the_record_again() {
    let mut rig = Rig::ready(1);
    let order = rig.create(1, spec()).starts().remove(0);
    for _ in 0..2 {
        let before = rig.machine.clone();
        let out = rig.create(1, spec());
        let Reply::TaskCreated {
            record,
            replayed: true,
        } = out.reply()
        else {
            panic!("{out:?}");
        };
        assert_eq!(**record, *rig.row(1));
        assert!(out.mutations.is_empty() && out.effects.is_empty());
        assert_eq!(rig.machine, before);
        if rig.machine.is_live(order.task) {
            rig.finished(&order, FinishReason::Stop, 1);
        }
    }
}

#[test]
fn a_model_or_an_engine_that_nobody_serves() {
    let mut rig = Rig::new(two_pools());
    let asks = [
        TaskSpec {
            model_ref: Some(ModelRef::new("huge")),
            ..spec()
        },
        TaskSpec {
            model_ref: Some(ModelRef::new("large-8b")),
            engine: Some(Engine::Embedded),
            ..spec()
        },
    ];
    for ask in asks {
        let (model_ref, engine) = (ask.model_ref.clone(), ask.engine);
        let known = vec![
            (ModelRef::new("haiku-tiny"), Engine::Embedded),
            (ModelRef::new("large-8b"), Engine::Llamacpp),
        ];
        let refusal = refused(&mut rig, |rig| rig.create(1, ask));
        assert_eq!(
            refusal,
            Refusal::ModelUnknown {
                model_ref,
                engine,
                known
            }
        );
    }
}

#[test]
fn a_pool_that_gave_up() {
    let mut rig = Rig::new(one_pool(1));
    let pool = PoolName::new("default");
    rig.report(Report::PoolUnavailable {
        pool,
        detail: "no memory".to_owned(),
    });
    let refusal = refused(&mut rig, |rig| rig.create(1, spec()));
    assert_eq!(
        refusal,
        Refusal::PoolUnavailable {
            detail: "no memory".to_owned()
        }
    );
}

#[test]
fn a_prompt_that_must_exceed_every_context() {
    let mut rig = Rig::ready(1);
    let refusal = refused(&mut rig, |rig| rig.create(1, of_tokens(512)));
    let expected = Refusal::ContextExceeded {
        tokens_least: 512,
        ctx_asked: None,
        ctx_max: 512,
    };
    assert_eq!(refusal, expected);
    let wide = TaskSpec {
        ctx: Some(513),
        ..spec()
    };
    let refusal = refused(&mut rig, |rig| rig.create(1, wide));
    let expected = Refusal::ContextExceeded {
        tokens_least: 1,
        ctx_asked: Some(513),
        ctx_max: 512,
    };
    assert_eq!(refusal, expected);
    assert!(matches!(
        rig.create(1, of_tokens(511)).reply(),
        Reply::TaskCreated { .. }
    ));
}

#[test]
fn a_context_that_nobody_knows_yet_refuses_nothing() {
    let mut rig = Rig::new(two_pools());
    rig.replica_ready(facts("default-0", 1));
    assert!(matches!(
        rig.create(1, of_tokens(100_000)).reply(),
        Reply::TaskCreated { .. }
    ));
}

#[test]
fn a_queue_that_is_full() {
    let mut config = one_pool(1);
    interactive_of(&mut config).capacity = 1;
    let mut rig = Rig::new(config);
    rig.create(1, spec());
    let refusal = refused(&mut rig, |rig| rig.create(2, spec()));
    assert!(matches!(refusal, Refusal::QueueFull { capacity: 1, .. }));
    // The id is looked at before the queue.
    assert!(matches!(
        rig.create(1, spec()).reply(),
        Reply::TaskCreated { replayed: true, .. }
    ));
}

#[test]
fn things_that_do_not_exist() {
    let mut rig = Rig::ready(1);
    let refusal = refused(&mut rig, |rig| rig.cancel(9));
    assert_eq!(refusal, Refusal::TaskUnknown { task: TaskId(9) });
    let refusal = refused(&mut rig, |rig| rig.session_delete(9));
    assert_eq!(
        refusal,
        Refusal::SessionUnknown {
            session: SessionId(9)
        }
    );
}

#[test]
fn a_refusal_comes_with_what_was_found_when_it_was_decided() {
    let mut config = two_pools();
    interactive_of(&mut config).capacity = 1;
    let mut rig = Rig::new(config);
    rig.replica_ready(facts("default-0", 1));
    rig.create(1, spec());
    rig.create(2, spec());
    let out = rig.create(3, spec());
    let Reply::TaskRefused(refused) = out.reply() else {
        panic!("{out:?}");
    };
    assert_eq!(refused.refusal.obstacle(), Some(Obstacle::QueueFull));
    assert_eq!((refused.task.0, refused.at), (3, rig.now.wall));
    assert_eq!((refused.queue_depth, refused.queue_position), (1, 1));
    assert!(refused.predicted_start_ms > 0);
    assert_eq!(refused.start_band, None, "nothing is measured");
    let found = rig.machine.explain(rig.now, rig.row(2).id).unwrap();
    assert_eq!(
        refused.candidates, found.candidates,
        "as for one that waits"
    );
    assert_eq!(found.blocked_by, Some(Obstacle::Slots));
    assert_eq!(refused.counts.busy, 1);
}

#[test]
fn of_many_replicas_those_are_listed_that_serve_what_is_asked_for() {
    let mut config = one_pool(40);
    let mut other = config.pools[0].clone();
    other.name = PoolName::new("another");
    other.model_ref = ModelRef::new("another");
    other.replicas = (0..40)
        .map(|n| ReplicaConfig::alone(ReplicaName::new(format!("another-{n}"))))
        .collect();
    config.pools.push(other);
    interactive_of(&mut config).capacity = 1;
    let mut rig = Rig::new(config);
    let asks = || TaskSpec {
        model_ref: Some(ModelRef::new("haiku-tiny")),
        ..spec()
    };
    rig.create(1, asks());
    let out = rig.create(2, asks());
    let Reply::TaskRefused(refused) = out.reply() else {
        panic!("{out:?}");
    };
    assert_eq!(refused.candidates.len(), 16);
    let able = |one: &Candidate| one.verdict == Verdict::NotReady;
    assert!(refused.candidates.iter().all(able), "{refused:?}");
    assert_eq!(
        (refused.counts.not_ready, refused.counts.model_differs),
        (40, 40)
    );
}

#[test]
fn the_words_for_what_stands_in_the_way_are_sorted_and_all_different() {
    let words = Obstacle::ALL.map(Obstacle::name);
    assert!(words.is_sorted_by(|a, b| a < b), "{words:?}");
}
