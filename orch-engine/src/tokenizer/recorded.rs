//! Every text has the tokens that a real llama-server has for it.
#![allow(clippy::unwrap_used)]

use candle_core::quantized::gguf_file::Value;

use super::{Encoding, TokenId, Vocabulary};
use crate::fixtures;
use crate::gguf::{Header, Metadata};

const PARSED: Encoding = Encoding {
    add_special: false,
    parse_special: true,
};
const PLAIN: Encoding = Encoding {
    add_special: false,
    parse_special: false,
};

/// The vocabulary of a fixture, with another pre-tokenizer if one is named.
fn vocabulary(model: &str, pre: Option<&str>) -> Vocabulary {
    let mut bytes = fixtures::model(model).open().unwrap().0;
    let mut metadata = Header::read(&mut *bytes).unwrap().content.metadata;
    if let Some(pre) = pre {
        let key = "tokenizer.ggml.pre".to_owned();
        metadata.insert(key, Value::String(pre.to_owned()));
    }
    Vocabulary::read(Metadata::new(&metadata)).unwrap()
}

fn ids(text: &str) -> Vec<TokenId> {
    text.split_whitespace()
        .map(|id| id.parse().unwrap())
        .collect()
}

fn compare(vocabulary: &Vocabulary, recording: &str) {
    let texts: Vec<String> = serde_json::from_str(&fixtures::recording("texts.json")).unwrap();
    let recorded = fixtures::recording(recording);
    let lines: Vec<&str> = recorded.lines().collect();
    assert_eq!((texts.len(), lines.len()), (1000, 1000));
    for (text, line) in texts.iter().zip(lines) {
        let (parsed, plain) = line.split_once(" |").unwrap_or((line, line));
        for (encoding, wanted) in [(PARSED, parsed), (PLAIN, plain)] {
            let tokens = vocabulary.encode(text, encoding);
            assert_eq!(tokens, ids(wanted), "{recording}: {text:?}, {encoding:?}");
        }
    }
}

#[test]
fn every_model_cuts_a_thousand_texts_as_llama_server_does() {
    for model in fixtures::MODELS {
        compare(&vocabulary(model, None), &format!("{model}.tokens"));
    }
}

#[test]
fn every_pre_tokenizer_cuts_a_thousand_texts_as_llama_server_does() {
    for pre in [
        "default",
        "gpt-2",
        "smaug-bpe",
        "smollm",
        "tekken",
        "deepseek-coder",
    ] {
        let vocabulary = vocabulary("llama-bpe", Some(pre));
        compare(&vocabulary, &format!("pre-{pre}.tokens"));
    }
}

#[test]
fn tokens_give_the_text_back() {
    let texts: Vec<String> = serde_json::from_str(&fixtures::recording("texts.json")).unwrap();
    for model in ["llama-bpe", "qwen2-bpe", "qwen3-bpe"] {
        let vocabulary = vocabulary(model, None);
        for text in &texts {
            let tokens = vocabulary.encode(text, PARSED);
            assert_eq!(&vocabulary.decode_with_special(&tokens), text, "{model}");
        }
    }
}
