//! A loaded model: weights, vocabulary, chat template, and the figures it is known by.

use std::num::NonZeroUsize;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::decoder::{self, Cache, Decoder};
use crate::gguf::{Dimensions, Fault, FileVersion, Header, ModelBytes, ModelError, Source};
use crate::memory::{self, Need};
use crate::template::ChatTemplate;
use crate::tokenizer::{TokenId, Vocabulary};

/// A model file that was opened and checked, but whose weights are not in memory yet.
///
/// To open is quick whatever the size; to [`load`](Self::load) takes as long as reading the file.
pub struct ModelFile {
    name: String,
    bytes: Box<dyn ModelBytes>,
    version: Option<FileVersion>,
    header: Header,
    vocabulary: Vocabulary,
    chat_template: ChatTemplate,
    n_ctx: usize,
}

impl ModelFile {
    /// Opens a model and checks its header against the rest of the file.
    ///
    /// `ctx_size` is the context in tokens, prompt and reply together; `None` takes the one that the
    /// model was trained with.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is no sound GGUF file, is of a kind that is not supported, cannot
    /// give the context that was asked for, or needs more memory than there is.
    pub fn open(source: &Source, ctx_size: Option<NonZeroUsize>) -> Result<Self, ModelError> {
        let name = source.name();
        Self::open_named(source, &name, ctx_size).map_err(|fault| ModelError::new(&name, fault))
    }

    fn open_named(
        source: &Source,
        name: &str,
        ctx_size: Option<NonZeroUsize>,
    ) -> Result<Self, Fault> {
        let (mut bytes, version) = source.open().map_err(Fault::Unreadable)?;
        let header = Header::read(&mut *bytes)?;
        let vocabulary = Vocabulary::read(header.metadata())?;
        let chat_template = ChatTemplate::read(header.metadata())?;
        let n_ctx = context_size(ctx_size, header.dimensions.n_ctx_train)?;
        check_memory(&header, n_ctx)?;
        Ok(Self {
            name: name.to_owned(),
            bytes,
            version,
            header,
            vocabulary,
            chat_template,
            n_ctx,
        })
    }

    /// Reads the weights and the digest.
    ///
    /// # Errors
    ///
    /// If the file cannot be read to its end.
    pub fn load(self) -> Result<Model, ModelError> {
        self.load_with(&mut KnownDigest::default())
    }

    /// Reads the weights, and the digest unless it is known and the file is the same.
    pub(crate) fn load_with(mut self, known: &mut KnownDigest) -> Result<Model, ModelError> {
        let digest = known
            .of(self.version.take(), &mut *self.bytes)
            .map_err(|error| ModelError::new(&self.name, Fault::Unreadable(error)))?;
        let Header {
            content,
            dimensions,
            ..
        } = &self.header;
        let decoder = decoder::load(content, dimensions, &mut *self.bytes)
            .map_err(|error| ModelError::new(&self.name, Fault::damaged(&error)))?;
        Ok(Model {
            name: self.name,
            digest,
            dimensions: self.header.dimensions,
            n_params: self.header.n_params,
            tensor_bytes: self.header.tensor_bytes,
            n_ctx: self.n_ctx,
            vocabulary: Arc::new(self.vocabulary),
            chat_template: self.chat_template,
            decoder,
        })
    }
}

/// A model in memory, ready to generate.
pub struct Model {
    name: String,
    digest: String,
    dimensions: Dimensions,
    n_params: u64,
    tensor_bytes: u64,
    n_ctx: usize,
    /// Apart from the weights: whoever still writes a reply needs it after the model has gone.
    vocabulary: Arc<Vocabulary>,
    chat_template: ChatTemplate,
    decoder: Decoder,
}

impl Model {
    /// The path of the file, or the name of a model that is none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `sha256:<hex>` of the file's bytes.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The context in use, in tokens: prompt and reply together.
    pub fn n_ctx(&self) -> usize {
        self.n_ctx
    }

    pub(crate) fn dimensions(&self) -> &Dimensions {
        &self.dimensions
    }

    pub(crate) fn n_params(&self) -> u64 {
        self.n_params
    }

    pub(crate) fn tensor_bytes(&self) -> u64 {
        self.tensor_bytes
    }

    pub(crate) fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.vocabulary
    }

    pub(crate) fn chat_template(&self) -> &ChatTemplate {
        &self.chat_template
    }

    /// An empty context.
    pub(crate) fn session(&self) -> Session<'_> {
        Session {
            decoder: &self.decoder,
            cache: self.decoder.cache(self.n_ctx),
        }
    }
}

/// The state of one generation: what the model has read so far.
pub(crate) struct Session<'m> {
    decoder: &'m Decoder,
    cache: Cache,
}

/// The model gave no usable prediction.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PredictError {
    #[error("the model's arithmetic failed: {0}")]
    Arithmetic(#[from] candle_core::Error),
    #[error("the model's prediction is not a number: its weights are damaged")]
    NotANumber,
}

impl Session<'_> {
    /// How many tokens of a longer prompt to [`feed`](Self::feed) next.
    pub(crate) fn pass_tokens(&self) -> usize {
        self.decoder.pass_tokens(&self.cache)
    }

    /// Reads `tokens` on, and gives the logit of every token of the vocabulary to come next.
    pub(crate) fn feed(&mut self, tokens: &[TokenId]) -> Result<Vec<f32>, PredictError> {
        let logits = self.decoder.forward(tokens, &mut self.cache)?;
        if logits.iter().all(|logit| logit.is_finite()) {
            Ok(logits)
        } else {
            Err(PredictError::NotANumber)
        }
    }
}

fn context_size(wanted: Option<NonZeroUsize>, trained: usize) -> Result<usize, Fault> {
    let n_ctx = wanted.map_or(trained, NonZeroUsize::get);
    if n_ctx > trained {
        return Err(Fault::Unsupported(format!(
            "a context of {n_ctx} tokens: the model was trained with {trained}, which is the most that \
             --ctx-size can choose"
        )));
    }
    Ok(n_ctx)
}

fn check_memory(header: &Header, n_ctx: usize) -> Result<(), Fault> {
    let need = Need {
        weights: header.bytes_loaded,
        per_token: Cache::bytes(&header.dimensions, 1),
        n_ctx,
    };
    let refusal = memory::available().and_then(|available| need.refusal(available));
    refusal.map_or(Ok(()), |reason| Err(Fault::TooLarge(reason)))
}

/// The digest of a model that was loaded before. To compute it takes longer than to load the weights.
#[derive(Debug, Default)]
pub(crate) struct KnownDigest(Option<(FileVersion, String)>);

impl KnownDigest {
    fn of(
        &mut self,
        version: Option<FileVersion>,
        bytes: &mut dyn ModelBytes,
    ) -> std::io::Result<String> {
        if let (Some((before, digest)), Some(version)) = (&self.0, &version)
            && before == version
        {
            return Ok(digest.clone());
        }
        let digest = digest(bytes)?;
        self.0 = version.map(|version| (version, digest.clone()));
        Ok(digest)
    }
}

fn digest(bytes: &mut dyn ModelBytes) -> std::io::Result<String> {
    bytes.rewind()?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        let read = bytes.read(&mut chunk)?;
        if read == 0 {
            return Ok(format!("sha256:{:x}", hash.finalize()));
        }
        hash.update(&chunk[..read]);
    }
}
