//! Nothing that was acknowledged is lost, and no stream is spliced, whenever the daemon dies.

use std::path::{Path, PathBuf};
use std::thread;

use api_client::support::RawEvent;
use api_client::types::TaskState;
use serde_json::Value;
use uuid::Uuid;

use crate::raw::{data, tokens_of, told};
use crate::world::{World, exactly, plain, throttle, with};

/// Tokens of a text that is interrupted.
const TOKENS: u32 = 64;
/// Slow enough that no text ends between the last token that was read and the kill.
const TOKENS_PER_SECOND: f64 = 100.0;
const SEED: u32 = 4_711;

/// Daemons that are killed side by side, to use the time in which engines are slow.
const SIDE_BY_SIDE: u64 = 4;
/// The kills: after the token at each of these 20 indices.
const KILLED_AT: [u64; 20] = [
    0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 45, 48, 51, 54, 57,
];

/// What must be the same however often it was interrupted: everything but the time it took.
pub(crate) fn lasting(events: &[RawEvent]) -> Vec<(String, Option<String>, Value)> {
    told(events)
        .iter()
        .map(|event| {
            let mut data = data(event);
            if let Some(ms) = data.get_mut("decode_ms") {
                *ms = Value::Null;
            }
            (event.name.clone(), event.id.clone(), data)
        })
        .collect()
}

async fn uninterrupted(world: &World) -> Vec<RawEvent> {
    let task = world.create(exactly(TOKENS, SEED)).await.task_id;
    world.raw.story(&task).await
}

/// Reads a task up to a token, ends the daemon, starts it again, and reads on.
async fn interrupted(
    world: &mut World,
    index: u64,
    end: impl FnOnce(&mut World),
) -> (Uuid, Vec<RawEvent>) {
    let task = world.create(exactly(TOKENS, SEED)).await.task_id;
    let mut reader = world.raw.open(&task, None).await;
    let mut story = reader.up_to_token(index).await;
    end(world);
    // What was on its way when it ended; an end must not be among it.
    let on_the_way = reader.rest().await;
    assert!(
        on_the_way
            .iter()
            .all(|event| event.name == "token" || event.name == "metrics"),
        "{on_the_way:#?}"
    );
    story.extend(on_the_way);
    world.restart().await;
    let id = story.last().unwrap().id.clone();
    story.extend(world.raw.open(&task, id.as_deref()).await.rest().await);
    (task, story)
}

#[test]
fn killed_at_any_token_a_stream_goes_on_byte_for_byte() {
    let share = |worker: u64| async move {
        let mut world = World::throttled(TOKENS_PER_SECOND).await;
        let whole = lasting(&uninterrupted(&world).await);
        assert_eq!(whole.len(), TOKENS as usize + 2);
        for index in KILLED_AT
            .into_iter()
            .filter(|at| at / 3 % SIDE_BY_SIDE == worker)
        {
            let (task, story) = interrupted(&mut world, index, |world| world.daemon.kill()).await;
            assert_eq!(lasting(&story), whole, "killed after token {index}");
            // The kill counts only if it came before the end.
            let task = world.task(&task).await;
            assert_eq!((task.state, task.attempts), (TaskState::Completed, 2));
        }
    };
    thread::scope(|scope| {
        for worker in 0..SIDE_BY_SIDE {
            scope.spawn(move || {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap()
                    .block_on(share(worker));
            });
        }
    });
}

#[tokio::test]
async fn asked_to_end_the_daemon_closes_its_streams_and_readers_resume_later() {
    let mut world = World::throttled(TOKENS_PER_SECOND).await;
    let whole = lasting(&uninterrupted(&world).await);
    for index in [0, 30] {
        let (task, story) = interrupted(&mut world, index, |world| {
            assert_eq!(world.daemon.terminate().code(), Some(0));
        })
        .await;
        assert_eq!(lasting(&story), whole, "ended after token {index}");
        assert_eq!(world.task(&task).await.attempts, 2);
    }
}

#[tokio::test]
async fn one_task_outlives_several_daemons() {
    let mut world = World::throttled(TOKENS_PER_SECOND).await;
    let whole = lasting(&uninterrupted(&world).await);
    let task = world.create(exactly(TOKENS, SEED)).await.task_id;
    let mut story = Vec::new();
    for index in [2, 20, 21, 50] {
        let id = story.last().and_then(|event: &RawEvent| event.id.clone());
        let mut reader = world.raw.open(&task, id.as_deref()).await;
        story.extend(reader.up_to_token(index).await);
        world.daemon.kill();
        world.restart().await;
    }
    let id = story.last().and_then(|event| event.id.clone());
    story.extend(world.raw.open(&task, id.as_deref()).await.rest().await);
    assert_eq!(lasting(&story), whole);
    assert_eq!(world.task(&task).await.attempts, 5);
    // Who reads it from the start is told the same.
    assert_eq!(lasting(&world.raw.story(&task).await), whole);
    // Replayed tokens are counted once.
    let counted = world.metrics().await.sum("tokens_out_total");
    assert_eq!(counted, f64::from(TOKENS));
}

#[tokio::test]
async fn what_waited_waits_again_in_its_order_and_what_was_cancelled_stays_so() {
    let mut world = World::throttled(TOKENS_PER_SECOND).await;
    let running = world.create(exactly(400, 1)).await.task_id;
    world.raw.open(&running, None).await.up_to("token").await;
    let short = |class: &str| with(exactly(1, 1), "priority", class);
    let mut waiting = Vec::new();
    for class in [
        "batch",
        "interactive",
        "batch",
        "interactive",
        "interactive",
    ] {
        waiting.push(world.create(short(class)).await.task_id);
    }
    let gone = waiting[3];
    world.raw.cancel(&gone).await;
    let before = world.task(&gone).await;
    world.daemon.kill();
    world.restart().await;
    assert_eq!(world.task(&gone).await, before);
    world.raw.cancel(&running).await;

    let mut started = Vec::new();
    for id in waiting.iter().filter(|id| **id != gone) {
        let task = world.until_state(id, TaskState::Completed).await;
        assert_eq!(task.attempts, 1);
        started.push((task.started_at_ms.unwrap(), *id));
    }
    started.sort();
    let order: Vec<Uuid> = started.into_iter().map(|(_, id)| id).collect();
    // Interactive before batch, and first come, first served in each.
    assert_eq!(order, [waiting[1], waiting[4], waiting[0], waiting[2]]);
}

#[tokio::test]
async fn every_acknowledged_task_is_there_after_a_crash() {
    let mut world = World::ready().await;
    for round in 1..=5 {
        let mut acknowledged = Vec::new();
        let mut unsure = Vec::new();
        let raw = world.raw.clone();
        let asking = async {
            loop {
                let id = Uuid::new_v4();
                let body = with(exactly(1, 1), "task_id", id.to_string());
                let request = raw.request("POST", "/v1/tasks").json(&body);
                match request.send().await {
                    Ok(reply) if reply.status() == 202 => acknowledged.push(id),
                    Ok(reply) => panic!("{reply:?}"),
                    Err(_) => return unsure.push((id, body)),
                }
            }
        };
        let killing = async {
            let wanted = f64::from(round * 7);
            let before = world.metrics().await.sum("tasks_enqueued_total");
            crate::world::eventually("some tasks are accepted", async || {
                let now = world.metrics().await.sum("tasks_enqueued_total");
                (now - before >= wanted).then_some(())
            })
            .await;
            world.daemon.kill();
        };
        tokio::join!(asking, killing);
        assert!(!acknowledged.is_empty());
        world.restart().await;
        for id in &acknowledged {
            world.until_state(id, TaskState::Completed).await;
        }
        // Nobody knows of the last one, so it is asked again, which is safe.
        for (id, body) in &unsure {
            assert_eq!(world.raw.create(body).await.status, 202);
            world.until_state(id, TaskState::Completed).await;
        }
    }
}

/// A model that gives the same tokens and is another one all the same: a byte follows its last tensor.
fn another_model(dir: &Path) -> PathBuf {
    let whole =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/haiku-tiny/haiku-tiny-q8_0.gguf");
    let mut bytes = std::fs::read(whole).unwrap();
    bytes.push(0);
    let other = dir.join("other.gguf");
    std::fs::write(&other, bytes).unwrap();
    other
}

#[tokio::test]
async fn what_was_begun_by_replicas_that_are_gone_is_not_continued_by_others() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::throttled(TOKENS_PER_SECOND).await;
    let begun = world.create(exactly(400, 1)).await.task_id;
    let seen = world.raw.open(&begun, None).await.up_to_token(70).await;
    let untouched = world.create(exactly(2, 2)).await.task_id;
    world.daemon.kill();
    let other = another_model(dir.path());
    world
        .restart_with(throttle(1_000.0).env("ORCH_POOL_MODEL_FILE", other.display()))
        .await;

    // Whoever saw some of it gets what else is durable of the first attempt, and no other one begins.
    let id = seen.last().unwrap().id.as_deref();
    let mut story = told(&world.raw.open(&begun, id).await.rest().await);
    let problem = data(&story.pop().unwrap());
    assert_eq!(problem["code"], "REPLICA_SET_GONE", "{problem}");
    assert_eq!(problem["retriable"], true, "{problem}");
    assert_eq!(tokens_of(&story), story);
    let task = world.task(&begun).await;
    assert_eq!((task.state, task.attempts), (TaskState::Failed, 1));
    assert!(task.stream_position < 400, "{}", task.stream_position);
    // What nobody has seen anything of runs where it can.
    let story = world.raw.story(&untouched).await;
    assert_eq!(story.last().unwrap().name, "end", "{story:#?}");
}

#[tokio::test]
async fn a_graceful_end_leaves_nothing_to_repair() {
    let mut world = World::ready().await;
    let task = world.create(plain()).await.task_id;
    let story = world.raw.story(&task).await;
    let record = world.task(&task).await;
    assert_eq!(world.daemon.terminate().code(), Some(0));
    world.restart().await;
    assert_eq!(world.task(&task).await, record);
    assert_eq!(world.raw.story(&task).await, story);
    let last = story.last().unwrap().id.as_deref();
    let answer = crate::raw::send(world.raw.stream(&task, last)).await;
    assert_eq!(answer.status, 204);
}
