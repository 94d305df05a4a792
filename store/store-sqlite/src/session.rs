//! Sessions as rows.

use orchestrator_core::id::{AcceptSeq, PrincipalId, ReplicaName, SessionId, TenantId};
use orchestrator_core::session::{Amounts, SessionBudget, SessionRecord};
use orchestrator_core::time::WallMs;
use rusqlite::Result;

use crate::codec::{Id, ShortId, Unsigned};
use crate::record::Columns;
use crate::sql::Binder;

/// Puts a session in the place of what it was.
pub(crate) const SESSION_PUT: &str = "INSERT INTO session (id, tenant, turns, replica, touched_at_ms, began_seq, budget_tokens, \
     budget_time_ms, budget_cost_micros, spent_tokens, spent_time_ms, spent_cost_micros, ttl_ms, put_at_ms, put_by) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
     ON CONFLICT (id, tenant) DO UPDATE SET turns = excluded.turns, replica = excluded.replica, \
     touched_at_ms = excluded.touched_at_ms, began_seq = excluded.began_seq, \
     budget_tokens = excluded.budget_tokens, budget_time_ms = excluded.budget_time_ms, \
     budget_cost_micros = excluded.budget_cost_micros, spent_tokens = excluded.spent_tokens, \
     spent_time_ms = excluded.spent_time_ms, spent_cost_micros = excluded.spent_cost_micros, \
     ttl_ms = excluded.ttl_ms, put_at_ms = excluded.put_at_ms, put_by = excluded.put_by";

/// Binds a session.
pub(crate) fn bind_session(to: &mut Binder<'_, '_>, record: &SessionRecord) -> Result<()> {
    let SessionRecord {
        id,
        tenant,
        turns,
        replica,
        began,
        budget,
        spent,
        ttl_ms,
        put,
        touched_at,
    } = record;
    to.value(Id::new(id.0))?
        .value(ShortId::new(tenant.0))?
        .value(*turns)?
        .value_or_null(replica.as_ref().map(ReplicaName::as_str))?
        .value(Unsigned(touched_at.0))?
        .value(Unsigned(began.0))?
        .value_or_null(budget.tokens.map(Unsigned))?
        .value_or_null(budget.time_ms.map(Unsigned))?
        .value_or_null(budget.cost_micros.map(Unsigned))?
        .value(Unsigned(spent.tokens))?
        .value(Unsigned(spent.time_ms))?
        .value(Unsigned(spent.cost_micros))?
        .value_or_null(ttl_ms.map(Unsigned))?
        .value_or_null(put.map(|(_, at)| Unsigned(at.0)))?
        .value_or_null(put.map(|(by, _)| ShortId::new(by.0)))?;
    Ok(())
}

/// Reads a session.
pub(crate) fn read_session(from: &mut Columns<'_>) -> Result<SessionRecord> {
    Ok(SessionRecord {
        id: SessionId(from.take::<Id>()?.value()),
        tenant: TenantId(from.take::<ShortId>()?.value()),
        turns: from.take()?,
        replica: from.name_like(ReplicaName::new)?,
        touched_at: WallMs(from.number()?),
        began: AcceptSeq(from.number()?),
        budget: SessionBudget {
            tokens: from.number_or_none()?,
            time_ms: from.number_or_none()?,
            cost_micros: from.number_or_none()?,
        },
        spent: Amounts {
            tokens: from.number()?,
            time_ms: from.number()?,
            cost_micros: from.number()?,
        },
        ttl_ms: from.number_or_none()?,
        put: read_put(from)?,
    })
}

/// Who put a session last, and when.
fn read_put(from: &mut Columns<'_>) -> Result<Option<(PrincipalId, WallMs)>> {
    let at = from.number_or_none()?.map(WallMs);
    let by = from.take::<Option<ShortId>>()?;
    Ok(by.map(|by| PrincipalId(by.value())).zip(at))
}
