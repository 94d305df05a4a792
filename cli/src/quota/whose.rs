//! Whose quota is meant.

use api_client::types::QuotaKindChoice;

use crate::ids;

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Whose {
    /// Of this tenant
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// Of the key with this id, and of those that took its place
    #[arg(long, value_name = "KEY", value_parser = ids::key)]
    key: Option<String>,
}

impl Whose {
    /// As the path of the API names it.
    pub(super) fn path(&self) -> (QuotaKindChoice, &str) {
        match (&self.tenant, &self.key) {
            (Some(tenant), _) => (QuotaKindChoice::Tenant, tenant),
            (None, key) => (QuotaKindChoice::Key, key.as_deref().unwrap_or_default()),
        }
    }
}
