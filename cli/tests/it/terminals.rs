//! What only a terminal gets: colours, a rate, and no control characters.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    process::Stdio,
};

use api_client::types::FinishReason;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::{
    fixtures::{TASK, end, started, token},
    orch::Orch,
    script::Script,
    server::Server,
};

/// Runs the program on a terminal, and gives what it showed and its exit status.
async fn on_terminal(orch: &Orch, args: &[&str]) -> (String, Option<i32>) {
    let mut ours = File::from(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap());
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let path = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let theirs = || Stdio::from(File::options().read(true).write(true).open(&path).unwrap());
    let mut command = orch.command(args);
    let mut child = command
        .stdin(theirs())
        .stdout(theirs())
        .stderr(theirs())
        .spawn()
        .unwrap();
    // Ours are closed, so that the end of the child is the end of the terminal.
    drop(command);
    let reading = tokio::task::spawn_blocking(move || {
        let mut shown = Vec::new();
        let mut piece = [0; 4096];
        loop {
            match ours.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => shown.extend_from_slice(&piece[..count]),
                // This is how Linux says that the other side is closed.
                Err(error)
                    if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) =>
                {
                    break;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("{error}"),
            }
        }
        String::from_utf8(shown).unwrap()
    });
    let status = child.wait().await.unwrap();
    // The terminal turns line feeds into both characters.
    (reading.await.unwrap().replace("\r\n", "\n"), status.code())
}

fn coloured(url: &str) -> Orch {
    Orch::at(url).env("TERM", "xterm-256color")
}

#[tokio::test]
async fn colours_are_for_terminals_and_no_color_turns_them_off() {
    let server = Server::start(Script::default()).await;
    let args = ["task", "get", &TASK.to_string()];
    let (shown, code) = on_terminal(&coloured(&server.url), &args).await;
    assert_eq!(code, Some(0));
    assert!(shown.contains("\x1b[33mrunning\x1b[0m"), "{shown:?}");
    for plain in [
        coloured(&server.url).env("NO_COLOR", "1"),
        Orch::at(&server.url).env("TERM", "dumb"),
    ] {
        let (shown, _) = on_terminal(&plain, &args).await;
        assert!(
            shown.contains("running") && !shown.contains('\x1b'),
            "{shown:?}"
        );
    }
    let piped = coloured(&server.url).run(&args).await;
    assert!(
        piped.stdout.contains("running") && !piped.stdout.contains('\x1b'),
        "{piped:?}"
    );
}

#[tokio::test]
async fn a_terminal_gets_a_rate_and_nothing_to_obey() {
    let steps = vec![
        started(),
        token(0, "rain\x1b[2J"),
        token(1, "\tfalls"),
        end(FinishReason::Stop),
    ];
    let server = Server::start(Script::streaming(steps.clone())).await;
    let orch = Orch::at(&server.url).env("NO_COLOR", "1");
    let args = ["run", "Hi.", "--task-id", &TASK.to_string()];
    let (shown, code) = on_terminal(&orch, &args).await;
    assert_eq!(code, Some(0));
    insta::assert_snapshot!(shown);
    let server = Server::start(Script::streaming(steps)).await;
    let piped = Orch::at(&server.url).run(&args).await;
    assert_eq!(
        piped.stdout, "rain\x1b[2J\tfalls\n",
        "a pipe gets what the model wrote"
    );
    assert!(!piped.stderr.contains("tokens/s"), "{piped:?}");
}

#[tokio::test]
async fn without_a_prompt_a_terminal_is_not_waited_for() {
    let server = Server::start(Script::default()).await;
    let orch = Orch::at(&server.url).env("NO_COLOR", "1");
    let (shown, code) = on_terminal(&orch, &["run"]).await;
    assert_eq!(code, Some(2));
    insta::assert_snapshot!(shown);
    assert!(server.calls().is_empty());
}
