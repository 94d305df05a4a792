//! One attempt against an engine that the test drives.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Mutex;

use futures_util::stream;
use orchestrator_core::id::{AttemptId, Digest, ReplicaName, SessionId, TaskId, TenantId};
use orchestrator_core::queue::ClassName;
use orchestrator_core::task::{
    Determinism, Engine, FinishReason, InputKind, OnDisconnect, PromptFacts, TaskFault, TaskSpec,
};
use orchestrator_core::time::WallMs;
use store::{ReadFuture, TaskBody, TaskPage, TaskQuery, TaskRow, TaskText};
use worker_adapter::{
    Adapter, AdapterError, AdapterFuture, EngineFacts, Finish, Generation, GenerationEvent,
    GenerationStream, Health, Prompt,
};

use super::super::replicas::Replica;
use super::*;

#[derive(Default)]
struct Reports(Mutex<Vec<AttemptReport>>);

impl Reporter for Reports {
    async fn report(&self, _: AttemptId, report: AttemptReport) {
        self.0.lock().unwrap().push(report);
    }

    fn wall_ms(&self) -> u64 {
        1_025
    }
}

/// Holds one prompt and what is durable of its text.
struct Durable(TaskText);

impl ReadStore for Durable {
    fn task_get(&self, _: TenantId, _: TaskId) -> ReadFuture<'_, Option<TaskRow>> {
        Box::pin(async { Ok(None) })
    }
    fn task_list(&self, _: TaskQuery) -> ReadFuture<'_, TaskPage> {
        Box::pin(async {
            Ok(TaskPage {
                rows: vec![],
                more: false,
            })
        })
    }
    fn task_body(&self, _: TaskId) -> ReadFuture<'_, Option<TaskBody>> {
        Box::pin(async {
            Ok(Some(TaskBody {
                prompt: "say it".to_owned(),
                metadata: vec![],
            }))
        })
    }
    fn task_text(&self, _: TaskId) -> ReadFuture<'_, Option<TaskText>> {
        Box::pin(async { Ok(Some(self.0.clone())) })
    }
    fn attempt_list(
        &self,
        _: TaskId,
    ) -> ReadFuture<'_, Vec<orchestrator_core::task::AttemptRecord>> {
        Box::pin(async { Ok(vec![]) })
    }
}

/// Gives the events it was told to, then waits for ever. It refuses what it was not told to expect.
struct Scripted {
    script: Vec<Result<GenerationEvent, AdapterError>>,
    cache_reuse: bool,
}

impl Adapter for Scripted {
    fn health(&self) -> AdapterFuture<'_, Health> {
        Box::pin(async { Ok(Health::Ready) })
    }
    fn facts(&self) -> AdapterFuture<'_, EngineFacts> {
        Box::pin(async { Err(AdapterError::Refused("has none".to_owned())) })
    }
    fn generate(&self, generation: Generation) -> AdapterFuture<'_, GenerationStream> {
        let expected = generation.prompt == Prompt::Chat("say it".to_owned())
            && generation.cache_reuse == self.cache_reuse;
        let script = self.script.clone();
        Box::pin(async move {
            if !expected {
                return Err(AdapterError::Refused(format!("{generation:?}")));
            }
            Ok(Box::pin(stream::iter(script).chain(stream::pending())) as GenerationStream)
        })
    }
}

pub(in crate::run) fn order(position: u64) -> AttemptOrder {
    AttemptOrder {
        attempt: AttemptId(5),
        task: TaskId(1),
        number: 1,
        replica: ReplicaName::new("default-0"),
        changes_model: false,
        spec: TaskSpec {
            kind: InputKind::Prompt,
            prompt: PromptFacts {
                digest: Digest([0; 32]),
                bytes: 6,
                tokens_estimate: 2,
                tokens_least: 1,
            },
            model_ref: None,
            engine: Some(Engine::Embedded),
            ctx: None,
            max_tokens: 8,
            ignore_eos: false,
            sampling: orchestrator_core::task::Sampling {
                temperature: 0.0,
                top_k: 0,
                top_p: 1.0,
                min_p: 0.0,
                repeat_penalty: 1.0,
            },
            seed: 7,
            determinism: Determinism::Strict,
            priority: ClassName::INTERACTIVE,
            deadline_ms: None,
            run_at: None,
            session: None::<SessionId>,
            on_disconnect: OnDisconnect::Continue,
        },
        position,
        accepted_at: WallMs(1_000),
    }
}

fn tokens(words: &[&str]) -> Vec<Result<GenerationEvent, AdapterError>> {
    words
        .iter()
        .map(|word| Ok(GenerationEvent::Token((*word).to_owned())))
        .collect()
}

fn ended(
    mut script: Vec<Result<GenerationEvent, AdapterError>>,
) -> Vec<Result<GenerationEvent, AdapterError>> {
    let is_token =
        |event: &&Result<GenerationEvent, _>| matches!(event, Ok(GenerationEvent::Token(_)));
    let count = script.iter().filter(is_token).count() as u64;
    script.push(Ok(GenerationEvent::End {
        finish: Finish::Stop,
        tokens_in: 3,
        tokens_out: count,
    }));
    script
}

pub(in crate::run) fn text(words: &[&str]) -> TaskText {
    let mut text = TaskText::default();
    words.iter().for_each(|word| text.push(word));
    text
}

fn follower(
    script: Vec<Result<GenerationEvent, AdapterError>>,
    durable: &[&str],
) -> Follower<Reports> {
    let scripted = Scripted {
        script,
        cache_reuse: false,
    };
    follower_of(scripted, durable)
}

fn follower_of(scripted: Scripted, durable: &[&str]) -> Follower<Reports> {
    let replicas = Replicas::default();
    let replica = Replica {
        adapter: Arc::new(scripted),
        wall_timeout: Duration::from_secs(600),
    };
    replicas.insert(ReplicaName::new("default-0"), replica);
    Follower {
        reporter: Arc::default(),
        reads: Arc::new(Durable(text(durable))),
        runner: EngineRunner::default(),
        replicas: Arc::new(replicas),
    }
}

async fn reports(
    follower: Follower<Reports>,
    position: u64,
    stream: &Arc<TaskStream>,
) -> Vec<AttemptReport> {
    let (_set, cancelled) = watch::channel(false);
    stream.begin(AttemptId(5), 1);
    follower
        .follow(order(position), None, Arc::clone(stream), cancelled)
        .await;
    assert!(
        follower.runner.list().is_empty(),
        "the runner holds nothing afterwards"
    );
    follower.reporter.0.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_whole_text_is_running_then_finished() {
    let stream = Arc::new(TaskStream::default());
    let told = reports(follower(ended(tokens(&["old", " pond"])), &[]), 0, &stream).await;
    let [AttemptReport::Running, AttemptReport::Finished(finished)] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(finished.text, text(&["old", " pond"]));
    assert_eq!(
        (finished.finish, finished.tokens_in, finished.first_token_ms),
        (FinishReason::Stop, 3, Some(25))
    );
}

/// A store that nobody may ask.
struct Closed;

impl ReadStore for Closed {
    fn task_get(&self, _: TenantId, _: TaskId) -> ReadFuture<'_, Option<TaskRow>> {
        panic!("nobody asks for a record")
    }
    fn task_list(&self, _: TaskQuery) -> ReadFuture<'_, TaskPage> {
        panic!("nobody asks for a list")
    }
    fn task_body(&self, _: TaskId) -> ReadFuture<'_, Option<TaskBody>> {
        panic!("the prompt is at hand")
    }
    fn task_text(&self, _: TaskId) -> ReadFuture<'_, Option<TaskText>> {
        panic!("there is no text yet")
    }
    fn attempt_list(
        &self,
        _: TaskId,
    ) -> ReadFuture<'_, Vec<orchestrator_core::task::AttemptRecord>> {
        panic!("nobody asks for attempts")
    }
}

#[tokio::test(start_paused = true)]
async fn a_prompt_that_is_at_hand_is_not_read() {
    let follower = Follower {
        reads: Arc::new(Closed),
        ..follower(ended(tokens(&["old"])), &[])
    };
    let stream = Arc::new(TaskStream::default());
    stream.begin(AttemptId(5), 1);
    let (_set, cancelled) = watch::channel(false);
    follower
        .follow(order(0), Some("say it".to_owned()), stream, cancelled)
        .await;
    let told = follower.reporter.0.lock().unwrap().clone();
    assert!(
        matches!(told.last(), Some(AttemptReport::Finished(_))),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn chunks_are_contiguous_and_bounded_and_replayed_tokens_are_not_told_again() {
    let words: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let told = reports(
        follower(ended(tokens(&words)), &words[..10]),
        10,
        &Arc::default(),
    )
    .await;
    let mut next = 10;
    for report in &told {
        if let AttemptReport::Chunk { from, text } = report {
            assert_eq!(*from, next);
            assert!(text.tokens() <= CHUNK_TOKENS_MAX);
            next += text.tokens();
        }
    }
    assert!(
        next > 10 + CHUNK_TOKENS_MAX,
        "chunks were told before the end"
    );
    assert!(matches!(told.last(), Some(AttemptReport::Finished(it)) if it.text.tokens() == 200));
}

/// The reports of an attempt that is cancelled once it has made so many.
async fn cancelled_after(count: usize, follower: Follower<Reports>) -> Vec<AttemptReport> {
    let stream = Arc::new(TaskStream::default());
    stream.begin(AttemptId(5), 1);
    let (set, cancelled) = watch::channel(false);
    let mut follow =
        std::pin::pin!(follower.follow(order(0), None, Arc::clone(&stream), cancelled));
    let so_many = async {
        while follower.reporter.0.lock().unwrap().len() < count {
            tokio::task::yield_now().await;
            tokio::time::advance(Duration::from_millis(CHUNK_PERIOD_MS / 4)).await;
        }
    };
    tokio::select! {
        biased;
        () = &mut follow => panic!("it ended by itself: {:?}", follower.reporter.0.lock().unwrap()),
        () = so_many => {}
    }
    stream.revoke(AttemptId(5));
    set.send(true).unwrap();
    follow.await;
    follower.reporter.0.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn tokens_do_not_wait_for_a_full_chunk() {
    let told = cancelled_after(2, follower(tokens(&["old"]), &[])).await;
    assert!(
        matches!(&told[1], AttemptReport::Chunk { from: 0, text } if text.tokens() == 1),
        "{told:?}"
    );
    assert!(
        matches!(told.last(), Some(AttemptReport::Finished(it)) if it.finish == FinishReason::Cancelled && it.text.text == "old")
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_cancelled_after_a_token_tells_the_size_of_its_prompt() {
    let mut script = vec![Ok(GenerationEvent::Prompt { tokens: 11 })];
    script.extend(tokens(&["old"]));
    // The first report is that it runs, which its first token makes.
    let told = cancelled_after(1, follower(script, &[])).await;
    let Some(AttemptReport::Finished(finished)) = told.last() else {
        panic!("{told:?}")
    };
    assert_eq!(
        (finished.finish, finished.tokens_in, finished.text.tokens()),
        (FinishReason::Cancelled, 11, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn only_where_equal_bytes_are_not_promised_may_the_cache_be_reused() {
    for (determinism, cache_reuse) in [
        (Determinism::BestEffort, true),
        (Determinism::Strict, false),
    ] {
        let script = ended(tokens(&["old"]));
        let follower = follower_of(
            Scripted {
                script,
                cache_reuse,
            },
            &[],
        );
        let stream = Arc::new(TaskStream::default());
        stream.begin(AttemptId(5), 1);
        let (_set, cancelled) = watch::channel(false);
        let mut order = order(0);
        order.spec.determinism = determinism;
        follower.follow(order, None, stream, cancelled).await;
        let told = follower.reporter.0.lock().unwrap().clone();
        assert!(
            matches!(told.last(), Some(AttemptReport::Finished(_))),
            "{determinism:?}: {told:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_replay_with_another_token_fails_as_diverged() {
    let told = reports(
        follower(ended(tokens(&["new"])), &["old"]),
        1,
        &Arc::default(),
    )
    .await;
    assert!(matches!(
        told.as_slice(),
        [AttemptReport::Failed {
            fault: TaskFault::StreamDiverged,
            ..
        }]
    ));
}

#[tokio::test(start_paused = true)]
async fn a_replay_that_ends_early_fails_as_diverged() {
    let told = reports(
        follower(ended(tokens(&["old"])), &["old", " pond"]),
        2,
        &Arc::default(),
    )
    .await;
    assert!(matches!(
        told.last(),
        Some(AttemptReport::Failed {
            fault: TaskFault::StreamDiverged,
            ..
        })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_silent_engine_is_renewed_and_ends_by_its_wall_clock() {
    let told = reports(follower(vec![], &[]), 0, &Arc::default()).await;
    assert!(
        told.iter()
            .filter(|report| **report == AttemptReport::Renewed)
            .count()
            > 50
    );
    assert!(matches!(
        told.last(),
        Some(AttemptReport::Failed {
            fault: TaskFault::DecodeTimeout,
            ..
        })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_is_gone_is_a_reset() {
    let follower = follower(vec![], &[]);
    follower.replicas.remove(&ReplicaName::new("default-0"));
    let told = reports(follower, 0, &Arc::default()).await;
    assert!(matches!(
        told.as_slice(),
        [AttemptReport::Failed {
            fault: TaskFault::WorkerReset,
            ..
        }]
    ));
}

#[tokio::test(start_paused = true)]
async fn what_a_broken_attempt_released_is_told_before_its_end() {
    let mut script = tokens(&["old", " pond"]);
    script.push(Err(AdapterError::Reset("gone".to_owned())));
    let told = reports(follower(script, &[]), 0, &Arc::default()).await;
    let [
        AttemptReport::Running,
        AttemptReport::Chunk {
            from: 0,
            text: released,
        },
        AttemptReport::Failed { fault, .. },
    ] = told.as_slice()
    else {
        panic!("{told:?}")
    };
    assert_eq!(
        (released, *fault),
        (&text(&["old", " pond"]), TaskFault::WorkerReset)
    );
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_attempt_released_is_told_by_the_next() {
    let stream = Arc::new(TaskStream::default());
    stream.begin(AttemptId(4), 1);
    stream.push(AttemptId(4), 0, "old").unwrap();
    stream.push(AttemptId(4), 1, " pond").unwrap();
    let script = vec![Err(AdapterError::Reset("gone".to_owned()))];
    let told = reports(follower(script, &[]), 0, &stream).await;
    assert!(
        matches!(&told[0], AttemptReport::Chunk { from: 0, text } if text.tokens() == 2),
        "{told:?}"
    );
}
