//! What waits for the owner, and the sleep of its thread until something does.
//!
//! One lock for everything that can wake it, held for a push or a take: whoever brings something wakes the thread only
//! if that sleeps, or takes its place for a turn, and what has gathered meanwhile is taken at once.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::lanes::{Asked, Look, Urgent, Wanted};

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
    thread: Thread,
    /// When the owner's thread wakes up by itself, if it sleeps; `None`: never.
    wakes_at: Option<Instant>,
}

/// What the owner's thread does.
#[derive(Clone, Copy, Default)]
enum Thread {
    /// It takes turns.
    #[default]
    Awake,
    /// It sleeps.
    Asleep(Sleep),
    /// It sleeps, and another takes a turn in its place.
    StoodInFor,
}

/// How to sleep after a turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sleep {
    /// How many inputs are worth waking up for.
    pub(super) inputs: usize,
    /// When there is something to do although nothing comes; `None`: never.
    pub(super) until: Option<Instant>,
    /// Whether who brings a command may take the next turn instead of the thread.
    pub(super) stand_in: bool,
}

/// The place of the owner's thread, which sleeps on. Dropped, it wakes that.
pub(super) struct Place(Option<Arc<Mailbox>>);

impl Place {
    /// The turn is over: the thread goes on if there is something to do, and sleeps in this way otherwise.
    pub(super) fn give_back(mut self, sleep: Sleep) {
        if let Some(mailbox) = self.0.take() {
            mailbox.sleep_on(sleep);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(mailbox) = self.0.take() {
            mailbox.mail().thread = Thread::Awake;
            mailbox.news.notify_one();
        }
    }
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

    /// How the thread sleeps, if it does and there is something that is worth its while.
    fn due(&self) -> Option<Sleep> {
        match self.thread {
            Thread::Asleep(sleep) if self.has(sleep.inputs) => Some(sleep),
            Thread::Asleep(_) | Thread::Awake | Thread::StoodInFor => None,
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
        let wake = mail.due().is_some();
        if wake {
            // Whoever comes next need not wake it again.
            mail.thread = Thread::Awake;
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

    /// As [`Self::put_urgent`]. If a place comes back, whoever brought this is to take a turn in it.
    #[expect(
        clippy::result_large_err,
        reason = "who is refused gets it back whole, and nobody else pays for a box"
    )]
    pub(super) fn put_command(self: &Arc<Self>, command: Asked) -> Result<Option<Place>, Asked> {
        // A batch is no small thing to do for who has others waiting.
        let one = matches!(command.what, Wanted::One(_));
        self.bring(|mail| {
            put(mail.closed, &mut mail.commands, command)?;
            let stands_in = one && mail.due().is_some_and(|sleep| sleep.stand_in);
            Ok(stands_in.then(|| {
                mail.thread = Thread::StoodInFor;
                Place(Some(Arc::clone(self)))
            }))
        })
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

    /// Sleeps until so many inputs wait, the store is back, the owner is to stop, or the time is over; longer if others
    /// take turns in between.
    pub(super) fn sleep(&self, sleep: Sleep) {
        let mut mail = self.mail();
        if mail.has(sleep.inputs) {
            return;
        }
        mail.thread = Thread::Asleep(sleep);
        loop {
            mail.wakes_at = match mail.thread {
                Thread::Awake => return,
                Thread::Asleep(sleep) => sleep.until,
                Thread::StoodInFor => None,
            };
            let Some(until) = mail.wakes_at else {
                mail = self.news.wait(mail).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                mail.thread = Thread::Awake;
                return;
            }
            (mail, _) = self
                .news
                .wait_timeout(mail, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whoever stood in for the thread is done: it wakes if there is something to do, or to see that it is to sleep for
    /// less long than it would.
    fn sleep_on(&self, sleep: Sleep) {
        let mut mail = self.mail();
        let goes_on = mail.has(sleep.inputs);
        let sooner = match (sleep.until, mail.wakes_at) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(until), Some(wakes_at)) => until < wakes_at,
        };
        mail.thread = match goes_on {
            true => Thread::Awake,
            false => Thread::Asleep(sleep),
        };
        drop(mail);
        if goes_on || sooner {
            self.news.notify_one();
        }
    }

    /// True while the owner's thread sleeps and nobody stands in for it.
    #[cfg(test)]
    pub(super) fn is_asleep(&self) -> bool {
        matches!(self.mail().thread, Thread::Asleep(_))
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
