//! Who is next where pools share processes. The rule and what it keeps stand in [`crate::queue`].

use std::collections::BTreeSet;

use crate::id::{ReplicaName, TaskId};
use crate::machine::driver::Machine;
use crate::placement::{Group, Precedence, Process, Replica, Residency, plan, suits};
use crate::queue::{Band, Flow, LaneKey, Next, Shares, Stand};
use crate::time::MonoMs;

/// What is dispatched next, and where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    pub(super) next: Next,
    pub(super) group: usize,
    /// The replica, if it is not just the best one of the group.
    pub(super) replica: Option<ReplicaName>,
    pub(super) precedence: Precedence,
}

/// What a look at a group with shared processes showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Look {
    pub(super) choice: Option<Choice>,
    /// The processes on which nothing begins until they are free, each with the task that it is kept for: of all of
    /// them, if there is no choice.
    pub(super) kept: Vec<(usize, TaskId)>,
}

/// What is done about the first task in the order.
enum Step {
    Dispatch(Choice),
    /// This process is kept for it.
    Keep(usize),
}

/// A replica and the process that it lives in.
#[derive(Clone, Copy)]
struct Seat {
    process: usize,
    replica: usize,
}

/// The processes of a group that take something now, on the way through its order.
struct Field<'a> {
    machine: &'a Machine,
    now: MonoMs,
    group: &'a Group,
    shares: Shares<'a>,
    /// Those with a slot free that are kept for nobody.
    open: BTreeSet<usize>,
    kept: Vec<(usize, TaskId)>,
    /// For which flow a process is kept, and the replicas that its first task could have had instead: the others of
    /// the flow come after that one.
    aside: Vec<(Flow, Vec<usize>)>,
}

impl Machine {
    /// Who is next in a group whose pools share processes, and where.
    pub(super) fn look(&self, now: MonoMs, group: usize) -> Look {
        let weight = |flow| self.weight(flow);
        let Some(shared) = self.fleet.shared(group) else {
            return Look::default();
        };
        let free = |process: &&usize| {
            let process = self.fleet.process(**process);
            process.is_some_and(|process| process.slots_free(self.fleet.replicas()) > 0)
        };
        let mut field = Field {
            machine: self,
            now,
            group: shared,
            shares: Shares {
                fairness: &self.fairness,
                group,
                weight: &weight,
                classes: &self.classes,
            },
            open: shared.processes.iter().filter(free).copied().collect(),
            kept: Vec::new(),
            aside: Vec::new(),
        };
        // Each time round it is decided, or a process is kept and not asked again.
        while let Some(head) = field.first() {
            let able = field.able(&head);
            match field.step(&head, &able) {
                Some(Step::Keep(process)) => field.keep(process, &head, &able),
                Some(Step::Dispatch(choice)) => {
                    return Look {
                        choice: Some(choice),
                        kept: field.kept,
                    };
                }
                None => break,
            }
        }
        Look {
            choice: None,
            kept: field.kept,
        }
    }

    /// The largest context window that is free for a newcomer of a lane, kept for nobody who waits.
    pub(super) fn room_for_newcomer(&self, now: MonoMs, lane: &LaneKey) -> Option<u32> {
        if !self.fleet.has_shared_room() {
            return self.fleet.room(lane);
        }
        let rooms = self.fleet.groups_serving(lane).map(|group| {
            let kept = self.look(now, group).kept;
            let kept: Vec<_> = kept.into_iter().map(|(process, _)| process).collect();
            self.fleet.room_beside(group, lane, &kept)
        });
        rooms.max().flatten()
    }

    /// When who is first may be another one although nothing happens: somebody is due. Only while a process may be kept
    /// for who is first now.
    pub(super) fn order_wake(&self) -> Option<MonoMs> {
        if !self.fleet.has_shared_room() {
            return None;
        }
        let due = self.lanes.next_due(self.clock)?;
        Some(MonoMs(u64::try_from(due.0).unwrap_or(0)))
    }

    /// The processes that are kept for another task than this one, of all groups.
    pub(super) fn kept_from(&self, now: MonoMs, task: TaskId) -> Vec<&Process> {
        let groups = self.fleet.groups();
        let shared = groups.filter(|group| self.fleet.shared(*group).is_some());
        let kept = shared.flat_map(|group| self.look(now, group).kept);
        kept.filter(|(_, keeper)| *keeper != task)
            .filter_map(|(process, _)| self.fleet.process(process))
            .collect()
    }
}

impl<'a> Field<'a> {
    fn process(&self, process: usize) -> Option<&'a Process> {
        self.machine.fleet.process(process)
    }

    fn replica(&self, replica: usize) -> Option<&'a Replica> {
        self.machine.fleet.replicas().get(replica)
    }

    /// The replicas of a process that could run something, were it idle.
    fn members(&self, process: usize) -> impl Iterator<Item = (usize, &'a Replica)> {
        let members = self.process(process).map(|process| process.members.iter());
        let members = members.into_iter().flatten();
        members.filter_map(|index| {
            let replica = self.replica(*index)?;
            replica.could_run().then_some((*index, replica))
        })
    }

    /// Is a replica out of the question for a flow, because another process is kept for the first of its tasks?
    fn is_aside(&self, flow: Flow, replica: usize) -> bool {
        let mut aside = self.aside.iter();
        aside.any(|(of_flow, replicas)| *of_flow == flow && replicas.contains(&replica))
    }

    /// The first task of each flow in each lane that some of these replicas could run.
    fn stands<I>(&self, replicas: impl Fn() -> I) -> impl Iterator<Item = Stand<'a>>
    where
        I: Iterator<Item = (usize, &'a Replica)>,
    {
        let room = move |lane: &'a LaneKey, flow: Flow| {
            replicas()
                .filter(|(index, replica)| suits(replica, lane) && !self.is_aside(flow, *index))
                .filter_map(|(_, replica)| replica.ctx())
                .max()
        };
        self.machine.lanes.stands(self.now, self.shares, room)
    }

    /// The first task in the order that an open process could run, were it idle.
    fn first(&self) -> Option<Stand<'a>> {
        let open = || self.open.iter().flat_map(|process| self.members(*process));
        self.stands(open).min_by_key(|stand| stand.key)
    }

    /// The replicas of open processes that could run a task, were they idle.
    fn able(&self, stand: &Stand<'_>) -> Vec<Seat> {
        let mut able = Vec::new();
        for process in &self.open {
            for (replica, row) in self.members(*process) {
                if fits(row, stand) && !self.is_aside(stand.flow, replica) {
                    let process = *process;
                    able.push(Seat { process, replica });
                }
            }
        }
        able
    }

    fn taken(&self, process: usize) -> u32 {
        let replicas = self.machine.fleet.replicas();
        let process = self.process(process);
        process.map_or(0, |process| process.slots_taken(replicas))
    }

    /// What is done about the first task in the order, which these replicas could run, were their processes idle: it is
    /// dispatched, or one that may go before it, or a process is kept for it.
    fn step(&self, head: &Stand<'a>, able: &[Seat]) -> Option<Step> {
        let stays = |seat: &&Seat| {
            let replica = self.replica(seat.replica);
            replica.is_some_and(|replica| replica.residency() != Residency::SwappedOut)
        };
        if let Some(seat) = self.place(head, able.iter().filter(stays)) {
            return self.dispatch(head, seat, Precedence::First);
        }
        let processes: BTreeSet<usize> = able.iter().map(|seat| seat.process).collect();
        let passing: Vec<(Stand<'a>, Seat)> = processes
            .iter()
            .filter_map(|process| self.passing(head, *process))
            .collect();
        let insists = |process: usize| passing.iter().all(|(_, seat)| seat.process != process);
        let idle = able
            .iter()
            .filter(|seat| insists(seat.process) && self.taken(seat.process) == 0);
        if let Some(seat) = self.place(head, idle) {
            return self.dispatch(head, seat, Precedence::First);
        }
        let busy = processes.iter().filter(|process| insists(**process));
        if let Some(process) = busy.min_by_key(|process| (self.taken(**process), **process)) {
            return Some(Step::Keep(*process));
        }
        let stands = passing.iter().map(|(stand, _)| stand);
        let stand = stands.min_by_key(|stand| stand.key)?;
        let seats = passing.iter().filter(|(other, _)| other.key == stand.key);
        let seat = self.place(stand, seats.map(|(_, seat)| seat))?;
        self.dispatch(stand, seat, Precedence::Passing)
    }

    /// The first task of the model that a process holds, if it may go before the first in the order there.
    fn passing(&self, head: &Stand<'a>, process: usize) -> Option<(Stand<'a>, Seat)> {
        let has_deadline = |task: TaskId| {
            let live = self.machine.tasks.get(&task);
            live.is_some_and(|live| live.deadline().is_some())
        };
        let loaded = || {
            let free = |(_, replica): &(usize, &Replica)| {
                replica.residency() == Residency::Loaded && replica.slots_free() > 0
            };
            self.members(process).filter(free)
        };
        let stand = self.stands(loaded).min_by_key(|stand| stand.key)?;
        let passed_tokens = self.process(process)?.passed_tokens + u64::from(stand.entry.cost);
        let most = self.machine.config.policy.model_run_tokens_max;
        let may = stand.key.band == head.key.band
            && passed_tokens <= u64::from(most)
            && !has_deadline(head.entry.task)
            && !self.passes_who_is_due(&stand, process);
        let (replica, _) = loaded().find(|(_, replica)| fits(replica, &stand))?;
        may.then_some((stand, Seat { process, replica }))
    }

    /// Is somebody before it due who could run on that process, were it idle?
    fn passes_who_is_due(&self, stand: &Stand<'_>, process: usize) -> bool {
        let mut all = self.stands(|| self.members(process));
        // Whoever is due stands in the first band.
        stand.key.band == Band::FIRST
            && all.any(|other| other.key < stand.key && other.key.turn.is_due(self.now))
    }

    /// The best of some places for a task, if there is any.
    fn place<'b>(
        &self,
        stand: &Stand<'_>,
        seats: impl Iterator<Item = &'b Seat> + Clone,
    ) -> Option<Seat> {
        let row = &self.machine.tasks.get(&stand.entry.task)?.record;
        let request = self.machine.request(self.now, row);
        let replicas = seats.clone().filter_map(|seat| self.replica(seat.replica));
        let chosen = plan(replicas, &request, self.machine.config.policy).chosen?;
        let is_chosen = |seat: &&Seat| {
            let replica = self.replica(seat.replica);
            replica.is_some_and(|replica| replica.name == chosen.name)
        };
        seats.clone().find(is_chosen).copied()
    }

    fn dispatch(&self, stand: &Stand<'_>, seat: Seat, precedence: Precedence) -> Option<Step> {
        let name = self.replica(seat.replica)?.name.clone();
        let is_there = |replica: &usize| {
            let process = self.process(seat.process);
            process.is_some_and(|process| process.members.contains(replica))
        };
        let mut aside = self.aside.iter().flat_map(|(_, replicas)| replicas);
        let precedence = match precedence {
            Precedence::First if aside.any(is_there) => Precedence::Beside,
            precedence => precedence,
        };
        let band = stand.key.band;
        let members = || {
            self.group
                .processes
                .iter()
                .flat_map(|process| self.members(*process))
        };
        // Whom a process is kept for waits as well.
        let room = |lane: &LaneKey, _| {
            let able = members().filter(|(_, replica)| suits(replica, lane));
            able.filter_map(|(_, replica)| replica.ctx()).max()
        };
        let stands = self.machine.lanes.stands(self.now, self.shares, room);
        let waiting = stands.filter(|other| other.key.band == band);
        Some(Step::Dispatch(Choice {
            next: Next {
                task: stand.entry.task,
                flow: stand.flow,
                band,
                cost: stand.entry.cost,
                waiting: waiting.map(|other| other.flow).collect(),
            },
            group: self.shares.group,
            replica: Some(name),
            precedence,
        }))
    }

    /// Keeps a process for the first in the order.
    fn keep(&mut self, process: usize, head: &Stand<'a>, able: &[Seat]) {
        self.open.remove(&process);
        self.kept.push((process, head.entry.task));
        let replicas = able.iter().map(|seat| seat.replica).collect();
        self.aside.push((head.flow, replicas));
    }
}

/// Could a replica run a task, were its process idle?
fn fits(replica: &Replica, stand: &Stand<'_>) -> bool {
    suits(replica, stand.lane) && replica.ctx() >= Some(stand.entry.need)
}
