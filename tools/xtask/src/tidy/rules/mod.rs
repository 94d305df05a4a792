//! The rules, one file each.

mod bans;
mod calls;
mod crate_edges;
mod doc_links;
mod doc_paths;
mod generated;
mod leaks;
mod licences;
mod manifests;
mod markers;
mod measures;
mod module_roots;
#[cfg(test)]
mod said;
mod sizes;
mod spdx;
mod table;
mod walls;
mod weight;

#[cfg(test)]
use said::said;
pub(crate) use table::{BLESSINGS, RULES};
