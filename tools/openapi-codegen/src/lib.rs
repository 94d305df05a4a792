//! Generates types, server traits and client from the OpenAPI contract.
