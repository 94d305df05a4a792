//! The `orch-engine` binary: options in, one engine, an exit code out.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use orch_engine::{
    Engine, EngineError, Options, Settings, settle_library_environment, shutdown_requested,
};

fn main() -> ExitCode {
    let options = Options::parse();
    let settings = options.settings().unwrap_or_else(|error| error.exit());
    // SAFETY: nothing has started a thread yet.
    #[allow(unsafe_code)]
    unsafe {
        settle_library_environment(options.threads);
    }
    match start(settings, options.exit_on_stdin_eof) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("orch-engine: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(settings: Settings, exit_on_stdin_eof: bool) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .build()?;
    let outcome = runtime.block_on(run(settings, exit_on_stdin_eof));
    // A tokenizer at work would hold up the end otherwise.
    runtime.shutdown_background();
    Ok(outcome?)
}

async fn run(settings: Settings, exit_on_stdin_eof: bool) -> Result<(), EngineError> {
    let shutdown = shutdown_requested(exit_on_stdin_eof)
        .map_err(|error| EngineError::Thread(error.to_string()))?;
    let engine = Engine::bind(settings).await?;
    // Whoever started this reads the line; if nobody does, the engine serves all the same.
    let mut stdout = std::io::stdout().lock();
    _ = writeln!(stdout, "listening on http://{}", engine.local_addr());
    _ = stdout.flush();
    drop(stdout);
    engine.serve(shutdown).await
}
