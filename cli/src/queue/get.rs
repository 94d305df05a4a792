//! `orch queue get`.

use api_client::types::{Queue, QueueClass, QueueSwitch};

use crate::{
    context::{Context, Outcome},
    exit::Exit,
    output::{Cell, Clock, Page, Tone, ago},
};

/// Show the classes and what waits in them, and which queues are held, since when and by whom
#[derive(clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        let queue = context.client.queue_get().await?.into_body();
        context
            .out
            .show(&queue, |page| describe(&queue, Clock::read(), page))?;
        Ok(Exit::Done)
    }
}

fn describe(queue: &Queue, clock: Clock, page: &mut Page) {
    let classes = queue.classes.iter().map(class).collect();
    page.table(
        ["CLASS", "BAND", "WEIGHT", "QUEUED", "CAPACITY", "WHEN FULL"],
        classes,
    );
    page.gap();
    let pools = queue.pools.iter().map(|pool| {
        let state = if pool.paused {
            Cell::new(Tone::Busy, "paused")
        } else {
            Cell::new(Tone::Good, "goes on")
        };
        [pool.pool.as_str().into(), state]
    });
    page.table(["POOL", "QUEUE"], pools.collect());
    if !queue.switches.is_empty() {
        page.gap();
        let rows = queue.switches.iter().map(|switch| row(switch, clock));
        page.table(["SWITCH", "STANDS", "SINCE", "BY"], rows.collect());
    }
}

fn class(class: &QueueClass) -> [Cell; 6] {
    let QueueClass {
        class,
        configured,
        band,
        weight,
        capacity,
        full_policy,
        queued,
    } = class;
    let when_full = match full_policy {
        Some(policy) => policy.to_string().into(),
        None if *configured => Cell::maybe(None::<String>),
        None => Cell::new(Tone::Dim, "takes nobody new"),
    };
    [
        class.as_str().into(),
        band.to_string().into(),
        weight.to_string().into(),
        queued.to_string().into(),
        Cell::maybe(capacity.map(|capacity| capacity.to_string())),
        when_full,
    ]
}

fn row(switch: &QueueSwitch, clock: Clock) -> [Cell; 4] {
    [
        whose(switch).into(),
        stands(switch).into(),
        ago(clock, switch.since_ms).into(),
        Cell::maybe(switch.by.as_ref()),
    ]
}

/// Which queue a switch is of.
pub(super) fn whose(switch: &QueueSwitch) -> String {
    switch
        .pool
        .as_ref()
        .map_or_else(|| "all pools".to_owned(), |pool| format!("pool {pool}"))
}

/// How a switch stands.
pub(super) fn stands(switch: &QueueSwitch) -> &'static str {
    if switch.paused { "paused" } else { "goes on" }
}
