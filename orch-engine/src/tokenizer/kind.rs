//! What a token is for.

use candle_core::quantized::gguf_file::Value;

use crate::gguf::{Fault, Metadata};

/// What a token is for, with the number that GGUF has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte(u8),
}

/// The kinds of all tokens. A file that does not list them has normal ones only.
pub(super) fn read(metadata: Metadata<'_>, texts: &[String]) -> Result<Vec<Kind>, Fault> {
    let key = "tokenizer.ggml.token_type";
    if !metadata.has(key) {
        return Ok(vec![Kind::Normal; texts.len()]);
    }
    let numbers = metadata.list(key, "an array of integers", |value| match value {
        Value::I32(number) => Some(*number),
        Value::U32(number) => i32::try_from(*number).ok(),
        _ => None,
    })?;
    if numbers.len() != texts.len() {
        return Err(Fault::Damaged(format!(
            "{} tokens with {} types",
            texts.len(),
            numbers.len()
        )));
    }
    numbers
        .iter()
        .zip(texts)
        .map(|(number, text)| match number {
            1 => Ok(Kind::Normal),
            2 => Ok(Kind::Unknown),
            3 => Ok(Kind::Control),
            4 => Ok(Kind::UserDefined),
            5 => Ok(Kind::Unused),
            6 => byte_of(text)
                .map(Kind::Byte)
                .ok_or_else(|| Fault::Damaged(format!("byte token {text:?} is no <0xHH>"))),
            other => Err(Fault::Damaged(format!("{key} holds {other}"))),
        })
        .collect()
}

/// The byte that `<0x0A>` and the like name.
fn byte_of(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok())?
}
