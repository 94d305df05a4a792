//! Sessions.

use orchestrator_core::id::{SessionId, SessionKey};
use orchestrator_core::input::Ask;
use orchestrator_core::session::SessionView;
use uuid::Uuid;

use super::trouble::{Missing, Trouble};
use super::{App, Caller};

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
