//! Which rules there are, and which tables they bless.

use super::{
    calls, crate_edges, doc_links, doc_paths, generated, leaks, licences, manifests, markers,
    sizes, walls, weight,
};
use crate::tidy::finding::Finding;
use crate::tidy::golden::Golden;
use crate::tidy::house::House;

/// A rule reads the house and says what is wrong in it.
pub(crate) type Rule = fn(&House<'_>) -> Vec<Finding>;

/// All rules.
pub(crate) const RULES: &[Rule] = &[
    calls::check,
    crate_edges::check,
    doc_links::check,
    doc_paths::check,
    generated::check,
    leaks::check,
    licences::check,
    manifests::check,
    markers::check,
    sizes::check,
    walls::check,
    weight::check,
];

/// A golden table with what its rows should be.
pub(crate) type Blessing = (&'static Golden, fn(&House<'_>) -> Vec<Vec<String>>);

/// The tables that `--bless` writes.
pub(crate) const BLESSINGS: &[Blessing] = &[
    (&calls::ALLOWED, calls::rows),
    (&crate_edges::EDGES, crate_edges::rows),
    (&sizes::RATCHET, sizes::rows),
];
