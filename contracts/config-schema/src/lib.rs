//! Configuration types of the daemons; the JSON Schema is derived from them.
