//! A store that does not take what it is given while the daemon runs: nothing accepted is lost, nothing is
//! acknowledged that is not durable, and when the trouble is over so is its effect.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use api_client::types::TaskState;
use rusqlite::Connection;
use serde_json::{Value, json};
use test_harness_support::{DaemonOptions, Ration, ration};
use uuid::Uuid;

use crate::raw::{Answer, send, text_of, tokens_of, told};
use crate::shell::Shell;
use crate::world::{World, eventually, exactly, throttle, with};

/// Tokens of the text that runs into the trouble.
const TOKENS: u32 = 60;

/// A disk that can be full.
trait Disk {
    fn fill(&self, world: &World);
    fn free(&self, world: &World);
}

/// Files may not grow, by the rule of the operating system; it takes no privileges.
struct Rationed;

impl Disk for Rationed {
    fn fill(&self, world: &World) {
        let log = world.daemon.data_dir().join("orchestrator.db-wal");
        let bytes = fs::metadata(log).unwrap().len();
        ration(world.daemon.pid(), Ration::FileBytes, Some(bytes)).unwrap();
    }

    fn free(&self, world: &World) {
        ration(world.daemon.pid(), Ration::FileBytes, None).unwrap();
    }
}

/// A file system of the daemon's own in memory, which is small.
struct Small {
    dir: PathBuf,
}

impl Small {
    /// Where it is seen from outside the daemon.
    fn seen(&self, world: &World) -> PathBuf {
        let dir = self.dir.strip_prefix("/").unwrap();
        Path::new("/proc")
            .join(world.daemon.pid().to_string())
            .join("root")
            .join(dir)
    }
}

impl Disk for Small {
    fn fill(&self, world: &World) {
        let mut filler = File::create(self.seen(world).join("filler")).unwrap();
        let full = loop {
            if let Err(error) = filler.write_all(&[0; 512]) {
                break error;
            }
        };
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull, "{full}");
    }

    fn free(&self, world: &World) {
        fs::remove_file(self.seen(world).join("filler")).unwrap();
    }
}

/// What the daemon says of its store when asked whether it is ready.
async fn trouble(world: &World) -> Option<Value> {
    let answer = world.raw.get("/readyz").await;
    if answer.status == 200 {
        return None;
    }
    let faults = answer.problem()["errors"].as_array().cloned().unwrap();
    faults.into_iter().find(|fault| fault["pointer"] == "store")
}

/// Checks that an answer is the one of a store in trouble, which may be asked again.
fn assert_unavailable(answer: &Answer, id: &Uuid) {
    let problem = answer.problem();
    assert_eq!(
        (answer.status, &problem["code"]),
        (503, &json!("STORE_UNAVAILABLE")),
        "{problem}"
    );
    assert_eq!(problem["task_id"], id.to_string(), "{problem}");
    assert_eq!(problem["retriable"], true, "{problem}");
    assert!(answer.header("retry-after").is_some(), "{problem}");
}

async fn survives_a_full_disk(world: &World, disk: &impl Disk) {
    let body = exactly(TOKENS, 21);
    let whole = world.create(body.clone()).await.task_id;
    let whole = text_of(&world.raw.story(&whole).await);
    let running = world.create(body).await.task_id;
    let waiting = world.create(exactly(3, 22)).await.task_id;
    let mut reader = world.raw.open(&running, None).await;
    let mut story = reader.up_to_token(5).await;
    disk.fill(world);

    // Nobody is told that a task is accepted which is not durable.
    let refused = Uuid::new_v4();
    let refused_body = with(exactly(2, 23), "task_id", refused.to_string());
    assert_unavailable(&world.raw.create(&refused_body).await, &refused);
    let trouble_told = trouble(world).await.expect("readiness tells of it");
    let hint = trouble_told["hint"].as_str().unwrap();
    assert!(hint.contains("disk"), "{trouble_told}");
    assert_eq!(world.raw.get("/healthz").await.status, 200);
    // What is durable can be read.
    assert_eq!(
        world.raw.get(&format!("/v1/tasks/{waiting}")).await.status,
        200
    );
    // A cancel that cannot be kept is not acknowledged either.
    assert_unavailable(&world.raw.cancel(&waiting).await, &waiting);
    // The harder the daemon is asked, the same it says.
    assert_unavailable(&world.raw.create(&refused_body).await, &refused);

    disk.free(world);
    eventually("the trouble is over by itself", async || {
        trouble(world).await.is_none().then_some(())
    })
    .await;
    let created = eventually("tasks are accepted again", async || {
        let answer = world.raw.create(&refused_body).await;
        (answer.status == 202).then_some(answer)
    })
    .await;
    assert_eq!(created.json()["task_id"], refused.to_string());
    for id in [running, waiting, refused] {
        world.until_state(&id, TaskState::Completed).await;
    }
    // The reader was there all along, or came back, and has one text without seam.
    story.extend(reader.rest().await);
    let tokens = tokens_of(&told(&story));
    assert_eq!(text_of(&tokens), whole);
    assert_eq!(tokens.len(), TOKENS as usize);
    assert_eq!(story.last().unwrap().name, "end");
    assert_eq!(told(&world.raw.story(&running).await), told(&story));
    world.until_idle("default").await;
}

#[tokio::test]
async fn a_file_that_may_not_grow_costs_time_and_nothing_else() {
    let mut world = World::throttled(100.0).await;
    survives_a_full_disk(&world, &Rationed).await;
    // What came of it is durable.
    let before = world.raw.get("/v1/tasks").await.json();
    world.daemon.kill();
    world.restart().await;
    assert_eq!(world.raw.get("/v1/tasks").await.json(), before);
}

#[tokio::test]
async fn a_disk_that_is_full_costs_time_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let own = "unshare --mount sh -c";
    let mounting = format!("mount -t tmpfs -o size=2m tmpfs '{}'", dir.path().display());
    let possible = Command::new("sh")
        .args(["-c", &format!("{own} \"{mounting}\"")])
        .output()
        .unwrap();
    if !possible.status.success() {
        let why = String::from_utf8_lossy(&possible.stderr);
        eprintln!(
            "skipped: no file system can be mounted here: {}",
            why.trim()
        );
        return;
    }
    let shell = Shell::new(&format!(
        "exec {own} \"{mounting} && exec \\\"\\$0\\\" \\\"\\$@\\\"\""
    ));
    let options = throttle(100.0)
        .program(&shell.program())
        .data_dir(dir.path());
    let world = World::ready_with(options).await;
    survives_a_full_disk(
        &world,
        &Small {
            dir: dir.path().to_owned(),
        },
    )
    .await;
    assert!(
        world.daemon.log().contains("full"),
        "{}",
        world.daemon.log()
    );
}

#[tokio::test]
async fn a_store_that_another_program_has_locked_is_waited_for() {
    let world = World::ready().await;
    let other = Connection::open(world.daemon.data_dir().join("orchestrator.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let id = Uuid::new_v4();
    let body = with(exactly(2, 1), "task_id", id.to_string());
    let creating = send(world.raw.request("POST", "/v1/tasks").json(&body));
    let unlocking = async {
        let told = eventually("readiness tells of it", async || trouble(&world).await).await;
        assert!(
            told["detail"].as_str().unwrap().contains("locked"),
            "{told}"
        );
        // Nobody else is told of a task that is not durable yet.
        assert_eq!(world.raw.get(&format!("/v1/tasks/{id}")).await.status, 404);
        other.execute_batch("ROLLBACK").unwrap();
    };
    let (created, ()) = tokio::join!(creating, unlocking);
    assert_eq!(created.status, 202, "{}", created.text());
    world.until_state(&id, TaskState::Completed).await;
    assert_eq!(trouble(&world).await, None);
}

#[tokio::test]
async fn a_log_that_takes_nothing_costs_nothing_but_the_log() {
    let shell = Shell::new("exec 2>/dev/full; exec");
    let options = DaemonOptions::default()
        .program(&shell.program())
        .env("ORCH_LOG", "debug");
    let mut world = World::ready_with(options).await;
    let task = world.create(exactly(3, 1)).await.task_id;
    assert_eq!(world.raw.story(&task).await.last().unwrap().name, "end");
    assert_eq!(world.daemon.terminate().code(), Some(0));
}
