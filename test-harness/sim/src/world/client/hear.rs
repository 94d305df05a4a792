//! What reaches clients, and what they make of it.

use test_harness_history::{Answer, Applied, Event as Seen};

use super::errand::{Aim, Message};
use crate::checkers::{Broken, Question, fits};
use crate::world::World;
use crate::world::event::DaemonEvent;

impl World {
    /// Something reaches an errand.
    pub(crate) fn hear(
        &mut self,
        number: usize,
        turn: u32,
        from: Option<(usize, u64)>,
        message: Message,
    ) {
        let errand = &self.errands[number];
        if errand.over || errand.turn != turn {
            // Nobody listens on that connection any more, which its other end learns so.
            if let (Some((daemon, life)), Message::Opened { .. } | Message::Frames { .. }) =
                (from, message)
            {
                let gone = DaemonEvent::ReaderGone {
                    errand: number,
                    turn,
                };
                let after = self.chance_net();
                self.send_daemon(daemon, life, self.now + after, gone);
            }
            return;
        }
        if matches!(errand.aim, Aim::Read(_)) {
            return self.hear_reader(number, message);
        }
        match message {
            Message::Again => self.ask(number),
            Message::Answer(answer) => self.hear_answer(number, answer),
            Message::Lost | Message::Patience => {
                self.note_answer(number, Answer::InDoubt);
                self.in_doubt(number);
            }
            Message::Frames { .. } | Message::NothingMore | Message::Opened { .. } => {}
        }
    }

    fn note_answer(&mut self, number: usize, answer: Answer) {
        if let Some(request) = self.errands[number].request.take() {
            self.saw(Seen::Answered { request, answer });
        }
    }

    /// Nobody knows what was done. Whoever can ask again without harm does.
    fn in_doubt(&mut self, number: usize) {
        match &self.errands[number].aim {
            Aim::Submit { task, .. } if self.repeatable(*task).is_none() => self.done(number),
            _ => self.try_later(number),
        }
    }

    fn hear_answer(&mut self, number: usize, answer: Answer) {
        self.say(format!(
            "client hears, on errand e{number}: {}",
            words(&answer)
        ));
        let asked = match &self.errands[number].aim {
            Aim::Cancel(_) => Question::Cancel,
            // What a key stands for is judged by what is seen of all its answers.
            Aim::Submit { task, named, .. } => {
                let known = self.tasks.get(task).and_then(|known| known.id);
                Question::Create(known.filter(|_| *named))
            }
            _ => Question::Look,
        };
        if let Err(detail) = fits(asked, &answer) {
            return self.breaks(Broken {
                property: "answers reach their callers",
                detail,
            });
        }
        self.note_answer(number, answer.clone());
        match answer {
            Answer::Accepted { task, .. } => {
                let id = orchestrator_core::id::TaskId(task.0);
                self.acknowledged.insert(id);
                let client = self.errands[number].client;
                let read = match &self.errands[number].aim {
                    Aim::Submit { task, read, .. } => {
                        if let Some(known) = self.tasks.get_mut(task) {
                            known.id = Some(id);
                        }
                        *read
                    }
                    _ => None,
                };
                self.done(number);
                if let Some(habit) = read {
                    let aim = self.reading_of(id, habit);
                    self.set_out(client, aim);
                }
            }
            Answer::Refused {
                code,
                applied: Applied::Unknown,
            } => {
                self.coverage.note(refused(&code));
                self.in_doubt(number);
            }
            Answer::Refused {
                code,
                applied: Applied::No,
            } => {
                self.coverage.note(refused(&code));
                let passes = code == "ADMISSION_REJECT" || code == "QUOTA_EXCEEDED";
                let full = passes && self.chance.clients.percent(50);
                if code == "STORE_UNAVAILABLE" || full {
                    self.try_later(number);
                } else {
                    self.done(number);
                }
            }
            _ => self.done(number),
        }
    }

    /// An errand is over.
    pub(crate) fn done(&mut self, number: usize) {
        let errand = &mut self.errands[number];
        errand.over = true;
        errand.peer = None;
    }
}

/// How a refusal is counted.
fn refused(code: &str) -> &'static str {
    match code {
        "STORE_UNAVAILABLE" => "answer: STORE_UNAVAILABLE",
        _ => "answer: refused for good",
    }
}

/// An answer, in few words.
fn words(answer: &Answer) -> String {
    match answer {
        Answer::Accepted { task, replayed, .. } => {
            let again = if *replayed { ", as before" } else { "" };
            format!("t{} is accepted{again}", task.0 & 0xffff)
        }
        Answer::Cancelled(record) => {
            format!("cancelled; {} at {}", record.state.name(), record.position)
        }
        Answer::Record(record) => format!("{} at {}", record.state.name(), record.position),
        Answer::Result(outcome) => format!("the result of a {} task", outcome.state.name()),
        Answer::Refused { code, .. } => code.clone(),
        Answer::Missing => "there is none".to_owned(),
        Answer::Census(_) | Answer::InDoubt | Answer::Meter { .. } => String::new(),
    }
}
