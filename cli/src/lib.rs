//! The command line client.
