//! How the rest of the process talks to the owner.

use std::future::Future;
use std::sync::Arc;

use orchestrator_core::id::{SessionKey, TaskId};
use orchestrator_core::input::{Ask, Report};
use orchestrator_core::key::Keys;
use orchestrator_core::machine::{Explanation, Machine};
use orchestrator_core::reply::Reply;
use orchestrator_core::session::SessionView;
use orchestrator_core::time::Now;
use store::{TaskBody, TaskText};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

use super::error::OwnerUnavailable;
use super::lanes::{Asked, LaneEnds, Look, One, Told, Urgent, Wanted, goes_first};
#[cfg(test)]
use super::mailbox::Mailbox;
use super::release::{Deliver, Question};
use super::turns::StandIn;
use super::view::LiveView;
use super::waiters::{BatchWaiter, Waiter};

/// Talks to the owner, from any thread. Clones talk to the same one.
#[derive(Clone)]
pub struct OwnerHandle {
    lanes: Arc<LaneEnds>,
    seat: Arc<dyn StandIn>,
}

impl OwnerHandle {
    pub(super) fn new(lanes: Arc<LaneEnds>, seat: Arc<dyn StandIn>) -> Self {
        Self { lanes, seat }
    }

    /// Asks for something and waits until the reply is durable. It is on its way when this returns, whether
    /// or not the future is polled; dropping the future does not take it back.
    ///
    /// If the owner has nothing else to do and [`OwnerLimits::stand_in_commit_us`] allows it, it is done when this
    /// returns, and whoever asks has spent the time of a commit on it, of which only the last is known to have been quick: so
    /// no lock may be held that an outlet or a live read takes.
    ///
    /// A new task comes with its body; the handle in [`orchestrator_core::input::TaskCreate::body`] and the
    /// field `cold` are filled in by the owner.
    ///
    /// # Errors
    /// [`OwnerUnavailable`], which says whether the command may have been carried out.
    ///
    /// [`OwnerLimits::stand_in_commit_us`]: super::OwnerLimits::stand_in_commit_us
    pub fn command(
        &self,
        ask: Ask,
        body: Option<TaskBody>,
    ) -> impl Future<Output = Result<Reply, OwnerUnavailable>> + Send + 'static {
        let (waiter, answer) = oneshot::channel();
        let refused = self.submit(ask, body, waiter).err();
        async move {
            match refused {
                Some(refusal) => Err(refusal),
                None => answer.await.unwrap_or_else(|_| Err(gone())),
            }
        }
    }

    /// Tells the owner something. Resolves when it has a place in the lane; nothing is ever dropped while
    /// there is an owner. A chunk and an end with a text come with that text, and the handle in them is
    /// filled in by the owner.
    pub async fn report(&self, report: Report, text: Option<TaskText>) {
        let place = Arc::clone(&self.lanes.report_places)
            .acquire_owned()
            .await
            .ok();
        self.tell(Told {
            report,
            text,
            place,
        });
    }

    /// Tells the owner something small without waiting for a place: how many readers a task has, from where
    /// nothing can be awaited.
    pub fn report_readers(&self, task: TaskId, readers: u32) {
        let report = Report::ReadersChanged { task, readers };
        self.tell(Told {
            report,
            text: None,
            place: None,
        });
    }

    /// Resolves when the owner has ended: stopped, dropped, or because one of its threads panicked. Whoever
    /// has not stopped it should then end the process; nothing is accepted any more, and [`Owner::stop`] tells
    /// the panic. Every command and live read has its answer or is about to get it.
    ///
    /// [`Owner::stop`]: super::Owner::stop
    pub fn ended(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut alive = self.lanes.alive.clone();
        // Nothing is ever sent: a change is the end.
        async move { while alive.changed().await.is_ok() {} }
    }

    /// How things stood after the last durable batch.
    #[must_use]
    pub fn view(&self) -> Arc<LiveView> {
        self.lanes.view()
    }

    /// Every key there ever was, as it is durable, and whenever that changes.
    #[must_use]
    pub fn keys(&self) -> watch::Receiver<Keys> {
        self.lanes.keys()
    }

    /// Looks at the machine between two steps. The answer comes once everything it may show is durable.
    ///
    /// # Errors
    /// [`OwnerUnavailable`] if there is no machine at the moment or too many look at it.
    pub fn ask_live<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Machine, Now) -> T + Send + 'static,
    ) -> impl Future<Output = Result<T, OwnerUnavailable>> + Send + 'static {
        self.ask_about(None, look)
    }

    /// What waits for the owner.
    #[cfg(test)]
    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.lanes.mailbox
    }

    fn ask_about<T: Send + 'static>(
        &self,
        about: Option<TaskId>,
        look: impl FnOnce(&Machine, Now) -> T + Send + 'static,
    ) -> impl Future<Output = Result<T, OwnerUnavailable>> + Send + 'static {
        let (waiter, answer) = oneshot::channel();
        let question = Box::new(move |machine: &Machine, now: Now| -> Deliver {
            let seen = look(machine, now);
            // Whoever asked may have gone.
            Box::new(move || drop(waiter.send(seen)))
        });
        let refused = self.look(about, question).err();
        async move {
            match refused {
                Some(refusal) => Err(refusal),
                None => answer.await.map_err(|_| {
                    OwnerUnavailable::NotApplied("there is no owner at the moment".to_owned())
                }),
            }
        }
    }

    /// Why a task stands where it stands; `None` if it has ended or never was. One that the caller took for a live
    /// one, and that another owner has ended, has its end told to its readers after this.
    ///
    /// # Errors
    /// As [`OwnerHandle::ask_live`].
    pub async fn explain(&self, task: TaskId) -> Result<Option<Explanation>, OwnerUnavailable> {
        self.ask_about(Some(task), move |machine, now| machine.explain(now, task))
            .await
    }

    /// A session; `None` if it has run out or never was.
    ///
    /// # Errors
    /// As [`OwnerHandle::ask_live`].
    pub async fn session(
        &self,
        session: SessionKey,
    ) -> Result<Option<SessionView>, OwnerUnavailable> {
        self.ask_live(move |machine, now| machine.session(now, session))
            .await
    }

    /// Asks for several things, which are done one after another, in one commit, each as [`OwnerHandle::command`]
    /// would do it; the replies come in the order of the asks. Nothing is asked if there is nothing to ask.
    ///
    /// # Errors
    /// [`OwnerUnavailable`], for all of them: either none may have been carried out, or nobody knows of any.
    pub fn command_batch(
        &self,
        asks: Vec<(Ask, Option<TaskBody>)>,
    ) -> impl Future<Output = Result<Vec<Reply>, OwnerUnavailable>> + Send + 'static {
        let (waiter, answer) = oneshot::channel();
        let submitted = match asks.is_empty() {
            true => Ok(false),
            false => self.submit_batch(asks, waiter).map(|()| true),
        };
        async move {
            match submitted? {
                true => answer.await.unwrap_or_else(|_| Err(gone())),
                false => Ok(Vec::new()),
            }
        }
    }

    fn submit_batch(
        &self,
        asks: Vec<(Ask, Option<TaskBody>)>,
        waiter: BatchWaiter,
    ) -> Result<(), OwnerUnavailable> {
        let place = self.place(&self.lanes.batch_places)?;
        let what = Wanted::Batch(asks, waiter);
        let asked = Asked { what, place };
        self.put_command(asked)
    }

    fn submit(
        &self,
        ask: Ask,
        body: Option<TaskBody>,
        waiter: Waiter,
    ) -> Result<(), OwnerUnavailable> {
        let lanes = &self.lanes;
        let urgent = goes_first(&ask);
        let places = if urgent {
            &lanes.cancel_places
        } else {
            &lanes.command_places
        };
        let place = self.place(places)?;
        let what = Wanted::One(One { ask, body, waiter });
        let asked = Asked { what, place };
        if urgent {
            let asked = Urgent::Asked(Box::new(asked));
            lanes.mailbox.put_urgent(asked).map_err(|_| stopped())
        } else {
            self.put_command(asked)
        }
    }

    /// Puts a command into its lane, and carries it out here if the owner has nothing else to do.
    fn put_command(&self, asked: Asked) -> Result<(), OwnerUnavailable> {
        let put = self.lanes.mailbox.put_command(asked);
        if let Some(shift) = put.map_err(|_| stopped())? {
            self.seat.stand_in(shift);
        }
        Ok(())
    }

    fn look(&self, about: Option<TaskId>, question: Question) -> Result<(), OwnerUnavailable> {
        let place = self.place(&self.lanes.live_places)?;
        let look = Look {
            about,
            question,
            place,
        };
        self.lanes.mailbox.put_live(look).map_err(|_| stopped())
    }

    /// A place in a lane, if there is one now.
    fn place(&self, places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, OwnerUnavailable> {
        let retry_after_ms = self.lanes.retry_after_ms;
        Arc::clone(places)
            .try_acquire_owned()
            .map_err(|_| OwnerUnavailable::Busy { retry_after_ms })
    }

    fn tell(&self, told: Told) {
        // Without an owner there is nobody whom it could concern.
        let _ = self.lanes.mailbox.put_urgent(Urgent::Told(Box::new(told)));
    }
}

fn stopped() -> OwnerUnavailable {
    OwnerUnavailable::NotApplied("the owner has stopped".to_owned())
}

fn gone() -> OwnerUnavailable {
    OwnerUnavailable::Unknown("the owner has stopped".to_owned())
}
