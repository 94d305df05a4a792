//! Counts the readers of tasks that end with their last reader.

use std::sync::{Arc, PoisonError};

use super::live::TaskStream;

/// One counted reader. Making and dropping it tells how many there are now, in the order in which they came
/// and went: `tell` is called under the lock of the count, and must not block.
pub struct CountedReader<F: Fn(u32)> {
    stream: Arc<TaskStream>,
    tell: F,
}

impl<F: Fn(u32)> CountedReader<F> {
    /// Counts one more.
    pub fn new(stream: &Arc<TaskStream>, tell: F) -> Self {
        let counted = Self {
            stream: Arc::clone(stream),
            tell,
        };
        counted.count(|readers| readers + 1);
        counted
    }

    fn count(&self, change: impl Fn(u32) -> u32) {
        let mut readers = self
            .stream
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *readers = change(*readers);
        (self.tell)(*readers);
    }
}

impl<F: Fn(u32)> Drop for CountedReader<F> {
    fn drop(&mut self) {
        self.count(|readers| readers.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn each_coming_and_going_is_told() {
        let told = Mutex::new(Vec::new());
        let tell = |readers| told.lock().expect("nobody panics").push(readers);
        let stream = Arc::new(TaskStream::default());
        let one = CountedReader::new(&stream, tell);
        let two = CountedReader::new(&stream, tell);
        drop(one);
        drop(two);
        assert_eq!(*told.lock().expect("nobody panics"), [1, 2, 1, 0]);
    }
}
