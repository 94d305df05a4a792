//! Exceeded quotas and inexact refunds are seen.

use std::sync::Arc;

use orchestrator_core::id::PayloadRef;
use orchestrator_core::quota::QuotaRecord;
use orchestrator_core::task::{FinishReason, TaskState};
use orchestrator_core::time::WallMs;
use store::Loaded;

use super::*;
use crate::checkers::testing::{commit, setup, task};

struct Bench {
    checker: Quotas,
    seq: u64,
}

impl Bench {
    fn new(tokens_per_min: u64) -> Self {
        let mut setup = setup();
        setup.machine.tenant_limits = QuotaLimits::default();
        let mut bench = Self {
            checker: Quotas::new(&setup),
            seq: 0,
        };
        let put = QuotaRecord {
            of: QuotaOf::Tenant(Tenant::default()),
            limits: QuotaLimits {
                tokens_per_min: Some(tokens_per_min),
                ..QuotaLimits::default()
            },
            weight: None,
            revision: 1,
            put_at: WallMs(0),
            put_by: orchestrator_core::id::PrincipalId::SYSTEM,
        };
        let put = bench.applied(vec![Mutation::QuotaPut(Box::new(put))], None);
        assert_eq!(put, Ok(()));
        bench
    }

    fn applied(
        &mut self,
        mutations: Vec<Mutation>,
        kept: Option<QuotaLevels>,
    ) -> Result<(), String> {
        self.seq += 1;
        let commit = commit(1, self.seq, mutations);
        let durable = Loaded {
            quota_levels: kept.into_iter().collect(),
            ..Loaded::default()
        };
        let applied = Sight::Applied {
            at: self.seq * MILLI,
            daemon: 0,
            commit: &commit,
            durable: &durable,
        };
        self.checker.see(&applied, &Book::default())
    }

    fn accept(&mut self, row: &TaskRecord) -> Result<(), String> {
        let record = Arc::new(row.clone());
        let body = PayloadRef(1);
        self.applied(vec![Mutation::TaskInsert { record, body }], None)
    }
}

/// A task that reserves 100 tokens.
fn hundred(seq: u64) -> TaskRecord {
    let mut row = task(seq, TaskState::Queued);
    row.tenant = orchestrator_core::id::TenantId::DEFAULT;
    row.created_by = orchestrator_core::id::PrincipalId::SYSTEM;
    row.spec.prompt.tokens_estimate = 40;
    row.spec.max_tokens = 60;
    row
}

fn levels(tokens: u64) -> QuotaLevels {
    QuotaLevels {
        subject: QuotaSubject::Tenant(orchestrator_core::id::TenantId::DEFAULT),
        requests: Bucket::default(),
        tokens: Bucket {
            units: tokens * UNITS_PER_TOKEN,
            at: WallMs(0),
        },
    }
}

#[test]
fn one_token_too_many_is_seen() {
    let mut bench = Bench::new(200);
    assert_eq!(bench.accept(&hundred(1)), Ok(()));
    assert_eq!(bench.accept(&hundred(2)), Ok(()));
    assert!(bench.accept(&hundred(3)).is_err());
    let mut bench = Bench::new(199);
    assert_eq!(bench.accept(&hundred(1)), Ok(()));
    assert!(bench.accept(&hundred(2)).is_err());
}

#[test]
fn a_refund_that_is_written_down_twice_is_seen() {
    for (kept, fine) in [(30, true), (29, false), (31, false)] {
        let mut bench = Bench::new(200);
        assert_eq!(bench.accept(&hundred(1)), Ok(()));
        let mut row = hundred(1);
        row.state = TaskState::Completed;
        row.end = Some(TaskEnd::Finished {
            finish: FinishReason::Stop,
            tokens_in: 20,
            tokens_out: 10,
            decode_ms: 1,
        });
        let ended = vec![
            Mutation::TaskUpdate(Arc::new(row)),
            Mutation::QuotaLevelsPut(Box::new(levels(30))),
        ];
        let seen = bench.applied(ended, Some(levels(kept)));
        assert_eq!(seen.is_ok(), fine, "{kept}: {seen:?}");
    }
}
