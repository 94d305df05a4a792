//! Journeys from outside: real daemons, a real engine, a real model, and nothing but the public contract.
//!
//! [`haiku`] is the protocol: a task whose answer nobody can have written down beforehand. [`demo`] shows it
//! to a person, [`bench`](mod@bench) measures, and the tests hold the whole to its promises.

pub mod bench;
pub mod demo;
pub mod exposition;
pub mod haiku;
pub mod wait;
pub mod watch;
