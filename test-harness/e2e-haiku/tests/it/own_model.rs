//! `orch run` with a model file, on a machine where nothing else runs.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use test_harness_support::{Signal, binary, children_of, memory_of, signal};

use crate::world::eventually;

fn haiku_tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../models/haiku-tiny/haiku-tiny-q8_0.gguf")
        .canonicalize()
        .unwrap()
}

/// A user's machine: a home, and a folder for temporary files that nobody else uses.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("tmp")).unwrap();
        Self(home)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `orch run` with this model. What is set for other daemons must not matter.
    fn run(&self, model: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(binary("orch"));
        command
            .args(["run", "--model"])
            .arg(model)
            .args(args)
            .env_clear()
            .env("HOME", self.0.path())
            .env("TMPDIR", self.path("tmp"))
            .env("ORCH_SERVER", "http://127.0.0.1:1")
            .env("ORCH_LISTEN", "0.0.0.0:80")
            .env("ORCH_POOL_REPLICAS", "0")
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// What a run that fails says, with what differs from run to run replaced.
    fn refusal(&self, model: &Path) -> String {
        let output = self.run(model, &["Hi."]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let said = said
            .replace(self.0.path().to_str().unwrap(), "HOME")
            .replace(binary("orch-engine").to_str().unwrap(), "orch-engine");
        let masked = said
            .split_inclusive("(pid ")
            .map(|part| match part.split_once(')') {
                Some((pid, rest)) if pid.chars().all(|c| c.is_ascii_digit()) => {
                    format!("PID){rest}")
                }
                _ => part.to_owned(),
            });
        let code = output.status.code().unwrap();
        assert_eq!(output.stdout, b"", "{code}");
        format!("{}exit status {code}\n", masked.collect::<String>())
    }

    /// Nothing is left where temporary files lie.
    fn is_clean(&self) -> bool {
        fs::read_dir(self.path("tmp")).unwrap().next().is_none()
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// The line of standard error that begins so.
fn line<'a>(said: &'a str, begins: &str) -> &'a str {
    let line = said.lines().find(|line| line.starts_with(begins));
    line.unwrap_or_else(|| panic!("no line `{begins}…` in:\n{said}"))
}

#[test]
fn one_command_runs_a_file_says_how_fast_it_was_and_leaves_nothing() {
    let machine = Machine::new();
    let Output {
        status,
        stdout,
        stderr,
    } = machine
        .run(
            &haiku_tiny(),
            &["Write a haiku about rain.", "--seed", "7", "--ctx", "300"],
        )
        .output()
        .unwrap();
    let (told, said) = (text(stdout), text(stderr));
    assert!(status.success(), "{said}");
    assert!(told.lines().count() >= 3, "{told}");
    assert!(
        line(&said, "starting a daemon").contains("haiku-tiny-q8_0.gguf ("),
        "{said}"
    );
    assert!(
        line(&said, "ready after").ends_with("context 300 tokens"),
        "{said}"
    );
    assert!(
        line(&said, "this engine computes on the CPU").contains("llama.cpp"),
        "{said}"
    );
    let measured = line(&said, "measured: prompt ");
    assert!(measured.contains("; generation "), "{said}");
    assert!(measured.ends_with(" tokens/s"), "{said}");
    assert!(machine.is_clean());
}

#[test]
fn programs_get_the_events_and_quiet_people_the_text() {
    let machine = Machine::new();
    let model = haiku_tiny();
    let run = |args: &[&str]| {
        let output = machine.run(&model, args).output().unwrap();
        let said = text(output.stderr);
        assert!(output.status.success(), "{said}");
        assert_eq!(said, "");
        text(output.stdout)
    };
    let lines = run(&["Write a haiku.", "--seed", "7", "-o", "json"]);
    let events: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events[0]["event"], "created");
    assert_eq!(events.last().unwrap()["event"], "end");
    let tokens = events.iter().filter(|event| event["event"] == "token");
    let whole: String = tokens
        .map(|event| event["data"]["t"].as_str().unwrap())
        .collect();
    let quiet = run(&["Write a haiku.", "--seed", "7", "-q"]);
    assert_eq!(quiet.trim_end(), whole.trim_end());
}

/// The bytes of a file with others in the place that follows a name at a distance.
fn altered(file: &[u8], name: &str, distance: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let mut windows = file.windows(name.len());
    let at = windows.position(|window| window == name.as_bytes());
    let at = at.unwrap() + name.len() + distance;
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

/// From the end of a key to its number, which its type precedes.
const NUMBER: usize = 4;
/// From the end of a key to its text, which type and length precede.
const TEXT: usize = 4 + 8;
/// From the end of the name of a matrix to its type, which the shape precedes.
const TYPE_OF_MATRIX: usize = 4 + 2 * 8;
/// A type that llama.cpp knows.
const IQ4_XS: u8 = 23;

#[test]
fn what_cannot_be_run_is_told_in_the_engine_s_own_words() {
    let machine = Machine::new();
    let whole = fs::read(haiku_tiny()).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        fs::write(machine.path(name), bytes).unwrap();
        PathBuf::from(name)
    };
    let family = altered(&whole, "general.architecture", TEXT, b"gemma");
    let quantised = altered(&whole, "blk.0.ffn_up.weight", TYPE_OF_MATRIX, &[IQ4_XS]);
    let models = [
        write("text.gguf", b"not a model"),
        write("cut.gguf", &whole[..whole.len() - 1]),
        write("family.gguf", &family),
        write("quantised.gguf", &quantised),
        "missing.gguf".into(),
    ];
    let told = models.map(|model| machine.refusal(&model));
    insta::assert_snapshot!(told.join("\n"));
    // How much memory there is, differs from machine to machine.
    let vast = altered(&whole, "llama.context_length", NUMBER, &[0, 0, 0, 0x7f]);
    let told = machine.refusal(&write("vast.gguf", &vast));
    for word in [
        "it needs ",
        " are available; choose at most ",
        "--ctx lowers",
        "exit status 7",
    ] {
        assert!(told.contains(word), "no `{word}` in:\n{told}");
    }
    assert!(machine.is_clean());
}

#[test]
fn what_is_set_for_the_engine_s_program_is_heeded_and_told() {
    let machine = Machine::new();
    let output = machine
        .run(&haiku_tiny(), &["Hi."])
        .env("ORCH_POOL_ENGINE_BINARY", "/nowhere/orch-engine")
        .output()
        .unwrap();
    let said = text(output.stderr);
    assert_eq!(output.status.code(), Some(7), "{said}");
    for word in [
        "it ended: exit status: 1; its last words:",
        "/nowhere/orch-engine",
    ] {
        assert!(said.contains(word), "no `{word}` in:\n{said}");
    }
    assert!(machine.is_clean());
}

#[test]
fn orch_alone_says_how_to_get_the_daemon() {
    let machine = Machine::new();
    let alone = machine.path("orch");
    fs::copy(binary("orch"), &alone).unwrap();
    let output = Command::new(alone)
        .args(["run", "Hi.", "--model"])
        .arg(haiku_tiny())
        .env_clear()
        .env("PATH", machine.path("tmp"))
        .output()
        .unwrap();
    let said = text(output.stderr).replace(machine.0.path().to_str().unwrap(), "HOME");
    insta::assert_snapshot!(format!(
        "{said}exit status {}",
        output.status.code().unwrap()
    ));
}

/// A run that has begun to tell a long text.
struct UnderWay {
    orch: Child,
    /// Daemon and engine.
    below: [u32; 2],
}

impl UnderWay {
    fn begin(machine: &Machine) -> Self {
        let whole = fs::read(haiku_tiny()).unwrap();
        let long = 20_000_u32.to_le_bytes();
        let model = machine.path("long.gguf");
        fs::write(
            &model,
            altered(&whole, "llama.context_length", NUMBER, &long),
        )
        .unwrap();
        let args = ["Hi.", "--ignore-eos", "--max-tokens", "19000"];
        let mut orch = machine.run(&model, &args).spawn().unwrap();
        let mut first = [0];
        let begun = orch.stdout.as_mut().unwrap().read_exact(&mut first);
        if begun.is_err() {
            panic!("{}", text(orch.wait_with_output().unwrap().stderr));
        }
        let [daemon] = children_of(orch.id()).unwrap()[..] else {
            panic!("orch has another number of children");
        };
        let [engine] = children_of(daemon).unwrap()[..] else {
            panic!("the daemon has another number of engines");
        };
        let below = [daemon, engine];
        Self { orch, below }
    }

    /// Waits for the end of orch.
    fn ended(self) -> (Option<i32>, String, [u32; 2]) {
        let output = self.orch.wait_with_output().unwrap();
        (output.status.code(), text(output.stderr), self.below)
    }
}

fn are_gone(processes: [u32; 2]) -> bool {
    processes.into_iter().all(|pid| memory_of(pid).is_err())
}

#[tokio::test]
async fn if_orch_is_killed_neither_daemon_nor_engine_nor_data_is_left() {
    let machine = Machine::new();
    let run = UnderWay::begin(&machine);
    assert!(!machine.is_clean(), "the store is elsewhere");
    signal(run.orch.id(), Signal::Kill).unwrap();
    let (code, _, below) = run.ended();
    assert_eq!(code, None);
    eventually("daemon and engine are gone", async || {
        are_gone(below).then_some(())
    })
    .await;
    assert!(machine.is_clean());
}

#[test]
fn ctrl_c_cancels_the_task_and_ends_what_was_started() {
    let machine = Machine::new();
    let run = UnderWay::begin(&machine);
    signal(run.orch.id(), Signal::Interrupt).unwrap();
    let (code, said, below) = run.ended();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("\ncancelled: "), "{said}");
    assert!(are_gone(below) && machine.is_clean());
}

#[test]
fn a_reader_that_has_seen_enough_ends_it() {
    let machine = Machine::new();
    let mut run = UnderWay::begin(&machine);
    drop(run.orch.stdout.take());
    let (code, said, below) = run.ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(are_gone(below) && machine.is_clean());
}

#[test]
fn a_daemon_that_is_killed_is_told() {
    let machine = Machine::new();
    let run = UnderWay::begin(&machine);
    signal(run.below[0], Signal::Kill).unwrap();
    let (code, said, _) = run.ended();
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains("it ended: signal: 9 (SIGKILL)"), "{said}");
}
