//! The thread that brings models in.

use std::sync::Arc;
use std::time::Instant;

use super::Holder;

/// Brings in what is asked for until the holder is closed. A model that cannot be loaded is an answer to
/// those who asked for it; only the very first must come.
///
/// # Errors
///
/// If the first load fails.
pub(crate) fn run<M, E: ToString>(
    holder: &Arc<Holder<M>>,
    mut load: impl FnMut(usize) -> Result<M, E>,
) -> Result<(), E> {
    let mut first = true;
    while let Some(index) = holder.next_load() {
        let began = Instant::now();
        let outcome = load(index);
        let took = began.elapsed();
        let outcome = match outcome {
            Err(error) if first => return Err(error),
            outcome => outcome.map_err(|error| error.to_string()),
        };
        first = false;
        holder.loaded(index, outcome, took);
    }
    Ok(())
}
