//! Conformance suite that every store passes.
