//! A whole run: rounds until there were enough kills.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::director::Deeds;
use crate::figures::Figures;
use crate::report::{Recovery, Report};
use crate::round::{RoundError, RoundPlan, round};
use crate::sabotage::Sabotage;

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Kills of daemons and engines, at least.
    pub kills: u64,
    /// Draws the schedule, the limits and what clients want.
    pub seed: u64,
    /// Kills of one round, after which all is healed and judged.
    pub kills_per_round: u64,
    /// No fault is begun after this time.
    pub limit: Option<Duration>,
    /// Where evidence of what is broken is kept; a temporary folder if left out.
    pub evidence: Option<PathBuf>,
    /// Keep it although nothing is broken.
    pub keep: bool,
    /// What is wrong with the world itself, to see that it is seen.
    pub sabotage: Option<Sabotage>,
}

/// Carries a plan out, round after round. What is broken ends it after its round. `progress` is told in a line
/// of each fault.
///
/// # Errors
/// If a round could not be begun, or its evidence not be written.
pub async fn run(plan: &Plan, mut progress: impl FnMut(&str)) -> Result<Report, RoundError> {
    let began = Instant::now();
    let until = plan.limit.map(|limit| began + limit);
    let mut deeds = Deeds::default();
    let mut figures = Figures::default();
    let (mut started, mut resumed) = (Vec::new(), Vec::new());
    let mut broken = Vec::new();
    let mut evidence = None;
    let mut rounds = 0;
    while deeds.killed() < plan.kills
        && broken.is_empty()
        && until.is_none_or(|until| Instant::now() < until)
    {
        let before = deeds.killed();
        let round_plan = RoundPlan {
            seed: plan.seed.wrapping_add(rounds),
            kills: plan.kills_per_round.min(plan.kills - before),
            until,
            evidence: plan.evidence.clone(),
            keep: plan.keep,
            sabotage: plan.sabotage,
        };
        let (mut aimed, all) = (before, plan.kills);
        let outcome = round(&round_plan, &mut |strike| {
            aimed += strike.kills();
            progress(&format!("{aimed} of {all} kills: {strike}"));
        })
        .await?;
        rounds += 1;
        deeds.add(outcome.deeds);
        figures.add(outcome.figures);
        started.extend(outcome.started);
        resumed.extend(outcome.resumed);
        broken.extend(outcome.broken);
        evidence = evidence.or(outcome.evidence);
    }
    Ok(Report {
        date: httpdate::fmt_http_date(std::time::SystemTime::now()),
        seed: plan.seed,
        rounds,
        duration_s: began.elapsed().as_secs_f64(),
        killed: deeds.killed(),
        deeds,
        figures,
        started: Recovery::of(started),
        resumed: Recovery::of(resumed),
        broken,
        evidence,
    })
}
