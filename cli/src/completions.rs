//! `orch completions`: words for the shell to complete.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::{app::Orch, context::Outcome, exit::Exit, output::Output};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The shell to write for
    shell: Shell,
}

impl Args {
    pub(crate) fn perform(self, out: &Output) -> Outcome {
        let mut script = Vec::new();
        generate(self.shell, &mut Orch::command(), "orch", &mut script);
        out.write(&script)?;
        Ok(Exit::Done)
    }
}
