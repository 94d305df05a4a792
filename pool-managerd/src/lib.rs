//! The host agent's library: supervision of engine processes.
