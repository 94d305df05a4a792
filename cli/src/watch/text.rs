//! A stream for people: the text to standard output, what happens to standard error.

use std::io;

use api_client::types::{
    FinishReason, StreamEnd, StreamMetrics, StreamStarted, TaskCreated, TaskStreamEvent,
};
use uuid::Uuid;

use crate::output::{Output, Tone, counted, printable, soon, version};

/// What was told so far.
pub(crate) struct Text {
    out: Output,
    task: Uuid,
    quiet: bool,
    /// The last byte of the text is no line feed.
    open_line: bool,
    /// The same, and no notice stands below it yet.
    cursor_in_line: bool,
    /// Replica and attempt that were told last.
    started: Option<(String, u32)>,
    queue_position: Option<u64>,
}

impl Text {
    pub(super) fn new(out: Output, task: Uuid, quiet: bool) -> Self {
        Self {
            out,
            task,
            quiet,
            open_line: false,
            cursor_in_line: false,
            started: None,
            queue_position: None,
        }
    }

    pub(super) fn created(&mut self, created: &TaskCreated, replayed: bool) {
        let TaskCreated {
            task_id,
            queue_position,
            predicted_start_ms,
            priority,
            ..
        } = created;
        self.queue_position = Some(*queue_position);
        if replayed {
            self.notice(&format!(
                "task {task_id} was accepted earlier; following it"
            ));
        } else {
            let ahead = ahead(*queue_position, Some(*predicted_start_ms));
            self.notice(&format!(
                "task {task_id} accepted into class {priority}, {ahead}"
            ));
        }
    }

    pub(super) fn event(&mut self, event: &TaskStreamEvent) -> io::Result<()> {
        match event {
            TaskStreamEvent::Started(started) => self.started(started),
            TaskStreamEvent::Token(token) => return self.token(&token.t),
            TaskStreamEvent::Metrics(metrics) => self.metrics(metrics),
            TaskStreamEvent::End(end) => {
                self.close()?;
                let summary = summary(end, self.task, self.out.terminal_err);
                self.notice(&summary);
            }
            // The problem is reported as every problem is, once the text is closed.
            TaskStreamEvent::Error(_) | TaskStreamEvent::Unknown(_) => {}
        }
        Ok(())
    }

    /// A line about what goes on. On a terminal that shows an unfinished line of the text, it goes below.
    pub(super) fn notice(&mut self, notice: &str) {
        if self.quiet {
            return;
        }
        if self.cursor_in_line && self.out.terminal && self.out.terminal_err {
            self.cursor_in_line = false;
            self.out.write_err("\n");
        }
        self.out.say(Tone::Dim, notice);
    }

    /// Ends the text's last line.
    pub(super) fn close(&mut self) -> io::Result<()> {
        if self.open_line {
            self.open_line = false;
            self.cursor_in_line = false;
            self.out.write(b"\n")?;
        }
        Ok(())
    }

    fn token(&mut self, token: &str) -> io::Result<()> {
        let Some(last) = token.as_bytes().last() else {
            return Ok(());
        };
        self.open_line = *last != b'\n';
        self.cursor_in_line = self.open_line;
        if self.out.terminal {
            self.out.write(printable(token).as_bytes())
        } else {
            self.out.write(token.as_bytes())
        }
    }

    fn started(&mut self, started: &StreamStarted) {
        let StreamStarted {
            replica,
            engine,
            engine_version,
            seed,
            attempt,
            ..
        } = started;
        // A reader that comes back before the first token is told again.
        let now = (replica.clone(), *attempt);
        if self.started.as_ref() != Some(&now) {
            self.started = Some(now);
            self.notice(&format!(
                "running on {replica} ({engine} {}), seed {seed}",
                version(engine_version)
            ));
        }
    }

    fn metrics(&mut self, metrics: &StreamMetrics) {
        match &mut self.started {
            Some((_, attempt)) if metrics.attempt > *attempt => {
                *attempt = metrics.attempt;
                self.notice(&format!(
                    "attempt {} goes on with the text",
                    metrics.attempt
                ));
            }
            None if metrics.queue_position.is_some()
                && metrics.queue_position != self.queue_position =>
            {
                self.queue_position = metrics.queue_position;
                let ahead = ahead(
                    metrics.queue_position.unwrap_or_default(),
                    metrics.predicted_start_ms,
                );
                self.notice(&format!("waiting, {ahead}"));
            }
            _ => {}
        }
    }
}

fn ahead(position: u64, start_ms: Option<u64>) -> String {
    let tasks = match position {
        0 => "next in line".to_owned(),
        more => format!("{} ahead", counted(more, "task")),
    };
    match start_ms {
        Some(ms) if ms > 0 => format!("{tasks}, starts {}", soon(ms)),
        _ => tasks,
    }
}

/// The last line. Only a person at a terminal is told a rate: it is no measurement.
fn summary(end: &StreamEnd, task: Uuid, rate: bool) -> String {
    let StreamEnd {
        tokens_in,
        tokens_out,
        decode_ms,
        finish_reason,
    } = end;
    let how = match finish_reason {
        FinishReason::Cancelled => "cancelled".to_owned(),
        reason => format!("finished ({reason})"),
    };
    // The time runs from the first token to the last, so it holds one token less.
    let rate = match tokens_out.checked_sub(1) {
        Some(after_first) if rate && after_first > 0 && *decode_ms > 0 => {
            format!(
                ", {:.1} tokens/s",
                after_first as f64 * 1000.0 / *decode_ms as f64
            )
        }
        _ => String::new(),
    };
    let read = counted(*tokens_in, "token");
    format!("{how}: {read} in, {tokens_out} out{rate}; task {task}")
}
