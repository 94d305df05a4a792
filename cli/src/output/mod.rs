//! How things look: tables for people, JSON for programs, colours where they are seen.

mod count;
mod format;
mod notes;
mod page;
mod printer;
mod short;
mod style;
mod time;
mod visible;

pub(crate) use count::counted;
pub(crate) use format::Format;
pub(crate) use notes::Notes;
pub(crate) use page::{Cell, Page};
pub(crate) use printer::{Output, json};
pub(crate) use short::{digest, version};
pub(crate) use style::{Style, Tone};
pub(crate) use time::{Clock, ago, moment, soon, soon_within, span};
pub(crate) use visible::{printable, visible};
