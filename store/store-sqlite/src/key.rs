//! Keys as rows. Values are bound and read in the order in which `sql.rs` and `load.rs` name the columns.

use orchestrator_core::id::{KeyId, PrincipalId, ProjectId};
use orchestrator_core::key::{KeyMac, KeyRecord, KeyScope, Scopes, ServerKeyMark, Tenant};
use orchestrator_core::time::WallMs;
use rusqlite::Result;
use store::Named;

use crate::codec::{Bytes, Name, ShortId, Unsigned};
use crate::record::Columns;
use crate::sql::Binder;

/// Puts a key; what of it never changes is guarded.
pub(crate) const KEY_PUT: &str = "INSERT INTO api_key (id, mac, server_key, tenant, project, name, scopes, class_max, \
    created_at_ms, created_by, expires_at_ms, revoked_at_ms, replaced_by) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
    ON CONFLICT (id) DO UPDATE SET expires_at_ms = excluded.expires_at_ms, \
    revoked_at_ms = excluded.revoked_at_ms, replaced_by = excluded.replaced_by \
    WHERE mac = excluded.mac AND server_key = excluded.server_key \
    AND tenant = excluded.tenant AND project IS excluded.project \
    AND name = excluded.name AND scopes = excluded.scopes \
    AND class_max = excluded.class_max AND created_at_ms = excluded.created_at_ms \
    AND created_by = excluded.created_by";

/// Binds a key.
pub(crate) fn bind_key(to: &mut Binder<'_, '_>, record: &KeyRecord) -> Result<()> {
    let scopes: Vec<_> = record.scopes.iter().collect();
    let scopes: Vec<&str> = scopes.iter().map(Named::name).collect();
    to.value(Unsigned(record.id.0))?
        .value(Bytes(record.mac.0))?
        .value(Bytes(record.server_key.0))?
        .value(record.tenant.name())?
        .value_or_null(record.project.map(|project| ShortId::new(project.0)))?
        .value(record.name.as_str())?
        .value(scopes.join(","))?
        .value(Name(record.class_max))?
        .value(Unsigned(record.created_at.0))?
        .value(ShortId::new(record.created_by.0))?
        .value_or_null(record.expires_at.map(|at| Unsigned(at.0)))?
        .value_or_null(record.revoked_at.map(|at| Unsigned(at.0)))?
        .value_or_null(record.replaced_by.map(|key| Unsigned(key.0)))?;
    Ok(())
}

/// Reads a key.
pub(crate) fn read_key(from: &mut Columns<'_>) -> Result<KeyRecord> {
    Ok(KeyRecord {
        id: KeyId(from.number()?),
        mac: KeyMac(from.take::<Bytes<32>>()?.0),
        server_key: ServerKeyMark(from.take::<Bytes<8>>()?.0),
        tenant: read_tenant(from)?,
        project: from
            .take::<Option<ShortId>>()?
            .map(|project| ProjectId(project.value())),
        name: from.take()?,
        scopes: read_scopes(from)?,
        class_max: from.named()?,
        created_at: WallMs(from.number()?),
        created_by: PrincipalId(from.take::<ShortId>()?.value()),
        expires_at: from.time()?,
        revoked_at: from.time()?,
        replaced_by: from.take::<Option<Unsigned>>()?.map(|key| KeyId(key.0)),
    })
}

fn read_tenant(from: &mut Columns<'_>) -> Result<Tenant> {
    let name: String = from.take()?;
    Tenant::named(&name).ok_or_else(|| from.unknown("tenant", &name))
}

fn read_scopes(from: &mut Columns<'_>) -> Result<Scopes> {
    let names: String = from.take()?;
    let scope =
        |name: &str| KeyScope::from_name(name).ok_or_else(|| from.unknown("scope of a key", name));
    names
        .split(',')
        .filter(|name| !name.is_empty())
        .map(scope)
        .collect()
}
