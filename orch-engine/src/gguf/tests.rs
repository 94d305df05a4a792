//! Files that are no models: cut short, changed, or made up.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::io::Cursor;
use std::num::NonZeroUsize;

use candle_core::Device;
use candle_core::quantized::gguf_file::{self, Content, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

use super::Source;
use crate::fixtures;
use crate::model::ModelFile;
use crate::threads::alone;
use crate::tokenizer::Encoding;

fn embedded() -> Vec<u8> {
    let mut bytes = Vec::new();
    Source::embedded()
        .open()
        .unwrap()
        .0
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

/// What came of a file: nothing, if it loads and the model gives predictions or says why not.
fn refusal(bytes: Vec<u8>) -> Option<String> {
    let source = Source::memory("test.gguf", bytes);
    let loaded = ModelFile::open(&source, NonZeroUsize::new(64)).and_then(ModelFile::load);
    match loaded {
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains('\n'), "more than one line: {text}");
            Some(text)
        }
        Ok(model) => {
            // Damaged weights may well give no number; that must be an error and no more. A damaged
            // vocabulary may give other tokens, but only its own.
            _ = model.session().feed(&[1, 2]);
            let tokens = model
                .vocabulary()
                .encode("It's 2024,\n ‘naïve’ <|im_end|>", Encoding::PROMPT);
            model.vocabulary().check(&tokens).unwrap();
            None
        }
    }
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    alone(|| {
        let whole = embedded();
        let header = 30_220;
        let lengths = (0..header)
            .step_by(211)
            .chain((header..whole.len()).step_by(20_011))
            .chain([1, 4, 8, 16, 24, header - 1, whole.len() - 1]);
        for length in lengths {
            let text = refusal(whole[..length].to_vec());
            assert!(text.is_some(), "{length} bytes were accepted");
        }
        assert_eq!(refusal(whole), None);
    });
}

#[test]
fn a_file_with_changed_bytes_is_refused_or_loads_but_never_panics() {
    alone(|| {
        let whole = embedded();
        let header = 30_220;
        let mut rng = ChaCha8Rng::from_seed([1; 32]);
        let mut refused = 0;
        for round in 0..300 {
            let mut changed = whole.clone();
            // The first bytes and the table of tensors are where the figures are.
            let range = [0..900, 28_300..header, 0..header, 0..whole.len()][round % 4].clone();
            for _ in 0..=round % 3 {
                let at = range.start + rng.next_u32() as usize % range.len();
                changed[at] = match round % 5 {
                    0 => 0,
                    1 => 0xFF,
                    _ => rng.next_u32() as u8,
                };
            }
            refused += usize::from(refusal(changed).is_some());
        }
        assert!(refused > 50, "only {refused} of 300 were refused");
    });
}

/// The same for every family and tokenizer. Where the tables stand differs, so all of the header is cut
/// and changed alike.
#[test]
fn files_of_every_family_are_refused_or_load_but_never_panic() {
    alone(|| {
        let mut rng = ChaCha8Rng::from_seed([2; 32]);
        for name in fixtures::MODELS {
            let whole = fixtures::model_bytes(name);
            assert_eq!(refusal(whole.clone()), None, "{name}");
            for length in (0..whole.len()).step_by(9_973) {
                let cut = refusal(whole[..length].to_vec());
                assert!(cut.is_some(), "{name}: {length} bytes were accepted");
            }
            let header = 30_000;
            for round in 0..80 {
                let mut changed = whole.clone();
                let range = [0..1_200, 0..header, 0..whole.len()][round % 3].clone();
                for _ in 0..=round % 4 {
                    let at = range.start + rng.next_u32() as usize % range.len();
                    changed[at] = rng.next_u32() as u8;
                }
                _ = refusal(changed);
            }
        }
    });
}

/// The compiled-in model, taken apart so that it can be put together otherwise.
struct Parts {
    metadata: HashMap<String, Value>,
    tensors: HashMap<String, QTensor>,
}

fn parts() -> Parts {
    let mut reader = Cursor::new(embedded());
    let content = Content::read(&mut reader).unwrap();
    let tensors = content
        .tensor_infos
        .keys()
        .map(|name| {
            let tensor = content.tensor(&mut reader, name, &Device::Cpu).unwrap();
            (name.clone(), tensor)
        })
        .collect();
    Parts {
        metadata: content.metadata,
        tensors,
    }
}

impl Parts {
    fn file(&self) -> Vec<u8> {
        let metadata: Vec<_> = self.metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
        let tensors: Vec<_> = self.tensors.iter().map(|(k, v)| (k.as_str(), v)).collect();
        let mut file = Cursor::new(Vec::new());
        gguf_file::write(&mut file, &metadata, &tensors).unwrap();
        file.into_inner()
    }

    fn with(mut self, key: &str, value: Value) -> Self {
        self.metadata.insert(key.to_owned(), value);
        self
    }

    fn without(mut self, key: &str) -> Self {
        self.metadata.remove(key);
        self.tensors.remove(key);
        self
    }

    fn copied(mut self, from: &str, to: &str) -> Self {
        let copy = self.tensors[from].dequantize(&Device::Cpu).unwrap();
        let copy = QTensor::quantize(&copy, GgmlDType::F32).unwrap();
        self.tensors.insert(to.to_owned(), copy);
        self
    }

    fn stored_as(mut self, name: &str, kind: GgmlDType) -> Self {
        let tensor = self.tensors[name].dequantize(&Device::Cpu).unwrap();
        let tensor = QTensor::quantize(&tensor, kind).unwrap();
        self.tensors.insert(name.to_owned(), tensor);
        self
    }
}

#[test]
fn a_file_written_anew_loads() {
    alone(|| {
        assert_eq!(refusal(parts().file()), None);
        let untied = parts().copied("token_embd.weight", "output.weight");
        assert_eq!(refusal(untied.file()), None);
        let plain = parts().stored_as("blk.0.attn_q.weight", GgmlDType::F16);
        assert_eq!(refusal(plain.file()), None);
    });
}

#[test]
fn every_refusal_says_what_is_wrong() {
    alone(|| {
        let text = |value: &str| Value::String(value.to_owned());
        let cases = [
            parts().with("general.architecture", text("gemma2")),
            parts().with("general.architecture", text("qwen2")),
            parts().with("split.count", Value::U16(2)),
            parts().without("general.architecture"),
            parts().with("general.alignment", Value::U32(0)),
            parts().without("llama.block_count"),
            parts().with("llama.block_count", Value::U32(u32::MAX)),
            parts().with("llama.block_count", Value::U32(5)),
            parts().with("llama.block_count", Value::U32(3)),
            parts().with("llama.attention.head_count", Value::U32(0)),
            parts().with("llama.attention.head_count", Value::U32(3)),
            parts().with("llama.attention.head_count_kv", Value::U32(3)),
            parts().with("llama.embedding_length", Value::U32(256)),
            parts().with("llama.embedding_length", text("128")),
            parts().with("llama.feed_forward_length", Value::U32(321)),
            parts().with("llama.context_length", Value::U32(0)),
            parts().with("llama.rope.dimension_count", Value::U32(16)),
            parts().with("llama.rope.scaling.type", text("yarn")),
            parts()
                .with("llama.rope.scaling.type", text("linear"))
                .with("llama.rope.scaling.factor", Value::F32(0.0)),
            parts().with("llama.rope.freq_base", Value::F32(f32::NAN)),
            parts().with("llama.attention.key_length", Value::U32(64)),
            parts()
                .without("llama.rope.dimension_count")
                .with("llama.attention.key_length", Value::U32(64)),
            parts().with("llama.attention.value_length", Value::U32(16)),
            parts().with("llama.attention.layer_norm_rms_epsilon", Value::F32(-1.0)),
            parts().with("llama.expert_count", Value::U32(8)),
            parts().without("blk.2.ffn_up.weight"),
            parts().copied("output_norm.weight", "blk.0.attn_q.bias"),
            parts().stored_as("blk.0.attn_q.weight", GgmlDType::Q8_1),
            parts().stored_as("output_norm.weight", GgmlDType::Q8_0),
        ];
        let refusals: Vec<String> = cases
            .iter()
            .map(|parts| refusal(parts.file()).unwrap_or_else(|| "ACCEPTED".to_owned()))
            .collect();
        insta::assert_snapshot!(refusals.join("\n"));
    });
}

/// The number of a tensor's storage stands behind its name, its dimensions and their count.
#[test]
fn a_storage_that_the_library_does_not_have_is_refused_by_name() {
    alone(|| {
        let stored_as = |number: u32| {
            let name = b"blk.0.attn_q.weight";
            let mut file = parts().file();
            let at = file.windows(name.len()).position(|w| w == name).unwrap();
            let at = at + name.len() + size_of::<u32>() + 2 * size_of::<u64>();
            file[at..at + 4].copy_from_slice(&number.to_le_bytes());
            refusal(file).unwrap()
        };
        insta::assert_snapshot!([stored_as(23), stored_as(39), stored_as(99)].join("\n"), @r#"
        model test.gguf: not supported: weights stored as IQ4_XS; this engine has F32, F16, BF16, Q4_0 to Q8_0 and Q2_K to Q6_K
        model test.gguf: not supported: weights stored as MXFP4; this engine has F32, F16, BF16, Q4_0 to Q8_0 and Q2_K to Q6_K
        model test.gguf: a damaged or truncated GGUF file: unknown dtype for tensor 99
        "#);
    });
}

#[test]
fn a_file_of_another_kind_is_refused() {
    let zip = refusal(b"PK\x03\x04 and more".to_vec());
    let empty = refusal(Vec::new());
    insta::assert_snapshot!([zip, empty].map(Option::unwrap).join("\n"), @r#"
    model test.gguf: not a GGUF file: it starts with "PK\x03\x04" instead of "GGUF"
    model test.gguf: not a GGUF file: it starts with "" instead of "GGUF"
    "#);
}

#[test]
fn a_context_that_the_model_cannot_have_is_refused() {
    let refused = |ctx_size| match ModelFile::open(&Source::embedded(), NonZeroUsize::new(ctx_size))
    {
        Ok(_) => panic!("{ctx_size} was accepted"),
        Err(error) => error.to_string(),
    };
    insta::assert_snapshot!(
        refused(513),
        @"model embedded:haiku-tiny-q8_0.gguf: not supported: a context of 513 tokens: the model was trained with 512, which is the most that --ctx-size can choose"
    );
}
