//! Who may call: the records of keys and the rules about them.
//!
//! A key itself never comes here. Whoever makes one draws a secret outside, hands in a code that the key can be
//! checked by (its MAC under a key of the server's), and shows the key once. What the machine decides is which
//! keys there are, until when each is let in, what it is allowed to, and that somebody is left who may make others.
//!
//! [`Tries`] is the other rule of the door: how often one address may be wrong.

mod keys;
mod record;
mod scope;
mod tenant;
mod tries;

pub use keys::{KeyCreate, KeyRotate, Keys};
pub use record::{KeyMac, KeyRecord, KeyStanding, ServerKeyMark};
pub use scope::{KeyScope, Scopes};
pub use tenant::{TENANT_NAME_CHARS_MAX, Tenant};
pub use tries::{PeerKey, Tries, TriesLimits};
