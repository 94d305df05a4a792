//! One round: everything is started, struck, healed, looked at and judged.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api_client::ApiError;
use test_harness_history::{Event, Phase};
use thiserror::Error;

use crate::dice::Dice;
use crate::director::{Deeds, Director};
use crate::engine::EngineError;
use crate::evidence::keep_evidence;
use crate::figures::{Figures, from_kill_to_token};
use crate::load::{Asker, Crowd};
use crate::recorder::{Recorder, Taken};
use crate::sabotage::Sabotage;
use crate::strike::{Strike, schedule};
use crate::sweep::{Sweep, until_ready};
use crate::world::{World, WorldError};

/// Clients at once.
const CLIENTS: u64 = 8;

/// What a round is to do.
#[derive(Clone, Debug)]
pub(crate) struct RoundPlan {
    /// Draws everything.
    pub(crate) seed: u64,
    /// Kills at least.
    pub(crate) kills: u64,
    /// When no further strike is begun.
    pub(crate) until: Option<Instant>,
    /// Where evidence is kept, if there is any; a temporary folder if left out.
    pub(crate) evidence: Option<PathBuf>,
    /// Keep it although nothing is broken.
    pub(crate) keep: bool,
    /// What is wrong with the world itself.
    pub(crate) sabotage: Option<Sabotage>,
}

/// What a round has brought.
#[derive(Debug)]
pub(crate) struct RoundOutcome {
    pub(crate) deeds: Deeds,
    pub(crate) figures: Figures,
    /// How long daemons took to accept requests.
    pub(crate) started: Vec<Duration>,
    /// How long it took from a kill to the next token.
    pub(crate) resumed: Vec<Duration>,
    /// What is broken, in words.
    pub(crate) broken: Vec<String>,
    /// Where the evidence lies, if something is.
    pub(crate) evidence: Option<PathBuf>,
}

/// Why a round could not be carried out.
#[derive(Debug, Error)]
pub enum RoundError {
    /// A client cannot be made.
    #[error(transparent)]
    Client(#[from] ApiError),
    /// An engine does not run.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The evidence could not be written.
    #[error("the evidence cannot be written: {0}")]
    Evidence(#[from] std::io::Error),
    /// The parts do not work.
    #[error(transparent)]
    World(#[from] WorldError),
}

/// Carries a round out. `progress` is told of each strike.
pub(crate) async fn round(
    plan: &RoundPlan,
    progress: &mut dyn FnMut(&Strike),
) -> Result<RoundOutcome, RoundError> {
    let recorder = Arc::new(Recorder::default());
    let mut world =
        World::start(&recorder, &mut Dice::new(plan.seed, "world"), plan.sabotage).await?;
    let url = world.front.url();
    let asker = Asker::new(&recorder, &url)?;
    if !until_ready(&asker).await {
        recorder.odd("nothing was done to the daemon, and it is not ready".to_owned());
    }
    recorder.see(Event::Phase(Phase::Chaos));
    let mut crowd = Crowd::begin(&recorder, &url, plan.seed, CLIENTS)?;
    let strikes = schedule(&mut Dice::new(plan.seed, "faults"), plan.kills);
    let mut director = Director {
        recorder: Arc::clone(&recorder),
        world: &mut world,
        crowd: &mut crowd,
        dice: Dice::new(plan.seed, "victims"),
        done: Deeds::default(),
        broken: Vec::new(),
    };
    let mut struck = Ok(());
    for strike in &strikes {
        let over = plan.until.is_some_and(|until| Instant::now() >= until);
        if over || recorder.broken() || struck.is_err() {
            break;
        }
        progress(strike);
        struck = director.strike(strike).await;
    }
    director.mend_all();
    let deeds = director.done;
    let swept = match struck {
        Ok(()) => {
            let sweep = Sweep {
                recorder: Arc::clone(&recorder),
                world: &mut world,
                crowd: &mut crowd,
                asker,
            };
            sweep.run().await
        }
        Err(error) => Err(error),
    };
    drop(crowd);
    judge(&recorder, world, deeds, &strikes, swept, plan)
}

/// Judges a round. A daemon that does not come up again is a finding, as is what it says in its log.
fn judge(
    recorder: &Recorder,
    mut world: World,
    deeds: Deeds,
    strikes: &[Strike],
    swept: Result<(), RoundError>,
    plan: &RoundPlan,
) -> Result<RoundOutcome, RoundError> {
    let alarms = world.alarms();
    let Taken {
        history,
        violations,
        oddities,
    } = recorder.finish();
    let mut broken: Vec<String> = violations.iter().map(ToString::to_string).collect();
    broken.extend(oddities);
    broken.extend(
        swept
            .err()
            .map(|error| format!("the round ended early: {error}")),
    );
    broken.extend(
        alarms
            .into_iter()
            .map(|line| format!("the daemon's log: {line}")),
    );
    let figures = Figures::of(&history, &violations);
    let started = std::mem::take(&mut world.recoveries);
    let resumed = from_kill_to_token(&history);
    let evidence = match broken.is_empty() && !plan.keep {
        true => None,
        false => Some(keep_evidence(
            world.keep(),
            &history,
            strikes,
            &violations,
            &broken,
            plan,
        )?),
    };
    Ok(RoundOutcome {
        deeds,
        figures,
        started,
        resumed,
        broken,
        evidence,
    })
}
