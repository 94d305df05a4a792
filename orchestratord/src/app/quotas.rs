//! Quotas.

use orchestrator_core::id::KeyId;
use orchestrator_core::input::Ask;
use orchestrator_core::key::Tenant;
use orchestrator_core::machine::Machine;
use orchestrator_core::quota::{QuotaLimits, QuotaOf, QuotaPut, QuotaView, RequestRate};
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;

use super::{App, Caller, Trouble};

/// Quotas on a page unless the caller says otherwise.
const PAGE_DEFAULT: u32 = 50;

/// Whose quota is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuotaName {
    /// A key's.
    Key(KeyId),
    /// A tenant's.
    Tenant(Tenant),
}

/// A quota to put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewQuota {
    /// The revision that it takes the place of.
    pub revision: u64,
    /// Most tasks accepted and not ended.
    pub tasks_live_max: Option<u32>,
    /// Tasks in a second.
    pub requests_per_s: Option<u32>,
    /// Tasks at once; as many as in a second if none.
    pub burst: Option<u32>,
    /// Tokens in a minute.
    pub tokens_per_min: Option<u64>,
    /// Megabytes of cache.
    pub kv_mb_max: Option<u64>,
    /// The tenant's share.
    pub weight: Option<u32>,
}

/// A page of quotas.
#[derive(Clone, Debug)]
pub struct ListedQuotas {
    /// The quotas: of keys by id, then of tenants by name.
    pub quotas: Vec<QuotaView>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

impl App {
    /// A quota and what is used of it.
    ///
    /// # Errors
    /// If there is no such key, or no owner at the moment.
    pub async fn quota_get(&self, name: Option<QuotaName>) -> Result<QuotaView, Trouble> {
        let of = self.quota_of(name)?;
        let look = self
            .owner
            .ask_live(move |machine, now| machine.quota(now, of));
        look.await.map_err(super::commands::unavailable)
    }

    /// A page of the quotas that were put. A live read of what is durable.
    ///
    /// # Errors
    /// If the cursor is none, or there is no owner at the moment.
    pub async fn quota_list(
        &self,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<ListedQuotas, Trouble> {
        let look = self.owner.ask_live(Machine::quota_views).await;
        let mut quotas = look.map_err(super::commands::unavailable)?;
        quotas.sort_by_cached_key(|quota| place(&quota.of));
        if let Some(cursor) = cursor {
            let after = quotas
                .iter()
                .position(|quota| place(&quota.of) == cursor)
                .ok_or(Trouble::Cursor)?;
            quotas.drain(..=after);
        }
        let limit = limit.unwrap_or(PAGE_DEFAULT) as usize;
        let more = quotas.len() > limit;
        quotas.truncate(limit);
        let last = quotas.last().filter(|_| more);
        Ok(ListedQuotas {
            next: last.map(|quota| place(&quota.of)),
            quotas,
        })
    }

    /// Puts a quota in the place of the one of a revision.
    ///
    /// # Errors
    /// If the fields do not go together, it is refused, or the outcome is not known.
    pub async fn quota_put(
        &self,
        caller: &Caller,
        name: Option<QuotaName>,
        quota: NewQuota,
    ) -> Result<QuotaView, Trouble> {
        let of = self.quota_of(name)?;
        let NewQuota {
            revision,
            tasks_live_max,
            requests_per_s,
            burst,
            tokens_per_min,
            kv_mb_max,
            weight,
        } = quota;
        if burst.is_some() && requests_per_s.is_none() {
            return Err(invalid(
                "/burst",
                "a burst belongs to a rate: give requests_per_s as well, or leave burst out",
            ));
        }
        if weight.is_some() && matches!(of, QuotaOf::Key(_)) {
            return Err(invalid(
                "/weight",
                "only tenants have a weight: leave it out, or put it for the tenant",
            ));
        }
        let put = QuotaPut {
            of,
            limits: QuotaLimits {
                tasks_live_max,
                requests: requests_per_s.map(|per_s| RequestRate {
                    per_s,
                    burst: burst.unwrap_or(per_s),
                }),
                tokens_per_min,
                kv_mb_max,
            },
            weight,
            revision,
            put_by: caller.principal(),
        };
        // A repeat meets a revision of its own making, and so is told of a conflict and does no harm.
        match self.settled(Ask::QuotaPut(Box::new(put)), true).await? {
            Reply::QuotaPut(view) => {
                tracing::info!(of = ?view.of, by = caller.key_id().map(tracing::field::display), revision = revision + 1, "a quota was put");
                Ok(*view)
            }
            other => Err(super::commands::unexpected(other)),
        }
    }

    /// Whose quota it is, if there is such a key.
    fn quota_of(&self, name: Option<QuotaName>) -> Result<QuotaOf, Trouble> {
        match name {
            Some(QuotaName::Tenant(tenant)) => Ok(QuotaOf::Tenant(tenant)),
            Some(QuotaName::Key(key)) if self.keys().get(key).is_some() => Ok(QuotaOf::Key(key)),
            Some(QuotaName::Key(key)) => Err(Trouble::Refused(Refusal::KeyUnknown { key })),
            None => Err(invalid(
                "path/id",
                "the id of a key has 16 hexadecimal digits",
            )),
        }
    }
}

fn invalid(pointer: &'static str, detail: &str) -> Trouble {
    Trouble::Invalid {
        pointer,
        detail: detail.to_owned(),
    }
}

/// Place in the list, and cursor.
fn place(of: &QuotaOf) -> String {
    match of {
        QuotaOf::Key(key) => format!("key-{key}"),
        QuotaOf::Tenant(tenant) => format!("tenant-{}", tenant.name()),
    }
}
