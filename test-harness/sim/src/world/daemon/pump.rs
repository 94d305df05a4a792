//! The owner's loop, as its driver runs it: hear, take in, tick, move on, let out, and come back when asked to.

use std::collections::HashMap;

use orchestrator_core::id::TaskId;
use orchestrator_core::task::TaskRecord;
use orchestratord::owner::{Notice, StoreAnswer, StoreCall};
use store::{CommitError, ReadError};

use super::host::Host;
use super::lanes::{Command, Wanted};
use crate::checkers::Sight;
use crate::plan::CrashPoint;
use crate::plant::Plant;
use crate::world::World;
use crate::world::event::{DaemonEvent, Event};

/// What was looked up, or why that could not be done.
type LookedUp = Result<HashMap<TaskId, TaskRecord>, ReadError>;

/// Rounds before the process is taken to be busy, and other events have their turn.
const ROUNDS_MAX: usize = 64;
/// Ticks between two looks at the lanes.
const TICKS_PER_ROUND: usize = 16;

impl World {
    /// Lets a process do all that it can do now.
    pub(crate) fn pump(&mut self, host: &mut Host) {
        let wall = host.clock.honest(self.now).wall;
        self.see(&Sight::Clock { wall });
        let mut busy = true;
        for _ in 0..ROUNDS_MAX {
            if !self.is_host(host) || self.is_judged() {
                return;
            }
            busy = self.round(host);
            if !busy {
                break;
            }
        }
        if !self.is_host(host) {
            return;
        }
        self.watch_machine(host, !busy);
        self.wake_readers(host);
        if busy {
            self.send_host(host, 1, DaemonEvent::Wake);
        } else {
            self.ask_to_be_woken(host);
        }
    }

    /// One round. True if anything happened.
    fn round(&mut self, host: &mut Host) -> bool {
        let mut busy = self.resolve_doubts(host);
        busy |= self.take_in(host);
        for _ in 0..TICKS_PER_ROUND {
            let now = host.now(self.now);
            if host.state.tick(now, &mut host.entropy) {
                busy = true;
            } else {
                break;
            }
        }
        busy |= self.move_on(host);
        busy
    }

    fn ask_to_be_woken(&mut self, host: &mut Host) {
        if self.plant == Some(Plant::WakeUpsLost) {
            return;
        }
        let Some(at) = host.state.next_wake() else {
            return;
        };
        let at = host.clock.when(at).max(self.now);
        if host
            .wake_at
            .is_none_or(|asked| asked > at || asked <= self.now)
        {
            host.wake_at = Some(at);
            self.send_host_at(host, at, DaemonEvent::Wake);
        }
    }

    fn resolve_doubts(&mut self, host: &mut Host) -> bool {
        let now = host.now(self.now);
        let doubts = host.state.doubts(now);
        if doubts.is_empty() {
            return false;
        }
        match self.prefetch(host, &doubts) {
            Ok(found) => host.state.doubts_resolved(&found),
            Err(error) => host.state.doubts_remain(now, error.to_string()),
        }
        true
    }

    fn take_in(&mut self, host: &mut Host) -> bool {
        for (task, readers) in host.readers_told.take() {
            let report = orchestrator_core::input::Report::ReadersChanged { task, readers };
            host.report(report, None);
        }
        let kept = self.plan.setup.limits.batch_commands_least;
        host.lanes.take(host.state.room(), kept);
        let mut busy = false;
        while host.state.room() > 0
            && let Some((report, text)) = host.lanes.next_report()
        {
            busy = true;
            self.coverage.report(&report);
            let now = host.now(self.now);
            host.state.report(now, &mut host.entropy, report, text);
        }
        busy |= self.take_commands(host);
        if busy {
            self.unblock_attempts(host);
        }
        busy
    }

    /// Looks up what the commands need in one read, then steps them, as far as there is room.
    fn take_commands(&mut self, host: &mut Host) -> bool {
        if host.state.room() == 0 {
            return false;
        }
        let needed: Vec<TaskId> = host
            .lanes
            .next_commands()
            .flat_map(|command| host.state.lookup(&command.ask))
            .collect();
        let found = if needed.is_empty() || self.plant == Some(Plant::ColdLookupSkipped) {
            Ok(HashMap::new())
        } else {
            self.prefetch(host, &needed)
        };
        if let Err(error) = &found {
            let detail = error.to_string();
            self.notice(host, &Notice::PrefetchFailed { detail });
        }
        let mut busy = false;
        while host.state.room() > 0
            && let Some(wanted) = host.lanes.next_wanted()
        {
            busy = true;
            match wanted {
                Wanted::One(command) => self.take_command(host, command, &found),
                Wanted::Batch(commands) => self.take_batch(host, commands, &found),
            }
        }
        busy
    }

    /// Steps a batch, whatever room is left. If what one of it needs could not be looked up, none is stepped.
    fn take_batch(&mut self, host: &mut Host, commands: Vec<Command>, found: &LookedUp) {
        let needs = |command: &Command| !host.state.lookup(&command.ask).is_empty();
        if let Err(error) = found
            && commands.iter().any(needs)
        {
            let token = host.state.command_blind(&error.to_string());
            let first = commands.into_iter().next();
            host.waiters
                .extend(first.map(|first| (token, first.waiter)));
            return;
        }
        for command in commands {
            self.take_command(host, command, found);
        }
    }

    fn take_command(&mut self, host: &mut Host, command: Command, found: &LookedUp) {
        let Command { ask, body, waiter } = command;
        let now = host.now(self.now);
        let token = match found {
            Err(error) if !host.state.lookup(&ask).is_empty() => {
                host.state.command_blind(&error.to_string())
            }
            Err(_) => host
                .state
                .command(now, &mut host.entropy, ask, body, &HashMap::new()),
            Ok(found) => host.state.command(now, &mut host.entropy, ask, body, found),
        };
        host.waiters.insert(token, waiter);
    }

    /// One look-up of what has ended, on the owner's own connection.
    fn prefetch(
        &mut self,
        host: &mut Host,
        tasks: &[TaskId],
    ) -> Result<HashMap<TaskId, TaskRecord>, ReadError> {
        if self.daemons[host.daemon].store_cut.is_some() {
            return Err(ReadError("the store cannot be reached".to_owned()));
        }
        if self.troubles.prefetches > 0 {
            self.troubles.prefetches -= 1;
            return Err(ReadError("the look-up fails".to_owned()));
        }
        let found = host.cold.prefetch(tasks)?;
        Ok(found.into_iter().map(|row| (row.id, row)).collect())
    }

    /// Seals, calls the store, lets out. True if anything happened.
    fn move_on(&mut self, host: &mut Host) -> bool {
        let now = host.now(self.now);
        host.state.advance(now);
        let mut busy = false;
        if let Some(call) = host.state.poll_store(now) {
            busy = true;
            self.call_store(host, call);
        }
        busy | self.let_out(host)
    }

    fn call_store(&mut self, host: &mut Host, call: StoreCall) {
        host.calling = true;
        if let StoreCall::Commit(commit) = &call
            && commit.commit_seq != host.sealed
            && let Some(machine) = host.state.machine()
        {
            host.sealed = commit.commit_seq;
            let hard = machine.hard_state();
            self.see(&Sight::Sealed {
                daemon: host.daemon,
                life: host.life,
                commit: commit.commit_seq,
                hard: &hard,
            });
        }
        let early =
            self.plant == Some(Plant::ReleasesEarly) && matches!(call, StoreCall::Commit(_));
        let after = self.chance_store() + self.troubles.slow;
        self.agenda.add(
            self.now + after,
            Event::Store {
                daemon: host.daemon,
                life: host.life,
                call,
            },
        );
        if early {
            let now = host.now(self.now);
            let answer = StoreAnswer::Committed(Ok(()));
            host.state.store_answer(now, &mut host.entropy, answer);
            host.calling = false;
        }
        self.crash_at(host, CrashPoint::CommitSent);
    }

    /// The store has answered.
    pub(crate) fn hear_store(&mut self, host: &mut Host, answer: StoreAnswer) {
        if !host.calling {
            return;
        }
        host.calling = false;
        let answer = self.bent_answer(answer);
        let now = host.now(self.now);
        let loaded = matches!(answer, StoreAnswer::Loaded(Ok(_)));
        if let StoreAnswer::Loaded(Ok(loaded)) = &answer {
            host.sealed = loaded.commit_seq;
            self.see(&Sight::Term {
                daemon: host.daemon,
                life: host.life,
                now,
                loaded,
            });
        }
        host.recovering = loaded;
        host.state.store_answer(now, &mut host.entropy, answer);
        self.pump(host);
    }

    /// The answer as a planted bug hears it.
    fn bent_answer(&self, answer: StoreAnswer) -> StoreAnswer {
        match (self.plant, answer) {
            (Some(Plant::BelievesItOwns), StoreAnswer::Committed(Err(CommitError::Fenced(_)))) => {
                StoreAnswer::Committed(Ok(()))
            }
            (
                Some(Plant::UnknownTakenForNo),
                StoreAnswer::Committed(Err(CommitError::Unknown(detail))),
            ) => StoreAnswer::Committed(Err(CommitError::NotApplied(detail))),
            (_, answer) => answer,
        }
    }
}

impl World {
    /// Shows the machine to the checkers, now that it has done what it could.
    fn watch_machine(&mut self, host: &Host, quiet: bool) {
        let now = host.now(self.now);
        if let Some(machine) = host.state.machine() {
            self.see(&Sight::Machine {
                daemon: host.daemon,
                life: host.life,
                now,
                machine,
                quiet,
            });
        }
    }
}
