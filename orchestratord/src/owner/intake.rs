//! Commands are taken in: looked up in one read, stepped one after another.

use std::collections::HashMap;

use orchestrator_core::entropy::Entropy;
use orchestrator_core::id::{ReplyToken, TaskId};
use orchestrator_core::input::Ask;
use orchestrator_core::task::TaskRecord;
use store::{OwnerStore, ReadError, TaskBody};

use super::clock::Clock;
use super::driver::Driver;
use super::lanes::{Asked, One, Wanted};
use super::outlet::{Notice, Outlet};

/// What was looked up, or why that could not be done.
type LookedUp = Result<HashMap<TaskId, TaskRecord>, ReadError>;

impl<S: OwnerStore, C: Clock, E: Entropy, O: Outlet> Driver<S, C, E, O> {
    /// Looks up what the commands need in one read, then steps them.
    pub(super) fn take_commands(&mut self) {
        if self.hand.asked.is_empty() || self.state.room() == 0 {
            return;
        }
        let needed: Vec<TaskId> = self
            .hand
            .asked
            .iter()
            .flat_map(Asked::asks)
            .flat_map(|ask| self.state.lookup(ask))
            .collect();
        let found = self.prefetch(&needed);
        while self.state.room() > 0
            && let Some(asked) = self.hand.asked.pop_front()
        {
            drop(asked.place);
            match asked.what {
                Wanted::One(one) => {
                    let One { ask, body, waiter } = one;
                    let token = self.take_command(ask, body, &found);
                    self.waiters.add(token, waiter);
                }
                Wanted::Batch(items, waiter) => {
                    let tokens = self.take_batch(items, &found);
                    self.waiters.add_batch(&tokens, waiter);
                }
            }
        }
    }

    /// Steps a batch, whatever room is left: it is one commit. If what one of it needs could not be looked up, none
    /// is stepped.
    fn take_batch(
        &mut self,
        items: Vec<(Ask, Option<TaskBody>)>,
        found: &LookedUp,
    ) -> Vec<ReplyToken> {
        if let Err(error) = found
            && items
                .iter()
                .any(|(ask, _)| !self.state.lookup(ask).is_empty())
        {
            return vec![self.state.command_blind(&error.to_string())];
        }
        let step = |(ask, body)| self.take_command(ask, body, found);
        items.into_iter().map(step).collect()
    }

    /// Steps a command, unless what it needs could not be looked up.
    fn take_command(&mut self, ask: Ask, body: Option<TaskBody>, found: &LookedUp) -> ReplyToken {
        let nothing = HashMap::new();
        let found = match found {
            Err(error) if !self.state.lookup(&ask).is_empty() => {
                return self.state.command_blind(&error.to_string());
            }
            Err(_) => &nothing,
            Ok(found) => found,
        };
        self.state
            .command(self.clock.now(), &mut self.entropy, ask, body, found)
    }

    fn prefetch(&mut self, needed: &[TaskId]) -> LookedUp {
        if needed.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self.cold.prefetch(needed);
        if let Err(error) = &found {
            self.outlet.notice(Notice::PrefetchFailed {
                detail: error.to_string(),
            });
        }
        Ok(by_id(found?))
    }
}

/// Records by the ids of their tasks.
pub(super) fn by_id(records: Vec<TaskRecord>) -> HashMap<TaskId, TaskRecord> {
    records
        .into_iter()
        .map(|record| (record.id, record))
        .collect()
}
