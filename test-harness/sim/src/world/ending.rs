//! The end of a run: everything must have come to an end, and is looked at once more.

use orchestrator_core::id::TaskId;
use orchestrator_core::task::TaskState;
use test_harness_history::{Answer, Ask, Event as Seen, Listed, Phase as SeenPhase};

use super::World;
use super::client::Aim;
use super::daemon::at_once;
use super::event::Event;
use super::world::Phase;
use crate::agenda::{MILLI, Micros, SECOND};
use crate::checkers::{Broken, Sight};
use crate::plan::Habit;

/// Longest time from the mending to the end of everything.
const PATIENCE: Micros = 400 * SECOND;
/// Pause between two looks whether everything has ended.
const LOOK: Micros = 500 * MILLI;

impl World {
    /// Looks whether the run goes on to its next phase.
    pub(super) fn settle_up(&mut self) {
        match self.phase {
            Phase::Chaos | Phase::Over => return,
            Phase::Healed => {
                if let Some(left) = self.unfinished() {
                    if self.now > self.plan.chaos + PATIENCE {
                        self.breaks(Broken {
                            property: "no stuck work after healing",
                            detail: left,
                        });
                        return;
                    }
                } else {
                    self.begin_audit();
                }
            }
            Phase::Audit => {
                if self.errands.iter().all(|errand| errand.over) {
                    self.end();
                    return;
                }
                if self.now > self.plan.chaos + 2 * PATIENCE {
                    self.breaks(Broken {
                        property: "no stuck work after healing",
                        detail: "a question about a task that has ended gets no answer".to_owned(),
                    });
                    return;
                }
            }
        }
        self.agenda.add(self.now + LOOK, Event::Audit);
    }

    /// What has not come to its end, in words.
    fn unfinished(&mut self) -> Option<String> {
        if self.wanted < self.plan.operations.len() {
            return Some("clients have not asked for everything yet".to_owned());
        }
        if let Some(held) = self.let_all_go_on() {
            return Some(held);
        }
        let loaded = self.store.peek();
        let parked: Vec<TaskId> = loaded
            .tasks
            .iter()
            .filter(|row| row.state == TaskState::Parked)
            .map(|row| row.id)
            .collect();
        let live = loaded.tasks.len() - parked.len();
        if live > 0 {
            let row = loaded
                .tasks
                .iter()
                .find(|row| row.state != TaskState::Parked)?;
            return Some(format!(
                "{live} tasks have not ended; {} is {:?}",
                crate::story::Name(row.id),
                row.state
            ));
        }
        let open: Vec<usize> = (0..self.errands.len())
            .filter(|number| !self.errands[*number].over)
            .collect();
        for number in open {
            let waits_for_a_person = match &self.errands[number].aim {
                Aim::Read(read) => parked.contains(&read.task),
                _ => false,
            };
            if !waits_for_a_person {
                return Some(format!(
                    "errand e{number} has no end: {:?}",
                    self.errands[number].aim
                ));
            }
            self.leave(number);
            self.done(number);
        }
        if !loaded.sessions.is_empty() {
            return Some(format!(
                "{} sessions have not run out",
                loaded.sessions.len()
            ));
        }
        self.leftovers(&parked)
    }

    /// What daemons hold that they need not.
    fn leftovers(&self, parked: &[TaskId]) -> Option<String> {
        for one in &self.daemons {
            let Some(host) = &one.host else {
                continue;
            };
            let settled = host.state.is_settled() && !host.calling;
            let machine = host.state.machine()?;
            if !settled || machine.live_count() != parked.len() {
                return Some(format!(
                    "daemon {} is not at rest",
                    crate::plan::letter(host.daemon)
                ));
            }
            let held = [
                ("attempts", host.attempts.len()),
                ("attempts in the roster", host.roster.len()),
                ("answers that somebody waits for", host.waiters.len()),
                ("inputs in the lanes", host.lanes.waiting()),
                ("readers", host.readers.len()),
                ("reads", host.reads.len()),
                ("streams", host.hub.len().saturating_sub(parked.len())),
            ];
            if let Some((what, number)) = held.iter().find(|(_, number)| *number > 0) {
                return Some(format!(
                    "daemon {} still holds {number} {what}",
                    crate::plan::letter(host.daemon)
                ));
            }
            for engine in &self.engines {
                let taken = machine.slots_taken(&engine.setup.name);
                if taken > 0 {
                    return Some(format!("{taken} slots of {} are taken", engine.setup.name));
                }
            }
        }
        None
    }

    fn begin_audit(&mut self) {
        self.say("everything has ended; it is looked at once more".to_owned());
        self.phase = Phase::Audit;
        self.saw(Seen::Phase(SeenPhase::Over));
        let habit = Habit {
            leaves_after: None,
            away: None,
            frame: 0,
        };
        let tasks: Vec<TaskId> = self.acknowledged.iter().copied().collect();
        let serving = self.holder.map_or(0, |(daemon, _)| daemon);
        for task in tasks {
            let row = at_once(store::ReadStore::task_get(
                &self.store,
                orchestrator_core::id::TenantId::DEFAULT,
                task,
            ));
            let ended = matches!(row, Ok(Some(row)) if row.record.state.is_final());
            let mut aims = vec![Aim::Look(task), Aim::Outcome(task)];
            if ended {
                aims.push(self.reading_of(task, habit));
            }
            for aim in aims {
                self.set_out(0, aim);
            }
        }
        for errand in &mut self.errands {
            if !errand.over && errand.peer.is_none() {
                errand.daemon = serving;
            }
        }
    }

    fn end(&mut self) {
        let query = store::TaskQuery {
            limit: u32::MAX,
            ..store::TaskQuery::default()
        };
        let listed = at_once(store::ReadStore::task_list(&self.store, query))
            .map(|page| page.rows)
            .unwrap_or_default();
        let rows: Vec<Listed> = listed
            .iter()
            .map(|row| Listed {
                task: test_harness_history::TaskId(row.record.id.0),
                state: super::client::state(row.record.state),
            })
            .collect();
        self.requests += 1;
        let request = self.requests;
        self.saw(Seen::Asked {
            request,
            client: 0,
            daemon: 0,
            ask: Ask::Census { state: None },
        });
        self.saw(Seen::Answered {
            request,
            answer: Answer::Census(rows),
        });
        let store = self.store.clone();
        let loaded = store.peek();
        self.see(&Sight::End {
            rows: &listed,
            loaded: &loaded,
            store: &store,
        });
        self.phase = Phase::Over;
    }

    /// Looks at what may be seen after every event.
    pub(super) fn look_around(&mut self) {
        if self.phase == Phase::Chaos || self.now <= self.plan.chaos + 3 * PATIENCE {
            return;
        }
        self.breaks(Broken {
            property: "no stuck work after healing",
            detail: "the world does not come to rest".to_owned(),
        });
    }
}
