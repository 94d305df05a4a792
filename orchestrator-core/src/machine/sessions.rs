//! Someone puts a session, or ends one.

use crate::id::{AcceptSeq, ReplyToken, SessionKey};
use crate::machine::driver::Machine;
use crate::machine::step::Answer;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::session::SessionPut;
use crate::time::Now;

/// When it may be worth trying again where too many sessions wait for their first task.
const RETRY_AFTER_MS: u64 = 1_000;

impl Machine {
    /// Someone says what a session may use and how long it lives. No task that is accepted already is touched.
    pub(super) fn session_put(&mut self, now: Now, reply: ReplyToken, put: &SessionPut) {
        let next = AcceptSeq(self.accept_seq.0 + 1);
        let done = self.sessions.put(now, next, put).is_ok();
        if done {
            self.session_changed(put.session);
        }
        let view = self.session(now, put.session).filter(|_| done);
        let answer = view.map_or(
            Reply::Refused(Refusal::SessionsUnused {
                retry_after_ms: RETRY_AFTER_MS,
            }),
            |view| Reply::SessionPut(Box::new(view)),
        );
        self.step.replies.push((reply, Answer::Ready(answer)));
    }

    /// Someone ends a session. Its tasks run on.
    pub(super) fn session_delete(&mut self, now: Now, reply: ReplyToken, session: SessionKey) {
        let answer = if self.sessions.get(session, now.mono).is_some() {
            self.sessions.remove(session);
            self.session_changed(session);
            Reply::SessionDeleted
        } else {
            Reply::Refused(Refusal::SessionUnknown {
                session: session.session,
            })
        };
        self.step.replies.push((reply, Answer::Ready(answer)));
    }
}
