//! The first key, which no other key can have made.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use config_schema::Config;
use orchestrator_core::id::PrincipalId;
use orchestrator_core::key::{KeyCreate, KeyRecord, KeyScope, Keys, Scopes, Tenant};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::queue::ClassName;
use store::{Commit, CommitError, OpenError, OwnerStore, ReadError};
use store_sqlite::SqliteStore;
use thiserror::Error;

use super::server_key::{ServerKey, ServerKeyError};
use super::token::ApiKey;
use crate::app::ClassOffer;
use crate::owner::{Clock, SystemClock};

/// Why there is no first key.
#[derive(Debug, Error)]
pub enum InitError {
    /// Keys are made by those who have one.
    #[error(
        "there are {0} keys already; make others with `orch key create` and a key of an operator. If all of those are \
         lost, `orchestratord init --again` makes another first key"
    )]
    KeysExist(usize),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The key could not be made durable.
    #[error(
        "the key was not kept: {0}; run this again, with --again if it then says that there are keys"
    )]
    Commit(#[from] CommitError),
    /// The daemon's own key cannot be had.
    #[error(transparent)]
    ServerKey(#[from] ServerKeyError),
    /// The key was made, and nobody has seen it.
    #[error(
        "the key was made and could not be printed: {0}; run this again with --again for another"
    )]
    Print(io::Error),
    /// No key can be drawn.
    #[error("the operating system gives no random bytes: {0}")]
    NoChance(#[from] getrandom::Error),
    /// The id that was drawn is taken.
    #[error("the id that was drawn for the key is taken; run this again")]
    Taken,
}

/// The first key.
#[derive(Debug)]
pub struct FirstKey {
    /// The key itself, to be shown once.
    pub api_key: ApiKey,
    /// What is kept of it.
    pub record: KeyRecord,
}

/// Makes data directory, server key and first key, where they are missing. No daemon may run on the directory. `again`
/// makes another first key where there are keys. Its tasks may wait in `class_max`, the most urgent class.
///
/// # Errors
/// [`InitError`]; no key was made then, unless it says so.
pub fn init(data_dir: &Path, again: bool, class_max: ClassName) -> Result<FirstKey, InitError> {
    let mut store = SqliteStore::open(data_dir, "orchestratord init")?;
    let loaded = store.load()?;
    if !loaded.keys.is_empty() && !again {
        return Err(InitError::KeysExist(loaded.keys.len()));
    }
    let server_key = match ServerKey::find(data_dir)? {
        Some(found) => found,
        None => ServerKey::make(data_dir)?,
    };
    let api_key = ApiKey::draw()?;
    let now = SystemClock::default().now().wall;
    let create = KeyCreate {
        id: api_key.id(),
        mac: server_key.mac(&api_key),
        server_key: server_key.mark(),
        tenant: Tenant::default(),
        project: None,
        name: "first key".to_owned(),
        scopes: Scopes::from_iter([KeyScope::Operator, KeyScope::User]),
        class_max,
        expires_at: None,
        created_by: PrincipalId::SYSTEM,
    };
    let record = Keys::from_iter(loaded.keys)
        .create(now, create)
        .map_err(|_| InitError::Taken)?;
    let record = KeyRecord::clone(&record);
    store.commit(&Commit {
        epoch: loaded.epoch,
        commit_seq: loaded.commit_seq + 1,
        at: now,
        mutations: vec![Mutation::KeyPut(Box::new(record.clone()))],
        payloads: HashMap::new(),
        events: Vec::new(),
    })?;
    Ok(FirstKey { api_key, record })
}

/// Makes the first key and prints it: alone on standard output, or as a JSON document, and what to do with it on
/// standard error.
///
/// # Errors
/// [`InitError`], as with [`init`], or if nobody could be told the key.
pub fn print_first_key(
    data_dir: &Path,
    config: &Config,
    again: bool,
    json: bool,
) -> Result<(), InitError> {
    let class_max = ClassOffer::of(&config.queue).most_urgent();
    let FirstKey { api_key, record } = init(data_dir, again, class_max)?;
    let mut out = io::stdout().lock();
    let printed = if json {
        let document = serde_json::json!({
            "api_key": api_key.reveal(),
            "key_id": record.id.to_string(),
            "data_dir": data_dir.display().to_string(),
        });
        writeln!(out, "{document}")
    } else {
        writeln!(out, "{}", api_key.reveal())
    };
    printed
        .and_then(|()| out.flush())
        .map_err(InitError::Print)?;
    let hint = "This key manages the deployment and is not shown again. Keep it where only you can read it:\n  \
                orchestratord init > key.txt, chmod 600 key.txt, orch --key-file key.txt whoami\n\
                From now on the daemon asks everybody for a key; make others with orch key create.";
    let _nobody_looks = writeln!(io::stderr(), "{hint}");
    Ok(())
}
