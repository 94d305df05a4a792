//! What live tasks hold, and what was used: the sums for each who is counted.

use crate::quota::bucket::{Gauge, wait_ms};
use crate::quota::limits::BYTES_PER_MB;
use crate::quota::{
    QuotaLevels, QuotaLimit, QuotaLimits, QuotaSubject, RequestRate, UNITS_PER_REQUEST,
    UNITS_PER_TOKEN,
};
use crate::time::{MonoMs, Now};

/// What a task takes of every quota that it is counted under, from its acceptance to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Its tenant.
    pub(crate) tenant: QuotaSubject,
    /// The line of the key that created it; none if that was the system user.
    pub(crate) key: Option<QuotaSubject>,
    /// Tokens that it may use at most, as estimated.
    pub(crate) tokens: u64,
    /// Bytes of cache that it may fill at most, as estimated; `None` if a pool that may run it does not tell.
    pub(crate) kv_bytes: Option<u64>,
}

impl Claim {
    /// Who it is counted under.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = QuotaSubject> + use<> {
        [Some(self.tenant), self.key].into_iter().flatten()
    }
}

/// The sums of one who is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    /// Tasks accepted and not ended.
    pub(super) tasks: u64,
    /// What they may use, in tokens.
    pub(super) tokens: u64,
    /// What they may fill of caches, in bytes, as far as it is known.
    pub(super) kv_bytes: u64,
    /// Requests that have not flowed back.
    pub(super) requests: Gauge,
    /// Tokens of ended tasks that have not flowed back.
    pub(super) used: Gauge,
}

/// What stands in the way under one quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// There is no room now; milliseconds until there is, by the flow alone. `None`: some live task must end first.
    Full {
        limit: QuotaLimit,
        max: u64,
        left: u64,
        asked: u64,
        window_s: Option<u64>,
        wait_ms: Option<u64>,
    },
    /// There never will be.
    Unmeetable {
        limit: QuotaLimit,
        max: u64,
        asked: Option<u64>,
    },
}

impl RequestRate {
    pub(super) fn rate(self) -> u64 {
        u64::from(self.per_s.max(1))
    }

    pub(super) fn capacity(self) -> u64 {
        u64::from(self.burst.max(1)) * UNITS_PER_REQUEST
    }
}

impl Account {
    /// True if it says nothing that a new one would not.
    pub(super) fn is_blank(&self) -> bool {
        *self == Self::default()
    }

    /// The rows of what flows back.
    pub(super) fn levels(&self, subject: QuotaSubject) -> QuotaLevels {
        QuotaLevels {
            subject,
            requests: self.requests.row,
            tokens: self.used.row,
        }
    }

    /// What stands in the way of a task, if anything does: what is for good before what passes, and of that, what
    /// passes last.
    pub(super) fn obstacle(
        &self,
        now: MonoMs,
        limits: &QuotaLimits,
        claim: &Claim,
    ) -> Option<Obstacle> {
        let found = [
            self.against_tasks(limits),
            self.against_requests(now, limits),
            self.against_tokens(now, limits, claim.tokens),
            self.against_cache(limits, claim.kv_bytes),
        ];
        found.into_iter().flatten().max_by_key(Obstacle::weight)
    }

    fn against_tasks(&self, limits: &QuotaLimits) -> Option<Obstacle> {
        let max = u64::from(limits.tasks_live_max?);
        full(QuotaLimit::TasksLiveMax, max, self.tasks, 1)
    }

    fn against_requests(&self, now: MonoMs, limits: &QuotaLimits) -> Option<Obstacle> {
        let rate = limits.requests?;
        let (units, capacity) = (
            self.requests.units(now, rate.rate()),
            rate.capacity() - UNITS_PER_REQUEST,
        );
        (units > capacity).then(|| Obstacle::Full {
            limit: QuotaLimit::RequestsPerS,
            max: u64::from(rate.burst.max(1)),
            left: 0,
            asked: 1,
            window_s: Some(u64::from(rate.burst.max(1)).div_ceil(rate.rate())),
            wait_ms: Some(wait_ms(units - capacity, rate.rate())),
        })
    }

    fn against_tokens(&self, now: MonoMs, limits: &QuotaLimits, asked: u64) -> Option<Obstacle> {
        let max = limits.tokens_per_min?;
        let limit = QuotaLimit::TokensPerMin;
        if asked > max {
            let asked = Some(asked);
            return Some(Obstacle::Unmeetable { limit, max, asked });
        }
        let units = self.used.units(now, max);
        let room = max.saturating_sub(self.tokens);
        let left = room.saturating_sub(units.div_ceil(UNITS_PER_TOKEN));
        (asked > left).then(|| Obstacle::Full {
            limit,
            max,
            left,
            asked,
            window_s: Some(60),
            // What live tasks hold flows back with their ends only.
            wait_ms: room.checked_sub(asked).map(|rest| {
                let over = units.saturating_sub(rest.saturating_mul(UNITS_PER_TOKEN));
                wait_ms(over, max)
            }),
        })
    }

    fn against_cache(&self, limits: &QuotaLimits, asked: Option<u64>) -> Option<Obstacle> {
        let max = limits.kv_mb_max?;
        let limit = QuotaLimit::KvMbMax;
        let bytes_max = max.saturating_mul(BYTES_PER_MB);
        let Some(bytes) = asked.filter(|bytes| *bytes <= bytes_max) else {
            let asked = asked.map(|bytes| bytes.div_ceil(BYTES_PER_MB));
            return Some(Obstacle::Unmeetable { limit, max, asked });
        };
        let left = bytes_max.saturating_sub(self.kv_bytes);
        (bytes > left).then(|| Obstacle::Full {
            limit,
            max,
            left: left / BYTES_PER_MB,
            asked: bytes.div_ceil(BYTES_PER_MB),
            window_s: None,
            wait_ms: None,
        })
    }

    /// A task is accepted. True if a row has changed.
    pub(super) fn take(&mut self, now: Now, limits: &QuotaLimits, claim: &Claim) -> bool {
        self.hold(claim);
        let Some(rate) = limits.requests else {
            return false;
        };
        self.requests.add(now, rate.rate(), UNITS_PER_REQUEST);
        true
    }

    /// A live task is counted.
    pub(super) fn hold(&mut self, claim: &Claim) {
        self.tasks += 1;
        self.tokens = self.tokens.saturating_add(claim.tokens);
        self.kv_bytes = self.kv_bytes.saturating_add(claim.kv_bytes.unwrap_or(0));
    }

    /// A task has ended and used so many tokens. True if a row has changed.
    pub(super) fn give_back(
        &mut self,
        now: Now,
        limits: &QuotaLimits,
        claim: &Claim,
        used: u64,
    ) -> bool {
        self.tasks = self.tasks.saturating_sub(1);
        self.tokens = self.tokens.saturating_sub(claim.tokens);
        self.kv_bytes = self.kv_bytes.saturating_sub(claim.kv_bytes.unwrap_or(0));
        let Some(rate) = limits.tokens_per_min.filter(|_| used > 0) else {
            return false;
        };
        self.used
            .add(now, rate, used.saturating_mul(UNITS_PER_TOKEN));
        true
    }

    /// Other limits hold from now on. What has flowed back under those before has; under a limit that is new nothing
    /// was used yet. True if a row has changed.
    pub(super) fn relimit(&mut self, now: Now, before: &QuotaLimits, after: &QuotaLimits) -> bool {
        let rows = (self.requests.row, self.used.row);
        let requests = before.requests.map(RequestRate::rate);
        let requests = requests.map(|rate| self.requests.units(now.mono, rate));
        if before.requests != after.requests {
            self.requests.set(
                now,
                requests.filter(|_| after.requests.is_some()).unwrap_or(0),
            );
        }
        let tokens = before.tokens_per_min;
        let tokens = tokens.map(|rate| self.used.units(now.mono, rate));
        if before.tokens_per_min != after.tokens_per_min {
            self.used.set(
                now,
                tokens
                    .filter(|_| after.tokens_per_min.is_some())
                    .unwrap_or(0),
            );
        }
        rows != (self.requests.row, self.used.row)
    }
}

impl Obstacle {
    /// What is for good weighs more than what passes, and a long wait more than a short one.
    pub(super) fn weight(&self) -> (bool, bool, u64) {
        match self {
            Self::Full { wait_ms, .. } => (false, wait_ms.is_none(), wait_ms.unwrap_or(0)),
            Self::Unmeetable { .. } => (true, false, 0),
        }
    }
}

fn full(limit: QuotaLimit, max: u64, held: u64, asked: u64) -> Option<Obstacle> {
    if asked > max {
        let asked = Some(asked);
        return Some(Obstacle::Unmeetable { limit, max, asked });
    }
    let left = max.saturating_sub(held);
    (asked > left).then_some(Obstacle::Full {
        limit,
        max,
        left,
        asked,
        window_s: None,
        wait_ms: None,
    })
}
