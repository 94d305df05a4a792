//! Engines that misbehave: each task has an end with a reason, readers are told exactly that, the slot is free
//! again, and the daemon does not grow.

use api_client::support::RawEvent;
use api_client::types::TaskState;
use serde_json::{Value, json};
use test_harness_adapter_suite::scripted::{Reply, Step};
use test_harness_support::{DaemonOptions, memory_of};

use crate::played::{
    Asked, Played, all_of, and_hangs, and_resets, begin, chunk, end, stream, task, token,
};
use crate::raw::{data, text_of, tokens_of};
use crate::world::{World, eventually};

/// Attempts that an engine may fail here.
const FAILURES_MAX: u32 = 3;
/// Bytes by which the daemon may grow over engines that send too much.
const GROWTH_MAX: u64 = 96 << 20;
/// Silence that is put up with.
const SILENCE_MS: u64 = 150;

/// A daemon before the engine, impatient, and with hardly a pause before another attempt.
async fn before(engine: &Played) -> World {
    let config = format!(
        "[retry]\nfailures_max = {FAILURES_MAX}\nbackoff_base_ms = 1\nbackoff_cap_ms = 1\n{}",
        engine.pool(&format!(
            "first_token_timeout_ms = {SILENCE_MS}\nidle_timeout_ms = {SILENCE_MS}"
        ))
    );
    World::ready_with(DaemonOptions::default().config(&config)).await
}

/// The numbers of the attempts that a reader was told of after the first.
fn later_attempts(story: &[RawEvent]) -> Vec<Value> {
    let metrics = story.iter().filter(|event| event.name == "metrics");
    metrics
        .map(|event| data(event)["attempt"].clone())
        .filter(|attempt| *attempt != 0)
        .collect()
}

/// A way to misbehave, again at every attempt.
struct Fault {
    what: &'static str,
    /// What the engine does.
    does: fn(&Asked) -> Reply,
    /// How the task ends.
    code: &'static str,
    /// Attempts that it takes.
    attempts: u32,
    /// The text that was seen before.
    text: &'static str,
    /// A word of the reason.
    says: &'static str,
}

impl Fault {
    /// One that is met again at every attempt.
    fn lasting(
        what: &'static str,
        code: &'static str,
        text: &'static str,
        says: &'static str,
        does: fn(&Asked) -> Reply,
    ) -> Self {
        Self {
            what,
            does,
            code,
            attempts: FAILURES_MAX,
            text,
            says,
        }
    }

    /// One by which the connection, or the sense of what comes, is lost.
    fn reset(
        what: &'static str,
        text: &'static str,
        says: &'static str,
        does: fn(&Asked) -> Reply,
    ) -> Self {
        Self::lasting(what, "WORKER_RESET", text, says, does)
    }

    /// One by which nothing comes any more.
    fn silence(
        what: &'static str,
        text: &'static str,
        says: &'static str,
        does: fn(&Asked) -> Reply,
    ) -> Self {
        Self::lasting(what, "DECODE_TIMEOUT", text, says, does)
    }
}

fn faults() -> Vec<Fault> {
    let mut all = silences();
    all.extend(nonsense());
    all.extend(ends());
    all
}

fn silences() -> Vec<Fault> {
    vec![
        Fault::silence("hangs before the first token", "", "first token", |_| {
            and_hangs(stream())
        }),
        Fault::silence("answers nothing at all", "", "first token", |_| {
            and_hangs(Reply::default())
        }),
        Fault::silence("hangs in the middle", "ab", "one token to the next", |_| {
            and_hangs(begin(&["a", "b"]))
        }),
    ]
}

fn nonsense() -> Vec<Fault> {
    vec![
        Fault::reset("sends no JSON", "a", "its protocol", |_| {
            begin(&["a"]).chunk(b"data: {\"content\": \n\n").end()
        }),
        Fault::reset("sends bytes that are no text", "a", "UTF-8", |_| {
            begin(&["a"]).chunk(b"data: \xff\xfe\n\n").end()
        }),
        Fault::reset("sends no chunks where it said so", "a", "broke off", |_| {
            begin(&["a"]).send(b"garbage\r\n".to_vec())
        }),
        Fault::reset("counts backwards", "ab", "went back", |_| {
            begin(&["a", "b"]).chunk(&token(0, "c")).end()
        }),
        Fault::reset(
            "goes on beyond what was asked",
            "xxxx",
            "more tokens than were asked for",
            |_| {
                let more: Vec<u8> = (0..9).flat_map(|index| token(index, "x")).collect();
                stream().chunk(&more).then(Step::SendForEver(chunk(b":\n")))
            },
        ),
    ]
}

fn ends() -> Vec<Fault> {
    vec![
        Fault::reset("ends early", "ab", "before the last frame", |_| {
            begin(&["a", "b"]).end()
        }),
        Fault::reset("resets", "a", "broke off", |_| and_resets(begin(&["a"]))),
        Fault::reset("closes without a word", "", "broke off", |_| {
            Reply::default()
        }),
        Fault::reset("answers 500", "", "status 500", |_| Reply::json(500, "{}")),
        Fault::reset("answers 503", "", "status 503", |_| Reply::json(503, "{}")),
        Fault {
            attempts: 1,
            ..Fault::lasting("refuses", "INVALID_PARAMS", "", "not that", |_| {
                Reply::json(
                    400,
                    r#"{"error":{"code":400,"message":"not that","type":"x"}}"#,
                )
            })
        },
    ]
}

#[tokio::test]
async fn every_way_to_misbehave_ends_the_task_with_its_reason_and_frees_the_slot() {
    let engine = Played::start(|asked| {
        let fault = faults().into_iter().find(|it| it.what == asked.prompt);
        (fault.unwrap().does)(asked)
    })
    .await;
    let world = before(&engine).await;
    for fault in faults() {
        let what = fault.what;
        let id = world.create(task(what, 4)).await.task_id;
        let mut story = world.raw.story(&id).await;
        let told = later_attempts(&story);
        let expected: Vec<Value> = (2..=fault.attempts).map(|attempt| json!(attempt)).collect();
        // A reader that comes late is told of the attempt that is under way only.
        assert!(expected.ends_with(&told), "{what}: {told:?}");
        assert_eq!(text_of(&story), fault.text, "{what}");
        let last = story.pop().unwrap();
        let problem = data(&last);
        assert_eq!(
            (&*last.name, &problem["code"]),
            ("error", &json!(fault.code)),
            "{what}"
        );
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(fault.says), "{what}: {detail}");
        let ended = world.task(&id).await;
        assert_eq!(
            (ended.state, ended.attempts),
            (TaskState::Failed, fault.attempts),
            "{what}"
        );
        assert_eq!(engine.asked_for(what), fault.attempts as usize, "{what}");
        // Whoever asks afterwards is told the same.
        let again = data(world.raw.story(&id).await.last().unwrap());
        assert_eq!(again["detail"], problem["detail"], "{what}");
        world.until_idle("far").await;
    }
}

#[tokio::test]
async fn an_engine_that_breaks_once_costs_an_attempt_and_the_text_is_whole() {
    let tokens = ["old", " pond", " frog", " jumps"];
    let engine = Played::start(move |asked| match (&*asked.prompt, asked.before) {
        ("resets", 0) => and_resets(begin(&tokens[..2])),
        ("hangs", 0) => and_hangs(begin(&tokens[..3])),
        ("starts with nothing", 0) => Reply::json(503, "{}"),
        _ => all_of(&tokens),
    })
    .await;
    let world = before(&engine).await;
    let mut stories = Vec::new();
    for prompt in ["resets", "hangs", "starts with nothing", "does well"] {
        let id = world.create(task(prompt, 4)).await.task_id;
        let story = world.raw.story(&id).await;
        assert_eq!(story.last().unwrap().name, "end", "{prompt}: {story:#?}");
        let attempts = if prompt == "does well" { 1 } else { 2 };
        assert_eq!(world.task(&id).await.attempts, attempts, "{prompt}");
        stories.push(tokens_of(&story));
    }
    assert!(
        stories.iter().all(|story| *story == stories[3]),
        "{stories:#?}"
    );
    assert_eq!(stories[3].len(), 4);
}

#[tokio::test]
async fn a_replay_that_gives_another_text_ends_the_task_and_is_never_spliced() {
    let engine = Played::start(|asked| match (&*asked.prompt, asked.before) {
        (_, 0) => begin(&["old", " pond"]).then(Step::Gate).then(Step::Reset),
        ("another token", _) => all_of(&["old", " lake", " frog", " jumps"]),
        ("another first token", _) => all_of(&["new", " pond", " frog", " jumps"]),
        ("an early end", _) => all_of(&["old"]),
        (other, _) => panic!("{other}"),
    })
    .await;
    let world = before(&engine).await;
    for prompt in ["another token", "another first token", "an early end"] {
        let id = world.create(task(prompt, 4)).await.task_id;
        let mut stays = world.raw.open(&id, None).await;
        let mut story = stays.up_to_token(1).await;
        let place = story.last().unwrap().id.clone();
        // One that comes back before the replay, one that stays, and one that comes when all is over.
        let back = world.raw.open(&id, place.as_deref()).await;
        engine.release();
        story.extend(stays.rest().await);
        let back = back.rest().await;
        let late = world.raw.open(&id, place.as_deref()).await.rest().await;
        assert_eq!(text_of(&story), "old pond", "{prompt}");
        for story in [story, back, late] {
            let last = story.last().unwrap();
            assert_eq!(last.name, "error", "{prompt}: {story:#?}");
            assert_eq!(data(last)["code"], "STREAM_DIVERGED", "{prompt}");
            assert!(!text_of(&story).contains("lake"), "{prompt}");
        }
        let ended = world.task(&id).await;
        assert_eq!(
            (ended.state, ended.attempts),
            (TaskState::Failed, 2),
            "{prompt}"
        );
        world.until_idle("far").await;
    }
}

#[tokio::test]
async fn an_engine_that_stays_broken_is_asked_nothing_until_it_is_well() {
    let engine = Played::start(|asked| match (&*asked.prompt, asked.before) {
        ("first", 0) => begin(&["a"]).then(Step::Gate).then(Step::Reset),
        _ => all_of(&["a", "b"]),
    })
    .await;
    let world = before(&engine).await;
    let first = world.create(task("first", 2)).await.task_id;
    let second = world.create(task("second", 2)).await.task_id;
    let mut reader = world.raw.open(&first, None).await;
    reader.up_to_token(0).await;
    engine.set_healthy(false);
    engine.release();
    eventually("the replica is known to be down", async || {
        let health = world.client.pool_health("far").await.unwrap();
        (!health.ready).then_some(())
    })
    .await;
    let health = world.client.pool_health("far").await.unwrap();
    let told = health.replicas[0].last_error.clone().unwrap();
    assert!(told.contains("it failed a caller"), "{told}");
    // Both wait, and neither has used up its attempts on an engine that is known to be broken.
    assert_eq!(engine.asked_for("second"), 0);
    engine.set_healthy(true);
    for id in [first, second] {
        let task = world.until_state(&id, TaskState::Completed).await;
        assert!(task.attempts <= 2, "{task:?}");
    }
    assert_eq!(text_of(&world.raw.story(&first).await), "ab");
}

#[tokio::test]
async fn what_an_engine_sends_too_much_of_is_cut_off_and_not_kept() {
    let engine = Played::start(|asked| excess(&asked.prompt)).await;
    let config = format!(
        "[retry]\nfailures_max = 1\n{}",
        engine
            .pool("first_token_timeout_ms = 3000\nidle_timeout_ms = 3000\nwall_timeout_ms = 4000")
    );
    let world = World::ready_with(DaemonOptions::default().config(&config)).await;
    let pid = world.daemon.pid();
    let before = memory_of(pid).unwrap().anonymous_bytes;
    for (prompt, says) in [
        ("a line without end", "longer than"),
        ("a frame without end", "longer than"),
        ("a head without end", "broke off"),
        ("comments without end", "first token"),
        ("a token as long as a book", "a token of"),
    ] {
        let id = world.create(task(prompt, 1_000_000)).await.task_id;
        let story = world.raw.story(&id).await;
        let last = story.last().unwrap();
        assert_eq!(last.name, "error", "{prompt}");
        let detail = data(last)["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says), "{prompt}: {detail}");
        let now = memory_of(pid).unwrap().anonymous_bytes;
        let grown = now.saturating_sub(before);
        println!("after {prompt}: {grown} bytes more");
        assert!(grown < GROWTH_MAX, "{prompt}: {grown} bytes more");
    }
}

/// What an engine sends too much of.
fn excess(prompt: &str) -> Reply {
    let for_ever = |bytes: &[u8]| stream().then(Step::SendForEver(chunk(bytes)));
    match prompt {
        "a line without end" => stream()
            .chunk(b"data: ")
            .then(Step::SendForEver(chunk(&[b'x'; 1 << 16]))),
        "a frame without end" => for_ever(&b"data: and more\n".repeat(4_000)),
        "a head without end" => Reply::default()
            .send(b"HTTP/1.1 200 OK\r\n".to_vec())
            .then(Step::SendForEver(b"x-more: and more\r\n".repeat(1_000))),
        "comments without end" => for_ever(&b": and more\n".repeat(4_000)),
        "a token as long as a book" => {
            let book = "x".repeat(1 << 20);
            stream().chunk(&token(0, &book)).chunk(&end(1)).end()
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_cancelled_task_lets_go_of_an_engine_that_hangs() {
    let engine = Played::start(|asked| match &*asked.prompt {
        "hangs" => and_hangs(begin(&["a"])),
        _ => all_of(&["b"]),
    })
    .await;
    let config = engine.pool("");
    let world = World::ready_with(DaemonOptions::default().config(&config)).await;
    let hangs = world.create(task("hangs", 4)).await.task_id;
    world.raw.open(&hangs, None).await.up_to_token(0).await;
    let next = world.create(task("next", 1)).await.task_id;
    assert_eq!(world.raw.cancel(&hangs).await.json()["state"], "cancelled");
    engine.left_alone().await;
    assert_eq!(text_of(&world.raw.story(&next).await), "b");
}
