//! A reader of one stream, over all its connections.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api_client::support::{Decoder, RawEvent};
use api_client::types::TaskStreamEvent;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use test_harness_history::{
    ClosedBy, Event, Frame, Place, ReadFrom, ReaderEvent, ReaderId, TaskId,
};
use tokio::time::{sleep, timeout};

use super::asker::DAEMON;
use super::words;
use crate::point::Point;
use crate::recorder::Recorder;

/// Longest silence of a stream before the reader leaves and comes back.
const SILENCE_MAX: Duration = Duration::from_secs(4);
/// How long a reader listens for what must not come after the end.
const AFTER_END: Duration = Duration::from_secs(2);

/// How fast a reader reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Pause after each piece.
    pub(crate) pause_ms: u64,
    /// It leaves by itself after so many tokens of a connection.
    pub(crate) leave_after: Option<u64>,
}

/// How a connection came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The connection broke, or could not be made.
    Broken,
    /// The reader has everything.
    Ended,
    /// The reader left.
    Left,
    /// The daemon does not let it in.
    Refused,
    /// Nothing came for so long that the reader left.
    Silent,
}

/// One reader.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) reader: ReaderId,
    pub(crate) task: TaskId,
    /// Tokens that the text has if nothing goes wrong.
    pub(crate) tokens: u64,
    last: Option<Place>,
    /// True once it was told of the end.
    pub(crate) ended: bool,
}

/// Every reader that has begun, so that whoever was killed in the middle can be continued by another.
#[derive(Default)]
pub(crate) struct Readings(Mutex<BTreeMap<ReaderId, Reading>>);

impl Readings {
    fn all(&self) -> MutexGuard<'_, BTreeMap<ReaderId, Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Readers that have not been told of the end.
    pub(crate) fn unfinished(&self) -> Vec<Reading> {
        let all = self.all();
        all.values().filter(|it| !it.ended).cloned().collect()
    }
}

impl Reading {
    /// Somebody who has read nothing yet.
    pub(crate) fn new(recorder: &Recorder, task: TaskId, tokens: u64) -> Self {
        Self {
            reader: recorder.next_reader(),
            task,
            tokens,
            last: None,
            ended: false,
        }
    }

    /// Reads one connection to its end, from where the reader stands.
    pub(crate) async fn connect(&mut self, at: &Source, pace: Pace) -> Way {
        let mut connection = Connection::open(self, at);
        let request = at
            .http
            .get(format!("{}/v1/tasks/{}/stream", at.url, self.task));
        let request = match self.last {
            None => request,
            Some(place) => request.header("last-event-id", place.to_string()),
        };
        let response = match timeout(SILENCE_MAX, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => return connection.over(ClosedBy::Fault, Way::Broken),
            Err(_) => return connection.over(ClosedBy::Client, Way::Broken),
        };
        match response.status() {
            StatusCode::OK => {
                let way = self.frames(&mut connection, response, pace).await;
                at.readings.all().insert(self.reader, self.clone());
                way
            }
            StatusCode::NO_CONTENT => {
                connection.tell(ReaderEvent::NothingMore);
                self.ended = true;
                at.readings.all().insert(self.reader, self.clone());
                connection.over(ClosedBy::Server, Way::Ended)
            }
            status => {
                let body: Value = response.json().await.unwrap_or_default();
                let code = body["code"].as_str().unwrap_or("").to_owned();
                if status == StatusCode::INTERNAL_SERVER_ERROR || code.is_empty() {
                    at.recorder.odd(format!(
                        "the stream of {} was answered with {status}: {body}",
                        self.task
                    ));
                }
                connection.tell(ReaderEvent::Refused { code });
                connection.over(ClosedBy::Server, Way::Refused)
            }
        }
    }

    async fn frames(&mut self, to: &mut Connection<'_>, mut response: Response, pace: Pace) -> Way {
        let mut decoder = Decoder::default();
        let mut tokens = 0;
        let mut overdue = None;
        loop {
            while let Some(event) = decoder.next_event() {
                let before = self.last;
                self.event(to, &event);
                to.at.readings.all().insert(self.reader, self.clone());
                tokens += u64::from(before != self.last);
                if !self.ended && pace.leave_after.is_some_and(|most| tokens >= most) {
                    return to.over(ClosedBy::Client, Way::Left);
                }
            }
            let patience = if self.ended { AFTER_END } else { SILENCE_MAX };
            let way = if self.ended { Way::Ended } else { Way::Broken };
            match timeout(patience, response.chunk()).await {
                Ok(Ok(Some(piece))) => {
                    if decoder.push(&piece).is_err() {
                        to.at
                            .recorder
                            .odd(format!("a frame of {} has no end", self.task));
                        return to.over(ClosedBy::Client, way);
                    }
                }
                Ok(Ok(None)) => return to.over(ClosedBy::Server, way),
                Ok(Err(_)) => return to.over(ClosedBy::Fault, way),
                Err(_) if self.ended => return to.over(ClosedBy::Client, way),
                Err(_) => match self.silent(to.at, overdue).await {
                    Some(since) => overdue = Some(since),
                    None => return to.over(ClosedBy::Client, Way::Silent),
                },
            }
            if pace.pause_ms > 0 {
                sleep(Duration::from_millis(pace.pause_ms)).await;
            }
        }
    }

    /// The stream is silent. If the task has ended, the reader stays for another while, and is then owed its
    /// end: whoever comes back would be told, so a reader that was forgotten is only seen by staying. Returns
    /// the faults so far, as long as it is worth staying.
    async fn silent(&self, at: &Source, overdue: Option<u64>) -> Option<u64> {
        let faults = at.recorder.faults();
        if overdue == Some(faults) {
            let Self { reader, task, .. } = self;
            at.recorder.odd(format!(
                "reader {reader} was forgotten: {task} has ended, and its stream is silent"
            ));
            return None;
        }
        let look = at.http.get(format!("{}/v1/tasks/{}", at.url, self.task));
        let look = timeout(SILENCE_MAX, async {
            look.send().await?.json::<Value>().await
        });
        let task = look.await.ok()?.ok()?;
        let ended = ["cancelled", "completed", "failed"];
        let state = task["state"].as_str()?;
        ended.contains(&state).then_some(faults)
    }

    /// Takes one event.
    fn event(&mut self, to: &Connection<'_>, event: &RawEvent) {
        let read = <TaskStreamEvent as api_client::types::support::Event>::read;
        let read = read(&event.name, &event.data).map_err(|error| error.to_string());
        let frame = read.and_then(|read| words::frame(&read, event.id.as_deref()));
        let frame = match frame {
            Ok(Some(frame)) => frame,
            Ok(None) => return,
            Err(odd) => {
                let task = self.task;
                return to
                    .at
                    .recorder
                    .odd(format!("a frame of {task}: {odd}: {event:?}"));
            }
        };
        let point = match &frame {
            Frame::Started { .. } => Some(Point::Started),
            Frame::Token { index: 0, .. } => Some(Point::FirstToken),
            Frame::Token { index, .. } if index + 1 == self.tokens => Some(Point::LastToken),
            Frame::Token { .. } => Some(Point::MidStream),
            Frame::End { .. } | Frame::Error { .. } => Some(Point::Ended),
            Frame::Metrics { .. } => None,
        };
        match &frame {
            Frame::Token { place, .. } | Frame::End { place, .. } => self.last = Some(*place),
            Frame::Error { place, .. } => self.last = place.or(self.last),
            _ => {}
        }
        self.ended |= frame.is_terminal();
        to.tell(ReaderEvent::Frame(frame));
        if let Some(point) = point {
            to.at.recorder.passed(point);
        }
    }
}

/// Where streams are read from.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) readings: Arc<Readings>,
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
}

/// One connection. Whoever is killed in the middle leaves it closed all the same.
struct Connection<'a> {
    at: &'a Source,
    reader: ReaderId,
    open: bool,
}

impl<'a> Connection<'a> {
    fn open(of: &Reading, at: &'a Source) -> Self {
        let connection = Self {
            at,
            reader: of.reader,
            open: true,
        };
        at.readings.all().insert(of.reader, of.clone());
        connection.tell(ReaderEvent::Opened {
            task: of.task,
            from: of.last.map_or(ReadFrom::Start, ReadFrom::After),
            daemon: DAEMON,
        });
        connection
    }

    fn tell(&self, event: ReaderEvent) {
        self.at.recorder.see(Event::Reader {
            reader: self.reader,
            event,
        });
    }

    fn over(&mut self, by: ClosedBy, way: Way) -> Way {
        self.open = false;
        self.tell(ReaderEvent::Closed(by));
        way
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        if self.open {
            self.tell(ReaderEvent::Closed(ClosedBy::Client));
        }
    }
}
