//! Who takes over when a thread of the runtime is held up.

use tokio::runtime::Handle;

/// Has a thread that rests wait for sockets and timers. One thread of a runtime does that for all; if it is woken for one
/// small thing and held up by it, the others rest on and nobody does. Woken for nothing at all, another one does.
pub fn relief(runtime: &Handle) -> impl Fn() + Send + Sync + use<> {
    let runtime = runtime.clone();
    move || drop(runtime.spawn(async {}))
}
