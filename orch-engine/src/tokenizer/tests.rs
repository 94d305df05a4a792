//! The tokenizer against a small vocabulary made up here, and against the compiled-in model's.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::sync::OnceLock;

use candle_core::quantized::gguf_file::Value;
use proptest::prelude::*;

use super::{Encoding, Kind, TextStream, TokenId, Vocabulary};
use crate::gguf::{Header, Metadata, Source};

const NORMAL: i32 = 1;
const BARE: Encoding = Encoding {
    add_special: false,
    parse_special: false,
};

/// A vocabulary of three specials, all bytes, and `pieces` with their scores.
fn metadata(pieces: &[(&str, f32, i32)]) -> HashMap<String, Value> {
    let mut tokens = vec![
        ("<unk>".to_owned(), 0.0, 2),
        ("<s>".to_owned(), 0.0, 3),
        ("</s>".to_owned(), 0.0, 3),
    ];
    tokens.extend((0..=255).map(|byte| (format!("<0x{byte:02X}>"), 0.0, 6)));
    tokens.extend(
        pieces
            .iter()
            .map(|(t, score, kind)| ((*t).to_owned(), *score, *kind)),
    );
    let column =
        |of: &dyn Fn(&(String, f32, i32)) -> Value| Value::Array(tokens.iter().map(of).collect());
    HashMap::from([
        (
            "tokenizer.ggml.model".to_owned(),
            Value::String("llama".to_owned()),
        ),
        (
            "tokenizer.ggml.tokens".to_owned(),
            column(&|t| Value::String(t.0.clone())),
        ),
        (
            "tokenizer.ggml.scores".to_owned(),
            column(&|t| Value::F32(t.1)),
        ),
        (
            "tokenizer.ggml.token_type".to_owned(),
            column(&|t| Value::I32(t.2)),
        ),
    ])
}

fn vocabulary(pieces: &[(&str, f32, i32)], changes: &[(&str, Value)]) -> Vocabulary {
    let mut metadata = metadata(pieces);
    metadata.extend(
        changes
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone())),
    );
    Vocabulary::read(Metadata::new(&metadata)).unwrap()
}

fn without_prefix() -> (&'static str, Value) {
    ("tokenizer.ggml.add_space_prefix", Value::Bool(false))
}

fn embedded() -> &'static Vocabulary {
    static VOCABULARY: OnceLock<Vocabulary> = OnceLock::new();
    VOCABULARY.get_or_init(|| {
        let header = Header::read(&mut *Source::embedded().open().unwrap().0).unwrap();
        Vocabulary::read(header.metadata()).unwrap()
    })
}

fn texts(vocabulary: &Vocabulary, tokens: &[TokenId]) -> Vec<String> {
    tokens
        .iter()
        .map(|&t| vocabulary.text(t).to_owned())
        .collect()
}

#[test]
fn the_best_ranked_pair_is_merged_first_and_the_leftmost_of_equals() {
    let ranked = vocabulary(
        &[
            ("a", -9.0, NORMAL),
            ("b", -9.0, NORMAL),
            ("c", -9.0, NORMAL),
            ("ab", -2.0, NORMAL),
            ("bc", -1.0, NORMAL),
            ("aa", -3.0, NORMAL),
        ],
        &[without_prefix()],
    );
    assert_eq!(texts(&ranked, &ranked.encode("abc", BARE)), ["a", "bc"]);
    assert_eq!(texts(&ranked, &ranked.encode("aaa", BARE)), ["aa", "a"]);
}

#[test]
fn a_character_without_a_token_becomes_its_bytes() {
    let bytes = vocabulary(&[], &[without_prefix()]);
    let tokens = bytes.encode("é", BARE);
    assert_eq!(texts(&bytes, &tokens), ["<0xC3>", "<0xA9>"]);
    assert_eq!(bytes.decode_with_special(&tokens), "é");
}

#[test]
fn blanks_are_escaped_and_one_is_put_in_front_where_the_model_wants_it() {
    let pieces = [
        ("\u{2581}", -1.0, NORMAL),
        ("a", -1.0, NORMAL),
        ("\u{2581}a", -0.5, NORMAL),
    ];
    let plain = vocabulary(&pieces, &[without_prefix()]);
    assert_eq!(
        texts(&plain, &plain.encode("a a", BARE)),
        ["a", "\u{2581}a"]
    );
    let prefixed = vocabulary(&pieces, &[]);
    assert_eq!(
        texts(&prefixed, &prefixed.encode("a a", BARE)),
        ["\u{2581}a", "\u{2581}a"]
    );
    let after_special = Encoding {
        add_special: false,
        parse_special: true,
    };
    assert_eq!(
        texts(&prefixed, &prefixed.encode("a</s>a", after_special)),
        ["\u{2581}a", "</s>", "\u{2581}a"]
    );
}

#[test]
fn names_of_control_tokens_are_tokens_only_where_asked_for() {
    let model = embedded();
    let parsed = model.encode(
        "</s>",
        Encoding {
            add_special: false,
            parse_special: true,
        },
    );
    assert_eq!(texts(model, &parsed), ["</s>"]);
    let spelt = model.encode("</s>", BARE);
    assert_eq!(texts(model, &spelt), ["<", "/", "s", ">"]);
}

#[test]
fn user_defined_tokens_are_cut_out_of_any_text() {
    let user = vocabulary(
        &[("ab", 0.0, 4), ("abc", 0.0, 4), ("x", -1.0, NORMAL)],
        &[without_prefix()],
    );
    assert_eq!(
        texts(&user, &user.encode("xabcxab", BARE)),
        ["x", "abc", "x", "ab"]
    );
}

#[test]
fn a_prompt_begins_with_the_begin_token_whatever_it_says() {
    let model = embedded();
    let prompt = model.encode("moon", Encoding::PROMPT);
    assert_eq!(model.text(prompt[0]), "<s>");
    assert_eq!(&prompt[1..], model.encode("moon", BARE));
    let twice = model.encode("<s>moon", Encoding::PROMPT);
    assert_eq!(texts(model, &twice[..2]), ["<s>", "<s>"]);
    let closed = vocabulary(&[], &[("tokenizer.ggml.add_eos_token", Value::Bool(true))]);
    assert_eq!(
        texts(&closed, &closed.encode("", Encoding::PROMPT)),
        ["<s>", "</s>"]
    );
}

#[test]
fn a_vocabulary_that_contradicts_itself_is_refused() {
    let refusal = |key: &str, value: Value| {
        let mut metadata = metadata(&[]);
        metadata.insert(key.to_owned(), value);
        match Vocabulary::read(Metadata::new(&metadata)) {
            Ok(_) => panic!("{key} was accepted"),
            Err(fault) => fault.to_string(),
        }
    };
    insta::assert_snapshot!(
        [
            refusal("tokenizer.ggml.model", Value::String("bert".to_owned())),
            refusal("tokenizer.ggml.model", Value::String("gpt2".to_owned())),
            refusal("tokenizer.ggml.scores", Value::Array(vec![Value::F32(0.0)])),
            refusal("tokenizer.ggml.scores", Value::Array(vec![Value::F32(f32::NAN)])),
            refusal("tokenizer.ggml.token_type", Value::Array(vec![Value::I32(7); 259])),
            refusal("tokenizer.ggml.token_type", Value::Array(vec![Value::I32(6); 259])),
            refusal("tokenizer.ggml.eos_token_id", Value::U32(259)),
            refusal("tokenizer.ggml.tokens", Value::U32(1)),
            refusal("tokenizer.ggml.add_bos_token", Value::U32(1)),
        ]
        .join("\n"),
        @r#"
    not supported: tokenizer "bert"; this engine has "llama" (SentencePiece) and "gpt2" (byte-level BPE)
    a damaged or truncated GGUF file: metadata key tokenizer.ggml.merges is missing
    a damaged or truncated GGUF file: 259 tokens with 1 scores
    a damaged or truncated GGUF file: metadata key tokenizer.ggml.scores is not an array of f32
    a damaged or truncated GGUF file: tokenizer.ggml.token_type holds 7
    a damaged or truncated GGUF file: byte token "<unk>" is no <0xHH>
    a damaged or truncated GGUF file: tokenizer.ggml.eos_token_id 259 is no token
    a damaged or truncated GGUF file: metadata key tokenizer.ggml.tokens is not an array of strings
    a damaged or truncated GGUF file: metadata key tokenizer.ggml.add_bos_token is not a bool
    "#
    );
}

#[test]
fn every_end_of_turn_is_known() {
    let ends = vocabulary(
        &[
            ("<|im_end|>", 0.0, 3),
            ("<end_of_turn>", 0.0, NORMAL),
            ("stop", 0.0, 3),
            ("<|fim_pad|>", 0.0, 4),
            ("<|fim_prefix|>", 0.0, 4),
        ],
        &[("tokenizer.ggml.eot_token_id", Value::U32(261))],
    );
    assert_eq!(
        texts(&ends, ends.ends()),
        ["</s>", "<|im_end|>", "<end_of_turn>", "stop", "<|fim_pad|>"]
    );
    for name in ["<end_of_turn>", "<|fim_prefix|>"] {
        let token = ends.lookup(name).unwrap();
        assert_eq!(ends.kind(token), Kind::Control, "{name}");
    }
}

proptest! {
    /// Whatever is encoded comes back, character for character.
    #[test]
    fn encoding_loses_nothing(text in "\\PC{0,40}|[ a-z\u{e9}\n]{0,60}") {
        let model = embedded();
        prop_assert_eq!(model.decode_with_special(&model.encode(&text, BARE)), text);
    }

    /// However bytes are cut into pieces, the text is the one that the bytes give as a whole, and no
    /// piece shows half a character.
    #[test]
    fn text_does_not_depend_on_the_cut(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0xC3), Just(0xA9), Just(0xF0)], 0..40),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let mut bounds: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        bounds.extend([0, bytes.len()]);
        bounds.sort_unstable();
        let mut stream = TextStream::default();
        let mut text: String = bounds
            .windows(2)
            .map(|bound| stream.push(&bytes[bound[0]..bound[1]]))
            .collect();
        text.push_str(&stream.finish());
        prop_assert_eq!(text, String::from_utf8_lossy(&bytes));
    }
}

/// A byte-level vocabulary: the alphabet, what `merges` make, and two special tokens.
fn byte_pairs(pre: &str, merges: &[&str], changes: &[(&str, Value)]) -> Vocabulary {
    let string = |text: &str| Value::String(text.to_owned());
    let mut tokens: Vec<String> = super::alphabet::table()
        .into_iter()
        .map(String::from)
        .collect();
    tokens.extend(merges.iter().map(|merge| merge.replace(' ', "")));
    let kinds = std::iter::repeat_n(1, tokens.len()).chain([3, 4]);
    let kinds = kinds.map(Value::I32).collect();
    tokens.extend(["<|end|>", "<tool>"].map(str::to_owned));
    let tokens = tokens.iter().map(|token| string(token)).collect();
    let mut metadata = HashMap::from([
        ("tokenizer.ggml.model".to_owned(), string("gpt2")),
        ("tokenizer.ggml.pre".to_owned(), string(pre)),
        ("tokenizer.ggml.tokens".to_owned(), Value::Array(tokens)),
        ("tokenizer.ggml.token_type".to_owned(), Value::Array(kinds)),
        (
            "tokenizer.ggml.merges".to_owned(),
            Value::Array(merges.iter().map(|merge| string(merge)).collect()),
        ),
        ("tokenizer.ggml.bos_token_id".to_owned(), Value::U32(0)),
    ]);
    for (key, value) in changes {
        metadata.insert((*key).to_owned(), value.clone());
    }
    Vocabulary::read(Metadata::new(&metadata)).unwrap()
}

#[test]
fn bytes_are_merged_in_the_order_of_the_list() {
    let pairs = byte_pairs("gpt-2", &["l l", "h e", "he ll", "e l", "Ġ t"], &[]);
    let words = texts(&pairs, &pairs.encode("hello hell tell", BARE));
    assert_eq!(words, ["hell", "o", "Ġ", "hell", "Ġt", "e", "ll"]);
}

#[test]
fn a_word_that_is_a_token_is_taken_whole_only_where_the_scheme_says_so() {
    // No merge leads to `abc`: `b c` comes first, and then there is no `a bc`.
    let merges = ["b c", "a b", "ab c"];
    let whole = byte_pairs("llama-bpe", &merges, &[]);
    assert_eq!(texts(&whole, &whole.encode("abc", BARE)), ["abc"]);
    let merged = byte_pairs("smaug-bpe", &merges, &[]);
    assert_eq!(texts(&merged, &merged.encode("abc", BARE)), ["a", "bc"]);
}

#[test]
fn special_names_are_cut_out_of_byte_level_texts_too() {
    let pairs = byte_pairs("qwen2", &[], &[]);
    let parsed = Encoding {
        add_special: false,
        parse_special: true,
    };
    let both = "a<|end|>é<tool>";
    assert_eq!(
        texts(&pairs, &pairs.encode(both, parsed)),
        ["a", "<|end|>", "Ã", "©", "<tool>"]
    );
    let spelt = texts(&pairs, &pairs.encode(both, BARE));
    assert_eq!(
        (spelt.len(), spelt.last().unwrap().as_str()),
        (11, "<tool>")
    );
    assert_eq!(pairs.decode_with_special(&pairs.encode(both, parsed)), both);
}

#[test]
fn a_pre_tokenizer_that_is_not_known_is_refused_by_name() {
    let mut metadata = HashMap::from([
        (
            "tokenizer.ggml.model".to_owned(),
            Value::String("gpt2".to_owned()),
        ),
        (
            "tokenizer.ggml.pre".to_owned(),
            Value::String("kimi-k2".to_owned()),
        ),
        (
            "tokenizer.ggml.tokens".to_owned(),
            Value::Array(vec![Value::String("a".to_owned())]),
        ),
        ("tokenizer.ggml.merges".to_owned(), Value::Array(Vec::new())),
    ]);
    let refusal =
        |metadata: &HashMap<String, Value>| match Vocabulary::read(Metadata::new(metadata)) {
            Ok(_) => panic!("it was accepted"),
            Err(fault) => fault.to_string(),
        };
    let unknown = refusal(&metadata);
    metadata.insert(
        "tokenizer.ggml.pre".to_owned(),
        Value::String("llama-bpe".to_owned()),
    );
    let no_begin = refusal(&metadata);
    insta::assert_snapshot!([unknown, no_begin].join("\n"), @r#"
    not supported: pre-tokenizer "kimi-k2"; this engine has default, gpt-2, mellum, llama-bpe, llama3, llama-v3, falcon3, midm-2.0, pixtral, smaug-bpe, qwen2, deepseek-r1-qwen, megrez, smollm, starcoder, refact, minerva-7b, tekken, deepseek-coder
    a damaged or truncated GGUF file: a prompt begins with a begin token, and tokenizer.ggml.bos_token_id is missing
    "#);
}

proptest! {
    /// Whatever is encoded by bytes comes back, character for character, in every scheme.
    #[test]
    fn byte_level_encoding_loses_nothing(
        text in "\\PC{0,40}|[ a-z\u{e9}0-9'\r\n\t\u{a0}]{0,60}",
        pre in prop::sample::select(vec![
            "default", "gpt-2", "llama-bpe", "qwen2", "smollm", "tekken", "deepseek-coder",
        ]),
    ) {
        let pairs = byte_pairs(pre, &["e s", "Ġ t", "Ġt h", "0 0", "Ċ Ċ"], &[]);
        prop_assert_eq!(pairs.decode_with_special(&pairs.encode(&text, BARE)), text);
    }
}
