//! Server traits of the HTTP contract, one per tag, generated from contracts/openapi.
