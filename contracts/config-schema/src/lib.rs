//! Configuration of the daemons: one TOML file, strictly typed.
//!
//! The types in [`config`] are the schema: `contracts/schemas/config.schema.json` is derived from them by
//! `cargo xtask regen-schema`. [`parse`] refuses a bad file with every fault's line, pointer and hint.
//! This crate reads no file and no environment; the daemons do, with the precedence flag, environment,
//! file, default.

mod config;
mod fault;
mod hint;
mod parse;
mod quota;
mod refusals;
mod schema;
mod validate;

pub use config::{
    Config, EngineKind, FullPolicy, Idempotency, LogFormat, Placement, Pool, Queue, QueueClass,
    Retry, Server, Session,
};
pub use fault::ConfigFault;
pub use parse::{parse, parse_and};
pub use quota::{Quota, TenantQuota};
pub use refusals::Refusals;
pub use schema::schema_json;
pub use validate::check;
