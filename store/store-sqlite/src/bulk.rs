//! Bulks as rows. Values are bound and read in the order in which the statements here and `load.rs` name the columns.

use orchestrator_core::bulk::{BulkCount, BulkFilter, BulkRecord};
use orchestrator_core::id::{
    AcceptSeq, BulkId, PrincipalId, ProjectId, SessionId, TaskId, TenantId,
};
use orchestrator_core::time::WallMs;
use rusqlite::Result;

use crate::codec::{Id, Name, ShortId, Unsigned};
use crate::record::Columns;
use crate::sql::Binder;

/// Forgets a bulk.
pub(crate) const BULK_FORGET: &str = "DELETE FROM bulk WHERE id = ?1";

/// Puts a bulk; what of it never changes is guarded, and that it has not ended.
pub(crate) const BULK_PUT: &str = "INSERT INTO bulk (id, tenant, action, project, state, priority, session, \
    accepted_from_ms, accepted_before_ms, begun_by, begun_at_ms, through, place, matched, changed, ended_at_ms) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) \
    ON CONFLICT (id) DO UPDATE SET place = excluded.place, matched = excluded.matched, \
    changed = excluded.changed, ended_at_ms = excluded.ended_at_ms \
    WHERE ended_at_ms IS NULL AND tenant = excluded.tenant AND action = excluded.action \
    AND project IS excluded.project AND state IS excluded.state AND priority IS excluded.priority \
    AND session IS excluded.session AND accepted_from_ms IS excluded.accepted_from_ms \
    AND accepted_before_ms IS excluded.accepted_before_ms AND begun_by = excluded.begun_by \
    AND begun_at_ms = excluded.begun_at_ms AND through = excluded.through";

/// Binds a bulk.
pub(crate) fn bind_bulk(to: &mut Binder<'_, '_>, record: &BulkRecord) -> Result<()> {
    let BulkRecord {
        id,
        action,
        filter,
        by,
        at,
        through,
        place,
        count,
        ended_at,
    } = record;
    let BulkFilter {
        tenant,
        project,
        state,
        priority,
        session,
        accepted_from,
        accepted_before,
    } = filter;
    to.value(Id::new(id.0))?
        .value(ShortId::new(tenant.0))?
        .value(Name(*action))?
        .value_or_null(project.map(|project| ShortId::new(project.0)))?
        .value_or_null(state.map(Name))?
        .value_or_null(priority.map(Name))?
        .value_or_null(session.map(|session| Id::new(session.0)))?
        .value_or_null(accepted_from.map(|at| Unsigned(at.0)))?
        .value_or_null(accepted_before.map(|at| Unsigned(at.0)))?
        .value(ShortId::new(by.0))?
        .value(Unsigned(at.0))?
        .value(Unsigned(through.0))?
        .value_or_null(place.map(|task| Id::new(task.0)))?
        .value(Unsigned(count.matched))?
        .value(Unsigned(count.changed))?
        .value_or_null(ended_at.map(|at| Unsigned(at.0)))?;
    Ok(())
}

/// Reads a bulk.
pub(crate) fn read_bulk(from: &mut Columns<'_>) -> Result<BulkRecord> {
    let id = BulkId(from.take::<Id>()?.value());
    let tenant = TenantId(from.take::<ShortId>()?.value());
    Ok(BulkRecord {
        id,
        action: from.named()?,
        filter: BulkFilter {
            tenant,
            project: from
                .take::<Option<ShortId>>()?
                .map(|project| ProjectId(project.value())),
            state: from.named_or_none()?,
            priority: from.named_or_none()?,
            session: from
                .take::<Option<Id>>()?
                .map(|session| SessionId(session.value())),
            accepted_from: from.time()?,
            accepted_before: from.time()?,
        },
        by: PrincipalId(from.take::<ShortId>()?.value()),
        at: WallMs(from.number()?),
        through: AcceptSeq(from.number()?),
        place: from.take::<Option<Id>>()?.map(|task| TaskId(task.value())),
        count: BulkCount {
            matched: from.number()?,
            changed: from.number()?,
        },
        ended_at: from.time()?,
    })
}
