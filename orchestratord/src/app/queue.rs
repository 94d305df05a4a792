//! Holding queues and letting them go on.

use orchestrator_core::id::PoolName;
use orchestrator_core::input::Ask;
use orchestrator_core::queue::{Class, PauseRecord, QueueSwitch};
use orchestrator_core::reply::Reply;

use super::{App, Caller, Trouble};

/// How queues stand.
#[derive(Clone, Debug)]
pub struct QueueState {
    /// Every class and how many wait in it, the most urgent first.
    pub classes: Vec<(Class, u64)>,
    /// Every pool and whether it is held, in the order of the configuration.
    pub pools: Vec<(PoolName, bool)>,
    /// Every switch that was ever touched.
    pub switches: Vec<PauseRecord>,
}

impl App {
    /// The classes, and which queues are held. A live read of what is durable.
    ///
    /// # Errors
    /// If there is no owner at the moment.
    pub async fn queue_get(&self) -> Result<QueueState, Trouble> {
        let look = self.owner.ask_live(|machine, _| QueueState {
            classes: machine
                .classes()
                .iter()
                .filter_map(|class| Some((*class, machine.queue_depth(class.config.name)?)))
                .collect(),
            pools: machine
                .pools()
                .into_iter()
                .map(|pool| (pool.name, pool.paused))
                .collect(),
            switches: machine.pauses().rows().cloned().collect(),
        });
        look.await.map_err(super::commands::unavailable)
    }

    /// Holds the queue of a pool, or of all. Repeating it is always safe.
    ///
    /// # Errors
    /// If there is no such pool, or the outcome is not known.
    pub async fn queue_pause(
        &self,
        caller: &Caller,
        pool: Option<&str>,
    ) -> Result<PauseRecord, Trouble> {
        let switch = Ask::QueuePause(switch(caller, pool));
        let row = self.queue_command(switch).await?;
        tracing::info!(
            pool,
            by = caller.key_id().map(tracing::field::display),
            "the queue is held"
        );
        Ok(row)
    }

    /// Lets the queue of a pool go on, or that of all. Repeating it is always safe.
    ///
    /// # Errors
    /// If there is no such pool, or the outcome is not known.
    pub async fn queue_resume(
        &self,
        caller: &Caller,
        pool: Option<&str>,
    ) -> Result<PauseRecord, Trouble> {
        let switch = Ask::QueueResume(switch(caller, pool));
        let row = self.queue_command(switch).await?;
        tracing::info!(
            pool,
            by = caller.key_id().map(tracing::field::display),
            "the queue goes on"
        );
        Ok(row)
    }

    async fn queue_command(&self, ask: Ask) -> Result<PauseRecord, Trouble> {
        match self.settled(ask, true).await? {
            Reply::QueueSwitched(row) => Ok(*row),
            other => Err(super::commands::unexpected(other)),
        }
    }
}

fn switch(caller: &Caller, pool: Option<&str>) -> QueueSwitch {
    QueueSwitch {
        pool: pool.map(PoolName::new),
        by: caller.principal(),
    }
}
