//! The order in which models come and go, with models that are numbers.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::oneshot::error::TryRecvError;

use super::{Held, Holder, Loads, Standing, TakeError, run_loader};
use crate::slot::{MAX_WAITING, Refusal};

type Told = tokio::sync::oneshot::Receiver<Result<Held<usize>, TakeError>>;

/// A holder that has begun with model 0.
fn started() -> Arc<Holder<usize>> {
    let holder = Arc::new(Holder::default());
    load(&holder, 0);
    holder
}

/// Does what the loading thread would do next: it must be this.
fn load(holder: &Arc<Holder<usize>>, expected: usize) {
    assert_eq!(holder.next_load(), Some(expected));
    holder.loaded(expected, Ok(expected), Duration::from_secs(1));
}

fn line_up(holder: &Arc<Holder<usize>>, index: usize) -> Told {
    holder.line_up(index).unwrap()
}

fn got(told: &mut Told) -> Held<usize> {
    told.try_recv().unwrap().unwrap()
}

fn still_waits(told: &mut Told) -> bool {
    matches!(told.try_recv(), Err(TryRecvError::Empty))
}

#[test]
fn a_model_is_changed_when_nobody_uses_it_any_more() {
    let holder = started();
    let first = got(&mut line_up(&holder, 0));
    let second = got(&mut line_up(&holder, 0));
    let mut other = line_up(&holder, 1);
    drop(first);
    assert!(still_waits(&mut other));
    assert_eq!(holder.standing(1), Standing::Unloaded { failed: false });
    drop(second);
    assert_eq!(holder.next_load(), Some(1));
    assert_eq!(holder.standing(1), Standing::Loading);
    assert_eq!(holder.current(), 1);
    holder.loaded(1, Ok(1), Duration::from_secs(1));
    assert_eq!(*got(&mut other), 1);
    assert_eq!(holder.standing(0), Standing::Unloaded { failed: false });
    let loads = Loads {
        count: 2,
        time: Duration::from_secs(2),
    };
    assert_eq!(holder.loads(), loads);
}

#[test]
fn whoever_comes_later_waits_behind_who_waits_for_another_model() {
    let holder = started();
    let user = got(&mut line_up(&holder, 0));
    let mut other = line_up(&holder, 1);
    let mut same = line_up(&holder, 0);
    assert!(still_waits(&mut same));
    drop(user);
    load(&holder, 1);
    let user = got(&mut other);
    assert!(still_waits(&mut same));
    drop(user);
    load(&holder, 0);
    got(&mut same);
}

#[test]
fn whoever_left_changes_no_model() {
    let holder = started();
    let user = got(&mut line_up(&holder, 0));
    let left = line_up(&holder, 1);
    let same = line_up(&holder, 0);
    let mut third = line_up(&holder, 2);
    drop(left);
    drop(user);
    // Model 0 is there for the one behind who left, and 2 is the next to come.
    let next = {
        let holder = Arc::clone(&holder);
        std::thread::spawn(move || holder.next_load())
    };
    drop(same.blocking_recv().unwrap().unwrap());
    assert_eq!(next.join().unwrap(), Some(2));
    holder.loaded(2, Ok(2), Duration::ZERO);
    got(&mut third);
    assert_eq!(holder.loads().count, 2);
}

#[test]
fn a_load_that_fails_is_told_to_those_who_asked_and_to_nobody_else() {
    let holder = started();
    let mut failing = [line_up(&holder, 1), line_up(&holder, 1)];
    let mut fine = line_up(&holder, 0);
    assert_eq!(holder.next_load(), Some(1));
    holder.loaded(1, Err("it is damaged".to_owned()), Duration::ZERO);
    for told in &mut failing {
        let error = told.try_recv().unwrap().unwrap_err();
        assert_eq!(error, TakeError::Load("it is damaged".to_owned()));
    }
    assert_eq!(holder.standing(1), Standing::Unloaded { failed: true });
    load(&holder, 0);
    got(&mut fine);
    let mut again = line_up(&holder, 1);
    load(&holder, 1);
    got(&mut again);
    assert_eq!(holder.loads().count, 3);
}

#[test]
fn the_first_load_must_not_fail() {
    let holder = Arc::new(Holder::<usize>::default());
    assert!(holder.is_starting());
    let ended = run_loader(&holder, |_| Err("it is damaged"));
    assert_eq!(ended, Err("it is damaged"));
}

#[test]
fn the_line_is_bounded_and_closing_empties_it() {
    let holder = started();
    let user = got(&mut line_up(&holder, 0));
    let mut waiting: Vec<_> = (0..MAX_WAITING).map(|_| line_up(&holder, 1)).collect();
    assert_eq!(holder.waiting(), MAX_WAITING);
    let full = holder.line_up(0).unwrap_err();
    assert_eq!(full, TakeError::Refused(Refusal::Full));
    drop(waiting.pop());
    line_up(&holder, 0);
    holder.close();
    let closed = waiting[0].try_recv().unwrap_err();
    assert_eq!(closed, TryRecvError::Closed);
    let refused = holder.line_up(0).unwrap_err();
    assert_eq!(refused, TakeError::Refused(Refusal::Closed));
    assert_eq!(holder.next_load(), None);
    drop(user);
}

/// The loading thread at work, and takers that come and go in all orders.
#[test]
fn never_are_two_models_in_memory() {
    let holder = Arc::new(Holder::<Arc<usize>>::default());
    let loader = {
        let holder = Arc::clone(&holder);
        let mut before = Weak::new();
        std::thread::spawn(move || {
            run_loader(&holder, |index| {
                assert!(before.upgrade().is_none(), "the last model is still there");
                let model = Arc::new(index);
                before = Arc::downgrade(&model);
                Ok::<_, String>(model)
            })
        })
    };
    let takers: Vec<_> = (0..4)
        .map(|taker| {
            let holder = Arc::clone(&holder);
            std::thread::spawn(move || {
                for turn in 0..200 {
                    let index = (taker + turn) % 3;
                    let told = holder.line_up(index).unwrap();
                    if turn % 5 != 0 {
                        let held = told.blocking_recv().unwrap().unwrap();
                        assert_eq!((**held, held.index()), (index, index));
                    }
                }
            })
        })
        .collect();
    for taker in takers {
        taker.join().unwrap();
    }
    holder.close();
    assert_eq!(loader.join().unwrap(), Ok(()));
}
