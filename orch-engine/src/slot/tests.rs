//! The line in front of the slot.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cancel::{Cancel, CancelOnDrop};
use super::{MAX_WAITING, Refusal, Slot};
use crate::generation::Request;
use crate::sampling::Sampling;

fn request() -> Request {
    Request {
        prompt: vec![1],
        n_predict: Some(1),
        stop: Vec::new(),
        n_probs: None,
        sampling: Sampling {
            temperature: 0.0,
            top_k: None,
            top_p: 1.0,
            min_p: 0.0,
            repeat_penalty: 1.0,
            repeat_last_n: 0,
            frequency_penalty: 0.0,
            presence_penalty: 0.0,
            seed: 1,
            ignore_eos: false,
        },
    }
}

#[test]
fn the_line_is_bounded_and_served_in_order() {
    let slot = Slot::<()>::default();
    let first = slot.submit(request(), ()).unwrap();
    let job = slot.next().unwrap();
    let waiting: Vec<_> = (0..MAX_WAITING)
        .map(|_| slot.submit(request(), ()).unwrap())
        .collect();
    assert_eq!(slot.waiting(), MAX_WAITING);
    assert_eq!(slot.submit(request(), ()).unwrap_err(), Refusal::Full);
    slot.release();
    let next = slot.next().unwrap();
    assert_eq!(next.id, job.id + 1);
    drop((first, waiting));
}

#[test]
fn whoever_leaves_the_line_gives_the_place_back() {
    let slot = Slot::<()>::default();
    let _inside = slot.submit(request(), ()).unwrap();
    _ = slot.next().unwrap();
    let mut waiting: Vec<_> = (0..MAX_WAITING)
        .map(|_| slot.submit(request(), ()).unwrap())
        .collect();
    drop(waiting.remove(3));
    assert_eq!(slot.waiting(), MAX_WAITING - 1);
    slot.submit(request(), ()).unwrap();
}

#[test]
fn closing_sends_everyone_away() {
    let slot = Slot::<()>::default();
    let _inside = slot.submit(request(), ()).unwrap();
    let job = slot.next().unwrap();
    let mut waiting = slot.submit(request(), ()).unwrap();
    slot.close();
    assert!(job.cancel.is_cancelled());
    assert!(
        waiting
            .events
            .try_recv()
            .is_err_and(|e| e == tokio::sync::mpsc::error::TryRecvError::Disconnected)
    );
    assert_eq!(slot.submit(request(), ()).unwrap_err(), Refusal::Closed);
    assert!(slot.next().is_none());
}

#[test]
fn a_cancelled_wait_ends_at_once() {
    let cancel = Arc::new(Cancel::default());
    let waiter = {
        let cancel = Arc::clone(&cancel);
        // An hour: if the wait were not cut short, the test would not end.
        std::thread::spawn(move || cancel.wait_until(Instant::now() + Duration::from_secs(3600)))
    };
    drop(CancelOnDrop(cancel));
    assert!(waiter.join().unwrap());
}

#[test]
fn a_wait_into_the_past_is_none() {
    assert!(!Cancel::default().wait_until(Instant::now()));
}
