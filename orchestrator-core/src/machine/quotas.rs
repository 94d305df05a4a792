//! Quotas as steps of the machine: who is let in, what is given back, what people put. The rules are those of
//! [`Quotas`](crate::quota::Quotas).

use crate::id::{ReplyToken, TaskId, TenantId};
use crate::machine::driver::{LiveTask, Machine};
use crate::machine::step::Answer;
use crate::queue::{Flow, LaneKey};
use crate::quota::{Claim, QuotaOf, QuotaPut, QuotaRefusal, QuotaView};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::task::{TaskEnd, TaskRecord};
use crate::time::{MonoMs, Now};

impl Machine {
    /// What a task takes of quotas. It follows from what never changes of the task and from the configuration, so
    /// that what was taken is what is given back.
    pub(super) fn claim(&self, row: &TaskRecord) -> Claim {
        let tokens = row.spec.tokens_most();
        let lane = LaneKey {
            model_ref: row.spec.model_ref.clone(),
            engine: row.spec.engine,
            pinned: None,
            renounces: false,
        };
        let per_token = self.fleet.kv_bytes_per_token(&lane);
        let kv_bytes = per_token.map(|bytes| bytes.saturating_mul(tokens));
        self.quotas
            .claim(row.tenant, row.created_by, tokens, kv_bytes)
    }

    /// The refusal of a newcomer for which a quota has no room.
    pub(super) fn quota_refusal(&self, now: Now, newcomer: &LiveTask) -> Option<Refusal> {
        let claim = self.claim(&newcomer.record);
        // Where one of theirs must end first, the guess is that it ends when a slot comes free.
        let end_ms = || self.eta_ms(&newcomer.lane(), 0);
        let refused = self.quotas.admit(now.mono, &claim, end_ms).err()?;
        Some(Refusal::Quota(refused))
    }

    /// A task is accepted.
    pub(super) fn quota_take(&mut self, now: Now, row: &TaskRecord) {
        let claim = self.claim(row);
        let changed = self.quotas.take(now, &claim);
        self.step.quota_levels.extend(changed);
    }

    /// A task has ended: what it used stays used, the rest is given back.
    pub(super) fn quota_give_back(&mut self, now: Now, task: TaskId) {
        let Some(row) = self.tasks.get(&task).map(|live| &live.record) else {
            return;
        };
        let (claim, used) = (self.claim(row), used(row));
        let changed = self.quotas.give_back(now, &claim, used);
        self.step.quota_levels.extend(changed);
    }

    /// Someone puts a quota.
    pub(super) fn quota_put(&mut self, now: Now, reply: ReplyToken, put: QuotaPut) {
        let answer = match self.try_quota_put(now, put) {
            Ok(row) => row,
            Err(refusal) => Reply::Refused(refusal),
        };
        self.step.replies.push((reply, Answer::Ready(answer)));
    }

    fn try_quota_put(&mut self, now: Now, put: QuotaPut) -> Result<Reply, Refusal> {
        let of = match put.of {
            QuotaOf::Key(key) if self.keys.get(key).is_none() => {
                return Err(Refusal::KeyUnknown { key });
            }
            QuotaOf::Key(key) => QuotaOf::Key(self.quotas.first_of(key)),
            QuotaOf::Tenant(tenant) => QuotaOf::Tenant(tenant),
        };
        if put.limits.kv_mb_max.is_some() {
            let pools = self.fleet.kv_unknown();
            if !pools.is_empty() {
                return Err(Refusal::Quota(QuotaRefusal::Unenforceable { pools }));
            }
        }
        let subject = of.subject();
        let put = QuotaPut {
            of: of.clone(),
            ..put
        };
        let (row, changed) = self.quotas.put(now, put).map_err(Refusal::Quota)?;
        self.step.quotas.push(row);
        self.step.quota_levels.extend(changed.then_some(subject));
        let view = self.quota_view(now.mono, of);
        Ok(Reply::QuotaPut(Box::new(view)))
    }

    /// A quota and what is used of it.
    #[must_use]
    pub fn quota(&self, now: Now, of: QuotaOf) -> QuotaView {
        let of = match of {
            QuotaOf::Key(key) => QuotaOf::Key(self.quotas.first_of(key)),
            QuotaOf::Tenant(tenant) => QuotaOf::Tenant(tenant),
        };
        self.quota_view(now.mono, of)
    }

    /// Every quota that was put, and what is used of it: of keys, then of tenants.
    #[must_use]
    pub fn quota_views(&self, now: Now) -> Vec<QuotaView> {
        let put = self.quotas.rows().map(|row| row.of.clone());
        put.map(|of| self.quota_view(now.mono, of)).collect()
    }

    fn quota_view(&self, now: MonoMs, of: QuotaOf) -> QuotaView {
        let weight = match &of {
            QuotaOf::Key(_) => 0,
            QuotaOf::Tenant(tenant) => self.tenant_weight(tenant.id()),
        };
        self.quotas.view(now, of, weight)
    }

    fn tenant_weight(&self, tenant: TenantId) -> u32 {
        let put = self.quotas.weight(tenant);
        put.or_else(|| self.config.tenant_weights.get(&tenant).copied())
            .unwrap_or(1)
            .max(1)
    }

    /// Weight of a flow: its tenant's times its class's.
    pub(super) fn weight(&self, flow: Flow) -> u32 {
        let class = self.classes.weight(flow.class);
        self.tenant_weight(flow.tenant).saturating_mul(class)
    }
}

/// Tokens that an ended task used: those of its input and its text. One that failed has no text that counts, and
/// used none.
fn used(row: &TaskRecord) -> u64 {
    match &row.end {
        Some(TaskEnd::Finished {
            tokens_in,
            tokens_out,
            ..
        }) => tokens_in.saturating_add(*tokens_out),
        Some(TaskEnd::Failed { .. }) | None => 0,
    }
}
