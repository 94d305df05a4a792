//! What a process prints: lines of bounded length, and the last few of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::oneshot;

/// Longer lines are cut, in bytes.
const MAX_LINE_BYTES: usize = 2_000;

/// How many of the last lines are kept.
const TAIL_LINES: usize = 20;

/// What a process prints when it accepts requests, before its URL.
const LISTENING: &str = "listening on ";

/// The last lines that a process printed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail(Arc<Mutex<VecDeque<String>>>);

impl Tail {
    fn push(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == TAIL_LINES {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    /// The lines as the end of a message.
    pub(crate) fn as_suffix(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() {
            return "; it wrote nothing to standard error".to_owned();
        }
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        format!("; the end of its standard error:\n  {}", lines.join("\n  "))
    }
}

/// Reads standard output to its end; gives the first URL that it tells.
pub(crate) async fn watch_stdout(
    process: String,
    stdout: impl AsyncRead + Unpin,
    url: oneshot::Sender<String>,
) {
    let mut url = Some(url);
    each_line(stdout, |line| {
        tracing::debug!(process, "engine: {line}");
        if let Some(told) = line.strip_prefix(LISTENING)
            && told.starts_with("http://")
            && let Some(url) = url.take()
        {
            // Nobody waits for it any more if the process was given up meanwhile.
            let _ = url.send(told.trim_end().to_owned());
        }
    })
    .await;
    // A process that closes its output without the line is not ready until it ends or is given up.
    if let Some(mut url) = url {
        url.closed().await;
    }
}

/// Reads standard error to its end; passes it on and keeps its last lines.
pub(crate) async fn watch_stderr(process: String, stderr: impl AsyncRead + Unpin, tail: Tail) {
    each_line(stderr, |line| {
        tracing::info!(process, "engine: {line}");
        tail.push(line);
    })
    .await;
}

async fn each_line(source: impl AsyncRead + Unpin, mut on_line: impl FnMut(&str)) {
    let mut source = BufReader::new(source);
    let mut line = Vec::new();
    loop {
        // An output that cannot be read has ended.
        let bytes = source.fill_buf().await.unwrap_or_default();
        if bytes.is_empty() {
            if !line.is_empty() {
                on_line(&text(&line));
            }
            return;
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let piece = &bytes[..end.unwrap_or(bytes.len())];
        let room = MAX_LINE_BYTES - line.len();
        line.extend_from_slice(&piece[..piece.len().min(room)]);
        let used = end.map_or(bytes.len(), |end| end + 1);
        source.consume(used);
        if end.is_some() {
            on_line(&text(&line));
            line.clear();
        }
    }
}

/// A line as printable text.
fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line)
        .trim_end_matches('\r')
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn lines_are_cut_cleaned_and_the_last_are_kept() {
        let long = "x".repeat(3 * MAX_LINE_BYTES);
        let mut printed = String::new();
        for i in 0..30 {
            printed.push_str(&format!("line {i}\r\n"));
        }
        printed.push_str(&format!("{long}\n\u{1b}[31mred\nno end"));
        let mut bytes = printed.into_bytes();
        bytes.push(0xff);
        let tail = Tail::default();
        watch_stderr("r0".to_owned(), &bytes[..], tail.clone()).await;
        let suffix = tail.as_suffix();
        let lines: Vec<&str> = suffix.lines().skip(1).map(str::trim_start).collect();
        assert_eq!(lines.len(), TAIL_LINES);
        assert_eq!(lines[0], "line 13");
        assert_eq!(lines[17].len(), MAX_LINE_BYTES);
        assert_eq!(&lines[18..], ["\u{fffd}[31mred", "no end\u{fffd}"]);
    }

    #[tokio::test]
    async fn the_first_url_counts() {
        let printed = "warming up\nnow listening on http://no\nlistening on port 7\nlistening on http://127.0.0.1:9\r\nlistening on http://second\n";
        let (sender, receiver) = oneshot::channel();
        watch_stdout("r0".to_owned(), printed.as_bytes(), sender).await;
        assert_eq!(receiver.await.unwrap(), "http://127.0.0.1:9");
    }
}
