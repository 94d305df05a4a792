//! What waits for the owner, and the sleep of its thread until something does.
//!
//! One lock for everything that can wake it, held for a push or a take: whoever brings something wakes the thread only
//! if that sleeps, or takes its place for a turn, and what has gathered meanwhile is taken at once.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::lanes::{Asked, Look, Urgent, Wanted};
use super::rest::{Rest, Sight, Sleep};

/// What waits for the owner.
pub(super) struct Mailbox {
    mail: Mutex<Mail>,
    news: Condvar,
    relief: Relief,
}

/// What is called when somebody's turn takes too long.
pub(super) type Relief = Box<dyn Fn() + Send + Sync>;

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
    rest: Rest,
}

/// A turn in the place of the owner's thread, which sleeps on. Dropped, it wakes that.
pub(super) struct Shift(Option<Arc<Mailbox>>);

impl Shift {
    /// The turn is over: the thread goes on if there is something to do, and sleeps in this way otherwise.
    pub(super) fn end(mut self, sleep: Sleep) {
        if let Some(mailbox) = self.0.take() {
            mailbox.sleep_on(sleep);
        }
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        if let Some(mailbox) = self.0.take() {
            mailbox.mail().rest.wake();
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

    /// Does the thread sleep although there is something that is worth its while?
    fn is_due(&self) -> bool {
        let sleep = self.rest.asleep();
        sleep.is_some_and(|sleep| self.has(sleep.inputs))
    }
}

impl Mailbox {
    pub(super) fn new(watch: Duration, relief: Relief) -> Self {
        let mail = Mail {
            urgent: VecDeque::new(),
            commands: VecDeque::new(),
            live: VecDeque::new(),
            stop: false,
            store_back: false,
            closed: false,
            rest: Rest::new(Instant::now(), watch),
        };
        Self {
            mail: Mutex::new(mail),
            news: Condvar::new(),
            relief,
        }
    }

    fn mail(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, and wakes the owner's thread if it sleeps for that.
    fn bring<T>(&self, change: impl FnOnce(&mut Mail) -> T) -> T {
        let mut mail = self.mail();
        let done = change(&mut mail);
        let wake = mail.is_due();
        if wake {
            // Whoever comes next need not wake it again.
            mail.rest.wake();
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

    /// As [`Self::put_urgent`]. If a shift comes back, whoever brought this is to take a turn.
    #[expect(
        clippy::result_large_err,
        reason = "who is refused gets it back whole, and nobody else pays for a box"
    )]
    pub(super) fn put_command(self: &Arc<Self>, command: Asked) -> Result<Option<Shift>, Asked> {
        // A batch is no small thing to do for who has others waiting.
        let one = matches!(command.what, Wanted::One(_));
        self.bring(|mail| {
            put(mail.closed, &mut mail.commands, command)?;
            let stands_in = one && mail.is_due() && mail.rest.stand_in(Instant::now());
            Ok(stands_in.then(|| Shift(Some(Arc::clone(self)))))
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
        mail.rest.fall_asleep(Instant::now(), sleep);
        loop {
            let now = Instant::now();
            mail = match mail.rest.look(now) {
                Sight::Awake => return,
                Sight::TooLong => {
                    (self.relief)();
                    mail
                }
                Sight::Nothing(None) => {
                    self.news.wait(mail).unwrap_or_else(PoisonError::into_inner)
                }
                Sight::Nothing(Some(again)) => {
                    let waited = self.news.wait_timeout(mail, again - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Somebody's turn is over: the thread goes on if there is something to do, and otherwise sleeps on, but for no longer
    /// than this.
    fn sleep_on(&self, sleep: Sleep) {
        let mut mail = self.mail();
        let sooner = mail.rest.sleep_on(sleep);
        let goes_on = mail.is_due();
        if goes_on {
            mail.rest.wake();
        }
        drop(mail);
        if goes_on || sooner {
            self.news.notify_one();
        }
    }

    /// True while the owner's thread sleeps and nobody stands in for it.
    #[cfg(test)]
    pub(super) fn is_asleep(&self) -> bool {
        self.mail().rest.asleep().is_some()
    }

    /// True while the owner's thread sleeps with an eye on others who may take a turn.
    #[cfg(test)]
    pub(super) fn is_watching(&self) -> bool {
        let sleep = self.mail().rest.asleep();
        sleep.is_some_and(|sleep| sleep.stand_in)
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
