//! What holds for every store, one function each.

mod bulks;
mod fence;
mod guards;
mod idempotency;
mod keys;
mod life;
mod list;
mod quotas;
mod read;
mod survive;

pub use bulks::*;
pub use fence::*;
pub use guards::*;
pub use idempotency::*;
pub use keys::*;
pub use life::*;
pub use list::*;
pub use quotas::*;
pub use read::*;
pub use survive::*;
