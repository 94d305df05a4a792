//! A future that is polled again at once if it wakes itself while it is polled.
//!
//! hyper has both halves of a connection in one future, the one that reads and the one that answers, and they wake each
//! other. To the runtime that is a task to be run again some time, for which it wakes another of its threads, which takes
//! the connection over and wakes the first in turn: for each request with a body, and for nothing.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;
use tokio::task::yield_now;

/// Polls in a row, after which others have their turn: in the first the half that answers asks for the body, in the second it
/// has it.
const POLLS_IN_A_ROW: usize = 2;

/// A future that is polled again at once if it wakes itself while it is polled.
pub(super) struct Repoll<F> {
    future: F,
    bell: Arc<Bell>,
    waker: Waker,
}

/// Where the future rings when it is to be polled again.
#[derive(Default)]
struct Bell {
    /// [`POLLED`] and [`WOKEN`].
    state: AtomicU8,
    task: AtomicWaker,
}

/// The future is being polled. If it is not, its task has to hear of a wake-up.
const POLLED: u8 = 1;
/// It was woken since it was polled last, or while it is.
const WOKEN: u8 = 2;

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // A change even where it changes nothing, so that the next poll sees what this wake-up is about.
        let before = self.state.fetch_or(WOKEN, Ordering::AcqRel);
        if before & POLLED == 0 {
            self.task.wake();
        }
    }
}

impl<F: Future + Unpin> Repoll<F> {
    pub(super) fn new(future: F) -> Self {
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        Self {
            future,
            bell,
            waker,
        }
    }

    /// The future itself.
    pub(super) fn get_mut(&mut self) -> &mut F {
        &mut self.future
    }
}

impl<F: Future + Unpin> Future for Repoll<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Self {
            future,
            bell,
            waker,
        } = &mut *self;
        bell.task.register(cx.waker());
        for _ in 0..POLLS_IN_A_ROW {
            bell.state.swap(POLLED, Ordering::AcqRel);
            let polled = Pin::new(&mut *future).poll(&mut Context::from_waker(waker));
            let before = bell.state.swap(0, Ordering::AcqRel);
            if polled.is_ready() || before & WOKEN == 0 {
                return polled;
            }
        }
        // Not by the waker, for which the runtime would wake another thread: like this it comes up again once the thread
        // that polls here has seen to everybody else.
        let _later = pin!(yield_now()).poll(cx);
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// A task that counts how often it was woken.
    #[derive(Default)]
    struct Task(AtomicUsize);

    impl Task {
        fn woken(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Polls once for a task: whether that was the end, and how often the task was woken.
    fn poll<F: Future + Unpin>(future: &mut Repoll<F>, task: &Arc<Task>) -> (bool, usize) {
        let waker = Waker::from(Arc::clone(task));
        let polled = Pin::new(future).poll(&mut Context::from_waker(&waker));
        (polled.is_ready(), task.woken())
    }

    #[test]
    fn what_wakes_itself_is_polled_again_and_its_task_hears_nothing() {
        let mut polls = 0;
        let mut future = Repoll::new(poll_fn(|cx| {
            polls += 1;
            match polls {
                2 => Poll::Ready(()),
                _ => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
            }
        }));
        assert_eq!(poll(&mut future, &Arc::default()), (true, 0));
        assert_eq!(polls, 2);
    }

    #[test]
    fn what_waits_for_others_wakes_the_task_that_polled_it_last() {
        let mut kept = None;
        let mut future = Repoll::new(poll_fn(|cx| {
            kept = Some(cx.waker().clone());
            Poll::<()>::Pending
        }));
        let [first, last]: [Arc<Task>; 2] = Default::default();
        assert_eq!(poll(&mut future, &first), (false, 0));
        assert_eq!(poll(&mut future, &last), (false, 0));
        drop(future);
        kept.unwrap().wake();
        assert_eq!((first.woken(), last.woken()), (0, 1));
    }

    #[test]
    fn what_never_stops_waking_itself_lets_others_have_their_turn() {
        let mut polls = 0;
        let mut future = Repoll::new(poll_fn(|cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        }));
        let task = Arc::default();
        assert_eq!(poll(&mut future, &task), (false, 1));
        assert_eq!(poll(&mut future, &task), (false, 2));
        assert_eq!(polls, 2 * POLLS_IN_A_ROW);
    }

    /// However a wake-up from elsewhere falls, it is not lost.
    #[test]
    fn whoever_is_woken_by_another_thread_is_polled_again() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for _ in 0..1_000 {
            let (send, receive) = tokio::sync::oneshot::channel();
            let sender = std::thread::spawn(move || send.send(()));
            runtime.block_on(Repoll::new(receive)).unwrap();
            sender.join().unwrap().unwrap();
        }
    }
}
