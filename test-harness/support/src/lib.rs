//! Starts real daemons and engines for tests.
