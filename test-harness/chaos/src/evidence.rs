//! What is left behind where something is broken.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use test_harness_history::{Judge, Observation, Violation, story_of};
use thiserror::Error;

use crate::round::RoundPlan;
use crate::strike::Strike;

/// Most tasks whose story is told apart.
const STORIES_MOST: usize = 20;

/// Writes everything into the daemon's own directory, where its log and its data lie already, and moves that to
/// where it is wanted.
pub(crate) fn keep_evidence(
    daemon: PathBuf,
    history: &[Observation],
    strikes: &[Strike],
    violations: &[Violation],
    broken: &[String],
    plan: &RoundPlan,
) -> io::Result<PathBuf> {
    let mut lines = String::new();
    for seen in history {
        let line = serde_json::to_string(seen).map_err(io::Error::other)?;
        lines.push_str(&line);
        lines.push('\n');
    }
    fs::write(daemon.join("history.jsonl"), lines)?;
    let mut text = format!("seed {}, at least {} kills\n\n", plan.seed, plan.kills);
    for strike in strikes {
        // A string takes everything.
        let _infallible = writeln!(text, "{} ms later: {strike}", strike.after_ms);
    }
    fs::write(daemon.join("schedule.txt"), text)?;
    fs::write(daemon.join("broken.txt"), broken.join("\n") + "\n")?;
    for task in violations
        .iter()
        .filter_map(|it| it.task)
        .take(STORIES_MOST)
    {
        let story = story_of(task, history);
        let lines: Vec<String> = story.iter().map(ToString::to_string).collect();
        fs::write(
            daemon.join(format!("story-{task}.txt")),
            lines.join("\n") + "\n",
        )?;
    }
    let Some(folder) = &plan.evidence else {
        return Ok(daemon);
    };
    fs::create_dir_all(folder)?;
    let kept = folder.join(format!("chaos-seed-{}", plan.seed));
    match fs::rename(&daemon, &kept) {
        Ok(()) => Ok(kept),
        // Another file system, or one of that name: it stays where it is.
        Err(_) => Ok(daemon),
    }
}

/// Why a kept history cannot be judged.
#[derive(Debug, Error)]
pub enum UnreadableHistory {
    /// It cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A line is no observation.
    #[error("{}, line {line}: {source}", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// Judges a history that was kept, such as after a checker has changed.
///
/// # Errors
/// If it cannot be read.
pub fn judge_kept(path: &Path) -> Result<Vec<Violation>, UnreadableHistory> {
    let text = fs::read_to_string(path).map_err(|source| UnreadableHistory::Io {
        path: path.to_owned(),
        source,
    })?;
    let observations = text.lines().zip(1..).map(|(line, number)| {
        serde_json::from_str(line).map_err(|source| UnreadableHistory::Line {
            path: path.to_owned(),
            line: number,
            source,
        })
    });
    let history: Vec<Observation> = observations.collect::<Result<_, _>>()?;
    Ok(Judge::whole(&history))
}
