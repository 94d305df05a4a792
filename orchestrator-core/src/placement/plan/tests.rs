//! Two pools, three replicas, and every reason against one.

use proptest::prelude::*;

use super::*;
use crate::id::{AttemptId, Digest, PoolName, ProcessName};
use crate::placement::{Fleet, PoolConfig, ReplicaConfig, ReplicaFacts};

const ANY: Request<'static> = Request {
    model_ref: None,
    engine: None,
    ctx_need: 2,
    pinned: None,
    preferred: None,
};

fn pool(name: &str, engine: Engine, model: &str, replicas: &[&str]) -> PoolConfig {
    PoolConfig {
        name: PoolName::new(name),
        engine,
        model_ref: ModelRef::new(model),
        kv_bytes_per_token: None,
        replicas: replicas
            .iter()
            .map(|name| ReplicaConfig::alone(ReplicaName::new(*name)))
            .collect(),
    }
}

/// Two pools with three replicas; the middle one has two of its four slots taken.
fn fleet() -> Fleet {
    fleet_in(["big-0", "tiny-0", "tiny-1"])
}

/// The same in these processes.
fn fleet_in(processes: [&str; 3]) -> Fleet {
    let mut pools = [
        pool("big", Engine::Llamacpp, "large-8b", &["big-0"]),
        pool(
            "tiny",
            Engine::Embedded,
            "haiku-tiny",
            &["tiny-1", "tiny-0"],
        ),
    ];
    for replica in pools.iter_mut().flat_map(|pool| &mut pool.replicas) {
        let names = ["big-0", "tiny-0", "tiny-1"];
        let mut own = names.iter().zip(processes);
        let process = own.find(|(name, _)| **name == replica.name.as_str());
        replica.process = ProcessName::new(process.expect("is one of them").1);
    }
    let mut fleet = Fleet::new(&pools);
    ready(&mut fleet, "big-0", 2, 8192, "1");
    ready(&mut fleet, "tiny-0", 4, 512, "1");
    ready(&mut fleet, "tiny-1", 1, 512, "2");
    fleet.take(&ReplicaName::new("tiny-0"), AttemptId(1));
    fleet.take(&ReplicaName::new("tiny-0"), AttemptId(2));
    fleet
}

fn ready(fleet: &mut Fleet, name: &str, slots: u32, ctx: u32, version: &str) {
    let replica = fleet
        .replica(&ReplicaName::new(name))
        .expect("is configured")
        .clone();
    let facts = ReplicaFacts {
        name: replica.name,
        pool: replica.pool,
        engine: replica.engine,
        engine_version: version.to_owned(),
        model_ref: replica.model_ref,
        model_digest: Digest([7; 32]),
        sampler_profile_version: "v1".to_owned(),
        ctx,
        slots,
    };
    fleet.ready(facts).expect("agrees with the configuration");
}

fn chosen<'a>(fleet: &'a Fleet, request: &Request<'_>) -> Option<&'a str> {
    let decision = plan(fleet.replicas(), request, Policy::default());
    decision.chosen.map(|replica| replica.name.as_str())
}

#[test]
fn least_loaded_then_first_by_name() {
    let mut fleet = fleet();
    assert_eq!(
        chosen(&fleet, &ANY),
        Some("big-0"),
        "empty, and before tiny-1 by name"
    );
    fleet.take(&ReplicaName::new("big-0"), AttemptId(3));
    assert_eq!(
        chosen(&fleet, &ANY),
        Some("tiny-1"),
        "the only one without load"
    );
    fleet.take(&ReplicaName::new("tiny-1"), AttemptId(4));
    assert_eq!(
        chosen(&fleet, &ANY),
        Some("big-0"),
        "half of two is half of four"
    );
    fleet.take(&ReplicaName::new("big-0"), AttemptId(5));
    assert_eq!(chosen(&fleet, &ANY), Some("tiny-0"));
}

#[test]
fn a_session_prefers_its_replica_while_that_has_room() {
    let mut fleet = fleet();
    let home = ReplicaName::new("tiny-0");
    let request = Request {
        preferred: Some(&home),
        ..ANY
    };
    assert_eq!(chosen(&fleet, &request), Some("tiny-0"));
    let indifferent = Policy {
        session_affinity: false,
        ..Policy::default()
    };
    let decision = plan(fleet.replicas(), &request, indifferent);
    assert_eq!(decision.chosen.map(|one| one.name.as_str()), Some("big-0"));
    fleet.take(&home, AttemptId(3));
    fleet.take(&home, AttemptId(4));
    assert_eq!(chosen(&fleet, &request), Some("big-0"));
}

#[test]
fn every_filter_has_its_reason() {
    use std::fmt::Write as _;

    let mut fleet = fleet();
    let tiny = ModelRef::new("haiku-tiny");
    let set = fleet
        .replica(&ReplicaName::new("tiny-0"))
        .expect("is configured")
        .set;
    let mut text = String::new();
    let mut explain = |title: &str, fleet: &Fleet, request: &Request<'_>| {
        let counts = plan(fleet.replicas(), request, Policy::default()).counts;
        writeln!(text, "{title}\n  {counts:?}").expect("writing to a string cannot fail");
        for one in report(fleet.replicas(), request, Policy::default()) {
            let verdict = format!("{:?}", one.verdict);
            writeln!(text, "  {:<7} {verdict:<18} {}", one.replica, one.detail)
                .expect("writing to a string cannot fail");
        }
    };
    explain("anything", &fleet, &ANY);
    explain(
        "an engine",
        &fleet,
        &Request {
            engine: Some(Engine::Llamacpp),
            ..ANY
        },
    );
    explain(
        "a model",
        &fleet,
        &Request {
            model_ref: Some(&tiny),
            ..ANY
        },
    );
    explain(
        "a context",
        &fleet,
        &Request {
            ctx_need: 1000,
            ..ANY
        },
    );
    explain("a replica set", &fleet, &Request { pinned: set, ..ANY });
    fleet.down(&ReplicaName::new("big-0"), "exit status 1".to_owned());
    fleet.take(&ReplicaName::new("tiny-1"), AttemptId(3));
    explain("one is down, one is busy", &fleet, &ANY);
    let shared = fleet_in(["a", "a", "b"]);
    explain("a process that has to change its model", &shared, &ANY);
    insta::assert_snapshot!(text);
}

#[test]
fn of_free_replicas_one_is_preferred_whose_process_holds_its_model() {
    let mut fleet = fleet_in(["a", "b", "b"]);
    for attempt in [1, 2] {
        fleet.give_back(&ReplicaName::new("tiny-0"), AttemptId(attempt));
    }
    let home = ReplicaName::new("tiny-1");
    let request = Request {
        engine: Some(Engine::Embedded),
        preferred: Some(&home),
        ..ANY
    };
    assert_eq!(chosen(&fleet, &request), Some("tiny-0"));
    fleet.down(&ReplicaName::new("tiny-0"), String::new());
    assert_eq!(chosen(&fleet, &request), Some("tiny-1"));
}

proptest! {
    /// Counts and report come from one judge: they agree, and the choice is one that passed every filter.
    #[test]
    fn report_and_plan_agree(
        down in prop::collection::vec(any::<bool>(), 3),
        taken in prop::collection::vec(0u32..5, 3),
        engine in prop::option::of(any::<bool>()),
        ctx_need in 0u32..9000,
        processes in prop::array::uniform3(0..3usize),
    ) {
        let mut fleet = fleet_in(processes.map(|process| ["one", "other", "third"][process]));
        let names: Vec<_> = fleet.replicas().iter().map(|one| one.name.clone()).collect();
        for (index, name) in names.iter().enumerate() {
            for n in 0..taken[index] {
                fleet.take(name, AttemptId(u128::from(n) + 10));
            }
            if down[index] {
                fleet.down(name, String::new());
            }
        }
        let engine = engine.map(|one| if one { Engine::Embedded } else { Engine::Llamacpp });
        let request = Request { engine, ctx_need, ..ANY };
        let decision = plan(fleet.replicas(), &request, Policy::default());
        let report = report(fleet.replicas(), &request, Policy::default());
        let count = |verdict| report.iter().filter(|one| one.verdict == verdict).count() as u32;
        let counts = VerdictCounts {
            engine_differs: count(Verdict::EngineDiffers),
            model_differs: count(Verdict::ModelDiffers),
            not_ready: count(Verdict::NotReady),
            context_too_small: count(Verdict::ContextTooSmall),
            replica_set_differs: count(Verdict::ReplicaSetDiffers),
            paused: count(Verdict::Paused),
            process_busy: count(Verdict::ProcessBusy),
            busy: count(Verdict::Busy),
            outranked: count(Verdict::Outranked),
        };
        prop_assert_eq!(decision.counts, counts);
        let named: Vec<_> = report.iter().filter(|one| one.verdict == Verdict::Chosen).collect();
        prop_assert_eq!(
            named.iter().map(|one| &one.replica).collect::<Vec<_>>(),
            decision.chosen.iter().map(|one| &one.name).collect::<Vec<_>>()
        );
        if let Some(replica) = decision.chosen {
            prop_assert!(replica.slots_free() > 0);
            prop_assert!(replica.facts.as_ref().is_some_and(|facts| facts.ctx >= ctx_need));
        } else {
            prop_assert_eq!(counts.outranked, 0);
        }
    }
}
