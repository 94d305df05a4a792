//! Only the newest owner commits, and in turn.

use std::sync::Arc;

use orchestrator_core::id::{Epoch, TaskId};
use orchestrator_core::mutation::Mutation;
use store::{CommitError, Event, FeedStore, OwnerStore, ReadStore};

use crate::bench::{Bench, Desk};
use crate::sample::task;

/// A commit of a term that is over is fenced, and changes nothing.
pub fn a_load_begins_a_term_and_fences_the_one_before<B: Bench>() {
    let mut desk = Desk::<B>::new();
    let stale = desk.epoch;
    let newer = desk.bench.owner().load().expect("it loads");
    assert_eq!(newer.epoch, Epoch(stale.0 + 1));
    let body = desk.body("p");
    let insert = vec![Mutation::TaskInsert {
        record: Arc::new(task(1)),
        body,
    }];
    assert!(matches!(
        desk.try_commit(insert),
        Err(CommitError::Fenced(_))
    ));
    assert_eq!(
        desk.read(async |store| store.task_body(TaskId(1)).await),
        None
    );
    desk.epoch = newer.epoch;
    desk.commit(vec![]);
    assert_eq!(desk.load().commit_seq, 1);
}

/// A commit with a number other than the next is fenced, the same number again too.
pub fn commits_out_of_turn_are_fenced<B: Bench>() {
    let mut desk = Desk::<B>::new();
    desk.commit(vec![]);
    desk.commit(vec![]);
    for commit_seq in [0, 1, 3, 100] {
        desk.commit_seq = commit_seq;
        assert!(
            matches!(desk.try_commit(vec![]), Err(CommitError::Fenced(_))),
            "{commit_seq}"
        );
    }
    desk.commit_seq = 2;
    desk.epoch = Epoch(desk.epoch.0 + 1);
    assert!(
        matches!(desk.try_commit(vec![]), Err(CommitError::Fenced(_))),
        "a term not begun"
    );
    assert_eq!(desk.load().commit_seq, 2);
}

/// A probe tells the number of the last commit, ends the term it was asked about and is fenced itself
/// when that is over.
pub fn a_probe_begins_a_term_and_tells_how_far_the_log_got<B: Bench>() {
    let mut desk = Desk::<B>::new();
    desk.commit(vec![]);
    let epoch = desk.epoch;
    let probe = desk.bench.owner().probe(epoch).expect("it probes");
    assert_eq!((probe.epoch, probe.commit_seq), (Epoch(epoch.0 + 1), 1));
    assert!(matches!(
        desk.try_commit(vec![]),
        Err(CommitError::Fenced(_))
    ));
    assert!(matches!(
        desk.bench.owner().probe(epoch),
        Err(CommitError::Fenced(_))
    ));
    desk.epoch = probe.epoch;
    desk.commit(vec![]);
    let probe = desk
        .bench
        .owner()
        .probe(desk.epoch)
        .expect("it probes again");
    assert_eq!(probe.commit_seq, 2);
}

/// A commit without mutations moves the log too.
pub fn a_commit_of_nothing_is_logged<B: Bench>() {
    let mut desk = Desk::<B>::new();
    desk.commit(vec![]);
    let log = desk.read(async |store| store.commit_list(0, 10).await);
    assert_eq!(log.len(), 1);
    assert_eq!((log[0].commit_seq, log[0].epoch), (1, desk.epoch));
    assert!(log[0].events.is_empty());
}

/// The log gives every event of every commit, in order, from any place.
pub fn the_log_tells_every_event_in_order<B: Bench>() {
    let mut desk = Desk::<B>::new();
    let mut expected = Vec::new();
    for seq in 1..=20 {
        let id = TaskId(seq);
        let mut events = vec![Event::TaskAccepted(id)];
        events.extend(crate::sample::STATES.map(|state| Event::TaskMoved(id, state)));
        desk.try_commit_with(vec![], events.clone())
            .expect("it is in order");
        expected.push((seq as u64, desk.epoch, 999 + seq as u64, events));
    }
    let seen = |after, limit| {
        let rows = desk.read(async |store| store.commit_list(after, limit).await);
        rows.into_iter()
            .map(|row| (row.commit_seq, row.epoch, row.at.0, row.events))
            .collect::<Vec<_>>()
    };
    assert_eq!(seen(0, 100), expected);
    assert_eq!(seen(7, 5), expected[7..12]);
    assert_eq!(seen(20, 5), []);
}
