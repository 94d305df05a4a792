//! Sessions.

use orchestrator_core::id::{SessionId, SessionKey};
use orchestrator_core::input::Ask;
use orchestrator_core::reply::Reply;
use orchestrator_core::session::{SessionBudget, SessionPut, SessionView};
use uuid::Uuid;

use super::commands::unexpected;
use super::trouble::{Missing, Trouble};
use super::{App, Caller};

/// What a session is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// What it may use.
    pub budget: SessionBudget,
    /// Milliseconds that it lives without a task; as configured if none.
    pub ttl_ms: Option<u64>,
}

impl App {
    /// One session. A live read.
    ///
    /// # Errors
    /// If there is none, or nobody knows at the moment.
    pub async fn session_get(
        &self,
        caller: &Caller,
        session: SessionId,
    ) -> Result<SessionView, Trouble> {
        let found = self
            .owner
            .session(SessionKey::new(caller.tenant(), session))
            .await
            .map_err(|_| Trouble::Unresolved {
                task: None,
                safe: true,
            })?;
        found.ok_or(Trouble::Missing(Missing::Session(Uuid::from_u128(
            session.0,
        ))))
    }

    /// Says what a session may use and how long it lives; a new one if there is none.
    ///
    /// # Errors
    /// If it is refused, or the outcome is not known.
    pub async fn session_put(
        &self,
        caller: &Caller,
        session: SessionId,
        new: NewSession,
    ) -> Result<SessionView, Trouble> {
        let NewSession { budget, ttl_ms } = new;
        let put = SessionPut {
            session: SessionKey::new(caller.tenant(), session),
            budget,
            ttl_ms,
            put_by: caller.principal(),
        };
        match self.settled(Ask::SessionPut(Box::new(put)), true).await? {
            Reply::SessionPut(view) => Ok(*view),
            other => Err(unexpected(other)),
        }
    }

    /// Forgets a session.
    ///
    /// # Errors
    /// If there is none, or the outcome is not known.
    pub async fn session_delete(&self, caller: &Caller, session: SessionId) -> Result<(), Trouble> {
        let session = SessionKey::new(caller.tenant(), session);
        self.session_delete_command(Ask::SessionDelete { session })
            .await
    }
}
