//! The choice of a replica, and the reasons against the others.

use std::cmp::Reverse;

use crate::id::{ModelRef, ReplicaName};
use crate::placement::{Replica, ReplicaSetKey, ReplicaState, Residency, Sharing};
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
    /// Most tokens that a process serves out of order, so as not to change its model, before it serves the first in
    /// the order; 0: it keeps to the order.
    pub model_run_tokens_max: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            session_affinity: true,
            model_run_tokens_max: 4_096,
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
    /// Its pool is held.
    Paused,
    /// Its process generates with another model.
    ProcessBusy,
    /// Its process is kept for a task that goes before.
    ProcessKept,
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
    /// [`Verdict::Paused`].
    pub paused: u32,
    /// [`Verdict::ProcessBusy`].
    pub process_busy: u32,
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

/// Chooses a replica: of those that pass every filter, one whose process holds its model already or at least no other,
/// of these the session's if the policy wants it, else the one with the smallest share of slots taken, else the first by
/// name (the snapshot is in that order).
#[must_use]
pub fn plan<'a>(
    snapshot: impl IntoIterator<Item = &'a Replica>,
    request: &Request<'_>,
    policy: Policy,
) -> Decision<'a> {
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
    report_of_some(snapshot, request, policy, usize::MAX)
}

/// The same about so many replicas at most, and where there are more, those first that serve what is asked for.
#[must_use]
pub fn report_of_some(
    snapshot: &[Replica],
    request: &Request<'_>,
    policy: Policy,
    most: usize,
) -> Vec<Candidate> {
    let chosen = plan(snapshot, request, policy)
        .chosen
        .map(|replica| &replica.name);
    let verdict_of = |replica: &Replica| match filter(replica, request) {
        Some(verdict) => verdict,
        None if chosen == Some(&replica.name) => Verdict::Chosen,
        None => Verdict::Outranked,
    };
    let serves = |replica: &&Replica| {
        let differs = matches!(
            filter(replica, request),
            Some(Verdict::EngineDiffers | Verdict::ModelDiffers)
        );
        !differs
    };
    let candidate = |replica: &Replica| {
        let verdict = verdict_of(replica);
        Candidate {
            replica: replica.name.clone(),
            verdict,
            detail: detail(replica, request, verdict),
        }
    };
    if snapshot.len() <= most {
        return snapshot.iter().map(candidate).collect();
    }
    let able = snapshot.iter().filter(serves);
    let others = snapshot.iter().filter(|replica| !serves(replica));
    able.chain(others).take(most).map(candidate).collect()
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
    if replica.paused {
        return Some(Verdict::Paused);
    }
    if replica.is_blocked() {
        return Some(Verdict::ProcessBusy);
    }
    if replica.slots_free() == 0 {
        return Some(Verdict::Busy);
    }
    None
}

/// Rank among replicas that pass the filters; less is better.
fn score(
    replica: &Replica,
    request: &Request<'_>,
    policy: Policy,
) -> (Residency, Reverse<bool>, u64) {
    let preferred = policy.session_affinity && request.preferred == Some(&replica.name);
    // Share of slots taken, in millionths: replicas of different size compare fairly.
    let taken = u64::from(replica.slots_taken()) * 1_000_000;
    (
        // The session left nothing behind in a process that holds another model by now.
        replica.residency(),
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
        Verdict::Paused => "dispatch to its pool is paused by an operator".to_owned(),
        Verdict::ProcessBusy => match replica.sharing.as_deref() {
            Some(Sharing {
                process,
                blocked_by: Some(model),
                ..
            }) => format!("process {process} generates with model {model}"),
            _ => "its process generates with another model".to_owned(),
        },
        Verdict::ProcessKept => kept_detail(replica),
        Verdict::Busy | Verdict::Outranked | Verdict::Chosen => slots(),
    }
}

fn kept_detail(replica: &Replica) -> String {
    let process = match &replica.sharing {
        Some(sharing) => format!("process {}", sharing.process),
        None => "its process".to_owned(),
    };
    format!("{process} is kept for a task that goes before and wants another model")
}

impl Candidate {
    /// The same, of a replica that could take the task if its process were not kept for another one.
    pub(crate) fn kept(&mut self, replica: &Replica) {
        if matches!(self.verdict, Verdict::Chosen | Verdict::Outranked) {
            self.verdict = Verdict::ProcessKept;
            self.detail = kept_detail(replica);
        }
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
            Verdict::Paused => self.paused += 1,
            Verdict::ProcessBusy => self.process_busy += 1,
            Verdict::Busy => self.busy += 1,
            Verdict::Outranked => self.outranked += 1,
            // What is kept for whom only the queue knows, and it is not asked here.
            Verdict::Chosen | Verdict::ProcessKept => {}
        }
    }
}

#[cfg(test)]
mod tests;
