//! The owner's lanes: reports and cancels first, new tasks second, each with its places.

use std::collections::VecDeque;

use orchestrator_core::input::{Ask, Report};
use store::{TaskBody, TaskText};

/// Who waits for an answer.
#[derive(Clone, Debug)]
pub(crate) struct Waiter {
    pub(crate) errand: usize,
    pub(crate) turn: u32,
    pub(crate) kind: Asked,
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
    commands: VecDeque<Command>,
    reports_taken: VecDeque<(Report, Option<TaskText>)>,
    commands_taken: VecDeque<Command>,
}

impl Lanes {
    pub(crate) fn tell(&mut self, report: Report, text: Option<TaskText>) {
        self.urgent
            .push_back(Urgent::Report(Box::new(report), text));
    }

    pub(crate) fn ask(&mut self, command: Command) {
        self.commands.push_back(command);
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
        self.commands.len() + self.commands_taken.len() - self.cancels_taken()
    }

    /// All that waits.
    pub(crate) fn waiting(&self) -> usize {
        self.reports() + self.cancels() + self.commands()
    }

    fn cancels_taken(&self) -> usize {
        let is_cancel = |command: &&Command| !matches!(command.ask, Ask::TaskCreate { .. });
        self.commands_taken.iter().filter(is_cancel).count()
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
                Urgent::Command(command) => self.commands_taken.push_back(*command),
                Urgent::Report(report, text) => self.reports_taken.push_back((*report, text)),
            }
        }
        let commands = self.commands.len().min(room - urgent);
        self.commands_taken.extend(self.commands.drain(..commands));
    }

    /// The next report to pass in.
    pub(crate) fn next_report(&mut self) -> Option<(Report, Option<TaskText>)> {
        self.reports_taken.pop_front()
    }

    /// The commands to be passed in next.
    pub(crate) fn next_commands(&self) -> impl Iterator<Item = &Command> {
        self.commands_taken.iter()
    }

    /// The next command to pass in.
    pub(crate) fn next_command(&mut self) -> Option<Command> {
        self.commands_taken.pop_front()
    }
}
