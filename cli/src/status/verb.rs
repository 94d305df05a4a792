//! The page.

use api_client::types::{Capabilities, Problem, ProblemFault, ReplicaSet};

use super::survey::{Depth, Ready, Survey};
use crate::{
    context::{Context, Outcome},
    exit::Exit,
    output::{Cell, Notes, Page, Tone, digest, version},
    server::Server,
};

/// Show on one page whether the deployment is ready, what waits, what runs, and its limits
///
/// The exit status is 7 if it is not ready.
#[derive(clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let survey = Survey::take(&context.client).await?;
        context
            .out
            .show(&survey, |page| describe(&survey, &context.server, page))?;
        Ok(match survey.readiness {
            Ready::Yes(_) => Exit::Done,
            Ready::No(problem) => Exit::of_problem(&problem),
        })
    }
}

fn describe(survey: &Survey, server: &Server, page: &mut Page) {
    let capabilities = survey.capabilities.as_ref();
    let versions = capabilities.map(|it| {
        format!(
            "orchestratord {}, API {}",
            it.server_version, it.api_version
        )
    });
    page.fields([
        (
            "server",
            format!("{} ({})", server.url, server.origin).into(),
        ),
        ("version", Cell::maybe(versions)),
        ("ready", ready(&survey.readiness)),
        ("queue", queue(&survey.queue, capabilities)),
    ]);
    if let Ready::No(problem) = &survey.readiness {
        missing(problem, page);
    }
    if let Some(capabilities) = capabilities {
        engines(capabilities, page);
    }
    if let Some(sets) = survey.replica_sets.as_ref().filter(|sets| !sets.is_empty()) {
        replica_sets(sets, page);
    }
    if let Some(capabilities) = capabilities {
        limits(capabilities, page);
    }
}

fn ready(readiness: &Ready) -> Cell {
    match readiness {
        Ready::Yes(readiness) => match &readiness.paused_pools {
            Some(paused) => Cell::new(Tone::Busy, format!("yes; paused: {}", paused.join(", "))),
            None => Cell::new(Tone::Good, "yes"),
        },
        Ready::No(problem) => Cell::new(Tone::Bad, format!("no: {}", problem.detail)),
    }
}

/// How many wait in each class, beside the limit that the class has.
fn queue(depths: &[Depth], capabilities: Option<&Capabilities>) -> Cell {
    let capacity = |priority: &str| {
        let name = format!("queue.{priority}.capacity");
        let limits = capabilities
            .map(|it| it.limits.iter())
            .into_iter()
            .flatten();
        limits
            .filter(|limit| limit.limit_name == name)
            .map(|limit| format!(" of {}", limit.value))
            .next()
    };
    let classes: Vec<String> = depths
        .iter()
        .map(|Depth { priority, depth }| {
            format!(
                "{priority} {depth}{}",
                capacity(priority).unwrap_or_default()
            )
        })
        .collect();
    Cell::maybe(Some(classes.join(", ")).filter(|text| !text.is_empty()))
}

fn missing(problem: &Problem, page: &mut Page) {
    let Some(faults) = problem.errors.as_ref().filter(|faults| !faults.is_empty()) else {
        return;
    };
    page.gap();
    let mut notes = Notes::default();
    let row = |fault: &ProblemFault| {
        let ProblemFault {
            pointer,
            detail,
            hint,
        } = fault;
        let hint = hint.as_deref().unwrap_or_default();
        [
            Cell::new(Tone::Bad, pointer),
            notes.cell(Tone::Plain, &format!("{pointer}, how it stands"), detail),
            notes.cell(Tone::Plain, &format!("{pointer}, what to do"), hint),
        ]
    };
    let rows = faults.iter().map(row).collect();
    page.table(["MISSING", "HOW IT STANDS", "WHAT TO DO"], rows);
    notes.write(page);
}

fn engines(capabilities: &Capabilities, page: &mut Page) {
    if capabilities.engines.is_empty() {
        return;
    }
    page.gap();
    let rows = capabilities
        .engines
        .iter()
        .map(|it| {
            [
                it.pool.as_str().into(),
                it.engine.to_string().into(),
                it.model_ref.as_str().into(),
                Cell::maybe(it.ctx_max),
                it.slots_total.into(),
            ]
        })
        .collect();
    page.table(["POOL", "ENGINE", "MODEL", "CONTEXT", "SLOTS"], rows);
}

fn replica_sets(sets: &[ReplicaSet], page: &mut Page) {
    page.gap();
    let rows = sets
        .iter()
        .map(|set| {
            [
                digest(&set.id).into(),
                format!("{} {}", set.engine, version(&set.engine_version)).into(),
                set.model_ref.as_str().into(),
                format!("{} of {}", set.slots_free, set.slots_total).into(),
                format!("{:.0}%", set.load * 100.0).into(),
                set.replicas.join(" ").into(),
            ]
        })
        .collect();
    page.table(
        [
            "REPLICA SET",
            "ENGINE",
            "MODEL",
            "SLOTS FREE",
            "LOAD",
            "REPLICAS",
        ],
        rows,
    );
}

fn limits(capabilities: &Capabilities, page: &mut Page) {
    if capabilities.limits.is_empty() {
        return;
    }
    page.gap();
    let rows = capabilities
        .limits
        .iter()
        .map(|limit| {
            [
                limit.limit_name.as_str().into(),
                limit.value.into(),
                limit.unit.as_str().into(),
            ]
        })
        .collect();
    page.table(["LIMIT", "VALUE", "UNIT"], rows);
}
