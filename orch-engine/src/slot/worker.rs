//! The generation thread: one request after the other.

use std::time::Instant;

use super::queue::Job;
use super::{Event, Outcome, Slot};
use crate::generation::{Generation, Throttle};
use crate::holder::Held;
use crate::model::{Model, PredictError};

/// Serves the slot until it is closed.
pub(crate) fn run(slot: &Slot<Held<Model>>, max_tokens_per_second: Option<f64>) {
    let mut throttle = Throttle::new(max_tokens_per_second);
    while let Some(job) = slot.next() {
        let last = serve(slot, &mut throttle, &job);
        // The slot is free before the end is told: whoever reads the end finds it free, and the model unused.
        slot.release();
        drop(job.held);
        match last {
            Ok(Some(outcome)) => _ = job.events.send(Event::Done(outcome)),
            Ok(None) => {}
            Err(error) => _ = job.events.send(Event::Failed(error.to_string())),
        }
    }
}

/// Generates for one request. `None` if it was cancelled.
fn serve(
    slot: &Slot<Held<Model>>,
    throttle: &mut Throttle,
    job: &Job<Held<Model>>,
) -> Result<Option<Outcome>, PredictError> {
    let began = Instant::now();
    let n_prompt = job.request.prompt.len();
    let mut generation = Generation::new(&job.held, job.request.clone());
    while !generation.read_prompt()? {
        if job.cancel.is_cancelled() {
            return Ok(None);
        }
    }
    let prompt_read = Instant::now();
    let prompt_time = prompt_read - began;
    slot.count(|totals| {
        totals.prompt_tokens += n_prompt as u64;
        totals.prompt_time += prompt_time;
    });
    loop {
        let from = Instant::now();
        if job.cancel.wait_until(throttle.take(from)) {
            return Ok(None);
        }
        let before = generation.n_decoded();
        let mut step = generation.step()?;
        let n_decoded = generation.n_decoded();
        let predicted = (n_decoded - before) as u64;
        slot.progress(n_decoded);
        slot.count(|totals| {
            totals.predicted_tokens += predicted;
            totals.decodes += predicted;
            totals.predict_time += from.elapsed();
            totals.longest = totals.longest.max((n_prompt + n_decoded) as u64);
        });
        let end = step.end.take();
        if end.is_none() && step.is_silent() {
            continue;
        }
        if predicted > 0 {
            _ = job.events.send(Event::Token { step, n_decoded });
        }
        if let Some(end) = end {
            return Ok(Some(Outcome {
                end,
                n_decoded,
                prompt_time,
                predict_time: prompt_read.elapsed(),
            }));
        }
    }
}
