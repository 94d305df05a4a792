//! Quotas are never exceeded, and what was not used is given back exactly.

use std::collections::BTreeMap;

use orchestrator_core::id::{KeyId, TaskId};
use orchestrator_core::key::Tenant;
use orchestrator_core::machine::{Machine, MachineConfig};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::quota::{
    Bucket, QuotaLevels, QuotaLimits, QuotaOf, QuotaSubject, UNITS_PER_REQUEST, UNITS_PER_TOKEN,
};
use orchestrator_core::task::{TaskEnd, TaskRecord};
use orchestrator_core::time::Now;
use store::Commit;

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;
use crate::agenda::{MILLI, Micros};
use crate::plan::Setup;
use crate::story::Name;

/// A clock runs at most this many times as fast as the true one, in thousandths.
const FASTEST: u64 = 1_060;

/// What is held is counted after every so many looks.
const COUNT_EVERY: u64 = 16;

/// Watches the commits: what is accepted under each limit, and what is written down as used. It recounts from the rows
/// of tasks and puts, and knows nothing of the machine's sums.
#[derive(Debug)]
pub(super) struct Quotas {
    config: MachineConfig,
    limits: BTreeMap<QuotaSubject, QuotaLimits>,
    live: BTreeMap<TaskId, TaskRecord>,
    before: BTreeMap<KeyId, KeyId>,
    written: BTreeMap<QuotaSubject, Written>,
    /// When the last commits were applied, the newest last. What is in a commit happened after the one before the one
    /// before it: batches are sealed one by one.
    applied: [Micros; 2],
    looks: u64,
}

/// What was written last of one who is counted.
#[derive(Clone, Copy, Debug, Default)]
struct Written {
    levels: (u64, u64),
    tokens: Bucket,
    /// When those of tokens were, no later than this; never if a daemon with other clocks has taken over since.
    at: Option<Micros>,
    /// Tokens used and requests taken that no level tells of yet.
    unwritten: (u64, u64),
}

impl Quotas {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            config: setup.machine.clone(),
            limits: BTreeMap::new(),
            live: BTreeMap::new(),
            before: BTreeMap::new(),
            written: BTreeMap::new(),
            applied: [0; 2],
            looks: 0,
        }
    }

    fn subjects(&self, row: &TaskRecord) -> Vec<QuotaSubject> {
        subjects(&self.before, row)
    }

    fn limits_of(&self, subject: QuotaSubject) -> QuotaLimits {
        match (self.limits.get(&subject), subject) {
            (Some(limits), _) => *limits,
            (None, QuotaSubject::Tenant(_)) => self.config.tenant_limits,
            (None, QuotaSubject::Key(_)) => QuotaLimits::default(),
        }
    }

    fn bytes(&self, row: &TaskRecord) -> u64 {
        let spec = &row.spec;
        let serves = self.config.pools.iter().filter(|pool| {
            let model = spec.model_ref.as_ref();
            model.is_none_or(|model| *model == pool.model_ref)
                && spec.engine.is_none_or(|engine| engine == pool.engine)
        });
        let per_token = serves.filter_map(|pool| pool.kv_bytes_per_token).max();
        per_token.unwrap_or(0) * spec.tokens_most()
    }

    /// Units of tokens that are surely still used.
    fn surely_used(&self, at: Micros, subject: QuotaSubject, rate: u64) -> u64 {
        let written = self.written.get(&subject).copied().unwrap_or_default();
        let Some(since) = written.at else { return 0 };
        let elapsed = (at - since) / MILLI * FASTEST / 1_000 + 2;
        let flown = rate.saturating_mul(elapsed);
        written.levels.0.saturating_sub(flown)
    }

    fn accepted(&mut self, at: Micros, row: &TaskRecord) -> Result<(), String> {
        self.live.insert(row.id, row.clone());
        for subject in self.subjects(row) {
            let limits = self.limits_of(subject);
            let mine = || {
                let live = self.live.values();
                live.filter(|other| self.subjects(other).contains(&subject))
            };
            let over = |limit: &str, have: u64, max: u64| {
                Err(format!(
                    "{} is accepted, and {subject:?} has {have} of {max} {limit}",
                    Name(row.id)
                ))
            };
            let tasks = mine().count() as u64;
            if let Some(max) = limits.tasks_live_max.filter(|max| tasks > u64::from(*max)) {
                return over("live tasks", tasks, max.into());
            }
            let bytes: u64 = mine().map(|row| self.bytes(row)).sum();
            if let Some(max) = limits.kv_mb_max.filter(|max| bytes > max * 1_000_000) {
                return over("megabytes", bytes / 1_000_000, max);
            }
            if let Some(max) = limits.tokens_per_min {
                let reserved: u64 = mine().map(|row| row.spec.tokens_most()).sum();
                let units = self.surely_used(at, subject, max) + reserved * UNITS_PER_TOKEN;
                if units > max * UNITS_PER_TOKEN {
                    return over("tokens", units.div_ceil(UNITS_PER_TOKEN), max);
                }
            }
            if limits.requests.is_some() {
                self.written.entry(subject).or_default().unwritten.1 += 1;
            }
        }
        Ok(())
    }

    fn ended(&mut self, row: &TaskRecord) {
        self.live.remove(&row.id);
        let used = match &row.end {
            Some(TaskEnd::Finished {
                tokens_in,
                tokens_out,
                ..
            }) => tokens_in + tokens_out,
            _ => 0,
        };
        for subject in self.subjects(row) {
            if self.limits_of(subject).tokens_per_min.is_some() {
                self.written.entry(subject).or_default().unwritten.0 += used;
            }
        }
    }

    /// Levels are written: all that was used since and nothing else came to them, and the rest only flowed back.
    fn level(&mut self, row: &QuotaLevels) -> Result<(), String> {
        let limits = self.limits_of(row.subject);
        let [since, _] = self.applied;
        let written = self.written.entry(row.subject).or_default();
        let (tokens, requests) = written.unwritten;
        let came = (tokens * UNITS_PER_TOKEN, requests * UNITS_PER_REQUEST);
        let now = (row.tokens.units, row.requests.units);
        let fits = |now: u64, before: u64, came: u64| (came..=before + came).contains(&now);
        if !fits(now.0, written.levels.0, came.0) || !fits(now.1, written.levels.1, came.1) {
            return Err(format!(
                "{:?} had {:?} and {came:?} came to that, and {now:?} is written down",
                row.subject, written.levels
            ));
        }
        let burst = limits.requests.map(|rate| u64::from(rate.burst));
        if requests > 0 && burst.is_some_and(|burst| now.1 > burst * UNITS_PER_REQUEST) {
            return Err(format!(
                "{:?} has taken {} of a burst of {burst:?}",
                row.subject,
                now.1.div_ceil(UNITS_PER_REQUEST)
            ));
        }
        if written.tokens != row.tokens {
            written.at = Some(since);
        }
        *written = Written {
            levels: now,
            tokens: row.tokens,
            unwritten: (0, 0),
            ..*written
        };
        Ok(())
    }

    fn applied(
        &mut self,
        at: Micros,
        commit: &Commit,
        durable: &[QuotaLevels],
    ) -> Result<(), String> {
        // Of several in one commit the last is judged as the store has it.
        let mut last = BTreeMap::new();
        for (index, mutation) in commit.mutations.iter().enumerate() {
            if let Mutation::QuotaLevelsPut(row) = mutation {
                last.insert(row.subject, index);
            }
        }
        for (index, mutation) in commit.mutations.iter().enumerate() {
            match mutation {
                Mutation::KeyPut(key) => {
                    if let Some(successor) = key.replaced_by {
                        self.before.insert(successor, key.id);
                    }
                }
                Mutation::TaskInsert { record, .. } => self.accepted(at, record)?,
                Mutation::TaskUpdate(row) if row.state.is_final() => self.ended(row),
                Mutation::TaskUpdate(row) => {
                    self.live.insert(row.id, TaskRecord::clone(row));
                }
                Mutation::QuotaPut(row) => {
                    let subject = row.of.subject();
                    self.limits.insert(subject, row.limits);
                }
                Mutation::QuotaLevelsPut(row) => {
                    let kept = durable.iter().find(|kept| kept.subject == row.subject);
                    let judged = match last.get(&row.subject) == Some(&index) {
                        true => kept.unwrap_or(row),
                        false => row,
                    };
                    self.level(judged)?;
                }
                _ => {}
            }
        }
        let [_, newest] = self.applied;
        self.applied = [newest, at];
        Ok(())
    }

    /// What the machine says is reserved is what its live tasks may use.
    fn reserved(machine: &Machine, now: Now) -> Result<(), String> {
        let successors = machine.keys().iter();
        let before: BTreeMap<KeyId, KeyId> = successors
            .filter_map(|key| Some((key.replaced_by?, key.id)))
            .collect();
        let mut sums: BTreeMap<QuotaSubject, (u64, u64)> = BTreeMap::new();
        for row in machine.records() {
            for subject in subjects(&before, row) {
                let (tasks, tokens) = sums.entry(subject).or_default();
                *tasks += 1;
                *tokens += row.spec.tokens_most();
            }
        }
        let keys = machine.keys().iter().map(|key| QuotaOf::Key(key.id));
        for of in keys.chain([QuotaOf::Tenant(Tenant::default())]) {
            let view = machine.quota(now, of);
            let subject = view.of.subject();
            let counted = sums.get(&subject).copied().unwrap_or_default();
            if (view.tasks_live, view.tokens_reserved) != counted {
                return Err(format!(
                    "{subject:?} is said to hold {} tokens for {} tasks, and holds {counted:?}",
                    view.tokens_reserved, view.tasks_live
                ));
            }
        }
        Ok(())
    }
}

/// Who a task is counted under, by which key took whose place.
fn subjects(before: &BTreeMap<KeyId, KeyId>, row: &TaskRecord) -> Vec<QuotaSubject> {
    let first_of = |key: KeyId| {
        let mut first = key;
        while let Some(earlier) = before.get(&first) {
            first = *earlier;
        }
        first
    };
    let key = row.created_by.key().map(first_of).map(QuotaSubject::Key);
    std::iter::once(QuotaSubject::Tenant(row.tenant))
        .chain(key)
        .collect()
}

impl Checker for Quotas {
    fn property(&self) -> &'static str {
        "quotas never exceeded, refunds exact"
    }

    fn promise(&self) -> &'static str {
        "no task is accepted beyond a limit, by a recount of the rows; what is written down as used is what ended tasks \
         used, less what flowed back"
    }

    fn see(&mut self, sight: &Sight<'_>, _book: &Book) -> Result<(), String> {
        match sight {
            Sight::Applied {
                at,
                commit,
                durable,
                ..
            } => self.applied(*at, commit, &durable.quota_levels),
            Sight::Machine { now, machine, .. } => {
                self.looks += 1;
                if self.looks.is_multiple_of(COUNT_EVERY) {
                    Self::reserved(machine, *now)
                } else {
                    Ok(())
                }
            }
            Sight::Term { .. } => {
                // Its clocks are others, and the wall clock says what has flowed back meanwhile.
                for written in self.written.values_mut() {
                    written.at = None;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
