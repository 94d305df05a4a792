//! Why a task stands where it stands.

use api_types as wire;
use orchestrator_core::machine::Explanation;
use orchestrator_core::placement::{Candidate, Verdict};

use super::choice;

/// The machine's explanation.
pub(in crate::http) fn task_why(explanation: Explanation) -> wire::TaskWhy {
    let Explanation {
        state: _,
        summary,
        blocked_by,
        waiting_for,
        wakes_in_ms,
        queue_position,
        predicted_start_ms,
        start_band,
        on_time_permille,
        // Streams tell it, and the session itself.
        budget_left: _,
        candidates,
    } = explanation;
    wire::TaskWhy {
        summary,
        blocked_by: blocked_by.map(super::refusal::obstacle),
        waiting_for: waiting_for.map(choice::waiting_for),
        wakes_in_ms,
        queue_position,
        predicted_start_ms,
        predicted_start_low_ms: start_band.map(|band| band.low_ms),
        predicted_start_high_ms: start_band.map(|band| band.high_ms),
        on_time_probability: on_time_permille.map(choice::probability),
        candidates: (!candidates.is_empty())
            .then(|| candidates.into_iter().map(candidate).collect()),
    }
}

pub(super) fn candidate(candidate: Candidate) -> wire::PlacementCandidate {
    let Candidate {
        replica,
        verdict,
        detail,
    } = candidate;
    wire::PlacementCandidate {
        replica: replica.to_string(),
        verdict: self::verdict(verdict),
        detail,
    }
}

fn verdict(verdict: Verdict) -> wire::PlacementVerdict {
    match verdict {
        Verdict::Busy => wire::PlacementVerdict::Busy,
        Verdict::Chosen => wire::PlacementVerdict::Chosen,
        Verdict::ContextTooSmall => wire::PlacementVerdict::ContextTooSmall,
        Verdict::EngineDiffers => wire::PlacementVerdict::EngineDiffers,
        Verdict::ModelDiffers => wire::PlacementVerdict::ModelDiffers,
        Verdict::NotReady => wire::PlacementVerdict::NotReady,
        Verdict::Outranked => wire::PlacementVerdict::Outranked,
        Verdict::Paused => wire::PlacementVerdict::Paused,
        Verdict::ProcessBusy => wire::PlacementVerdict::ProcessBusy,
        Verdict::ProcessKept => wire::PlacementVerdict::ProcessKept,
        Verdict::ReplicaSetDiffers => wire::PlacementVerdict::ReplicaSetDiffers,
    }
}
