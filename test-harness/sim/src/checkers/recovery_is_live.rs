//! What a load would find is what the machine believes.

use std::collections::BTreeMap;

use orchestrator_core::machine::{HardState, Machine, MachineConfig, Recovered};
use orchestrator_core::placement::ReplicaConfig;
use orchestrator_core::task::TaskState;
use orchestrator_core::time::Now;
use store::Loaded;

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;
use crate::plan::Setup;

/// A recovery is tried after every so many commits; the durable rows are compared after each.
const RECOVER_EVERY: u64 = 8;

/// Watches that recover(load) is the live machine but for its soft state, after each commit.
pub(super) struct RecoveryIsLive {
    config: MachineConfig,
    /// What will be durable with the newest commit that a daemon sealed.
    sealed: BTreeMap<(usize, u64), HardState>,
}

impl RecoveryIsLive {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            config: setup.machine.clone(),
            sealed: BTreeMap::new(),
        }
    }

    /// The soft state that a recovery derives must be that of the rows.
    fn recovered(&self, durable: &Loaded) -> Result<(), String> {
        let recovered = Recovered {
            epoch: durable.epoch,
            accept_seq: durable.accept_seq,
            tasks: durable.tasks.clone(),
            attempts: durable.attempts.clone(),
            sessions: durable.sessions.clone(),
            keys: durable.keys.clone(),
            idempotency: durable.idempotency.clone(),
            quotas: durable.quotas.clone(),
            quota_levels: durable.quota_levels.clone(),
            pauses: durable.pauses.clone(),
            bulks: durable.bulks.clone(),
        };
        let machine = Machine::recover(self.config.clone(), Now::default(), recovered);
        if let Some(difference) = difference(&machine.hard_state(), durable) {
            return Err(format!("a recovery changes what is durable: {difference}"));
        }
        for class in &self.config.classes {
            let priority = class.name;
            let queued = durable
                .tasks
                .iter()
                .filter(|row| row.state == TaskState::Queued && row.spec.priority == priority)
                .count();
            let depth = machine.queue_depth(priority);
            if depth != Some(queued as u64) {
                return Err(format!(
                    "a recovery queues {depth:?} {priority} tasks of {queued}"
                ));
            }
        }
        for pool in &self.config.pools {
            for ReplicaConfig { name: replica, .. } in &pool.replicas {
                let live = durable
                    .attempts
                    .iter()
                    .filter(|row| row.replica == *replica)
                    .count();
                let taken = machine.slots_taken(replica);
                if u64::from(taken) != live as u64 {
                    return Err(format!(
                        "a recovery takes {taken} slots of {replica} for {live} attempts"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The first difference between what a machine believes and what is durable.
fn difference(hard: &HardState, durable: &Loaded) -> Option<String> {
    if hard.accept_seq != durable.accept_seq {
        return Some(format!(
            "accept sequence {} in memory, {} durable",
            hard.accept_seq.0, durable.accept_seq.0
        ));
    }
    let lengths = [
        ("tasks", hard.tasks.len(), durable.tasks.len()),
        ("attempts", hard.attempts.len(), durable.attempts.len()),
        ("sessions", hard.sessions.len(), durable.sessions.len()),
        ("keys", hard.keys.len(), durable.keys.len()),
        ("quotas", hard.quotas.len(), durable.quotas.len()),
        (
            "levels of quotas",
            hard.quota_levels.len(),
            durable.quota_levels.len(),
        ),
    ];
    if let Some((what, memory, store)) = lengths.iter().find(|(_, one, other)| one != other) {
        return Some(format!("{memory} {what} in memory, {store} durable"));
    }
    if hard.idempotency != durable.idempotency {
        return Some(format!(
            "idempotency keys {:?} in memory, {:?} durable",
            hard.idempotency, durable.idempotency
        ));
    }
    for row in &durable.tasks {
        if hard.tasks.get(&row.id) != Some(row) {
            return Some(format!(
                "{} is {:?} in memory, and durable as {row:?}",
                crate::story::Name(row.id),
                hard.tasks.get(&row.id)
            ));
        }
    }
    for row in &durable.attempts {
        if hard.attempts.get(&row.id) != Some(row) {
            return Some(format!(
                "attempt {} is {:?} in memory, and durable as {row:?}",
                row.id,
                hard.attempts.get(&row.id)
            ));
        }
    }
    for row in &durable.sessions {
        if hard.sessions.get(&row.key()) != Some(row) {
            return Some(format!(
                "session {} is {:?} in memory, and durable as {row:?}",
                row.id,
                hard.sessions.get(&row.key())
            ));
        }
    }
    for row in &durable.keys {
        if hard.keys.get(&row.id) != Some(row) {
            return Some(format!(
                "key {} is {:?} in memory, and durable as {row:?}",
                row.id,
                hard.keys.get(&row.id)
            ));
        }
    }
    quota_difference(hard, durable)
}

/// The same, of quotas, of bulks and of queues that are held.
fn quota_difference(hard: &HardState, durable: &Loaded) -> Option<String> {
    if !hard.bulks.values().eq(&durable.bulks) {
        return Some(format!(
            "bulks are {:?} in memory, and {:?} durable",
            hard.bulks, durable.bulks
        ));
    }
    if hard.pauses != durable.pauses {
        return Some(format!(
            "queues are {:?} in memory, and {:?} durable",
            hard.pauses, durable.pauses
        ));
    }
    for row in &durable.quotas {
        if hard.quotas.get(&row.of.subject()) != Some(row) {
            return Some(format!("a quota is durable as {row:?}, and not in memory"));
        }
    }
    for row in &durable.quota_levels {
        if hard.quota_levels.get(&row.subject) != Some(row) {
            return Some(format!(
                "levels are {:?} in memory, and durable as {row:?}",
                hard.quota_levels.get(&row.subject)
            ));
        }
    }
    None
}

impl Checker for RecoveryIsLive {
    fn property(&self) -> &'static str {
        "recover(load) is live"
    }

    fn promise(&self) -> &'static str {
        "after every commit the store holds what the machine believed when it sealed it, and a recovery from that \
         changes nothing durable and derives the same queues and slots"
    }

    fn see(&mut self, sight: &Sight<'_>, _book: &Book) -> Result<(), String> {
        match sight {
            Sight::Sealed {
                daemon,
                commit,
                hard,
                ..
            } => {
                self.sealed.retain(|(other, _), _| other != daemon);
                self.sealed
                    .insert((*daemon, *commit), HardState::clone(hard));
                Ok(())
            }
            Sight::Applied {
                daemon,
                commit,
                durable,
                ..
            } => {
                // A batch that its owner has given up has no machine to be compared with.
                if let Some(hard) = self.sealed.get(&(*daemon, commit.commit_seq))
                    && let Some(difference) = difference(hard, durable)
                {
                    return Err(format!("after commit {}: {difference}", commit.commit_seq));
                }
                if commit.commit_seq % RECOVER_EVERY == 0 {
                    self.recovered(durable)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkers::testing::{commit, hard_of, loaded, setup, task};

    #[test]
    fn a_row_that_is_not_what_the_machine_believes_is_seen() {
        let mut checker = RecoveryIsLive::new(&setup());
        let book = Book::default();
        let durable = loaded(vec![task(1, TaskState::Queued)]);
        let hard = hard_of(&durable);
        let mut other = hard.clone();
        other.tasks.values_mut().for_each(|row| row.position += 1);
        let one = commit(1, 1, vec![]);
        let applied = Sight::Applied {
            at: 0,
            daemon: 0,
            commit: &one,
            durable: &durable,
        };
        for (hard, holds) in [(&hard, true), (&other, false)] {
            let sealed = Sight::Sealed {
                daemon: 0,
                life: 1,
                commit: 1,
                hard,
            };
            assert!(checker.see(&sealed, &book).is_ok());
            assert_eq!(checker.see(&applied, &book).is_ok(), holds);
        }
    }
}
