//! What waits for the owner, and the sleep of its thread until something does.
//!
//! One lock for everything that can wake it, held for a push or a take: whoever brings something wakes the thread only
//! if that sleeps, and what has gathered meanwhile is taken at once.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::flight::StoreAnswer;
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
    answer: Option<StoreAnswer>,
    /// The store's thread has ended.
    store_gone: bool,
    /// The owner is to stop.
    stop: bool,
    /// The owner has ended: nobody takes anything any more.
    closed: bool,
    /// What the owner's thread sleeps for; `None` while it does not sleep.
    sleeps_for: Option<Wish>,
}

/// What ends a sleep, besides the store.
#[derive(Clone, Copy)]
pub(super) enum Wish {
    /// So many inputs, or the word to stop.
    Inputs(usize),
    /// Nothing else.
    Nothing,
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

/// What the store has to say.
pub(super) enum FromStore {
    Answer(StoreAnswer),
    /// Nothing yet.
    Nothing,
    /// It is gone, and will never say anything.
    Gone,
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

    /// Is there something that ends such a sleep?
    fn fulfils(&self, wish: Wish) -> bool {
        let from_store = self.store_gone || self.answer.is_some();
        from_store
            || match wish {
                Wish::Inputs(many) => self.stop || self.inputs() >= many,
                Wish::Nothing => false,
            }
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
        let wake = mail.sleeps_for.is_some_and(|wish| mail.fulfils(wish));
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

    /// The store answers.
    pub(super) fn store_answers(&self, answer: StoreAnswer) {
        self.bring(|mail| mail.answer = Some(answer));
    }

    /// The store's thread has ended.
    pub(super) fn store_ends(&self) {
        self.bring(|mail| mail.store_gone = true);
    }

    /// The owner is to stop.
    pub(super) fn stop(&self) {
        self.bring(|mail| mail.stop = true);
    }

    /// True once the owner is to stop.
    pub(super) fn is_stopping(&self) -> bool {
        self.mail().stop
    }

    /// What the store says. Its last answer is heard before its end.
    pub(super) fn hear_store(&self) -> FromStore {
        let mut mail = self.mail();
        match mail.answer.take() {
            Some(answer) => FromStore::Answer(answer),
            None if mail.store_gone => FromStore::Gone,
            None => FromStore::Nothing,
        }
    }

    /// Takes out what waits, as far as there is room: the first lane before the second, but for the share that is
    /// kept for commands.
    pub(super) fn take(&self, helping: Helping) -> Taken {
        let mut mail = self.mail();
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

    /// Sleeps until the store has something to say, there is what is wished for, or the time is over.
    pub(super) fn sleep(&self, wish: Wish, most: Option<Duration>) {
        let until = most.map(|most| Instant::now() + most);
        let mut mail = self.mail();
        while !mail.fulfils(wish) {
            mail.sleeps_for = Some(wish);
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
