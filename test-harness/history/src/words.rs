//! A history in words, for a person who looks for what went wrong.

use std::collections::BTreeSet;
use std::fmt;

use crate::conversation::{Answer, Applied, Ask};
use crate::frame::{ClosedBy, Frame, ReadFrom, ReaderEvent};
use crate::id::{ReaderId, RequestId, TaskId};
use crate::observation::{Event, Observation, Phase};
use crate::standing::{Outcome, Record};
use crate::world::{GenerationEvent, LinkEvent, ProcessEvent};

/// What a history holds of one task: what was asked and answered about it, what its readers saw, what engines
/// were asked for it, and everything that happened to processes and links meanwhile.
pub fn story_of<'h>(task: TaskId, history: &'h [Observation]) -> Vec<&'h Observation> {
    let accepted = |seen: &Observation| match &seen.event {
        Event::Answered {
            request,
            answer: Answer::Accepted { task: made, .. },
        } if *made == task => Some(*request),
        _ => None,
    };
    let mut requests: BTreeSet<RequestId> = history.iter().filter_map(accepted).collect();
    let mut readers: BTreeSet<ReaderId> = BTreeSet::new();
    let mut generations = BTreeSet::new();
    let mut concerns = |seen: &&'h Observation| match &seen.event {
        Event::Asked { request, ask, .. } => {
            if about(ask) == Some(task) {
                requests.insert(*request);
            }
            requests.contains(request)
        }
        Event::Answered { request, .. } => requests.contains(request),
        Event::Generation { generation, event } => {
            if matches!(event, GenerationEvent::Begun { task: Some(of), .. } if *of == task) {
                generations.insert(*generation);
            }
            generations.contains(generation)
        }
        Event::Reader { reader, event } => {
            if let ReaderEvent::Opened { task: read, .. } = event {
                match *read == task {
                    true => readers.insert(*reader),
                    false => readers.remove(reader),
                };
            }
            readers.contains(reader)
        }
        Event::TextChanged { task: changed } => *changed == task,
        Event::Link { .. } | Event::Phase(_) | Event::Process { .. } => true,
    };
    history.iter().filter(|seen| concerns(seen)).collect()
}

fn about(ask: &Ask) -> Option<TaskId> {
    match ask {
        Ask::Cancel { task } | Ask::Record { task } | Ask::Result { task } => Some(*task),
        Ask::Submit { own, .. } => *own,
        Ask::Census { .. } | Ask::Meter => None,
    }
}

impl fmt::Display for Observation {
    /// One line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8} ms  {}", self.at_ms, self.event)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { request, answer } => write!(f, "question {request}: {answer}"),
            Self::Asked {
                request,
                client,
                daemon,
                ask,
            } => write!(
                f,
                "question {request} of client {client} to daemon {daemon}: {ask}"
            ),
            Self::Generation { generation, event } => write!(f, "generation {generation} {event}"),
            Self::Link { from, to, event } => {
                let event = match event {
                    LinkEvent::Cut => "is cut",
                    LinkEvent::HalfClosed => "is half-closed",
                    LinkEvent::Restored => "works again",
                    LinkEvent::Stalled => "stalls",
                };
                write!(f, "the link from {from} to {to} {event}")
            }
            Self::Phase(phase) => f.write_str(match phase {
                Phase::Chaos => "CHAOS begins",
                Phase::Healed => "HEALED: everything works from now on",
                Phase::Over => "OVER: everything must be at rest",
            }),
            Self::Process { process, event } => {
                let event = match event {
                    ProcessEvent::Ended => "has ended",
                    ProcessEvent::Killed => "is KILLED",
                    ProcessEvent::Paused => "stands still",
                    ProcessEvent::Ready => "is ready",
                    ProcessEvent::Resumed => "goes on",
                    ProcessEvent::Started { epoch: Some(epoch) } => {
                        return write!(f, "{process} is started in epoch {epoch}");
                    }
                    ProcessEvent::Started { epoch: None } => "is started",
                };
                write!(f, "{process} {event}")
            }
            Self::Reader { reader, event } => write!(f, "reader {reader} {event}"),
            Self::TextChanged { task } => write!(f, "engines give another text for {task}"),
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancel { task } => write!(f, "cancel {task}"),
            Self::Census { state: None } => write!(f, "list all tasks"),
            Self::Census { state: Some(state) } => {
                write!(f, "list tasks that are {}", state.name())
            }
            Self::Meter => write!(f, "show the meter"),
            Self::Record { task } => write!(f, "show {task}"),
            Self::Result { task } => write!(f, "show what came of {task}"),
            Self::Submit { own, key, payload } => {
                write!(f, "take {}", payload.fingerprint)?;
                if let Some(key) = key {
                    write!(f, " under key {key}")?;
                }
                match own {
                    Some(own) => write!(f, " as {own}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted {
                task,
                seed,
                replayed,
            } => {
                let replayed = if *replayed {
                    "accepted before"
                } else {
                    "accepted"
                };
                write!(f, "{replayed} as {task} with seed {seed}")
            }
            Self::Cancelled(record) => write!(f, "cancelled; {record}"),
            Self::Census(rows) => write!(f, "{} tasks", rows.len()),
            Self::InDoubt => write!(f, "no answer, nobody knows what was done"),
            Self::Meter { tokens_out } => write!(f, "{tokens_out} tokens"),
            Self::Missing => write!(f, "there is none"),
            Self::Record(record) => write!(f, "{record}"),
            Self::Refused { code, applied } => {
                let applied = match applied {
                    Applied::No => "nothing was done",
                    Applied::Unknown => "nobody knows what was done",
                };
                write!(f, "refused with {code}, {applied}")
            }
            Self::Result(outcome) => write!(f, "{outcome}"),
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, reason) = (self.state.name(), self.reason.as_deref().unwrap_or("-"));
        let Self {
            position, attempts, ..
        } = self;
        write!(
            f,
            "{state} ({reason}), {position} tokens, {attempts} attempts"
        )
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, reason) = (self.state.name(), self.code.as_deref().unwrap_or("-"));
        write!(f, "{state} ({reason}), {} attempts", self.attempts)?;
        match (&self.text, self.tokens_out) {
            (Some(text), Some(tokens)) => write!(f, ", {tokens} tokens: {text:?}"),
            (Some(text), None) => write!(f, ", unmetered: {text:?}"),
            (None, _) => write!(f, ", no text"),
        }
    }
}

impl fmt::Display for ReaderEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(by) => f.write_str(match by {
                ClosedBy::Client => "leaves",
                ClosedBy::Fault => "is cut off",
                ClosedBy::Server => "is let go",
            }),
            Self::Frame(frame) => write!(f, "is sent {frame}"),
            Self::NothingMore => write!(f, "is told that it has everything"),
            Self::Opened { task, from, daemon } => {
                write!(f, "asks daemon {daemon} for {task} ")?;
                match from {
                    ReadFrom::After(place) => write!(f, "after {place}"),
                    ReadFrom::Start => write!(f, "from the start"),
                }
            }
            Self::Refused { code } => write!(f, "is refused with {code}"),
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End {
                place,
                finish,
                tokens_out,
            } => write!(f, "the end at {place}: {finish:?}, {tokens_out} tokens"),
            Self::Error { place, code } => match place {
                Some(place) => write!(f, "the end at {place}: {code}"),
                None => write!(f, "the end, and no place: {code}"),
            },
            Self::Metrics {
                attempt,
                queue_position,
            } => match queue_position {
                Some(ahead) => write!(f, "metrics: attempt {attempt}, {ahead} ahead"),
                None => write!(f, "metrics: attempt {attempt}"),
            },
            Self::Started { attempt, seed } => {
                write!(f, "the start: attempt {attempt}, seed {seed}")
            }
            Self::Token { place, index, text } => write!(f, "token {index} {text:?} at {place}"),
        }
    }
}

impl fmt::Display for GenerationEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun {
                engine,
                task,
                attempt,
                seed,
                prompt: _,
            } => {
                write!(f, "begins in engine {engine} with seed {seed}")?;
                if let Some(task) = task {
                    write!(f, " for {task}")?;
                }
                match attempt {
                    Some(attempt) => write!(f, " in attempt {attempt:032x}"),
                    None => Ok(()),
                }
            }
            Self::Stopped => write!(f, "is over"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standing::{Finish, State};
    use crate::story::{Story, TASK, end_of, ended, outcome, payload, started, token};
    use crate::world::Process;

    #[test]
    fn a_task_has_a_story_that_a_person_can_read() {
        let other = TaskId(2);
        let mut story = Story::default();
        story.see(Event::Phase(Phase::Chaos));
        story.submit(None, payload("a"), TASK);
        story.submit(Some(other), payload("b"), other);
        story.open(1, ReadFrom::Start);
        story.frame(1, started());
        story.frame(1, token(&["old", " pond"], 0));
        story.see(Event::Process {
            process: Process::Daemon(0),
            event: ProcessEvent::Killed,
        });
        story.close(1, ClosedBy::Fault);
        story.read(other, ended(State::Completed, 2));
        story.frame(1, token(&["old", " pond"], 1));
        story.frame(1, end_of(&["old", " pond"], Finish::Stop));
        story.result(TASK, outcome(State::Completed, Some("old pond"), 2));
        let history = story.history();
        let lines: Vec<String> = story_of(TASK, history)
            .iter()
            .map(ToString::to_string)
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
