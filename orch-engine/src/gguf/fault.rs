//! Why a model file is refused.

/// A model that cannot be loaded: which one, and why.
///
/// Its text is one line and names the file, so that a log that keeps nothing else is enough.
#[derive(Debug, thiserror::Error)]
#[error("model {model}: {fault}")]
pub struct ModelError {
    model: String,
    fault: Fault,
}

impl ModelError {
    pub(crate) fn new(model: &str, fault: Fault) -> Self {
        Self {
            model: model.to_owned(),
            fault,
        }
    }
}

/// The reason alone, without the file's name.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The operating system would not give the bytes.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::Error),
    /// Something else than a GGUF file.
    #[error("not a GGUF file: {0}")]
    NotGguf(String),
    /// A GGUF file whose parts contradict each other, or that ends too early.
    #[error("a damaged or truncated GGUF file: {0}")]
    Damaged(String),
    /// A sound file of a kind that this engine does not run.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// A sound file that this machine has no room for.
    #[error("too large: {0}")]
    TooLarge(String),
}

impl Fault {
    /// A fault that the tensor library found. Only its first line is kept: it may append a backtrace.
    pub(crate) fn damaged(error: &candle_core::Error) -> Self {
        let text = error.to_string();
        Self::Damaged(text.lines().next().unwrap_or("unknown").to_owned())
    }
}
