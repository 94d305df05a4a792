//! Bulks: what they touch and what not, how far a step goes, and that they go on after a restart.

use orchestrator_core::bulk::{
    BULKS_PER_TENANT_MAX, BulkAction, BulkBegin, BulkCount, BulkFilter, BulkRecord, BulkTally,
    LiveState,
};
use orchestrator_core::id::{
    AcceptSeq, BulkId, PrincipalId, ProjectId, SessionId, TaskId, TenantId,
};
use orchestrator_core::input::{Ask, Input};
use orchestrator_core::machine::{MUTATIONS_PER_STEP_MAX, Machine, Recovered, TALLY_LOOKS_MAX};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::queue::ClassName;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{FinishReason, TaskFault, TaskSpec, TaskState};
use orchestrator_core::time::WallMs;

use crate::rig::{Out, Rig, facts, interactive_of, one_pool, spec};

const OTHER: TenantId = TenantId(9);

fn everything() -> BulkFilter {
    BulkFilter::of(TenantId::DEFAULT)
}

impl Rig {
    pub(crate) fn bulk(&mut self, id: u128, action: BulkAction, filter: BulkFilter) -> Out {
        self.ask(Ask::BulkBegin(Box::new(BulkBegin {
            id: BulkId(id),
            action,
            filter,
            by: PrincipalId(3),
        })))
    }

    fn bulk_row(&self, id: u128) -> &BulkRecord {
        &self.store.bulks[&BulkId(id)]
    }

    /// Steps until no walk is under way; the steps it took.
    fn walk(&mut self) -> usize {
        let mut steps = 0;
        while self.store.bulks.values().any(|row| row.ended_at.is_none()) {
            assert!(
                self.machine.next_wake() <= Some(self.now.mono),
                "a bulk wakes the machine at once"
            );
            self.step(Input::Tick);
            steps += 1;
            assert!(steps < 10_000, "a bulk does not end");
        }
        steps
    }

    fn cancelled(&self) -> Vec<u128> {
        let ended = self.store.tasks.values();
        let ended = ended.filter(|row| row.state == TaskState::Cancelled);
        ended.map(|row| row.id.0).collect()
    }
}

fn begun(out: &Out) -> &BulkRecord {
    match out.reply() {
        Reply::BulkBegun(row) => row,
        other => panic!("not begun: {other:?}"),
    }
}

/// So many tasks that nobody serves, in a queue with room for them.
fn queued(tasks: u128) -> Rig {
    let mut config = one_pool(1);
    interactive_of(&mut config).capacity = 10_000;
    let mut rig = Rig::new(config);
    for task in 1..=tasks {
        rig.create(task, spec());
    }
    rig
}

#[test]
fn a_walk_goes_in_bounded_steps_and_touches_nothing_that_was_accepted_after_it_began() {
    let mut rig = queued(300);
    let out = rig.bulk(1, BulkAction::Cancel, everything());
    let row = begun(&out).clone();
    assert_eq!(
        (row.through.0, row.by, row.at),
        (300, PrincipalId(3), rig.now.wall)
    );
    assert!(row.ended_at.is_none());
    let puts = |out: &Out| {
        let put = |mutation: &&Mutation| matches!(mutation, Mutation::BulkPut(_));
        out.mutations.iter().filter(put).count()
    };
    assert_eq!(puts(&out), 1, "one row a step");
    // Newcomers on both sides of the place that the walk has reached.
    rig.create(0, spec());
    rig.create(1_000, spec());
    let before = rig.cancelled().len();
    let out = rig.step(Input::Tick);
    assert!(out.mutations.len() <= MUTATIONS_PER_STEP_MAX);
    let step = rig.cancelled().len() - before;
    assert!((1..=16).contains(&step), "{step} in one step");
    assert!(rig.walk() > 20);
    assert_eq!(rig.cancelled(), (1..=300).collect::<Vec<u128>>());
    assert_eq!(rig.state(0), TaskState::Queued);
    assert_eq!(rig.state(1_000), TaskState::Queued);
    let count = BulkCount {
        matched: 300,
        changed: 300,
    };
    assert_eq!(rig.bulk_row(1).count, count);
}

#[test]
fn a_walk_goes_on_after_a_restart_where_it_was() {
    let mut rig = queued(120);
    rig.bulk(1, BulkAction::Cancel, everything());
    rig.step(Input::Tick);
    let before = rig.bulk_row(1).clone();
    assert!(before.place.is_some() && before.ended_at.is_none());
    rig.restart();
    assert_eq!(rig.machine.bulks().get(BulkId(1)), Some(&before));
    rig.walk();
    assert_eq!(rig.cancelled().len(), 120);
    assert_eq!(rig.bulk_row(1).count.changed, 120);
    // What has ended is remembered over a restart, and walks no more.
    rig.restart();
    rig.create(500, spec());
    rig.advance(1_000);
    assert_eq!(rig.state(500), TaskState::Queued);
    assert!(rig.machine.bulks().get(BulkId(1)).is_some());
}

/// What a bulk would meet, counted to the end with nothing in between.
fn counted(rig: &Rig, action: BulkAction, filter: BulkFilter) -> BulkCount {
    let mut tally = BulkTally::new(action, filter);
    while !tally.over {
        tally = rig.machine.bulk_tally(rig.now, tally).unwrap();
    }
    tally.count
}

/// A machine that has been told of so many tasks, all queued, with the ids 1, 2, ….
fn recovered(tasks: u64) -> (Rig, Machine) {
    let rig = queued(1);
    let row = &rig.store.tasks[&TaskId(1)];
    let rows = (1..=tasks).map(|seq| {
        let mut row = row.clone();
        (row.id, row.seq) = (TaskId(u128::from(seq)), AcceptSeq(seq));
        row
    });
    let loaded = Recovered {
        accept_seq: AcceptSeq(tasks),
        tasks: rows.collect(),
        ..rig.store.load(rig.epoch)
    };
    let machine = Machine::recover(rig.machine.config().clone(), rig.now, loaded);
    (rig, machine)
}

#[test]
fn a_look_of_a_count_is_bounded_however_many_tasks_there_are() {
    const TASKS: u64 = 100_000;
    let (rig, machine) = recovered(TASKS);
    assert_eq!(machine.live_count() as u64, TASKS);
    let none = BulkFilter::of(OTHER);
    for (filter, fits) in [(everything(), TASKS), (none, 0)] {
        let mut tally = BulkTally::new(BulkAction::Cancel, filter);
        let mut looks = 0;
        while !tally.over {
            // The ids are consecutive, so the way between two places is the number of tasks that were looked at.
            let place = |tally: &BulkTally| tally.place.map_or(0, |task| task.0);
            let before = place(&tally);
            tally = machine.bulk_tally(rig.now, tally).unwrap();
            let looked_at = place(&tally) - before;
            assert!(looked_at <= TALLY_LOOKS_MAX as u128, "{looked_at}");
            assert!(looked_at > 0, "a look that gets nowhere");
            looks += 1;
        }
        assert_eq!(looks, TASKS.div_ceil(TALLY_LOOKS_MAX as u64));
        let count = BulkCount {
            matched: fits,
            changed: fits,
        };
        assert_eq!(tally.count, count);
    }
}

#[test]
fn a_count_is_of_the_moment_at_which_it_began() {
    let mut rig = queued(TALLY_LOOKS_MAX as u128 + 40);
    let first = BulkTally::new(BulkAction::Cancel, everything());
    let first = rig.machine.bulk_tally(rig.now, first).unwrap();
    assert_eq!(first.began, Some((rig.now.wall, AcceptSeq(296))));
    assert!(!first.over);
    assert_eq!(first.count.matched, TALLY_LOOKS_MAX as u64);
    // Other work comes in between: a newcomer ahead of the count, and an end.
    rig.advance(1_000);
    rig.create(5_000, spec());
    rig.cancel(290);
    let last = rig.machine.bulk_tally(rig.now, first).unwrap();
    assert!(last.over);
    assert_eq!(last.began, first.began);
    assert_eq!(last.count.matched, 295);
}

#[test]
fn a_count_ends_however_many_come_in_between_two_looks() {
    const NEWCOMERS: u128 = TALLY_LOOKS_MAX as u128 + 10;
    let mut rig = queued(NEWCOMERS);
    let mut tally = BulkTally::new(BulkAction::Cancel, everything());
    let mut looks = 0;
    let mut id = NEWCOMERS;
    while !tally.over {
        tally = rig.machine.bulk_tally(rig.now, tally).unwrap();
        looks += 1;
        assert!(looks <= 2, "two looks are enough for what there was");
        for _ in 0..NEWCOMERS {
            id += 1;
            rig.create(id, spec());
        }
    }
    assert_eq!(tally.count.matched, NEWCOMERS as u64);
}

/// Filters of the tasks that the test below makes, and how many fit each; the last of them is accepted `later`.
fn narrowed(later: Option<WallMs>) -> [(BulkFilter, u64); 11] {
    let whole = everything();
    [
        (whole, 5),
        (BulkFilter::of(OTHER), 1),
        (
            BulkFilter {
                project: Some(ProjectId(8)),
                ..whole
            },
            0,
        ),
        (
            BulkFilter {
                project: Some(ProjectId::DEFAULT),
                ..whole
            },
            5,
        ),
        (
            BulkFilter {
                state: Some(LiveState::Waiting),
                ..whole
            },
            1,
        ),
        (
            BulkFilter {
                state: Some(LiveState::Queued),
                ..whole
            },
            4,
        ),
        (
            BulkFilter {
                state: Some(LiveState::Running),
                ..whole
            },
            0,
        ),
        (
            BulkFilter {
                priority: Some(ClassName::BATCH),
                ..whole
            },
            1,
        ),
        (
            BulkFilter {
                session: Some(SessionId(5)),
                ..whole
            },
            1,
        ),
        (
            BulkFilter {
                accepted_from: later,
                ..whole
            },
            1,
        ),
        (
            BulkFilter {
                accepted_before: later,
                ..whole
            },
            4,
        ),
    ]
}

#[test]
fn each_part_of_a_filter_narrows_it() {
    let mut rig = Rig::new(one_pool(1));
    let started = rig.now.wall;
    rig.create(1, spec());
    rig.create_for(OTHER, 2, spec());
    rig.create(
        3,
        TaskSpec {
            priority: ClassName::BATCH,
            ..spec()
        },
    );
    rig.create(
        4,
        TaskSpec {
            session: Some(SessionId(5)),
            ..spec()
        },
    );
    rig.create(
        5,
        TaskSpec {
            run_at: Some(started + 60_000),
            ..spec()
        },
    );
    rig.pass(1_000);
    rig.create(6, spec());
    let whole = everything();
    let count = |rig: &Rig, filter: BulkFilter| {
        let count = counted(rig, BulkAction::Cancel, filter);
        assert_eq!(count.matched, count.changed);
        count.matched
    };
    for (filter, matched) in narrowed(Some(WallMs(started.0 + 1_000))) {
        assert_eq!(count(&rig, filter), matched, "{filter:?}");
    }
    let before = rig.store.hard_state();
    assert_eq!(before, rig.machine.hard_state(), "counting changes nothing");
    let batch = BulkFilter {
        priority: Some(ClassName::BATCH),
        ..whole
    };
    rig.bulk(1, BulkAction::Cancel, batch);
    rig.walk();
    assert_eq!(rig.cancelled(), [3]);
    rig.bulk(2, BulkAction::Cancel, whole);
    rig.walk();
    assert_eq!(
        rig.cancelled(),
        [1, 3, 4, 5, 6],
        "another tenant's task is not there"
    );
}

#[test]
fn what_runs_is_asked_to_stop_once_and_what_has_ended_is_not_touched() {
    let mut rig = Rig::ready(2);
    let first = rig.create(1, spec()).starts().remove(0);
    let second = rig.create(2, spec()).starts().remove(0);
    rig.running(&first);
    rig.running(&second);
    rig.finished(&first, FinishReason::Stop, 3);
    rig.bulk(1, BulkAction::Cancel, everything());
    rig.walk();
    assert_eq!(rig.state(1), TaskState::Completed);
    assert_eq!(rig.state(2), TaskState::CancelRequested);
    assert_eq!(
        rig.bulk_row(1).count,
        BulkCount {
            matched: 1,
            changed: 1
        }
    );
    // It is being cancelled already: met, and not changed.
    rig.bulk(2, BulkAction::Cancel, everything());
    rig.walk();
    assert_eq!(
        rig.bulk_row(2).count,
        BulkCount {
            matched: 1,
            changed: 0
        }
    );
    rig.finished(&second, FinishReason::Cancelled, 2);
    assert_eq!(rig.state(2), TaskState::Cancelled);
}

#[test]
fn parked_tasks_go_back_into_the_queue_and_others_stay() {
    let mut config = one_pool(1);
    config.retry.interruptions = 1;
    let mut rig = Rig::new(config);
    rig.replica_ready(facts("default-0", 1));
    for task in 1..=2 {
        let order = rig.create(task, spec()).starts().remove(0);
        rig.running(&order);
        rig.failed(&order, TaskFault::Interrupted);
        assert_eq!(rig.state(task), TaskState::Parked);
    }
    rig.create(3, spec());
    rig.create(4, spec());
    rig.bulk(1, BulkAction::Requeue, everything());
    rig.walk();
    assert_eq!(
        rig.bulk_row(1).count,
        BulkCount {
            matched: 4,
            changed: 2
        }
    );
    assert_eq!(rig.state(1), TaskState::Queued);
    assert_eq!((rig.row(2).interruptions, &rig.row(2).end), (0, &None));
}

#[test]
fn a_repeat_begins_nothing_and_the_oldest_that_ended_goes_first() {
    let mut rig = queued(1);
    rig.bulk(1, BulkAction::Requeue, everything());
    rig.walk();
    let again = rig.bulk(1, BulkAction::Cancel, everything());
    assert_eq!(begun(&again), rig.bulk_row(1));
    assert_eq!(rig.state(1), TaskState::Queued);
    let most = BULKS_PER_TENANT_MAX as u128;
    for id in 2..=most + 1 {
        rig.pass(1);
        rig.bulk(id, BulkAction::Requeue, everything());
        rig.walk();
    }
    assert!(rig.machine.bulks().get(BulkId(1)).is_none());
    assert_eq!(rig.store.bulks.len(), BULKS_PER_TENANT_MAX);
    // Of another tenant none has to go.
    rig.bulk(1_000, BulkAction::Cancel, BulkFilter::of(OTHER));
    rig.walk();
    assert_eq!(rig.store.bulks.len(), BULKS_PER_TENANT_MAX + 1);
}

#[test]
fn as_many_run_as_are_remembered_and_the_next_one_is_refused_until_one_has_ended() {
    let mut rig = queued(250);
    let most = BULKS_PER_TENANT_MAX as u128;
    for id in 1..=most {
        begun(&rig.bulk(id, BulkAction::Cancel, everything()));
    }
    let out = rig.bulk(most + 1, BulkAction::Cancel, everything());
    let Reply::Refused(Refusal::BulksFull { retry_after_ms }) = out.reply() else {
        panic!("{out:?}");
    };
    assert!(*retry_after_ms > 0);
    let other = rig.bulk(most + 2, BulkAction::Cancel, BulkFilter::of(OTHER));
    begun(&other);
    rig.walk();
    assert_eq!(rig.cancelled().len(), 250);
    begun(&rig.bulk(most + 3, BulkAction::Cancel, everything()));
}
