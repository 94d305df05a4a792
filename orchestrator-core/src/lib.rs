//! The deterministic machine that decides: pure state, no I/O, no clock, no randomness of its own.
