//! What the owner lets out, in order.

use std::sync::Arc;

use orchestrator_core::effect::Effect;
use orchestrator_core::id::ReplyToken;
use orchestrator_core::machine::Machine;
use orchestrator_core::reply::Reply;
use orchestrator_core::time::Now;
use store::Commit;

use super::error::OwnerUnavailable;
use super::outlet::Notice;
use super::view::LiveView;

/// Gives a live answer to who asked. Dropped without being called, it says that there is none.
pub type Deliver = Box<dyn FnOnce() + Send>;

/// A live read: looks at the machine between steps.
pub type Question = Box<dyn FnOnce(&Machine, Now) -> Deliver + Send>;

/// One thing that may leave the owner now.
pub enum Release {
    /// A batch is durable.
    Committed(Arc<Commit>),
    /// Do this.
    Effect(Effect),
    /// A live answer that shows nothing that is not durable.
    Live(Deliver),
    /// Something happened to the owner itself.
    Notice(Notice),
    /// The answer to a command; each command gets exactly one.
    Reply(ReplyToken, Result<Reply, OwnerUnavailable>),
    /// How things stand now.
    View(Arc<LiveView>),
}
