//! How the owner's thread rests between two turns, while another may take one in its place: rules without a lock or clock.

use std::time::{Duration, Instant};

/// How to sleep after a turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sleep {
    /// How many inputs are worth waking up for.
    pub(super) inputs: usize,
    /// When there is something to do although nothing comes; `None`: never.
    pub(super) until: Option<Instant>,
    /// Whether who brings a command soon may take the next turn instead of the thread.
    pub(super) stand_in: bool,
}

/// What the owner's thread does.
#[derive(Clone, Copy, Debug)]
enum Thread {
    /// It takes turns.
    Awake,
    /// It sleeps.
    Asleep(Sleep),
    /// It sleeps, and another takes a turn in its place.
    StoodInFor {
        /// That takes too long, which was told.
        told: bool,
    },
}

/// How the owner's thread rests.
#[derive(Debug)]
pub(super) struct Rest {
    thread: Thread,
    /// When it opens an eye by itself; `None`: never.
    looks_at: Option<Instant>,
    /// When its last turn ended, or somebody's began.
    turned_at: Instant,
    /// For so long after a turn somebody else may take the next one, on which the thread has an eye; and after so long
    /// somebody's turn takes too long.
    watch: Duration,
}

/// What the thread sees when it opens an eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// It is to go on.
    Awake,
    /// Nothing; it is to look again then, or when it is woken.
    Nothing(Option<Instant>),
    /// Somebody's turn takes too long, which is to be told; then it is to look again when it is woken.
    TooLong,
}

impl Rest {
    pub(super) fn new(now: Instant, watch: Duration) -> Self {
        Self {
            thread: Thread::Awake,
            looks_at: None,
            turned_at: now,
            watch,
        }
    }

    /// How the thread sleeps; `None` if it does not, or another takes its turn.
    pub(super) fn asleep(&self) -> Option<Sleep> {
        match self.thread {
            Thread::Asleep(sleep) => Some(sleep),
            Thread::Awake | Thread::StoodInFor { .. } => None,
        }
    }

    /// The thread goes to sleep.
    pub(super) fn fall_asleep(&mut self, now: Instant, sleep: Sleep) {
        self.thread = Thread::Asleep(sleep);
        self.turned_at = now;
    }

    /// The thread is to go on.
    pub(super) fn wake(&mut self) {
        self.thread = Thread::Awake;
    }

    /// True if whoever has brought a command is to take the turn for it, which begins. What is due by now is the thread's.
    pub(super) fn stand_in(&mut self, now: Instant) -> bool {
        let stands_in = self
            .asleep()
            .is_some_and(|sleep| sleep.stand_in && sleep.until.is_none_or(|until| until > now));
        if stands_in {
            self.thread = Thread::StoodInFor { told: false };
            self.turned_at = now;
        }
        stands_in
    }

    /// Somebody's turn is over, and the thread is to go on sleeping like this. True if it would sleep for too long.
    pub(super) fn sleep_on(&mut self, sleep: Sleep) -> bool {
        self.thread = Thread::Asleep(sleep);
        match (sleep.until, self.looks_at) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(until), Some(looks_at)) => until < looks_at,
        }
    }

    /// What the thread sees when it opens an eye. While others may take turns it does so in time to see whether they come
    /// back from them; once nobody has taken any for a while, it is the only one again.
    pub(super) fn look(&mut self, now: Instant) -> Sight {
        let watched = self.turned_at + self.watch;
        let sight = match &mut self.thread {
            Thread::Awake => Sight::Awake,
            Thread::Asleep(sleep) if sleep.until.is_some_and(|until| until <= now) => {
                self.thread = Thread::Awake;
                Sight::Awake
            }
            Thread::Asleep(sleep) => {
                sleep.stand_in &= now < watched;
                let again = sleep.stand_in.then_some(watched);
                Sight::Nothing(again.into_iter().chain(sleep.until).min())
            }
            Thread::StoodInFor { told: true } => Sight::Nothing(None),
            Thread::StoodInFor { told } if watched <= now => {
                *told = true;
                Sight::TooLong
            }
            Thread::StoodInFor { .. } => Sight::Nothing(Some(watched)),
        };
        self.looks_at = match sight {
            Sight::Nothing(again) => again,
            Sight::Awake | Sight::TooLong => None,
        };
        sight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WATCH: Duration = Duration::from_millis(5);

    /// Moments, each so many milliseconds after the first.
    struct Clock(Instant);

    impl Clock {
        fn at(&self, ms: u64) -> Instant {
            self.0 + Duration::from_millis(ms)
        }
    }

    /// A thread that fell asleep at 0, for so many milliseconds.
    fn asleep(until: Option<u64>) -> (Rest, Clock, Sleep) {
        let clock = Clock(Instant::now());
        let sleep = Sleep {
            inputs: 1,
            until: until.map(|ms| clock.at(ms)),
            stand_in: true,
        };
        let mut rest = Rest::new(clock.at(0), WATCH);
        rest.fall_asleep(clock.at(0), sleep);
        (rest, clock, sleep)
    }

    #[test]
    fn others_may_take_turns_for_a_while_after_each() {
        let (mut rest, clock, sleep) = asleep(None);
        assert_eq!(rest.look(clock.at(0)), Sight::Nothing(Some(clock.at(5))));
        assert!(rest.stand_in(clock.at(4)));
        assert!(!rest.stand_in(clock.at(4)), "one at a time");
        assert!(!rest.sleep_on(sleep));
        assert_eq!(rest.look(clock.at(5)), Sight::Nothing(Some(clock.at(9))));
        assert_eq!(rest.look(clock.at(9)), Sight::Nothing(None));
        assert!(!rest.stand_in(clock.at(9)));
        rest.wake();
        assert_eq!(rest.look(clock.at(9)), Sight::Awake);
    }

    #[test]
    fn a_turn_that_takes_too_long_is_told_once() {
        let (mut rest, clock, sleep) = asleep(None);
        assert!(rest.stand_in(clock.at(2)));
        assert_eq!(rest.look(clock.at(5)), Sight::Nothing(Some(clock.at(7))));
        assert_eq!(rest.look(clock.at(7)), Sight::TooLong);
        assert_eq!(rest.look(clock.at(8)), Sight::Nothing(None));
        assert!(!rest.sleep_on(sleep));
        assert_eq!(rest.look(clock.at(8)), Sight::Nothing(None));
    }

    #[test]
    fn what_is_due_is_the_threads() {
        let (mut rest, clock, _) = asleep(Some(3));
        assert_eq!(rest.look(clock.at(0)), Sight::Nothing(Some(clock.at(3))));
        assert!(!rest.stand_in(clock.at(3)));
        assert_eq!(rest.look(clock.at(3)), Sight::Awake);
    }

    #[test]
    fn a_turn_after_which_something_is_due_sooner_cuts_the_sleep_short() {
        let (mut rest, clock, sleep) = asleep(Some(100));
        let until = |ms| Sleep {
            until: Some(clock.at(ms)),
            ..sleep
        };
        rest.look(clock.at(0));
        for (due, sooner) in [(200, false), (5, false), (4, true)] {
            assert!(rest.stand_in(clock.at(1)));
            assert_eq!(rest.sleep_on(until(due)), sooner, "due at {due}");
        }
        // Nobody watches any more, and the thread sleeps until it is woken.
        assert!(rest.stand_in(clock.at(1)));
        rest.look(clock.at(6));
        assert!(rest.sleep_on(until(200)));
    }
}
