//! Where the prompt comes from.

use std::io::{self, IsTerminal, Read};

use super::flags::Kind;
use crate::error::Failure;

/// Most bytes that are taken from standard input; servers refuse far less.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

const EMPTY: &str =
    "the prompt is empty: write what to ask for, e.g. `orch run \"Write a haiku.\"`";

const EMPTY_INPUT: &str = "the prompt is empty: standard input holds nothing; pipe a text in, or give one, e.g. `orch run \"Write a haiku.\"`";

/// The prompt of the command line, or what standard input holds.
///
/// Of a natural-language prompt the last line break is dropped, which `echo` and editors put there. A text
/// to be continued is taken as it is.
///
/// # Errors
///
/// If there is none, it is empty, or standard input is too long or no UTF-8.
pub(super) fn read(argument: Option<String>, kind: Kind) -> Result<String, Failure> {
    let wants_input = match argument {
        Some(prompt) if prompt.is_empty() => return Err(usage(EMPTY)),
        Some(prompt) if prompt != "-" => return Ok(prompt),
        Some(_) => true,
        None => false,
    };
    let stdin = io::stdin().lock();
    if !wants_input && stdin.is_terminal() {
        return Err(usage(
            "there is no prompt: give one, e.g. `orch run \"Write a haiku.\"`, or pipe one in",
        ));
    }
    let text = from(stdin)?;
    let text = match kind {
        Kind::Completion => text,
        Kind::Prompt => without_last_break(text),
    };
    if text.is_empty() {
        return Err(usage(EMPTY_INPUT));
    }
    Ok(text)
}

fn from(reader: impl Read) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    reader
        .take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| {
            usage(&format!(
                "cannot read the prompt from standard input: {error}"
            ))
        })?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(usage(&format!(
            "standard input has more than {BYTES_MAX} bytes, which is no prompt"
        )));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        usage(&format!(
            "standard input is no text: byte {at} is not UTF-8"
        ))
    })
}

fn without_last_break(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

fn usage(detail: &str) -> Failure {
    Failure::Usage(detail.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_line_break_is_dropped_at_the_end() {
        for (text, left) in [
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            ("a", "a"),
            ("\n", ""),
            ("", ""),
        ] {
            assert_eq!(without_last_break(text.to_owned()), left, "{text:?}");
        }
    }

    #[test]
    fn standard_input_without_end_is_refused() {
        let endless = from(io::repeat(b'a')).expect_err("endless");
        assert!(matches!(endless, Failure::Usage(why) if why.contains("more than")));
    }
}
