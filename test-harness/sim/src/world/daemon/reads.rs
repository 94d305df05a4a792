//! Reads of the store, each with what it is for.

use orchestrator_core::id::{AttemptId, TaskId, TenantId};
use orchestratord::run::attempt::Durable;
use store::{ReadError, ReadFuture, ReadStore, TaskRow, TaskText};

use super::front::Opening;
use super::host::Host;
use super::lanes::Waiter;
use crate::world::World;
use crate::world::event::DaemonEvent;

/// What a read is for.
#[derive(Debug)]
pub(crate) enum Pending {
    /// An attempt needs its prompt, and maybe its text.
    Attempt { attempt: AttemptId, text: bool },
    /// A cancel is durable, and its record is shown.
    Cancelled { waiter: Waiter, task: TaskId },
    /// A task is to be cancelled, if there is one.
    Cancel { waiter: Waiter, task: TaskId },
    /// A record is to be shown.
    Look {
        errand: usize,
        turn: u32,
        task: TaskId,
    },
    /// A stream is being opened.
    Open(Box<Opening>),
    /// A result is to be shown.
    Outcome {
        errand: usize,
        turn: u32,
        task: TaskId,
    },
}

/// A read that reaches the store.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) ticket: u64,
}

impl World {
    /// Reads the store; what is found comes later.
    pub(super) fn read(&mut self, host: &mut Host, pending: Pending) {
        self.tickets += 1;
        let ticket = self.tickets;
        host.reads.insert(ticket, pending);
        let after = self.chance_store() + self.troubles.slow / 4;
        self.send_host(host, after, DaemonEvent::Read(Read { ticket }));
    }

    /// A read has its answer.
    pub(crate) fn read_done(&mut self, host: &mut Host, read: &Read) {
        // Messages that wait for the link are asked for again, until it is there or broken.
        if self.daemons[host.daemon].store_cut == Some(false) {
            let again = Read {
                ticket: read.ticket,
            };
            self.send_host(host, 20_000, DaemonEvent::Read(again));
            return;
        }
        let Some(pending) = host.reads.remove(&read.ticket) else {
            return;
        };
        match pending {
            Pending::Attempt { attempt, text } => {
                let task = host
                    .attempts
                    .get(&attempt)
                    .map(|followed| followed.state.order().task);
                if let Some(task) = task {
                    let found = self.durable(host, task, text);
                    self.attempt_read(host, attempt, found);
                }
            }
            Pending::Cancelled { waiter, task } => {
                let row = self.row(host, task);
                self.show_cancelled(host, &waiter, row);
            }
            Pending::Cancel { waiter, task } => {
                let row = self.row(host, task);
                self.cancel_found(host, waiter, task, row);
            }
            Pending::Look { errand, turn, task } => {
                let row = self.row(host, task);
                self.show_row(host, errand, turn, row);
            }
            Pending::Open(opening) => self.open_on(host, *opening),
            Pending::Outcome { errand, turn, task } => {
                let found = self
                    .row(host, task)
                    .and_then(|row| Ok((row, self.text(host, task)?)));
                self.show_outcome(host, errand, turn, found);
            }
        }
    }

    fn durable(&mut self, host: &Host, task: TaskId, text: bool) -> Result<Durable, ReadError> {
        self.readable(host)?;
        let body = at_once(self.store.task_body(task))?;
        let text = match text {
            true => at_once(self.store.task_text(task))?,
            false => None,
        };
        Ok(Durable {
            prompt: body.map(|body| body.prompt),
            text,
        })
    }

    /// The row of a task, as it is durable now.
    pub(super) fn row(&self, host: &Host, task: TaskId) -> Result<Option<TaskRow>, ReadError> {
        self.readable(host)?;
        at_once(self.store.task_get(TenantId::DEFAULT, task))
    }

    /// The text of a task, as far as it is durable now.
    pub(super) fn text(&self, host: &Host, task: TaskId) -> Result<TaskText, ReadError> {
        self.readable(host)?;
        Ok(at_once(self.store.task_text(task))?.unwrap_or_default())
    }

    fn readable(&self, host: &Host) -> Result<(), ReadError> {
        if self.daemons[host.daemon].store_cut == Some(true) {
            return Err(ReadError("the store cannot be reached".to_owned()));
        }
        if self.troubles.reads {
            return Err(ReadError("the store cannot be read".to_owned()));
        }
        Ok(())
    }
}

/// The value of a future that is ready when it is made, as all those of the simulated store are.
pub(crate) fn at_once<T>(mut read: ReadFuture<'_, T>) -> Result<T, ReadError> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match read.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => Err(ReadError(
            "the simulated store answers at once, or not at all".to_owned(),
        )),
    }
}
