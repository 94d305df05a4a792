//! The whole machine: the small ones, composed. Start at [`Machine`] for how to drive it.
//!
//! # What it remembers
//!
//! Hard state is what the store holds; `recover` of it gives an equal machine but for the soft state, which
//! is rebuilt or lost with the consequence shown.
//!
//! | state | kind | after a recovery |
//! |---|---|---|
//! | records of live tasks, of their live attempts, of sessions, of keys, of idempotency keys, of quotas, of pauses | hard | as they were |
//! | highest accept sequence | hard | as it was |
//! | bulks, with how far each has come | hard | as they were; those that run go on |
//! | which bulk walks next | soft | they go round from the first |
//! | levels of quotas that flow back with time | hard | as they were, less what flowed back since by the wall clock |
//! | what live tasks hold of quotas | soft | summed up from the tasks |
//! | queue, lanes, front door | soft | rebuilt from tasks in state `queued`; same order |
//! | what each flow has had of each group of pools | soft | every flow begins anew; what was owed is forgotten |
//! | age of a task, when it is due, its deadline | soft | from `accepted_at` by the wall clock; a clock set back makes it younger |
//! | pools, replicas, who gave up | soft | everything starts; tasks wait until replicas report again |
//! | slots taken | soft | rebuilt from live attempts |
//! | which model a process holds, and how much of it went before others | soft | as live attempts show it; otherwise nothing is known to be held |
//! | leases | soft | each attempt that may still run gets a fresh one |
//! | tasks that wait for a time of the wall clock | soft | rebuilt from tasks in state `waiting`; those whose time passed meanwhile are queued by it |
//! | end of a backoff | soft | from `not_before`, at most one longest pause from now |
//! | end of a session | soft | from `touched_at`, at most one time to live from now |
//! | age of an idempotency key | soft | from `at` by the wall clock; a clock set back makes it younger |
//! | replies to cancels that wait for an attempt's end | soft | lost with the connections; a repeat gets one |
//! | deadline of a cancel | soft | begins anew |
//! | grace after the last reader of a task left | soft | forgotten: a task whose reader had left, and never comes back, runs to its end |
//! | time to an attempt's first token | soft until the attempt ends | lost for an attempt that goes on |
//! | what live tasks have reserved of their sessions' budgets | soft | rebuilt from live tasks; of their time nothing |
//! | measured service times | soft | estimates begin with the configured guess, and without a band |
//! | what is learned of how good bands are | soft | begins anew |
//! | attempts given up and not yet ended, tasks that can never run and are not yet ended | soft | found again by the same rules |
//! | counters | soft | begin at 0 |

mod affinity;
mod background;
mod budget;
mod bulk;
mod cancel;
mod close;
mod config;
mod create;
mod deadline;
mod dispatch;
mod driver;
mod explain;
mod keys;
mod moves;
mod pause;
mod quotas;
mod read;
mod recover;
mod refuse;
mod report;
mod requeue;
mod scheduled;
mod sessions;
mod step;

pub use bulk::TALLY_LOOKS_MAX;
pub use config::MachineConfig;
pub use driver::{Counters, MUTATIONS_PER_STEP_MAX, Machine, Output};
pub use explain::Explanation;
pub use recover::{HardState, Recovered};
