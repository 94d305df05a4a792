//! What reaches clients, and what they make of it.

use test_harness_history::{Answer, Applied, Event as Seen};

use super::errand::{Aim, Message};
use crate::agenda::MILLI;
use crate::checkers::{Broken, Question, fits};
use crate::plan::Habit;
use crate::world::World;
use crate::world::event::{DaemonEvent, Event};

impl World {
    /// Something reaches a client, if its link is there.
    pub(crate) fn deliver(
        &mut self,
        errand: usize,
        turn: u32,
        from: Option<(usize, u64)>,
        message: Message,
    ) {
        let message = match from {
            Some((daemon, life)) => match self.daemons[daemon].clients_cut {
                Some(true) => {
                    // Whoever writes to a broken connection learns that it is one, also where nobody listens any more.
                    if matches!(message, Message::Opened { .. } | Message::Frames { .. }) {
                        let gone = DaemonEvent::ReaderGone { errand, turn };
                        self.send_daemon(daemon, life, self.now + MILLI, gone);
                    }
                    Message::Lost
                }
                Some(false) if self.daemons[daemon].lives(life) => {
                    let waits = Event::Client {
                        errand,
                        turn,
                        from,
                        message,
                    };
                    self.parked.push((daemon, waits));
                    return;
                }
                Some(false) => Message::Lost,
                None => message,
            },
            None => message,
        };
        self.hear(errand, turn, from, message);
    }

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
            Message::Answers(answers) => self.hear_answers(number, answers),
            Message::Lost | Message::Patience => {
                self.note_answer(number, Answer::InDoubt);
                self.in_doubt(number);
            }
            Message::Frames { .. } | Message::NothingMore | Message::Opened { .. } => {}
        }
    }

    fn note_answer(&mut self, number: usize, answer: Answer) {
        for request in std::mem::take(&mut self.errands[number].requests) {
            let answer = answer.clone();
            self.saw(Seen::Answered { request, answer });
        }
    }

    /// Nobody knows what was done. Whoever can ask again without harm does.
    fn in_doubt(&mut self, number: usize) {
        if let Aim::SubmitMany(sent) = &mut self.errands[number].aim {
            sent.retain(|one| one.named);
            return match sent.is_empty() {
                true => self.done(number),
                false => self.try_later(number),
            };
        }
        match &self.errands[number].aim {
            Aim::Submit { task, .. } if self.repeatable(*task).is_none() => self.done(number),
            _ => self.try_later(number),
        }
    }

    /// What became of tasks that were handed over together: those of which nobody knows, and those that could not be
    /// taken just now, are handed over again, together.
    fn hear_answers(&mut self, number: usize, answers: Vec<Answer>) {
        let Aim::SubmitMany(sent) = &self.errands[number].aim else {
            return;
        };
        let sent = sent.clone();
        let requests = std::mem::take(&mut self.errands[number].requests);
        let client = self.errands[number].client;
        let mut again = Vec::new();
        for ((one, answer), request) in sent.into_iter().zip(answers).zip(requests) {
            self.say(format!(
                "client hears of t{}, on errand e{number}: {}",
                one.task,
                words(&answer)
            ));
            let known = self.tasks.get(&one.task).and_then(|known| known.id);
            if let Err(detail) = fits(Question::Create(known.filter(|_| one.named)), &answer) {
                return self.breaks(Broken {
                    property: "answers reach their callers",
                    detail,
                });
            }
            self.saw(Seen::Answered {
                request,
                answer: answer.clone(),
            });
            match answer {
                Answer::Accepted { task, .. } => {
                    let id = orchestrator_core::id::TaskId(task.0);
                    self.accepted(client, one.task, id, one.read);
                }
                Answer::Refused { code, applied } => {
                    self.coverage.note(refused(&code));
                    let unknown = applied == Applied::Unknown;
                    if code == "STORE_UNAVAILABLE" && (one.named || !unknown) {
                        again.push(one);
                    }
                }
                _ => {}
            }
        }
        if again.is_empty() {
            return self.done(number);
        }
        self.errands[number].aim = Aim::SubmitMany(again);
        self.try_later(number);
    }

    /// A task is acknowledged; its stream is read, if that was wanted.
    fn accepted(
        &mut self,
        client: usize,
        task: usize,
        id: orchestrator_core::id::TaskId,
        read: Option<Habit>,
    ) {
        self.acknowledged.insert(id);
        if let Some(known) = self.tasks.get_mut(&task) {
            known.id = Some(id);
        }
        if let Some(habit) = read {
            let aim = self.reading_of(id, habit);
            self.set_out(client, aim);
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
                let client = self.errands[number].client;
                self.done(number);
                if let Aim::Submit { task, read, .. } = &self.errands[number].aim {
                    let (task, read) = (*task, *read);
                    self.accepted(client, task, id, read);
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
