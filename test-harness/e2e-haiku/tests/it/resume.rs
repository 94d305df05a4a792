//! A reader that comes back is continued where it was, or told that it cannot be.

use api_client::support::RawEvent;
use api_client::types::TaskState;
use uuid::Uuid;

use crate::raw::{data, send, told};
use crate::streams::id_of;
use crate::world::{World, exactly};

/// A task that has ended, with everything that its stream told.
async fn ended(world: &World, tokens: u32) -> (Uuid, Vec<RawEvent>) {
    let task = world.create(exactly(tokens, 21)).await.task_id;
    world.until_state(&task, TaskState::Completed).await;
    let story = world.raw.story(&task).await;
    (task, story)
}

#[tokio::test]
async fn after_every_event_the_rest_is_what_follows_it() {
    let world = World::ready().await;
    let (task, story) = ended(&world, 12).await;
    let mut resumed = 0;
    for (at, event) in story.iter().enumerate() {
        let Some(id) = &event.id else { continue };
        if event.name == "end" {
            continue;
        }
        let rest = world.raw.open(&task, Some(id)).await.rest().await;
        assert_eq!(rest, story[at + 1..], "after {id}");
        resumed += 1;
    }
    assert_eq!(resumed, 12);
}

#[tokio::test]
async fn who_has_seen_the_end_is_told_that_there_is_nothing_more() {
    let world = World::ready().await;
    let (task, story) = ended(&world, 4).await;
    let last = story.last().unwrap().id.as_deref();
    for _ in 0..2 {
        let answer = send(world.raw.stream(&task, last)).await;
        assert_eq!((answer.status, answer.body.len()), (204, 0));
    }
}

#[tokio::test]
async fn a_reader_of_another_text_is_told_so_and_gets_none_of_ours() {
    let world = World::ready().await;
    let (task, story) = ended(&world, 6).await;
    let theirs = [
        // Another text at a place that ours has.
        id_of(3, "another text"),
        // Beyond our end.
        id_of(99, "a longer text"),
        // Before the first token there is only one text.
        id_of(0, "not empty"),
    ];
    for id in &theirs {
        let rest = world.raw.open(&task, Some(id)).await.rest().await;
        assert_eq!(rest.len(), 1, "{rest:#?}");
        assert_eq!(rest[0].name, "error");
        let problem = data(&rest[0]);
        assert_eq!(problem["code"], "STREAM_DIVERGED", "{problem}");
    }
    // Before the first token nothing can differ.
    let start = id_of(0, "");
    let rest = world.raw.open(&task, Some(&start)).await.rest().await;
    assert_eq!(rest, story[1..]);
}

#[tokio::test]
async fn a_reader_of_a_live_task_comes_back_again_and_again() {
    let world = World::throttled(60.0).await;
    let task = world.create(exactly(40, 33)).await.task_id;
    let witness = world.raw.open(&task, None).await;
    let mut seen = world.raw.open(&task, None).await.up_to_token(4).await;
    for index in [5, 6, 11, 20, 31] {
        let id = seen.last().unwrap().id.clone();
        let mut reader = world.raw.open(&task, id.as_deref()).await;
        seen.extend(reader.up_to_token(index).await);
    }
    assert_eq!(world.task(&task).await.state, TaskState::Running);
    let id = seen.last().unwrap().id.clone();
    seen.extend(world.raw.open(&task, id.as_deref()).await.rest().await);
    assert_eq!(told(&seen), told(&witness.rest().await));
}
