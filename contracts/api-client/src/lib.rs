//! Client of the HTTP contract, generated from contracts/openapi.
