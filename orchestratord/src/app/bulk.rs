//! Commands over many tasks.

use orchestrator_core::bulk::{
    BulkAction, BulkBegin, BulkCount, BulkFilter, BulkRecord, BulkTally, LiveState,
};
use orchestrator_core::id::{BulkId, ProjectId, SessionId};
use orchestrator_core::input::Ask;
use orchestrator_core::queue::ClassName;
use orchestrator_core::reply::Reply;
use orchestrator_core::time::WallMs;
use uuid::Uuid;

use super::commands::{project_allowed, unavailable, unexpected};
use super::trouble::{Missing, Trouble};
use super::{App, Caller};

/// A bulk to begin, or to count.
#[derive(Clone, Debug)]
pub struct NewBulk {
    /// Its id.
    pub id: BulkId,
    /// True to count only.
    pub dry_run: bool,
    /// Only tasks in this state.
    pub state: Option<LiveState>,
    /// Only tasks of this class.
    pub priority: Option<ClassName>,
    /// Only tasks of this session.
    pub session: Option<SessionId>,
    /// Only tasks of this project.
    pub project: Option<ProjectId>,
    /// Only tasks accepted at this time or later.
    pub accepted_from: Option<WallMs>,
    /// Only tasks accepted before this time.
    pub accepted_before: Option<WallMs>,
}

/// A bulk to show.
#[derive(Clone, Debug)]
pub enum ShownBulk {
    /// It has begun.
    Begun(BulkRecord),
    /// It was counted only.
    Counted {
        /// What would be done.
        action: BulkAction,
        /// To which tasks.
        filter: BulkFilter,
        /// What it would meet.
        count: BulkCount,
        /// When the count began.
        at: WallMs,
    },
}

impl App {
    /// Cancels every task of the caller's that fits, or counts them.
    ///
    /// # Errors
    /// If it is refused, or the outcome is not known.
    pub async fn task_cancel_bulk(
        &self,
        caller: &Caller,
        new: NewBulk,
    ) -> Result<ShownBulk, Trouble> {
        self.bulk(caller, BulkAction::Cancel, new).await
    }

    /// Takes every parked task of the caller's that fits back into the queue, or counts them.
    ///
    /// # Errors
    /// If it is refused, or the outcome is not known.
    pub async fn task_requeue_bulk(
        &self,
        caller: &Caller,
        new: NewBulk,
    ) -> Result<ShownBulk, Trouble> {
        self.bulk(caller, BulkAction::Requeue, new).await
    }

    /// How far a bulk has come. A live read of what is durable.
    ///
    /// # Errors
    /// If there is none, or nobody knows at the moment.
    pub async fn bulk_get(&self, caller: &Caller, bulk: BulkId) -> Result<ShownBulk, Trouble> {
        let look = self
            .owner
            .ask_live(move |machine, _| machine.bulks().get(bulk).cloned());
        let found = look.await.map_err(unavailable)?.filter(|row| {
            let own = caller.project();
            row.filter.tenant == caller.tenant() && (own.is_none() || own == row.filter.project)
        });
        let missing = || Trouble::Missing(Missing::Bulk(Uuid::from_u128(bulk.0)));
        found.map(ShownBulk::Begun).ok_or_else(missing)
    }

    async fn bulk(
        &self,
        caller: &Caller,
        action: BulkAction,
        new: NewBulk,
    ) -> Result<ShownBulk, Trouble> {
        let NewBulk {
            id,
            dry_run,
            state,
            priority,
            session,
            project,
            accepted_from,
            accepted_before,
        } = new;
        let filter = BulkFilter {
            tenant: caller.tenant(),
            project: project_allowed(caller, project)?,
            state,
            priority,
            session,
            accepted_from,
            accepted_before,
        };
        if dry_run {
            return self.bulk_counted(BulkTally::new(action, filter)).await;
        }
        let by = caller.principal();
        let begin = Box::new(BulkBegin {
            id,
            action,
            filter,
            by,
        });
        match self.settled(Ask::BulkBegin(begin), true).await? {
            Reply::BulkBegun(row) => {
                tracing::info!(
                    bulk = %id,
                    ?action,
                    by = caller.key_id().map(tracing::field::display),
                    "a bulk has begun"
                );
                Ok(ShownBulk::Begun(*row))
            }
            other => Err(unexpected(other)),
        }
    }

    /// What a bulk would meet, as of when the count began.
    async fn bulk_counted(&self, tally: BulkTally) -> Result<ShownBulk, Trouble> {
        let look = |tally| {
            self.owner
                .ask_live(move |machine, now| machine.bulk_tally(now, tally))
        };
        let BulkTally {
            action,
            filter,
            count,
            began,
            ..
        } = self.tallies.to_end(tally, look).await?;
        let (at, _) = began.expect("a count that is over has begun");
        Ok(ShownBulk::Counted {
            action,
            filter,
            count,
            at,
        })
    }
}
