//! A process with owner and store is killed at random points, again and again, over one data directory.
//! After each kill the data are opened and judged: nothing that was acknowledged is lost, nothing is there
//! twice, the log has no gap, every text is whole as far as it goes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio, exit};
use std::sync::mpsc;
use std::thread;

use orchestrator_core::effect::{AttemptOrder, Effect};
use orchestrator_core::id::{AttemptId, PayloadRef, TaskId, TenantId};
use orchestrator_core::input::{AttemptEnd, Report};
use orchestrator_core::machine::MachineConfig;
use orchestrator_core::queue::ClassName;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{AttemptState, FinishReason};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use store::{Commit, FeedStore, OwnerStore, ReadStore, TaskQuery};
use store_sqlite::{SqliteReader, SqliteStore};

use super::gate::stood_in_for;
use super::rig::text;
use super::things::{cancel, config, create, ready, with_places};
use crate::owner::{Dice, Notice, Outlet, OwnerHandle, OwnerLimits, SystemClock, spawn};

const KILLS: u64 = 32;
/// Set for the child, with its data directory.
const DIR_VARIABLE: &str = "ORCH_TEST_KILL_DIR";
/// Set for the child, with its seed.
const SEED_VARIABLE: &str = "ORCH_TEST_KILL_SEED";
const FEEDERS: u64 = 4;
const TOKENS: u64 = 12;

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// Says something to the parent in one write, so that a kill cuts no line.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())
        .and_then(|()| out.flush())
        .unwrap();
}

struct ToParent(mpsc::Sender<AttemptOrder>);

impl Outlet for ToParent {
    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::AttemptStart(order) => self.0.send(*order).unwrap(),
            Effect::TaskEnded { task, position, .. } => {
                say(&format!("ended {} {position}", task.0))
            }
            Effect::AttemptCancel { .. } | Effect::TaskStarted { .. } => {}
        }
    }

    fn committed(&mut self, commit: &Commit) {
        say(&format!("commit {}", commit.commit_seq));
    }

    fn notice(&mut self, notice: Notice) {
        assert!(matches!(notice, Notice::Recovered { .. }), "{notice:?}");
    }
}

/// Reports each ordered attempt as an engine would run it.
fn run_attempts(handle: &OwnerHandle, orders: &mpsc::Receiver<AttemptOrder>) {
    let tell = |report, text| wait(handle.report(report, text));
    for AttemptOrder {
        attempt, position, ..
    } in orders
    {
        tell(Report::AttemptRunning { attempt }, None);
        let mut from = position;
        while from < TOKENS {
            let to = (from + 3).min(TOKENS);
            let chunk = PayloadRef(0);
            tell(
                Report::AttemptChunk {
                    attempt,
                    from,
                    to,
                    chunk,
                },
                Some(text(from, to)),
            );
            from = to;
        }
        let end = AttemptEnd::Finished {
            finish: FinishReason::Stop,
            tokens_in: 1,
            tokens_out: TOKENS,
            decode_ms: 1,
            first_token_ms: None,
            text: PayloadRef(0),
        };
        tell(Report::AttemptEnded { attempt, end }, Some(text(0, TOKENS)));
    }
}

/// Creates tasks, cancels some, and says what was acknowledged.
fn feed(handle: &OwnerHandle, seed: u64) {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    loop {
        let id = (u128::from(chance.next_u64()) << 64) | u128::from(chance.next_u64());
        let priority = if chance.next_u32().is_multiple_of(2) {
            ClassName::BATCH
        } else {
            ClassName::INTERACTIVE
        };
        match wait(handle.command(create(id, priority), None)) {
            Ok(Reply::TaskCreated {
                record,
                replayed: false,
            }) => say(&format!("created {id} {}", record.seq.0)),
            Ok(Reply::Refused(_) | Reply::TaskRefused(_)) => {}
            other => panic!("{other:?}"),
        }
        if chance.next_u32().is_multiple_of(4)
            && let Ok(Reply::TaskCancelled(record)) = wait(handle.command(cancel(id), None))
        {
            say(&format!("ended {id} {}", record.position));
        }
    }
}

/// A pool that takes four attempts at once, with queues that fill up.
fn busy_config() -> MachineConfig {
    let mut config = with_places(config(), [30, 30]);
    config.retry.backoff_base_ms = 1;
    config.retry.backoff_cap_ms = 5;
    config.cancel_confirm_ms = 20;
    config
}

/// The process that is killed: this test binary, started again by the test below.
#[test]
#[ignore = "it is started by the_killed_owner_loses_nothing, and runs until it is killed"]
fn killed_child() {
    let (Ok(dir), Ok(seed)) = (std::env::var(DIR_VARIABLE), std::env::var(SEED_VARIABLE)) else {
        return;
    };
    let seed: u64 = seed.parse().unwrap();
    let store = SqliteStore::open(Path::new(&dir), "the process to be killed").unwrap();
    let (orders_in, orders) = mpsc::channel();
    // Every other one is also killed in the turns of who asks.
    let limits = match seed % 2 {
        0 => OwnerLimits::default(),
        _ => stood_in_for(),
    };
    let clock = SystemClock::default();
    let outlet = ToParent(orders_in);
    let owner = spawn(
        store,
        busy_config(),
        limits,
        clock,
        Dice::from_seed(seed),
        outlet,
    )
    .unwrap();
    let handle = owner.handle();
    wait(handle.report(ready(), None));
    let runner = handle.clone();
    thread::spawn(move || run_attempts(&runner, &orders));
    for feeder in 0..FEEDERS {
        let handle = handle.clone();
        thread::spawn(move || feed(&handle, seed * FEEDERS + feeder));
    }
    // A parent that is gone closes the pipe.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    exit(0);
}

fn start_child(dir: &Path, seed: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "owner::tests::kill::killed_child",
            "--ignored",
            "--nocapture",
        ])
        .env(DIR_VARIABLE, dir)
        .env(SEED_VARIABLE, seed.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// What the child said, over all kills.
#[derive(Default)]
struct Said {
    /// Accept sequence of each task that was acknowledged.
    created: BTreeMap<TaskId, u64>,
    /// Final position of each task whose end was told.
    ended: BTreeMap<TaskId, u64>,
    /// Highest commit that was let out.
    commit: u64,
}

impl Said {
    fn hear(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["commit", seq] => self.commit = seq.parse().unwrap(),
            ["created", id, seq] => {
                let before = self
                    .created
                    .insert(TaskId(id.parse().unwrap()), seq.parse().unwrap());
                assert_eq!(before, None, "acknowledged twice: {line}");
            }
            ["ended", id, position] => {
                let position = position.parse().unwrap();
                let before = self.ended.insert(TaskId(id.parse().unwrap()), position);
                assert!(
                    before.is_none_or(|before| before == position),
                    "two ends: {line}"
                );
            }
            // The test harness speaks too.
            _ => {}
        }
    }
}

/// Runs the child until it has said so many lines, kills it, and hears it out.
fn run_and_kill(dir: &Path, seed: u64, lines: u64, said: &mut Said) {
    let mut child = start_child(dir, seed);
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut heard = 0;
    for line in out.lines() {
        let line = line.unwrap();
        said.hear(&line);
        heard += u64::from(line.starts_with("commit") || line.starts_with("created"));
        if heard == lines {
            child.kill().unwrap();
        }
    }
    let status = child.wait().unwrap();
    assert!(
        heard >= lines && !status.success(),
        "seed {seed}: it ended by itself, {status}"
    );
}

fn judge(dir: &Path, said: &Said) -> String {
    let mut store = SqliteStore::open(dir, "the judge").unwrap();
    let reads = store.reader();
    let loaded = store.load().unwrap();
    assert!(
        loaded.commit_seq >= said.commit,
        "a commit that was let out is gone"
    );
    judge_log(&reads, loaded.commit_seq);
    let tasks = judge_tasks(&reads);
    for (task, seq) in &said.created {
        assert_eq!(
            tasks.get(task),
            Some(seq),
            "{task} was acknowledged and is lost"
        );
    }
    for (task, position) in &said.ended {
        let row = wait(reads.task_get(TenantId::DEFAULT, *task))
            .unwrap()
            .unwrap();
        assert!(
            row.record.state.is_final(),
            "the end of {task} was told and is lost"
        );
        assert_eq!(row.record.position, *position, "{task} ended elsewhere");
    }
    for task in &loaded.tasks {
        let kept = wait(reads.task_text(task.id)).unwrap().unwrap();
        assert_eq!(
            kept,
            text(0, task.position),
            "the chunks of {} have a gap",
            task.id
        );
    }
    format!(
        "{} tasks, {} live, {} commits",
        tasks.len(),
        loaded.tasks.len(),
        loaded.commit_seq
    )
}

fn judge_log(reads: &SqliteReader, last: u64) {
    let log = wait(reads.commit_list(0, u32::MAX)).unwrap();
    let numbers: Vec<_> = log.iter().map(|row| row.commit_seq).collect();
    assert_eq!(numbers, (1..=last).collect::<Vec<_>>(), "the log has a gap");
    assert!(
        log.is_sorted_by_key(|row| row.epoch),
        "an old term came after a new one"
    );
}

/// Every task with its accept sequence; none is there twice, and no attempt is.
fn judge_tasks(reads: &SqliteReader) -> BTreeMap<TaskId, u64> {
    let mut tasks = BTreeMap::new();
    let mut attempts: BTreeSet<AttemptId> = BTreeSet::new();
    let all = TaskQuery {
        limit: u32::MAX,
        ..TaskQuery::default()
    };
    let page = wait(reads.task_list(all)).unwrap();
    for row in page.rows {
        let record = row.record;
        assert_eq!(
            tasks.insert(record.id, record.seq.0),
            None,
            "{} is there twice",
            record.id
        );
        let history = wait(reads.attempt_list(record.id)).unwrap();
        let numbers: Vec<_> = history.iter().map(|attempt| attempt.number).collect();
        assert_eq!(
            numbers,
            (1..=record.attempts).collect::<Vec<_>>(),
            "{}",
            record.id
        );
        assert!(
            history.iter().all(|attempt| attempts.insert(attempt.id)),
            "an attempt is there twice"
        );
        let live = history
            .iter()
            .filter(|attempt| attempt.state == AttemptState::Live)
            .count();
        assert_eq!(live, usize::from(record.attempt.is_some()), "{}", record.id);
    }
    tasks
}

#[test]
fn the_killed_owner_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let seed = match std::env::var(SEED_VARIABLE) {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => ChaCha8Rng::from_os_rng().next_u64() >> 8,
    };
    println!("repeat with {SEED_VARIABLE}={seed}");
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut said = Said::default();
    for kill in 1..=KILLS {
        let lines = 1 + u64::from(chance.next_u32() % 120);
        run_and_kill(dir.path(), seed + kill, lines, &mut said);
        let found = judge(dir.path(), &said);
        println!("kill {kill} after {lines} lines: {found}");
    }
    assert!(said.created.len() as u64 > KILLS && !said.ended.is_empty());
    assert!(fs::metadata(dir.path().join("orchestrator.db")).is_ok());
}
