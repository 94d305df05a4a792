//! Answers requests, as the daemon's application layer does it: which read, which command, which answer.

use orchestrator_core::id::{KeyId, PrincipalId, SessionId, SessionKey, TaskId, TenantId};
use orchestrator_core::input::Ask;
use orchestrator_core::key::KeyStanding;
use orchestrator_core::machine::Machine;
use orchestrator_core::reply::Reply;
use orchestratord::names::refusal_code;
use orchestratord::owner::OwnerUnavailable;
use orchestratord::stream::{Opener, OpenerStep, ReadFrom};
use store::{ReadError, TaskRow, TaskText};
use test_harness_history::{Answer, Applied};

use super::host::Host;
use super::lanes::{Asked, Command, Waiter, Wanted};
use super::reads::Pending;
use crate::agenda::Micros;
use crate::plant::Plant;
use crate::world::World;
use crate::world::client::{Message, Question, outcome, record};

/// Tokens that every session is given: less than its longest turns would take.
pub(crate) const SESSION_TOKENS: u64 = 2_000;

/// A stream that is being opened.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) errand: usize,
    pub(crate) turn: u32,
    pub(crate) task: TaskId,
    opener: Opener,
    /// True if the text is read next; else the record.
    text: bool,
}

impl World {
    /// A client asks.
    pub(crate) fn request(
        &mut self,
        host: &mut Host,
        errand: usize,
        turn: u32,
        question: Question,
    ) {
        match question {
            Question::Cancel(task) => {
                let waiter = Waiter {
                    errand,
                    turn,
                    kind: Asked::Cancel(task),
                    batch: None,
                };
                self.read(host, Pending::Cancel { waiter, task });
            }
            Question::Create(new) => self.create(host, errand, turn, *new),
            Question::CreateMany(new) => self.create_many(host, errand, turn, new),
            Question::EndSession(session) => self.end_session(host, errand, turn, session),
            Question::Requeue(task) => {
                let waiter = Waiter {
                    errand,
                    turn,
                    kind: Asked::Requeue(task),
                    batch: None,
                };
                self.read(host, Pending::Cancel { waiter, task });
            }
            Question::Operate(ask) => {
                let waiter = Waiter {
                    errand,
                    turn,
                    kind: Asked::Operate,
                    batch: None,
                };
                self.urgent(host, *ask, waiter);
            }
            Question::Look(task) => self.read(host, Pending::Look { errand, turn, task }),
            Question::Open { task, after } => {
                let after = match (self.plant, after) {
                    (Some(Plant::ResumesUnchecked), Some(id)) => {
                        Some(self.believed(host, task, id))
                    }
                    (_, after) => after,
                };
                let from = after.map_or(ReadFrom::Start, ReadFrom::After);
                let opener = Opener::new(std::sync::Arc::clone(&host.hub), task, from);
                let opening = Opening {
                    errand,
                    turn,
                    task,
                    opener,
                    text: false,
                };
                self.read(host, Pending::Open(Box::new(opening)));
            }
            Question::Outcome(task) => self.read(host, Pending::Outcome { errand, turn, task }),
        }
        self.pump(host);
    }

    fn create(
        &mut self,
        host: &mut Host,
        errand: usize,
        turn: u32,
        new: crate::world::client::New,
    ) {
        let command = self.create_command(host, new, (errand, turn, None));
        if host.lanes.commands() >= self.plan.setup.limits.command_lane {
            return self.turn_away(host, &command.waiter);
        }
        host.lanes.ask(Wanted::One(command));
    }

    fn end_session(&mut self, host: &mut Host, errand: usize, turn: u32, session: SessionId) {
        let waiter = Waiter {
            errand,
            turn,
            kind: Asked::EndSession(session),
            batch: None,
        };
        let session = SessionKey::new(TenantId::DEFAULT, session);
        self.urgent(host, Ask::SessionDelete { session }, waiter);
    }

    /// Cancels and deletions make room, so they go first.
    fn urgent(&mut self, host: &mut Host, ask: Ask, waiter: Waiter) {
        if host.lanes.cancels() >= self.plan.setup.limits.cancel_lane {
            return self.turn_away(host, &waiter);
        }
        host.lanes.ask_urgently(Command {
            ask,
            body: None,
            waiter,
        });
    }

    pub(super) fn turn_away(&mut self, host: &mut Host, waiter: &Waiter) {
        self.coverage.note("owner unavailable: busy");
        let retry_after_ms = self.plan.setup.limits.retry_after_ms;
        self.respond_to_command(host, waiter, Err(OwnerUnavailable::Busy { retry_after_ms }));
    }

    /// The task that is to be cancelled, or taken back into the queue, was looked up.
    pub(super) fn cancel_found(
        &mut self,
        host: &mut Host,
        waiter: Waiter,
        task: TaskId,
        row: Result<Option<TaskRow>, ReadError>,
    ) {
        match row {
            Err(_) => self.unreadable(host, waiter.errand, waiter.turn),
            Ok(None) => self.respond(host, waiter.errand, waiter.turn, Answer::Missing),
            Ok(Some(row)) => {
                let cancels = matches!(waiter.kind, Asked::Cancel(_));
                if cancels && self.plant == Some(Plant::CancelAnsweredEarly) {
                    let shown = Ok(Some(row));
                    self.show_cancelled(host, &waiter, shown);
                }
                let ask = match waiter.kind {
                    Asked::Requeue(_) => Ask::TaskRequeue { task, cold: None },
                    _ => Ask::TaskCancel { task, cold: None },
                };
                self.urgent(host, ask, waiter);
                self.pump(host);
            }
        }
    }

    /// A cancel is durable; its record is read for the answer.
    pub(super) fn read_cancelled(&mut self, host: &mut Host, waiter: &Waiter, task: TaskId) {
        let waiter = waiter.clone();
        self.read(host, Pending::Cancelled { waiter, task });
    }

    pub(super) fn show_cancelled(
        &mut self,
        host: &mut Host,
        waiter: &Waiter,
        row: Result<Option<TaskRow>, ReadError>,
    ) {
        let answer = match row {
            Err(_) => return self.unreadable(host, waiter.errand, waiter.turn),
            Ok(None) => Answer::Missing,
            Ok(Some(row)) => {
                let position = host.hub.position(&row.record);
                Answer::Cancelled(record(&row.record, position))
            }
        };
        let Asked::Cancel(task) = waiter.kind else {
            return;
        };
        let peer = (host.daemon, host.life);
        self.send_canceller(peer, waiter.errand, waiter.turn, (task, answer));
    }

    pub(super) fn show_row(
        &mut self,
        host: &mut Host,
        errand: usize,
        turn: u32,
        row: Result<Option<TaskRow>, ReadError>,
    ) {
        let answer = match row {
            Err(_) => return self.unreadable(host, errand, turn),
            Ok(None) => Answer::Missing,
            Ok(Some(row)) => {
                let position = host.hub.position(&row.record);
                Answer::Record(record(&row.record, position))
            }
        };
        self.respond(host, errand, turn, answer);
    }

    pub(super) fn show_outcome(
        &mut self,
        host: &mut Host,
        errand: usize,
        turn: u32,
        found: Result<(Option<TaskRow>, TaskText), ReadError>,
    ) {
        let answer = match found {
            Err(_) => return self.unreadable(host, errand, turn),
            Ok((None, _)) => Answer::Missing,
            Ok((Some(row), text)) => Answer::Result(outcome(&row.record, &text)),
        };
        self.respond(host, errand, turn, answer);
    }

    /// Opens a stream a step further.
    pub(super) fn open_on(&mut self, host: &mut Host, mut opening: Opening) {
        let step = if opening.text {
            match self.text(host, opening.task) {
                Ok(text) => opening.opener.text(Some(text)),
                Err(_) => return self.unreadable(host, opening.errand, opening.turn),
            }
        } else {
            match self.row(host, opening.task) {
                Ok(Some(row)) => opening.opener.record(row.record),
                Ok(None) => {
                    return self.respond(host, opening.errand, opening.turn, Answer::Missing);
                }
                Err(_) => return self.unreadable(host, opening.errand, opening.turn),
            }
        };
        match step {
            OpenerStep::Opened(opened) => {
                self.begin_reading(host, opening.errand, opening.turn, *opened);
                self.pump(host);
            }
            OpenerStep::Record => {
                opening.text = false;
                self.read(host, Pending::Open(Box::new(opening)));
            }
            OpenerStep::Text => {
                opening.text = true;
                self.read(host, Pending::Open(Box::new(opening)));
            }
        }
    }

    fn unreadable(&mut self, host: &Host, errand: usize, turn: u32) {
        self.coverage.note("answer: store unreadable");
        let answer = Answer::Refused {
            code: "STORE_UNAVAILABLE".to_owned(),
            applied: Applied::Unknown,
        };
        self.respond(host, errand, turn, answer);
    }

    pub(super) fn respond_to_command(
        &mut self,
        host: &mut Host,
        waiter: &Waiter,
        reply: Result<Reply, OwnerUnavailable>,
    ) {
        if let Some(batch) = waiter.batch {
            return self.gather(host, batch, waiter, reply);
        }
        let answer = self.answer_of(host, waiter, reply);
        self.respond(host, waiter.errand, waiter.turn, answer);
    }

    /// A reply of the owner, as its caller is told it.
    pub(super) fn answer_of(
        &mut self,
        host: &Host,
        waiter: &Waiter,
        reply: Result<Reply, OwnerUnavailable>,
    ) -> Answer {
        match reply {
            Ok(Reply::TaskCreated { record, replayed }) => Answer::Accepted {
                task: test_harness_history::TaskId(record.id.0),
                seed: u64::from(record.spec.seed),
                replayed,
            },
            Ok(Reply::TaskCancelled(row)) => {
                Answer::Cancelled(record(&row, host.hub.position(&row)))
            }
            Ok(Reply::TaskRequeued(row)) => Answer::Record(record(&row, host.hub.position(&row))),
            // What operators are told, the history has no words for.
            Ok(
                Reply::BulkBegun(_)
                | Reply::KeyCreated(_)
                | Reply::KeyRevoked(_)
                | Reply::QueueSwitched(_)
                | Reply::QuotaPut(_)
                | Reply::SessionDeleted
                | Reply::SessionPut(_),
            ) => Answer::Missing,
            Ok(Reply::TaskRefused(refused)) => Answer::Refused {
                code: refusal_code(&refused.refusal).to_owned(),
                applied: Applied::No,
            },
            Ok(Reply::Refused(refusal)) => match refusal_code(&refusal) {
                // The record was found before: who does not know the task is not the owner any more.
                "NOT_FOUND" if matches!(waiter.kind, Asked::Cancel(_) | Asked::Requeue(_)) => {
                    Answer::Refused {
                        code: "STORE_UNAVAILABLE".to_owned(),
                        applied: Applied::Unknown,
                    }
                }
                "NOT_FOUND" => Answer::Missing,
                code => Answer::Refused {
                    code: code.to_owned(),
                    applied: Applied::No,
                },
            },
            Err(error) => {
                self.coverage.note(match &error {
                    OwnerUnavailable::Busy { .. } => "owner unavailable: busy",
                    OwnerUnavailable::NotApplied(_) => "owner unavailable: not applied",
                    OwnerUnavailable::Unknown(_) => "owner unavailable: unknown",
                });
                Answer::Refused {
                    code: "STORE_UNAVAILABLE".to_owned(),
                    applied: match error.is_not_applied() {
                        true => Applied::No,
                        false => Applied::Unknown,
                    },
                }
            }
        }
    }

    /// Sends an answer back.
    pub(crate) fn respond(&mut self, host: &Host, errand: usize, turn: u32, answer: Answer) {
        self.send_client(
            host.daemon,
            host.life,
            errand,
            turn,
            Message::Answer(answer),
        );
    }
}

/// Who a task is of: the holder of a key that is let in now, or else nobody.
pub(super) fn let_in(host: &Host, at: Micros, key: Option<u64>) -> PrincipalId {
    let key = key.map(KeyId);
    let keys = host.state.machine().map(Machine::keys);
    let wall = host.now(at).wall;
    let active = |key: &KeyId| {
        let record = keys.and_then(|keys| keys.get(*key));
        record.is_some_and(|record| record.standing(wall) == KeyStanding::Active)
    };
    key.filter(active)
        .map_or(PrincipalId::SYSTEM, PrincipalId::from)
}
