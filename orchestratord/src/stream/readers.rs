//! Counts the readers of tasks that end with their last reader.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::live::TaskStream;

/// One counted reader. Making and dropping it tells how many there are now.
pub struct CountedReader<F: Fn(u32)> {
    stream: Arc<TaskStream>,
    tell: F,
}

impl<F: Fn(u32)> CountedReader<F> {
    /// Counts one more.
    pub fn new(stream: &Arc<TaskStream>, tell: F) -> Self {
        let readers = stream.readers.fetch_add(1, Ordering::AcqRel) + 1;
        tell(readers);
        Self {
            stream: Arc::clone(stream),
            tell,
        }
    }
}

impl<F: Fn(u32)> Drop for CountedReader<F> {
    fn drop(&mut self) {
        let readers = self.stream.readers.fetch_sub(1, Ordering::AcqRel) - 1;
        (self.tell)(readers);
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
