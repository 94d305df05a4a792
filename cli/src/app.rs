//! The command line as a whole, and the way from it to a verb.

use std::{path::PathBuf, process::ExitCode};

use api_client::Client;
use clap::Parser;
use tokio::runtime;

use crate::{
    bulk, completions,
    context::{Context, Outcome},
    error::{self, Failure},
    key, key_source,
    output::{Format, Output},
    pools, queue, quota, refusal, run,
    server::Server,
    session, status, task, version, whoami,
};

/// Hands work to an orchestrator and shows what becomes of it
///
/// What the server answers goes to standard output, progress and errors to standard error.
#[derive(Parser)]
#[command(
    name = "orch",
    version,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Orch {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    verb: Verb,
}

const AFTER_HELP: &str = "\
Exit status:
    0  done
    1  the task failed, or somebody else cancelled it
    2  the command line, the configuration file or the server's URL is not right
    3  not known or not allowed (401, 403)
    4  there is no such thing (404, 410)
    5  a clash with what is there (409), or with what was read before
    6  the request has faults (400, 413, 415, 422)
    7  the server is out of reach, not ready, too busy (429) or failed (5xx)
    8  client and server do not understand each other, or the output cannot be written
  130  Ctrl-C

Server: --server, else ORCH_SERVER, else `server = \"URL\"` in
$XDG_CONFIG_HOME/orchestrator/orch.toml, else http://127.0.0.1:8484.

Key: the file of --key-file, else ORCH_API_KEY, else the file that `key_file = \"PATH\"` in
orch.toml names. Never an argument: those can be seen by others.

Colours are left out if NO_COLOR is set or the output is no terminal.";

const GLOBAL: &str = "Everywhere";

#[derive(clap::Args)]
struct Globals {
    /// Tables for people, or the API's own JSON: one document, or a line for each event of a stream
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table, value_name = "FORMAT", help_heading = GLOBAL)]
    output: Format,
    /// The server to talk to; ORCH_SERVER and the configuration file can name it too
    #[arg(long, global = true, value_name = "URL", help_heading = GLOBAL)]
    server: Option<String>,
    /// File that holds the key to call with; ORCH_API_KEY can hold the key itself
    #[arg(long, global = true, value_name = "FILE", help_heading = GLOBAL)]
    key_file: Option<PathBuf>,
}

#[derive(clap::Subcommand)]
enum Verb {
    #[command(flatten)]
    Remote(Remote),
    /// Write a script that makes a shell complete the words of `orch`
    Completions(completions::Args),
}

/// The verbs that talk to a server.
#[derive(clap::Subcommand)]
enum Remote {
    Run(Box<run::Args>),
    /// Hand over tasks, look at them, cancel them
    #[command(subcommand)]
    Task(task::Verb),
    /// See which tasks were turned away, and why
    #[command(subcommand)]
    Refusal(refusal::Verb),
    /// See how far commands over many tasks have come
    #[command(subcommand)]
    Bulk(bulk::Verb),
    /// Look at sessions, say what they may use, end them
    #[command(subcommand)]
    Session(session::Verb),
    /// Make keys, list them, end them
    #[command(subcommand)]
    Key(key::Verb),
    /// See and put how much tenants and keys may use
    #[command(subcommand)]
    Quota(quota::Verb),
    /// Hold queues, let them go on
    #[command(subcommand)]
    Queue(queue::Verb),
    Status(status::Args),
    Pools(pools::Args),
    Whoami(whoami::Args),
    Version(version::Args),
}

/// The whole program.
pub fn main() -> ExitCode {
    let Orch { globals, verb } = Orch::parse();
    let out = Output::new(globals.output);
    match verb {
        Verb::Completions(args) => settle(args.perform(&out), None, out),
        Verb::Remote(Remote::Run(args)) => match args.model_file(globals.server.as_deref()) {
            Some(file) => settle(on_runtime(args.perform_with(file, out)), None, out),
            None => remote(Remote::Run(args), globals, out),
        },
        Verb::Remote(verb) => remote(verb, globals, out),
    }
}

/// A verb that talks to the server that somebody named.
fn remote(verb: Remote, globals: Globals, out: Output) -> ExitCode {
    match Server::choose(globals.server) {
        Ok(server) => {
            let outcome = key_source::choose(globals.key_file.as_deref(), &server)
                .and_then(|key| server.client(key))
                .and_then(|client| perform(verb, client, server.clone(), out));
            settle(outcome, Some(&server), out)
        }
        Err(failure) => settle(Err(failure), None, out),
    }
}

/// Says what went wrong, if something did.
fn settle(outcome: Outcome, server: Option<&Server>, out: Output) -> ExitCode {
    outcome
        .unwrap_or_else(|failure| error::report(&failure, server, out))
        .into()
}

fn perform(verb: Remote, client: Client, server: Server, out: Output) -> Outcome {
    let context = Context {
        client,
        server,
        out,
    };
    on_runtime(async {
        match verb {
            Remote::Run(args) => args.perform(&context).await,
            Remote::Task(verb) => verb.perform(&context).await,
            Remote::Refusal(verb) => verb.perform(&context).await,
            Remote::Bulk(verb) => verb.perform(&context).await,
            Remote::Session(verb) => verb.perform(&context).await,
            Remote::Key(verb) => verb.perform(&context).await,
            Remote::Quota(verb) => verb.perform(&context).await,
            Remote::Queue(verb) => verb.perform(&context).await,
            Remote::Status(args) => args.perform(&context).await,
            Remote::Pools(args) => args.perform(&context).await,
            Remote::Whoami(args) => args.perform(&context).await,
            Remote::Version(args) => args.perform(&context).await,
        }
    })
}

fn on_runtime(verb: impl Future<Output = Outcome>) -> Outcome {
    // More than one thread, so that Ctrl-C is heard while standard output is stuck.
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    let outcome = runtime.block_on(verb);
    // A name that is still being looked up must not hold the program back.
    runtime.shutdown_background();
    outcome
}
