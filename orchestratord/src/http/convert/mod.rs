//! The only place where the words of the wire and the words of the machine meet.
//!
//! Every struct is taken apart by name, so that a new field of either side breaks the build here and
//! nowhere else.

mod batch;
mod bulk;
mod choice;
mod create;
mod frame;
mod key;
mod pool;
mod quota;
mod refusal;
mod result;
mod session;
mod task;
mod why;

pub(super) use batch::{new_tasks, task_batch};
pub(super) use bulk::{bulk, new_bulk};
pub(super) use choice::{class_choice, engine, state_filter};
pub(super) use create::new_task;
pub(super) use frame::{event, shut_out};
pub(super) use key::{key, key_created, key_id, key_page, new_key, whoami};
pub(super) use pool::{capabilities, pool_health, replica_sets};
pub(super) use quota::{new_quota, queue, queue_switch, quota, quota_name, quota_page};
pub(super) use refusal::{refusal, refusal_page};
pub(super) use result::task_result;
pub(super) use session::{new_session, session};
pub(super) use task::{task, task_created, task_page};
pub(super) use why::task_why;
