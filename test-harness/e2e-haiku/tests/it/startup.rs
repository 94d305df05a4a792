//! What the daemon says when it cannot start, and that it then leaves everything as it was.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};

use test_harness_support::{Daemon, DaemonOptions, Signal, binary, signal};

use crate::world::{World, eventually, plain};

#[test]
fn a_port_that_is_in_use_is_named() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap();
    let ended = Daemon::start_refused(DaemonOptions::default().listen(address));
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    assert!(ended.said.contains(&address.to_string()), "{}", ended.said);
    assert!(!ended.said.contains("panicked"), "{}", ended.said);
}

#[tokio::test]
async fn a_second_daemon_on_the_same_data_is_told_who_holds_it() {
    let world = World::ready().await;
    let task = world.create(plain()).await.task_id;
    let options = DaemonOptions::default().data_dir(&world.daemon.data_dir());
    let ended = Daemon::start_refused(options);
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    let pid = format!("process {}", world.daemon.pid());
    for word in [pid.as_str(), world.daemon.url()] {
        assert!(ended.said.contains(word), "no {word}: {}", ended.said);
    }
    // The holder noticed nothing.
    assert_eq!(world.raw.story(&task).await.last().unwrap().name, "end");
}

#[test]
fn an_address_that_others_can_reach_is_refused_without_keys() {
    let ended = Daemon::start_refused(DaemonOptions::default().listen("0.0.0.0:0"));
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    let way_out = "make the first key with `orchestratord init`";
    assert!(ended.said.contains(way_out), "{}", ended.said);
}

#[test]
fn flags_for_the_only_pool_need_an_only_pool() {
    let config = "[[pool]]\nid = \"a\"\n[[pool]]\nid = \"b\"\n";
    let options = DaemonOptions::default()
        .config(config)
        .env("ORCH_POOL_REPLICAS", 2);
    let ended = Daemon::start_refused(options);
    assert_eq!(ended.code, Some(2), "{}", ended.said);
    assert!(ended.said.contains("ORCH_POOL_REPLICAS"), "{}", ended.said);
}

#[tokio::test]
async fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let config = "[server]\nlisten = \"127.0.0.1:1\"\n[[pool]]\nid = \"own\"\nreplicas = 1\n";
    let options = DaemonOptions::default()
        .config(config)
        .env("ORCH_LISTEN", "127.0.0.1:2")
        .env("ORCH_POOL_REPLICAS", 2);
    // The harness gives the address as a flag, and port 0 is a free one.
    let world = World::with(options);
    eventually("both replicas of the environment are there", async || {
        let health = world.client.pool_health("own").await.ok()?;
        (health.slots_total == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_model_file_that_is_not_there_is_named_by_readiness() {
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("none.gguf").display().to_string();
    let config = format!(
        "[[pool]]\nid = \"own\"\nengine = \"embedded\"\nmodel_file = {model:?}\nrestarts_max = 0\n"
    );
    let world = World::with(DaemonOptions::default().config(&config));
    let missing = eventually("the pool gives up", async || {
        let answer = world.raw.get("/readyz").await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        let fault = answer.problem()["errors"][0].clone();
        let detail = fault["detail"].as_str()?;
        detail.contains("stays down").then_some(fault)
    })
    .await;
    assert_eq!(missing["pointer"], "pool/own");
    let detail = missing["detail"].as_str().unwrap();
    assert!(detail.contains(&model), "{missing}");
    assert!(
        missing["hint"].as_str().unwrap().contains("restart"),
        "{missing}"
    );
    let health = world.client.pool_health("own").await.unwrap();
    let told = health.replicas[0].last_error.as_deref();
    assert!(told.unwrap().contains(&model), "{told:?}");
}

#[test]
fn it_prints_its_address_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = Command::new(binary("orchestratord"))
        .args(["--listen", "127.0.0.1:0", "--log", "debug", "--data-dir"])
        .arg(dir.path().join("made/if/missing"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(daemon.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let address = line
        .trim_end()
        .strip_prefix("listening on http://")
        .unwrap();
    TcpStream::connect(address).unwrap();
    signal(daemon.id(), Signal::Terminate).unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
}

/// What `orchestratord config check` says of a file.
fn check(text: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("orchestrator.toml"), text).unwrap();
    Command::new(binary("orchestratord"))
        .args(["config", "check", "orchestrator.toml"])
        .current_dir(dir.path())
        .output()
        .unwrap()
}

#[test]
fn every_fault_of_a_configuration_has_line_pointer_and_hint() {
    let text = "[server]\nlisten = \"localhost:80\"\n\n[[queue.class]]\nname = \"batch\"\ncapacity = 0\nfull_policy = \"reject\"\n";
    let output = check(text);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @r"
    orchestrator.toml:2: /server/listen: `localhost:80` is not an address with a port
      hint: write it like 127.0.0.1:8484, or with port 0 for a free one
    orchestrator.toml:6: /queue/class/0/capacity: 0 is out of range
      hint: use a value from 1 to 10000000
    ");
    let near = check("[[pool]]\nid = \"a\"\n\nreplica = 2\n");
    assert_eq!(near.status.code(), Some(2));
    let near = String::from_utf8(near.stderr).unwrap();
    assert!(
        near.starts_with("orchestrator.toml:4: /pool/0/replica: unknown field"),
        "{near}"
    );
    assert!(
        near.ends_with("  hint: did you mean `replicas`?\n"),
        "{near}"
    );
}

#[test]
fn a_configuration_without_fault_is_told_so_and_a_missing_one_is_named() {
    let output =
        check("[[queue.class]]\nname = \"batch\"\ncapacity = 5\nfull_policy = \"reject\"\n");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "orchestrator.toml: no fault found\n"
    );
    let ended = Daemon::start_refused(DaemonOptions {
        args: ["--config", "nowhere.toml"].map(str::to_owned).to_vec(),
        ..DaemonOptions::default()
    });
    assert_eq!(ended.code, Some(2), "{}", ended.said);
    assert!(ended.said.contains("nowhere.toml"), "{}", ended.said);
}
