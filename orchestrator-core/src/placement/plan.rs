//! The choice of a replica, and the reasons against the others.

use std::cmp::Reverse;

use crate::id::{ModelRef, ReplicaName};
use crate::placement::{Replica, ReplicaSetKey, ReplicaState};
use crate::task::Engine;

/// What is to be placed.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Model asked for; any if none.
    pub model_ref: Option<&'a ModelRef>,
    /// Engine asked for; any if none.
    pub engine: Option<Engine>,
    /// Context window needed, in tokens.
    pub ctx_need: u32,
    /// The only replica set that may continue the text, if tokens may have been released.
    pub pinned: Option<ReplicaSetKey>,
    /// Replica of the session's newest dispatch.
    pub preferred: Option<&'a ReplicaName>,
}

/// What the operator may choose about placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Does a session go back to its last replica, if that has a slot free?
    pub session_affinity: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            session_affinity: true,
        }
    }
}

/// What placement finds about one replica. What never changes is asked first, so that a replica that
/// could not serve the task anyway does not pass for one that is merely not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It runs another kind of engine.
    EngineDiffers,
    /// It serves another model.
    ModelDiffers,
    /// It does not take work now.
    NotReady,
    /// Its context window is too small.
    ContextTooSmall,
    /// It could not continue the text token by token.
    ReplicaSetDiffers,
    /// Every slot is taken.
    Busy,
    /// It could run the task; another is preferred.
    Outranked,
    /// It runs the task.
    Chosen,
}

/// How many replicas got which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerdictCounts {
    /// [`Verdict::EngineDiffers`].
    pub engine_differs: u32,
    /// [`Verdict::ModelDiffers`].
    pub model_differs: u32,
    /// [`Verdict::NotReady`].
    pub not_ready: u32,
    /// [`Verdict::ContextTooSmall`].
    pub context_too_small: u32,
    /// [`Verdict::ReplicaSetDiffers`].
    pub replica_set_differs: u32,
    /// [`Verdict::Busy`].
    pub busy: u32,
    /// [`Verdict::Outranked`].
    pub outranked: u32,
}

/// The choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<'a> {
    /// The replica to run on, if one can take the task now.
    pub chosen: Option<&'a Replica>,
    /// Why not the others.
    pub counts: VerdictCounts,
}

/// One replica and what was found about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub replica: ReplicaName,
    /// The finding.
    pub verdict: Verdict,
    /// The figures behind it, for a person.
    pub detail: String,
}

/// Chooses a replica: of those that pass every filter, the session's if the policy wants it, else the one
/// with the smallest share of slots taken, else the first by name (the snapshot is in that order).
#[must_use]
pub fn plan<'a>(snapshot: &'a [Replica], request: &Request<'_>, policy: Policy) -> Decision<'a> {
    let mut counts = VerdictCounts::default();
    let mut chosen: Option<&Replica> = None;
    for replica in snapshot {
        match filter(replica, request) {
            Some(verdict) => counts.add(verdict),
            None => match chosen {
                Some(best) if score(best, request, policy) <= score(replica, request, policy) => {
                    counts.outranked += 1;
                }
                Some(_) => {
                    counts.outranked += 1;
                    chosen = Some(replica);
                }
                None => chosen = Some(replica),
            },
        }
    }
    Decision { chosen, counts }
}

/// What [`plan`] found about each replica, in the order of the snapshot.
#[must_use]
pub fn report(snapshot: &[Replica], request: &Request<'_>, policy: Policy) -> Vec<Candidate> {
    let chosen = plan(snapshot, request, policy)
        .chosen
        .map(|replica| &replica.name);
    let verdict_of = |replica: &Replica| match filter(replica, request) {
        Some(verdict) => verdict,
        None if chosen == Some(&replica.name) => Verdict::Chosen,
        None => Verdict::Outranked,
    };
    snapshot
        .iter()
        .map(|replica| {
            let verdict = verdict_of(replica);
            Candidate {
                replica: replica.name.clone(),
                verdict,
                detail: detail(replica, request, verdict),
            }
        })
        .collect()
}

/// The first filter that a replica fails.
fn filter(replica: &Replica, request: &Request<'_>) -> Option<Verdict> {
    if request
        .engine
        .is_some_and(|engine| engine != replica.engine)
    {
        return Some(Verdict::EngineDiffers);
    }
    if request
        .model_ref
        .is_some_and(|model| *model != replica.model_ref)
    {
        return Some(Verdict::ModelDiffers);
    }
    let (ReplicaState::Ready, Some(facts)) = (replica.state, &replica.facts) else {
        return Some(Verdict::NotReady);
    };
    if facts.ctx < request.ctx_need {
        return Some(Verdict::ContextTooSmall);
    }
    if request.pinned.is_some() && request.pinned != replica.set {
        return Some(Verdict::ReplicaSetDiffers);
    }
    if replica.slots_free() == 0 {
        return Some(Verdict::Busy);
    }
    None
}

/// Rank among replicas that pass the filters; less is better.
fn score(replica: &Replica, request: &Request<'_>, policy: Policy) -> (Reverse<bool>, u64) {
    let preferred = policy.session_affinity && request.preferred == Some(&replica.name);
    // Share of slots taken, in millionths: replicas of different size compare fairly.
    let taken = u64::from(replica.slots_taken()) * 1_000_000;
    (
        Reverse(preferred),
        taken / u64::from(replica.slots_total().max(1)),
    )
}

fn detail(replica: &Replica, request: &Request<'_>, verdict: Verdict) -> String {
    let slots = || {
        format!(
            "{} of {} slots taken",
            replica.slots_taken(),
            replica.slots_total()
        )
    };
    match verdict {
        Verdict::EngineDiffers => format!("runs engine {}", replica.engine.name()),
        Verdict::ModelDiffers => format!("serves model {}", replica.model_ref),
        Verdict::NotReady => match (replica.state, replica.last_error.as_str()) {
            (ReplicaState::Starting, "") => "is starting".to_owned(),
            (_, "") => "is not ready".to_owned(),
            (_, error) => format!("is not ready: {error}"),
        },
        Verdict::ContextTooSmall => format!(
            "context of {} tokens, {} needed",
            replica.facts.as_ref().map_or(0, |facts| facts.ctx),
            request.ctx_need
        ),
        Verdict::ReplicaSetDiffers => {
            "belongs to another replica set than the one that wrote the text so far".to_owned()
        }
        Verdict::Busy | Verdict::Outranked | Verdict::Chosen => slots(),
    }
}

impl VerdictCounts {
    fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::EngineDiffers => self.engine_differs += 1,
            Verdict::ModelDiffers => self.model_differs += 1,
            Verdict::NotReady => self.not_ready += 1,
            Verdict::ContextTooSmall => self.context_too_small += 1,
            Verdict::ReplicaSetDiffers => self.replica_set_differs += 1,
            Verdict::Busy => self.busy += 1,
            Verdict::Outranked => self.outranked += 1,
            Verdict::Chosen => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::{AttemptId, Digest, PoolName};
    use crate::placement::{Fleet, PoolConfig, ReplicaFacts};

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
            replicas: replicas
                .iter()
                .map(|name| ReplicaName::new(*name))
                .collect(),
        }
    }

    /// Two pools with three replicas; the middle one has two of its four slots taken.
    fn fleet() -> Fleet {
        let mut fleet = Fleet::new(&[
            pool("big", Engine::Llamacpp, "large-8b", &["big-0"]),
            pool(
                "tiny",
                Engine::Embedded,
                "haiku-tiny",
                &["tiny-1", "tiny-0"],
            ),
        ]);
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
        insta::assert_snapshot!(text);
    }

    proptest! {
        /// Counts and report come from one judge: they agree, and the choice is one that passed every filter.
        #[test]
        fn report_and_plan_agree(
            down in prop::collection::vec(any::<bool>(), 3),
            taken in prop::collection::vec(0u32..5, 3),
            engine in prop::option::of(any::<bool>()),
            ctx_need in 0u32..9000,
        ) {
            let mut fleet = fleet();
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
}
