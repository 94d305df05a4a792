//! Every quota, and the sums of everybody who is counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::id::{KeyId, PrincipalId, TenantId};
use crate::key::KeyRecord;
use crate::quota::book::{Account, Claim, Obstacle};
use crate::quota::bucket::Gauge;
use crate::quota::{
    QuotaLevels, QuotaLimits, QuotaOf, QuotaPut, QuotaRecord, QuotaRefusal, QuotaSubject,
    QuotaView, UNITS_PER_REQUEST, UNITS_PER_TOKEN,
};
use crate::time::{MonoMs, Now};

/// Every quota, and the sums of everybody who is counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quotas {
    rows: BTreeMap<QuotaSubject, Arc<QuotaRecord>>,
    accounts: BTreeMap<QuotaSubject, Account>,
    /// The first of the line of each key that took another's place.
    lines: BTreeMap<KeyId, KeyId>,
    /// Limits of a tenant of which nobody has put any.
    tenant_default: QuotaLimits,
}

impl Quotas {
    pub(crate) fn new(tenant_default: QuotaLimits) -> Self {
        Self {
            tenant_default,
            ..Self::default()
        }
    }

    /// A quota that was put before.
    pub(crate) fn restore(&mut self, row: QuotaRecord) {
        self.rows.insert(row.of.subject(), Arc::new(row));
    }

    /// Levels as they were.
    pub(crate) fn restore_levels(&mut self, now: Now, row: QuotaLevels) {
        let account = self.accounts.entry(row.subject).or_default();
        account.requests = Gauge::restore(now, row.requests);
        account.used = Gauge::restore(now, row.tokens);
    }

    /// A live task as it was.
    pub(crate) fn restore_task(&mut self, claim: &Claim) {
        for subject in claim.subjects() {
            self.accounts.entry(subject).or_default().hold(claim);
        }
    }

    /// The lines of keys, as they follow from all there ever were.
    pub(crate) fn restore_lines<'a>(&mut self, keys: impl Iterator<Item = &'a Arc<KeyRecord>>) {
        let next: BTreeMap<KeyId, KeyId> = keys
            .filter_map(|key| Some((key.id, key.replaced_by?)))
            .collect();
        let mut starts: std::collections::BTreeSet<KeyId> = next.keys().copied().collect();
        next.values().for_each(|later| {
            starts.remove(later);
        });
        for first in starts {
            let mut at = first;
            while let Some(later) = next.get(&at) {
                self.lines.insert(*later, first);
                at = *later;
            }
        }
    }

    /// A key takes another's place.
    pub(crate) fn follow(&mut self, before: KeyId, after: KeyId) {
        let first = self.first_of(before);
        self.lines.insert(after, first);
    }

    /// The first of a key's line: who is counted for it.
    #[must_use]
    pub fn first_of(&self, key: KeyId) -> KeyId {
        self.lines.get(&key).copied().unwrap_or(key)
    }

    /// What a task takes that so many tokens and bytes are estimated for.
    pub(crate) fn claim(
        &self,
        tenant: TenantId,
        created_by: PrincipalId,
        tokens: u64,
        kv_bytes: Option<u64>,
    ) -> Claim {
        let key = created_by.key().map(|key| self.first_of(key));
        Claim {
            tenant: QuotaSubject::Tenant(tenant),
            key: key.map(QuotaSubject::Key),
            tokens,
            kv_bytes,
        }
    }

    /// May a task come in? `end_ms` guesses when a live task of those counted with it ends.
    ///
    /// # Errors
    /// What stands in the way; nothing is changed by asking. Of several things, the one that lasts longest.
    pub(crate) fn admit(
        &self,
        now: MonoMs,
        claim: &Claim,
        end_ms: impl FnOnce() -> u64,
    ) -> Result<(), QuotaRefusal> {
        let blank = Account::default();
        let found = claim.subjects().filter_map(|subject| {
            let account = self.accounts.get(&subject).unwrap_or(&blank);
            let obstacle = account.obstacle(now, self.limits(subject), claim)?;
            Some((subject, obstacle))
        });
        let Some((subject, obstacle)) = found.max_by_key(|(_, obstacle)| obstacle.weight()) else {
            return Ok(());
        };
        Err(match obstacle {
            Obstacle::Full {
                limit,
                max,
                left,
                asked,
                window_s,
                wait_ms,
            } => QuotaRefusal::Exceeded {
                subject,
                limit,
                max,
                left,
                asked,
                window_s,
                retry_after_ms: wait_ms.unwrap_or_else(end_ms).max(1),
            },
            Obstacle::Unmeetable { limit, max, asked } => QuotaRefusal::Unmeetable {
                subject,
                limit,
                max,
                asked,
            },
        })
    }

    /// A task is accepted. Those whose levels have changed.
    pub(crate) fn take(&mut self, now: Now, claim: &Claim) -> Vec<QuotaSubject> {
        self.each(claim, |account, limits| account.take(now, limits, claim))
    }

    /// A task has ended and used so many tokens. Those whose levels have changed.
    pub(crate) fn give_back(&mut self, now: Now, claim: &Claim, used: u64) -> Vec<QuotaSubject> {
        self.each(claim, |account, limits| {
            account.give_back(now, limits, claim, used)
        })
    }

    fn each(
        &mut self,
        claim: &Claim,
        mut change: impl FnMut(&mut Account, &QuotaLimits) -> bool,
    ) -> Vec<QuotaSubject> {
        let mut changed = Vec::new();
        for subject in claim.subjects() {
            let limits = *self.limits(subject);
            let account = self.accounts.entry(subject).or_default();
            if change(account, &limits) {
                changed.push(subject);
            }
            if account.is_blank() {
                self.accounts.remove(&subject);
            }
        }
        changed
    }

    /// Puts a quota in the place of the one there is; its key, if it is one's, is the first of its line. What was
    /// put, and whether levels have changed.
    ///
    /// # Errors
    /// If the revision is another; nothing is changed then.
    pub(crate) fn put(
        &mut self,
        now: Now,
        put: QuotaPut,
    ) -> Result<(Arc<QuotaRecord>, bool), QuotaRefusal> {
        let QuotaPut {
            of,
            limits,
            weight,
            revision,
            put_by,
        } = put;
        let subject = of.subject();
        let there = self.rows.get(&subject).map_or(0, |row| row.revision);
        if there != revision {
            return Err(QuotaRefusal::Conflict {
                of,
                asked: revision,
                revision: there,
            });
        }
        let before = *self.limits(subject);
        let account = self.accounts.entry(subject).or_default();
        let changed = account.relimit(now, &before, &limits);
        if account.is_blank() {
            self.accounts.remove(&subject);
        }
        let row = Arc::new(QuotaRecord {
            of,
            limits,
            weight,
            revision: revision + 1,
            put_at: now.wall,
            put_by,
        });
        self.rows.insert(subject, Arc::clone(&row));
        Ok((row, changed))
    }

    /// The limits in force for one who is counted.
    #[must_use]
    pub fn limits(&self, subject: QuotaSubject) -> &QuotaLimits {
        const NONE: &QuotaLimits = &QuotaLimits {
            tasks_live_max: None,
            requests: None,
            tokens_per_min: None,
            kv_mb_max: None,
        };
        match (self.rows.get(&subject), subject) {
            (Some(row), _) => &row.limits,
            (None, QuotaSubject::Tenant(_)) => &self.tenant_default,
            (None, QuotaSubject::Key(_)) => NONE,
        }
    }

    /// The weight that was put for a tenant, if one was.
    #[must_use]
    pub fn weight(&self, tenant: TenantId) -> Option<u32> {
        self.rows.get(&QuotaSubject::Tenant(tenant))?.weight
    }

    /// Every quota that was put: of keys, then of tenants.
    pub fn rows(&self) -> impl Iterator<Item = &Arc<QuotaRecord>> {
        self.rows.values()
    }

    /// The levels of one who is counted, as they are durable once the step is.
    pub(crate) fn levels(&self, subject: QuotaSubject) -> QuotaLevels {
        let account = self.accounts.get(&subject).copied();
        account.unwrap_or_default().levels(subject)
    }

    /// Levels of everybody for whom any were ever written.
    pub(crate) fn all_levels(&self) -> impl Iterator<Item = QuotaLevels> {
        let written = |levels: &QuotaLevels| {
            levels.requests != crate::quota::Bucket::default()
                || levels.tokens != crate::quota::Bucket::default()
        };
        self.accounts
            .iter()
            .map(|(subject, account)| account.levels(*subject))
            .filter(written)
    }

    /// A quota and what is used of it; of a key, that of its line's first. `weight` is the tenant's in force.
    pub(crate) fn view(&self, now: MonoMs, of: QuotaOf, weight: u32) -> QuotaView {
        let subject = of.subject();
        let limits = *self.limits(subject);
        let account = self.accounts.get(&subject).copied().unwrap_or_default();
        let requests_left = limits.requests.map(|rate| {
            let units = account.requests.units(now, rate.rate());
            rate.capacity().saturating_sub(units) / UNITS_PER_REQUEST
        });
        let used = limits.tokens_per_min;
        let used = used.map_or(0, |rate| account.used.units(now, rate));
        QuotaView {
            put: self.rows.get(&subject).map(|row| QuotaRecord::clone(row)),
            of,
            limits,
            weight,
            tasks_live: account.tasks,
            requests_left,
            tokens_reserved: account.tokens,
            tokens_used: used.div_ceil(UNITS_PER_TOKEN),
            kv_bytes_reserved: account.kv_bytes,
        }
    }
}
