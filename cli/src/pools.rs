//! `orch pools`.

use std::collections::BTreeSet;

use api_client::types::{PoolHealth, PoolState, ReplicaHealth, ReplicaState};

use crate::{
    context::{Context, Outcome},
    exit::Exit,
    output::{Cell, Notes, Page, Tone, version},
};

/// Show the health of every pool, or of one: its replicas, their slots, their last faults
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Name of a pool [default: all]
    pool: Option<String>,
}

impl Args {
    pub(crate) async fn perform(self, context: &Context) -> Outcome {
        if let Some(name) = self.pool {
            let health = context.client.pool_health(&name).await?.into_body();
            context.out.show(&health, |page| {
                describe(std::slice::from_ref(&health), page)
            })?;
            return Ok(Exit::Done);
        }
        let capabilities = context.client.capabilities_get().await?;
        let names: BTreeSet<&str> = capabilities
            .engines
            .iter()
            .map(|engine| engine.pool.as_str())
            .collect();
        let mut pools = Vec::with_capacity(names.len());
        for name in names {
            pools.push(context.client.pool_health(name).await?.into_body());
        }
        context.out.show(&pools, |page| describe(&pools, page))?;
        if pools.is_empty() {
            context.out.say(Tone::Dim, "no pools");
        }
        Ok(Exit::Done)
    }
}

fn describe(pools: &[PoolHealth], page: &mut Page) {
    let mut notes = Notes::default();
    let rows: Vec<_> = pools
        .iter()
        .flat_map(|pool| rows(pool, &mut notes))
        .collect();
    if !rows.is_empty() {
        let heading = [
            "POOL",
            "POOL STATE",
            "REPLICA",
            "STATE",
            "SLOTS FREE",
            "CONTEXT",
            "RESTARTS",
            "ENGINE",
            "LAST FAULT",
        ];
        page.table(heading, rows);
        notes.write(page);
    }
}

/// One row for each replica, or one that shows that there is none.
fn rows(pool: &PoolHealth, notes: &mut Notes) -> Vec<[Cell; 9]> {
    let name = || [pool.pool.as_str().into(), pool_state(pool)];
    if pool.replicas.is_empty() {
        let [pool, state] = name();
        let none = || Cell::maybe(None::<String>);
        return vec![[
            pool,
            state,
            none(),
            none(),
            none(),
            none(),
            none(),
            none(),
            "".into(),
        ]];
    }
    pool.replicas
        .iter()
        .map(|replica| {
            let ReplicaHealth {
                process,
                engine_version,
                ctx_max,
                restarts,
                slots_total,
                slots_free,
                last_error,
                ..
            } = replica;
            let [pool, state] = name();
            [
                pool,
                state,
                lives(&replica.replica, process.as_deref()),
                replica_state(&replica.state),
                format!("{slots_free} of {slots_total}").into(),
                Cell::maybe(*ctx_max),
                (*restarts).into(),
                Cell::maybe(engine_version.as_deref().map(version)),
                notes.cell(
                    Tone::Plain,
                    &format!("{}, last fault", replica.replica),
                    last_error.as_deref().unwrap_or_default(),
                ),
            ]
        })
        .collect()
}

/// A replica, and where it lives if it lives there with others.
fn lives(replica: &str, process: Option<&str>) -> Cell {
    match process {
        Some(process) => format!("{replica}, in {process}").into(),
        None => replica.into(),
    }
}

fn pool_state(pool: &PoolHealth) -> Cell {
    let tone = match &pool.state {
        PoolState::Ready => Tone::Good,
        PoolState::Starting => Tone::Busy,
        PoolState::Unavailable => Tone::Bad,
        PoolState::Unknown(_) => Tone::Plain,
    };
    if pool.paused {
        return Cell::new(Tone::Busy, format!("{}, paused", pool.state));
    }
    Cell::new(tone, pool.state.as_str())
}

fn replica_state(state: &ReplicaState) -> Cell {
    let tone = match state {
        ReplicaState::Ready => Tone::Good,
        ReplicaState::Starting => Tone::Busy,
        ReplicaState::Failed => Tone::Bad,
        ReplicaState::Unknown(_) => Tone::Plain,
    };
    Cell::new(tone, state.as_str())
}
