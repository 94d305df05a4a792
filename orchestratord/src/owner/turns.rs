//! Who takes the owner's turns: its thread, or whoever asks while that sleeps and little happens (decision 0006).
//!
//! To wake a thread that sleeps, and to be woken by it for the answer, costs a good part of what a commit on a quick disk
//! does. So whoever comes alone takes the turn itself, and has its answer when that is over. Whatever else comes meanwhile
//! waits in the mailbox as always, and is the thread's.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::mailbox::Shift;
use super::rest::Sleep;

/// What is done in turns.
pub(super) trait Turn: Send {
    /// Does what there is to do; how to sleep after it.
    fn turn(&mut self) -> Sleep;
}

/// Where anybody can take a turn who has a shift.
pub(super) trait StandIn: Send + Sync {
    /// Takes one turn, with which the shift ends.
    fn stand_in(&self, shift: Shift);
}

type Panic = Box<dyn Any + Send>;

/// Where the driver is between two turns, or the panic of who stood in; empty during a turn.
pub(super) struct Seat<D>(Mutex<Option<Result<Box<D>, Panic>>>);

impl<D> Seat<D> {
    pub(super) fn new(driver: D) -> Self {
        Self(Mutex::new(Some(Ok(Box::new(driver)))))
    }

    /// The driver, for a turn. One has it at a time: the thread while it is awake, else who has the shift.
    ///
    /// # Panics
    /// With the panic of who stood in.
    pub(super) fn take(&self) -> Box<D> {
        match self.seat().take() {
            Some(Ok(driver)) => driver,
            Some(Err(panic)) => resume_unwind(panic),
            None => panic!("two take a turn of the owner at once"),
        }
    }

    /// Puts the driver back for the next turn.
    pub(super) fn put(&self, driver: Box<D>) {
        *self.seat() = Some(Ok(driver));
    }

    fn seat(&self) -> MutexGuard<'_, Option<Result<Box<D>, Panic>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Turn> StandIn for Seat<D> {
    fn stand_in(&self, shift: Shift) {
        let mut driver = self.take();
        let turn = move || {
            let sleep = driver.turn();
            (driver, sleep)
        };
        // A panic ends the owner, by way of its thread, and not who stood in: that learns of it like everybody else who
        // waits, by the driver being dropped, which it is by then.
        match catch_unwind(AssertUnwindSafe(turn)) {
            Ok((driver, sleep)) => {
                self.put(driver);
                shift.end(sleep);
            }
            Err(panic) => *self.seat() = Some(Err(panic)),
        }
    }
}
