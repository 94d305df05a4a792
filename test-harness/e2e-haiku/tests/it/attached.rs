//! An engine that somebody else runs goes away and comes back: what waits for it waits, and nothing fails.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use api_client::types::TaskState;
use test_harness_support::{DaemonOptions, binary};

use crate::raw::text_of;
use crate::world::{World, eventually, exactly};

/// A server in the dialect of llama.cpp that no daemon supervises.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts it on a port; 0 takes a free one.
    fn start(port: u16, tokens_per_second: u32) -> Self {
        let mut child = Command::new(binary("orch-engine"))
            .args(["--port", &port.to_string()])
            .args(["--max-tokens-per-second", &tokens_per_second.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line.trim().rsplit(':').next().unwrap().parse();
        Self {
            child,
            port: port.unwrap_or_else(|_| panic!("the engine said {line:?}")),
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[tokio::test]
async fn an_engine_that_goes_and_comes_back_costs_the_queue_nothing() {
    let mut server = Server::start(0, 40);
    let config = format!(
        "[[pool]]\nid = \"far\"\nengine = \"llamacpp\"\nmodel_ref = \"tiny\"\nurls = [\"http://127.0.0.1:{}\"]\n",
        server.port
    );
    let world = World::ready_with(DaemonOptions::default().config(&config)).await;
    let running = world.create(exactly(60, 9)).await.task_id;
    let waiting = [
        world.create(exactly(60, 9)).await.task_id,
        world.create(exactly(60, 10)).await.task_id,
        world.create(exactly(60, 11)).await.task_id,
    ];
    world.raw.open(&running, None).await.up_to_token(5).await;
    server.kill();
    eventually("the loss is noticed", async || {
        let health = world.client.pool_health("far").await.unwrap();
        (!health.ready).then_some(())
    })
    .await;

    let _back = Server::start(server.port, 2_000);
    for task in [running].iter().chain(&waiting) {
        world.until_state(task, TaskState::Completed).await;
    }
    // The interrupted text is the one that an uninterrupted task with its seed has.
    let (cut, whole) = (
        world.raw.story(&running).await,
        world.raw.story(&waiting[0]).await,
    );
    assert_eq!(text_of(&cut), text_of(&whole));
}
