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

/// Both lanes.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    pub(crate) urgent: VecDeque<Urgent>,
    pub(crate) commands: VecDeque<Command>,
}

impl Lanes {
    pub(crate) fn tell(&mut self, report: Report, text: Option<TaskText>) {
        self.urgent
            .push_back(Urgent::Report(Box::new(report), text));
    }

    /// Reports that wait.
    pub(crate) fn reports(&self) -> usize {
        self.urgent
            .iter()
            .filter(|urgent| matches!(urgent, Urgent::Report(..)))
            .count()
    }

    /// Cancels that wait.
    pub(crate) fn cancels(&self) -> usize {
        self.urgent.len() - self.reports()
    }

    /// What the owner takes now, as its driver takes it: the first lane before the second, but for the share
    /// that is kept for commands.
    pub(crate) fn take(
        &mut self,
        room: usize,
        kept: usize,
    ) -> (Vec<(Report, Option<TaskText>)>, Vec<Command>) {
        let kept = kept.min(self.commands.len());
        let mut reports = Vec::new();
        let mut commands = Vec::new();
        let urgent = self.urgent.len().min(room.saturating_sub(kept));
        for urgent in self.urgent.drain(..urgent) {
            match urgent {
                Urgent::Command(command) => commands.push(*command),
                Urgent::Report(report, text) => reports.push((*report, text)),
            }
        }
        let left = room.saturating_sub(reports.len() + commands.len());
        commands.extend(self.commands.drain(..self.commands.len().min(left)));
        (reports, commands)
    }
}
