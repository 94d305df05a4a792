//! The owner's lanes: reports and cancels first, new tasks second, each with its places.

use std::collections::{BTreeMap, VecDeque};

use orchestrator_core::input::{Ask, Report};
use store::{TaskBody, TaskText};

/// Who waits for an answer.
#[derive(Clone, Debug)]
pub(crate) struct Waiter {
    pub(crate) errand: usize,
    pub(crate) turn: u32,
    pub(crate) kind: Asked,
    /// The batch that it belongs to, if it does.
    pub(crate) batch: Option<u64>,
}

/// What is asked at once.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// One thing.
    One(Command),
    /// Several, which are stepped one after another into one commit.
    Batch(Vec<Command>),
}

impl Wanted {
    fn commands(&self) -> &[Command] {
        match self {
            Self::One(command) => std::slice::from_ref(command),
            Self::Batch(commands) => commands,
        }
    }

    fn is_cancel(&self) -> bool {
        match self {
            Self::One(command) => !matches!(command.ask, Ask::TaskCreate { .. }),
            Self::Batch(_) => false,
        }
    }

    const fn is_batch(&self) -> bool {
        matches!(self, Self::Batch(_))
    }
}

/// What is known so far of what became of a batch.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) errand: usize,
    pub(crate) turn: u32,
    /// How many answers there will be.
    pub(crate) all: usize,
    pub(crate) answers: Vec<test_harness_history::Answer>,
    /// The tasks that it has brought in, in their order.
    pub(crate) accepted: Vec<orchestrator_core::id::TaskId>,
    /// What a planted bug says of its last task.
    pub(crate) made_up: Option<test_harness_history::Answer>,
}

/// What was asked, for whoever judges the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To cancel a task.
    Cancel(orchestrator_core::id::TaskId),
    /// To take a task.
    Create(orchestrator_core::id::TaskId),
    /// To end a session.
    EndSession(orchestrator_core::id::SessionId),
    /// To do what operators do.
    Operate,
    /// To let a task run again.
    Requeue(orchestrator_core::id::TaskId),
}

/// The batches of a process.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    /// How many there were.
    pub(crate) begun: u64,
    /// Those that have not been answered, by number.
    pub(crate) open: BTreeMap<u64, Gathered>,
}

/// A command on its way to the owner.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) ask: Ask,
    pub(crate) body: Option<TaskBody>,
    pub(crate) waiter: Waiter,
}

/// One thing in the first lane.
#[derive(Debug)]
pub(crate) enum Urgent {
    Command(Box<Command>),
    Report(Box<Report>, Option<TaskText>),
}

/// Both lanes, and what the owner's loop has taken out of them and not passed in yet.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    urgent: VecDeque<Urgent>,
    commands: VecDeque<Wanted>,
    reports_taken: VecDeque<(Report, Option<TaskText>)>,
    commands_taken: VecDeque<Wanted>,
}

impl Lanes {
    pub(crate) fn tell(&mut self, report: Report, text: Option<TaskText>) {
        self.urgent
            .push_back(Urgent::Report(Box::new(report), text));
    }

    pub(crate) fn ask(&mut self, wanted: Wanted) {
        self.commands.push_back(wanted);
    }

    pub(crate) fn ask_urgently(&mut self, command: Command) {
        self.urgent.push_back(Urgent::Command(Box::new(command)));
    }

    /// Places of reports that are taken.
    pub(crate) fn reports(&self) -> usize {
        let is_report = |urgent: &&Urgent| matches!(urgent, Urgent::Report(..));
        self.urgent.iter().filter(is_report).count() + self.reports_taken.len()
    }

    /// Places of cancels and deletions that are taken.
    pub(crate) fn cancels(&self) -> usize {
        let is_cancel = |urgent: &&Urgent| matches!(urgent, Urgent::Command(_));
        self.urgent.iter().filter(is_cancel).count() + self.cancels_taken()
    }

    /// Places of other commands that are taken.
    pub(crate) fn commands(&self) -> usize {
        let all = self.commands.len() + self.commands_taken.len();
        all - self.cancels_taken() - self.batches()
    }

    /// Places of batches that are taken.
    pub(crate) fn batches(&self) -> usize {
        let all = self.commands.iter().chain(&self.commands_taken);
        all.filter(|wanted| wanted.is_batch()).count()
    }

    /// All that waits.
    pub(crate) fn waiting(&self) -> usize {
        self.reports() + self.cancels() + self.commands() + self.batches()
    }

    fn cancels_taken(&self) -> usize {
        let taken = self.commands_taken.iter();
        taken.filter(|wanted| wanted.is_cancel()).count()
    }

    /// How many in the second lane bring so many inputs; the last of them may bring more.
    fn commands_of(&self, inputs: usize) -> usize {
        let mut brought = 0;
        let fits = |wanted: &&Wanted| {
            let fits = brought < inputs;
            brought += wanted.commands().len();
            fits
        };
        self.commands.iter().take_while(fits).count()
    }

    /// Takes out what there is room for, as the owner's driver does: the first lane before the second, but for the
    /// share that is kept for commands, and nothing while something taken out before has found no room.
    pub(crate) fn take(&mut self, room: usize, kept: usize) {
        if !self.reports_taken.is_empty() || !self.commands_taken.is_empty() {
            return;
        }
        let kept = kept.min(self.commands.len());
        let urgent = self.urgent.len().min(room.saturating_sub(kept));
        for urgent in self.urgent.drain(..urgent) {
            match urgent {
                Urgent::Command(command) => {
                    self.commands_taken.push_back(Wanted::One(*command));
                }
                Urgent::Report(report, text) => self.reports_taken.push_back((*report, text)),
            }
        }
        let commands = self.commands_of(room - urgent);
        self.commands_taken.extend(self.commands.drain(..commands));
    }

    /// The next report to pass in.
    pub(crate) fn next_report(&mut self) -> Option<(Report, Option<TaskText>)> {
        self.reports_taken.pop_front()
    }

    /// The commands to be passed in next.
    pub(crate) fn next_commands(&self) -> impl Iterator<Item = &Command> {
        self.commands_taken.iter().flat_map(Wanted::commands)
    }

    /// The next thing to pass in.
    pub(crate) fn next_wanted(&mut self) -> Option<Wanted> {
        self.commands_taken.pop_front()
    }
}
