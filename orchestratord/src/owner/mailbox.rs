//! What waits for the owner, and the sleep of its thread until something does.
//!
//! One lock for everything that can wake it, held for a push or a take: whoever brings something wakes the thread only
//! if that sleeps, and what has gathered meanwhile is taken at once.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::lanes::{Asked, Look, Urgent};

/// What waits for the owner.
#[derive(Default)]
pub(super) struct Mailbox {
    mail: Mutex<Mail>,
    news: Condvar,
}

#[derive(Default)]
struct Mail {
    urgent: VecDeque<Urgent>,
    commands: VecDeque<Asked>,
    live: VecDeque<Look>,
    /// The owner is to stop.
    stop: bool,
    /// The store has come back from the thread that commits.
    store_back: bool,
    /// The owner has ended: nobody takes anything any more.
    closed: bool,
    /// How many inputs the owner's thread sleeps for; `None` while it does not sleep.
    sleeps_for: Option<usize>,
}

/// What was taken out at once.
pub(super) struct Taken {
    pub(super) urgent: Vec<Urgent>,
    pub(super) commands: Vec<Asked>,
    pub(super) live: Vec<Look>,
}

/// How much to take.
#[derive(Clone, Copy)]
pub(super) struct Helping {
    /// Most inputs.
    pub(super) inputs: usize,
    /// Of those, how many are kept for commands as far as any wait.
    pub(super) commands_least: usize,
    /// Most live reads.
    pub(super) live: usize,
}

impl Mail {
    fn inputs(&self) -> usize {
        self.urgent.len() + self.commands.len() + self.live.len()
    }

    /// How many commands to take for so many inputs: a batch of them counts for all that it is, and the last one
    /// may exceed them.
    fn commands_of(&self, inputs: usize) -> usize {
        let mut taken = 0;
        let mut inputs_taken = 0;
        for asked in &self.commands {
            if inputs_taken >= inputs {
                break;
            }
            taken += 1;
            inputs_taken += asked.inputs();
        }
        taken
    }

    /// Do so many inputs wait, or is there something else to do?
    fn has(&self, inputs: usize) -> bool {
        self.stop || self.store_back || self.inputs() >= inputs
    }
}

impl Mailbox {
    fn mail(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, and wakes the owner's thread if it sleeps for that.
    fn bring<T>(&self, change: impl FnOnce(&mut Mail) -> T) -> T {
        let mut mail = self.mail();
        let done = change(&mut mail);
        let wake = mail.sleeps_for.is_some_and(|inputs| mail.has(inputs));
        if wake {
            // Whoever comes next need not wake it again.
            mail.sleeps_for = None;
        }
        drop(mail);
        if wake {
            self.news.notify_one();
        }
        done
    }

    /// Puts something in; gives it back if nobody would ever take it out.
    pub(super) fn put_urgent(&self, urgent: Urgent) -> Result<(), Urgent> {
        self.bring(|mail| put(mail.closed, &mut mail.urgent, urgent))
    }

    /// As [`Self::put_urgent`].
    #[expect(
        clippy::result_large_err,
        reason = "who is refused gets it back whole, and nobody else pays for a box"
    )]
    pub(super) fn put_command(&self, command: Asked) -> Result<(), Asked> {
        self.bring(|mail| put(mail.closed, &mut mail.commands, command))
    }

    /// As [`Self::put_urgent`].
    pub(super) fn put_live(&self, look: Look) -> Result<(), Look> {
        self.bring(|mail| put(mail.closed, &mut mail.live, look))
    }

    /// The store has come back, or never will.
    pub(super) fn store_is_back(&self) {
        self.bring(|mail| mail.store_back = true);
    }

    /// The owner is to stop.
    pub(super) fn stop(&self) {
        self.bring(|mail| mail.stop = true);
    }

    /// True once the owner is to stop.
    pub(super) fn is_stopping(&self) -> bool {
        self.mail().stop
    }

    /// Takes out what waits, as far as there is room: the first lane before the second, but for the share that is
    /// kept for commands.
    pub(super) fn take(&self, helping: Helping) -> Taken {
        let mut mail = self.mail();
        // Whoever takes looks at the store next.
        mail.store_back = false;
        let kept = helping.commands_least.min(mail.commands.len());
        let urgent = helping.inputs.saturating_sub(kept).min(mail.urgent.len());
        let commands = mail.commands_of(helping.inputs - urgent);
        let live = helping.live.min(mail.live.len());
        Taken {
            urgent: mail.urgent.drain(..urgent).collect(),
            commands: mail.commands.drain(..commands).collect(),
            live: mail.live.drain(..live).collect(),
        }
    }

    /// True if neither reports nor commands wait.
    pub(super) fn is_empty(&self) -> bool {
        let mail = self.mail();
        mail.urgent.is_empty() && mail.commands.is_empty()
    }

    /// Sleeps until so many inputs wait, the store is back, the owner is to stop, or the time is over.
    pub(super) fn sleep(&self, inputs: usize, most: Option<Duration>) {
        let until = most.map(|most| Instant::now() + most);
        let mut mail = self.mail();
        while !mail.has(inputs) {
            mail.sleeps_for = Some(inputs);
            mail = match until {
                None => self.news.wait(mail).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break;
                    }
                    let (mail, _) = self
                        .news
                        .wait_timeout(mail, left)
                        .unwrap_or_else(PoisonError::into_inner);
                    mail
                }
            };
        }
        mail.sleeps_for = None;
    }

    /// Sleeps until the time is over, whatever comes.
    pub(super) fn rest(&self, most: Duration) {
        let until = Instant::now() + most;
        let mut mail = self.mail();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            (mail, _) = self
                .news
                .wait_timeout(mail, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The owner has ended: what is here, and what comes, is dropped, so that whoever waits for an answer learns of
    /// it.
    pub(super) fn close(&self) {
        let dropped = {
            let mut mail = self.mail();
            mail.closed = true;
            (
                std::mem::take(&mut mail.urgent),
                std::mem::take(&mut mail.commands),
                std::mem::take(&mut mail.live),
            )
        };
        // Not under the lock: those who wait may come back at once.
        drop(dropped);
    }
}

fn put<T>(closed: bool, lane: &mut VecDeque<T>, item: T) -> Result<(), T> {
    if closed {
        return Err(item);
    }
    lane.push_back(item);
    Ok(())
}
