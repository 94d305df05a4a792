//! Server side of the HTTP contract: one trait for each tag, and the routers over them.
//!
//! A daemon implements [`support::ApiHost`] once and the trait of each tag, e.g.
//! [`tasks::TasksApi`], whose methods are called like the operations. The generated routers do
//! the rest, in this order for each request:
//!
//! 1. the request's context ([`support::ApiHost::Context`]) is made from the head of the request,
//!    with the [`support::Operation`] at hand, before a byte of the body is read;
//! 2. parameters are read and checked, then `Accept` and `Content-Type`, then the body, which is
//!    bounded and checked against the contract;
//! 3. the method is called with typed arguments and answers with one of the operation's replies.
//!
//! Everything refused on the way, unknown paths and methods included, becomes a
//! [`support::Rejection`], which the daemon turns into the contract's problem.

#[rustfmt::skip]
mod generated;
pub mod support;

pub use generated::*;
