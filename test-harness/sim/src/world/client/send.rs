//! What leaves clients, and what is sent to them.

use orchestrator_core::id::TaskId;
use orchestrator_core::idempotency::IdempotencyKey;
use orchestratord::stream::StreamId;
use test_harness_history::{Answer, Ask, ClosedBy, Event as Seen, ReaderEvent, TaskId as SeenTask};

use super::errand::{Aim, Errand, Message, New, Question, ReadAim, Sent};
use super::wish::{payload, session_id, task_id};
use crate::agenda::MILLI;
use crate::plan::{Habit, Item, Want, Wish};
use crate::world::World;
use crate::world::daemon::Standing;
use crate::world::event::{DaemonEvent, Event};

/// A task as its client knows it.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) wish: Wish,
    /// True if its client names it.
    pub(crate) named: bool,
    /// True if it comes under an idempotency key.
    pub(crate) keyed: bool,
    /// Its id, once there is one that the client knows.
    pub(crate) id: Option<TaskId>,
    /// Counts the tries of a client that does not name it.
    pub(crate) tries: u32,
}

impl World {
    /// A client wants something.
    pub(crate) fn want(&mut self, operation: usize) {
        let operation = self.plan.operations[operation].clone();
        self.wanted += 1;
        self.say(operation.to_string());
        let known = |world: &Self, task: usize| world.tasks.get(&task).and_then(|one| one.id);
        let aim = match operation.want {
            Want::Submit {
                task,
                named,
                keyed,
                wish,
                read,
            } => {
                let id = named.then(|| task_id(task, 0));
                let known = Task {
                    wish,
                    named,
                    keyed,
                    id,
                    tries: 0,
                };
                self.tasks.insert(task, known);
                Some(Aim::Submit {
                    task,
                    named,
                    changed: false,
                    read,
                })
            }
            Want::SubmitMany { items } => Some(self.together(items)),
            // Only who names a task, or has a key for it that is not forgotten, can submit it again.
            Want::Again { task, changed } => self.repeatable(task).map(|named| Aim::Submit {
                task,
                named,
                changed,
                read: None,
            }),
            Want::Cancel { task } => known(self, task).map(Aim::Cancel),
            Want::Look { task } => known(self, task).map(Aim::Look),
            Want::Requeue { task } => known(self, task).map(Aim::Requeue),
            Want::Read { task, habit } => known(self, task).map(|id| self.reading_of(id, habit)),
            Want::Operate(act) => Some(Aim::Operate(act)),
            Want::EndSession { session } => Some(Aim::EndSession(session_id(session))),
        };
        if let Some(aim) = aim {
            self.set_out(operation.client, aim);
        }
    }

    /// Tasks to hand over together.
    fn together(&mut self, items: Vec<Item>) -> Aim {
        let mut sent = Vec::with_capacity(items.len());
        for item in items {
            let Item {
                task,
                named,
                again,
                wish,
                read,
            } = item;
            if again.is_none() {
                let known = Task {
                    wish,
                    named,
                    keyed: false,
                    id: named.then(|| task_id(task, 0)),
                    tries: 0,
                };
                self.tasks.insert(task, known);
            }
            sent.push(Sent {
                task,
                named,
                changed: again == Some(true),
                read,
            });
        }
        Aim::SubmitMany(sent)
    }

    /// Can a task be submitted again without harm? If so, whether that is by its name.
    pub(crate) fn repeatable(&self, task: usize) -> Option<bool> {
        let one = self.tasks.get(&task)?;
        let by_key = one.keyed && self.plan.setup.keys_last;
        (one.named || by_key).then_some(one.named)
    }

    /// A stream to read, by a reader of its own.
    pub(crate) fn reading_of(&mut self, task: TaskId, habit: Habit) -> Aim {
        self.readers += 1;
        Aim::Read(ReadAim {
            task,
            habit,
            reader: self.readers,
            after: None,
            frames: 0,
            open: None,
        })
    }

    /// A client sets out on an errand.
    pub(crate) fn set_out(&mut self, client: usize, aim: Aim) {
        let errand = self.errands.len();
        self.errands.push(Errand {
            client,
            aim,
            daemon: 0,
            turn: 0,
            peer: None,
            requests: Vec::new(),
            heard_at: 0,
            over: false,
        });
        self.ask(errand);
    }

    /// Asks, for the first time or again.
    pub(crate) fn ask(&mut self, number: usize) {
        let (question, asks) = self.question(number);
        let errand = &mut self.errands[number];
        errand.turn += 1;
        let (turn, daemon, client) = (errand.turn, errand.daemon, errand.client);
        if let Aim::Read(read) = &mut errand.aim {
            read.frames = 0;
            read.open = None;
        }
        for ask in asks {
            self.requests += 1;
            self.errands[number].requests.push(self.requests);
            self.saw(Seen::Asked {
                request: self.requests,
                client: client as u64,
                daemon: u32::try_from(daemon).unwrap_or(0),
                ask,
            });
        }
        let patience = self.plan.setup.pace.patience;
        self.send_errand(number, turn, patience, Message::Patience);
        let there = self.daemons[daemon].standing == Standing::Up;
        let delay = self.chance_net();
        if !there {
            self.send_errand(number, turn, delay, Message::Lost);
            return;
        }
        let life = self.daemons[daemon].life;
        self.errands[number].peer = Some((daemon, life));
        let request = DaemonEvent::Request {
            errand: number,
            turn,
            question,
        };
        self.send_daemon(daemon, life, self.now + delay, request);
    }

    fn question(&mut self, number: usize) -> (Question, Vec<Ask>) {
        let seen = |task: TaskId| SeenTask(task.0);
        if let Aim::SubmitMany(sent) = &self.errands[number].aim {
            let all = sent.clone();
            let all = all
                .into_iter()
                .map(|one| self.new_task(one.task, one.named, one.changed));
            let (new, asks) = all.unzip();
            return (Question::CreateMany(new), asks);
        }
        match &self.errands[number].aim {
            Aim::Cancel(task) => (
                Question::Cancel(*task),
                vec![Ask::Cancel { task: seen(*task) }],
            ),
            Aim::EndSession(session) => (Question::EndSession(*session), Vec::new()),
            Aim::Look(task) => (
                Question::Look(*task),
                vec![Ask::Record { task: seen(*task) }],
            ),
            Aim::Operate(act) => (Question::Operate(Box::new(self.asked_by(*act))), Vec::new()),
            // The answer shows the record, as a look at it does.
            Aim::Requeue(task) => (
                Question::Requeue(*task),
                vec![Ask::Record { task: seen(*task) }],
            ),
            Aim::Outcome(task) => (
                Question::Outcome(*task),
                vec![Ask::Result { task: seen(*task) }],
            ),
            Aim::Read(read) => {
                let open = Question::Open {
                    task: read.task,
                    after: read.after,
                };
                (open, Vec::new())
            }
            Aim::Submit {
                task,
                named,
                changed,
                ..
            } => {
                let (task, named, changed) = (*task, *named, *changed);
                let (new, ask) = self.new_task(task, named, changed);
                (Question::Create(Box::new(new)), vec![ask])
            }
            Aim::SubmitMany(_) => (Question::CreateMany(Vec::new()), Vec::new()),
        }
    }

    /// A task as it is handed over, and how the history tells it.
    fn new_task(&mut self, task: usize, named: bool, changed: bool) -> (New, Ask) {
        let Some(one) = self.tasks.get_mut(&task) else {
            unreachable!("a task is known before it is submitted")
        };
        let id = match one.id.filter(|_| named) {
            Some(id) => id,
            // Each try of a client that does not name it is of a task of its own, but for its key.
            None => {
                one.tries += 1;
                task_id(task, one.tries)
            }
        };
        let mut new = one.wish.new_task(id, !named, changed);
        new.key = one.keyed.then(|| IdempotencyKey(task as u128 + 1));
        let lasting = one.keyed && self.plan.setup.keys_last;
        let ask = Ask::Submit {
            own: named.then_some(SeenTask(id.0)),
            key: lasting.then_some(task as u64),
            payload: payload(&new),
        };
        (new, ask)
    }

    /// Something for an errand, from its own side.
    pub(crate) fn send_errand(&mut self, errand: usize, turn: u32, after: u64, message: Message) {
        let event = Event::Client {
            errand,
            turn,
            from: None,
            message,
        };
        self.agenda.add(self.now + after, event);
    }

    /// Something for an errand, from a daemon.
    pub(crate) fn send_client(
        &mut self,
        daemon: usize,
        life: u64,
        errand: usize,
        turn: u32,
        message: Message,
    ) {
        let event = Event::Client {
            errand,
            turn,
            from: Some((daemon, life)),
            message,
        };
        // What is sent on one connection arrives in order.
        let at = self.now + self.chance_net();
        let one = &mut self.errands[errand];
        one.heard_at = at.max(one.heard_at + 1);
        self.agenda.add(one.heard_at, event);
    }

    /// The answer to a cancel, which does not overtake what readers of the task were sent before it: only then can
    /// an onlooker tell what was sent after it.
    pub(crate) fn send_canceller(
        &mut self,
        (daemon, life): (usize, u64),
        errand: usize,
        turn: u32,
        (task, answer): (TaskId, Answer),
    ) {
        let heard = self
            .errands
            .iter()
            .filter(|one| matches!(&one.aim, Aim::Read(read) if read.task == task))
            .map(|one| one.heard_at + 1)
            .max();
        let one = &mut self.errands[errand];
        one.heard_at = one.heard_at.max(heard.unwrap_or(0));
        self.send_client(daemon, life, errand, turn, Message::Answer(answer));
    }

    /// A process is gone, and its connections with it.
    pub(crate) fn hang_up(&mut self, daemon: usize, life: u64) {
        for errand in 0..self.errands.len() {
            if self.errands[errand].peer == Some((daemon, life)) {
                let turn = self.errands[errand].turn;
                let after = self.chance_net();
                self.send_errand(errand, turn, after, Message::Lost);
            }
        }
    }

    /// An errand tries again later, mostly at another daemon.
    pub(crate) fn try_later(&mut self, number: usize) {
        let after = self.chance.clients.within((20, 1_500)) * MILLI;
        let other = (self.errands[number].daemon + 1) % self.daemons.len();
        let there = self.daemons[other].standing != Standing::Gone;
        let errand = &mut self.errands[number];
        if there {
            errand.daemon = other;
        }
        errand.turn += 1;
        errand.peer = None;
        let turn = errand.turn;
        self.send_errand(number, turn, after, Message::Again);
    }

    /// A reader leaves.
    pub(crate) fn leave(&mut self, number: usize) {
        let errand = &mut self.errands[number];
        let (turn, peer) = (errand.turn, errand.peer.take());
        let Aim::Read(read) = &mut errand.aim else {
            return;
        };
        let (reader, was_open) = (read.reader, read.open.take().is_some());
        if let Some((daemon, life)) = peer {
            let after = self.chance_net();
            let gone = DaemonEvent::ReaderGone {
                errand: number,
                turn,
            };
            self.send_daemon(daemon, life, self.now + after, gone);
        }
        if was_open {
            self.saw(Seen::Reader {
                reader,
                event: ReaderEvent::Closed(ClosedBy::Client),
            });
        }
        self.errands[number].turn += 1;
    }

    /// The place that a reader names when it comes back.
    pub(crate) fn place_of(id: Option<StreamId>) -> test_harness_history::ReadFrom {
        use test_harness_history::ReadFrom;
        id.map_or(ReadFrom::Start, |id| {
            ReadFrom::After(super::convert::place(id))
        })
    }
}
