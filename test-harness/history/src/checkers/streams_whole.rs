//! No reader is given a text that is none.

use std::collections::{BTreeMap, BTreeSet};

use crate::conversation::Answer;
use crate::exchange::Exchanges;
use crate::frame::{Frame, ReadFrom, ReaderEvent};
use crate::id::{ReaderId, TaskId};
use crate::judge::Checker;
use crate::observation::{Event, Observation};
use crate::place::Place;
use crate::standing::{Outcome, State};
use crate::text::Text;
use crate::violation::{Harm, Property, Violation};

use crate::conversation::Ask;

const PROPERTY: Property = Property {
    name: "streams-whole",
    harm: Harm::Spliced,
    says: "Every reader holds a prefix of one text, over every fault and however often it came back",
};

/// Watches the text of every reader: without gap, with the hashes that the contract promises, equal to that
/// of every other reader, and at its end equal to the result.
#[derive(Debug, Default)]
pub(crate) struct StreamsWhole {
    exchanges: Exchanges,
    readers: BTreeMap<ReaderId, Reader>,
    /// What readers of a task were shown so far, together.
    shown: BTreeMap<TaskId, Text>,
    /// Tasks whose engines were made to give another text.
    changed: BTreeSet<TaskId>,
    results: BTreeMap<TaskId, (Outcome, u64)>,
    /// Texts that readers were told are whole, and texts that they were told are not the task's.
    claims: Vec<Claim>,
}

/// One reader, over all its connections.
#[derive(Debug)]
struct Reader {
    task: TaskId,
    text: Text,
    /// True if it came back with a place that is not in its own text, so that nothing may follow.
    misled: bool,
}

/// What a reader was told of its text.
#[derive(Debug)]
struct Claim {
    at_ms: u64,
    task: TaskId,
    reader: ReaderId,
    text: String,
    /// Tokens of that text, some of which may be empty.
    tokens: u64,
    /// True if some are.
    blanks: bool,
    whole: bool,
}

impl StreamsWhole {
    fn opened(&mut self, reader: ReaderId, task: TaskId, from: ReadFrom) {
        let entry = self.readers.entry(reader).or_insert_with(|| Reader {
            task,
            text: Text::default(),
            misled: false,
        });
        if entry.task != task || from == ReadFrom::Start {
            *entry = Reader {
                task,
                text: Text::default(),
                misled: false,
            };
        }
        if let ReadFrom::After(place) = from {
            let text = &entry.text;
            let own = text.place_at(place.position) == Some(place);
            let ended = text.end_at(place.position) == Some(place);
            entry.misled = !own && !ended;
            if !entry.misled {
                entry.text.truncate(place.position);
            }
        }
    }

    fn frame(&mut self, at_ms: u64, reader: ReaderId, frame: &Frame) -> Result<(), Fault> {
        let Some(held) = self.readers.get_mut(&reader) else {
            return Ok(());
        };
        let task = held.task;
        let fault = |what: String| Err((Some(task), format!("reader {reader} {what}")));
        match frame {
            Frame::Token { place, index, text } => {
                if held.misled {
                    return fault(
                        "came back with a place that is not its own, and was continued".to_owned(),
                    );
                }
                if let Some(what) = next_token(held, *place, *index, text) {
                    return fault(what);
                }
                self.share(task, reader, *index, text)
            }
            Frame::End { place, .. } => {
                let length = held.text.len();
                let at = held.text.end_at(length);
                let text = held.text.clone();
                self.claim(at_ms, task, reader, text, true);
                if at != Some(*place) {
                    return fault(format!("holds {length} tokens, and its end says {place}"));
                }
                Ok(())
            }
            Frame::Error { place: None, .. } => {
                let text = held.text.clone();
                if !held.misled {
                    self.claim(at_ms, task, reader, text, false);
                }
                Ok(())
            }
            Frame::Error {
                place: Some(place), ..
            } => {
                // A failed task may hold another text than the reader was shown, if the engine was changed.
                let comparable = !held.misled && !self.changed.contains(&task);
                if comparable && held.text.end_at(place.position) != Some(*place) {
                    let length = held.text.len();
                    return fault(format!(
                        "holds {length} tokens, and its end says {place}, which is not in them"
                    ));
                }
                Ok(())
            }
            Frame::Metrics { .. } | Frame::Started { .. } => Ok(()),
        }
    }

    fn claim(&mut self, at_ms: u64, task: TaskId, reader: ReaderId, held: Text, whole: bool) {
        let blank = |index| held.token(index).is_some_and(str::is_empty);
        self.claims.push(Claim {
            at_ms,
            task,
            reader,
            text: held.whole(),
            tokens: held.len(),
            blanks: (0..held.len()).any(blank),
            whole,
        });
    }

    /// Compares a token with what other readers were shown at the same index.
    fn share(
        &mut self,
        task: TaskId,
        reader: ReaderId,
        index: u64,
        token: &str,
    ) -> Result<(), Fault> {
        if self.changed.contains(&task) {
            return Ok(());
        }
        let shown = self.shown.entry(task).or_default();
        match shown.token(index) {
            Some(other) if other == token => Ok(()),
            Some(other) => Err((
                Some(task),
                format!(
                    "reader {reader} was given {token:?} at index {index}, where another was given {other:?}"
                ),
            )),
            None => {
                if index == shown.len() {
                    shown.push(token);
                }
                Ok(())
            }
        }
    }

    /// What a result says against what readers were shown.
    fn result(&self, task: TaskId, outcome: &Outcome) -> Result<(), Fault> {
        let Some(shown) = self
            .shown
            .get(&task)
            .filter(|_| !self.changed.contains(&task))
        else {
            return Ok(());
        };
        let Some(whole) = outcome.text.as_deref().filter(|_| outcome.state.is_final()) else {
            return Ok(());
        };
        let text = shown.whole();
        let agrees = match outcome.state {
            // A cancel may end a text before what was shown of it: a crash takes back what was not durable.
            State::Cancelled => whole.starts_with(&text) || text.starts_with(whole),
            _ => whole.starts_with(&text),
        };
        if agrees {
            return Ok(());
        }
        Err((
            Some(task),
            format!("readers were shown {text:?}, and the result is {whole:?}"),
        ))
    }

    /// What a claim gets wrong, now that the result is known.
    fn judge(&self, claim: &Claim) -> Option<Violation> {
        let (outcome, _) = self.results.get(&claim.task)?;
        let result = outcome.text.as_deref()?;
        if !claim.whole && claim.blanks && self.changed.contains(&claim.task) {
            // It may have been shown other tokens that only look like these, because some were empty.
            return None;
        }
        let what = match claim.whole {
            true if claim.text != result => format!(
                "reader {} was told that {:?} is all, and the result is {result:?}",
                claim.reader, claim.text
            ),
            // More tokens than the text has are not the text, also where the surplus is empty.
            false
                if result.starts_with(&claim.text)
                    && outcome
                        .tokens_out
                        .is_none_or(|tokens| claim.tokens <= tokens) =>
            {
                format!(
                    "reader {} holds {:?} and was told that this is not the text, which is {result:?}",
                    claim.reader, claim.text
                )
            }
            _ => return None,
        };
        Some(PROPERTY.broken(claim.at_ms, Some(claim.task), what))
    }
}

/// What is wrong, and with which task.
type Fault = (Option<TaskId>, String);

/// Gives a reader its next token; what is wrong with it, if anything is.
fn next_token(held: &mut Reader, place: Place, index: u64, token: &str) -> Option<String> {
    let due = held.text.len();
    if index != due || place.position != due + 1 {
        return Some(format!(
            "holds {due} tokens, and was given the one at index {index} under the id {place}"
        ));
    }
    let recomputed = held.text.push(token);
    (recomputed != place)
        .then(|| format!("was given a token under the id {place}, where its text has {recomputed}"))
}

impl Checker for StreamsWhole {
    fn property(&self) -> Property {
        PROPERTY
    }

    fn observe(&mut self, seen: &Observation) -> Result<(), Violation> {
        let judged = match &seen.event {
            Event::Reader { reader, event } => match event {
                ReaderEvent::Opened { task, from, .. } => {
                    self.opened(*reader, *task, *from);
                    Ok(())
                }
                ReaderEvent::Frame(frame) => self.frame(seen.at_ms, *reader, frame),
                _ => Ok(()),
            },
            Event::TextChanged { task } => {
                self.changed.insert(*task);
                Ok(())
            }
            _ => Ok(()),
        };
        let judged = match self.exchanges.take(seen) {
            Some((question, Answer::Result(outcome))) => match question.ask {
                Ask::Result { task } if outcome.state.is_final() => {
                    self.results.insert(task, (outcome.clone(), seen.at_ms));
                    judged.and_then(|()| self.result(task, outcome))
                }
                _ => judged,
            },
            _ => judged,
        };
        judged.map_err(|(task, what)| PROPERTY.broken(seen.at_ms, task, what))
    }

    fn finish(&self) -> Vec<Violation> {
        let results = self.results.iter().filter_map(|(task, (outcome, at_ms))| {
            let (task, what) = self.result(*task, outcome).err()?;
            Some(PROPERTY.broken(*at_ms, task, what))
        });
        let claims = self.claims.iter().filter_map(|claim| self.judge(claim));
        results.chain(claims).collect()
    }
}

#[cfg(test)]
mod tests;
