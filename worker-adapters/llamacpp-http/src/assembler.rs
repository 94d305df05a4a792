//! From frames to events, sans-IO.

use worker_adapter::{AdapterError, Finish, GenerationEvent};

use crate::failure;
use crate::wire::{Frame, StopType};

/// Turns the frames of one completion into the prompt's size, one event per generated token and one end.
///
/// The server holds back text that is not a whole character yet, and then sends one frame for several
/// tokens. `tokens_predicted` tells how many it stands for: the tokens before the last of them come out
/// empty, so that the events always add up to the engine's own count.
#[derive(Debug)]
pub(crate) struct Assembler {
    max_tokens: u64,
    prompt: PromptSize,
    /// Tokens that the engine has told of.
    told: u64,
    /// Empty tokens still to give.
    empty: u64,
    text: Option<String>,
    end: Option<GenerationEvent>,
}

/// What is known of the prompt's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PromptSize {
    /// Nothing, and no token has come.
    Unknown,
    /// Its tokens, which are still to be given as an event.
    Fresh(u64),
    /// It has been given, or came too late for it.
    Passed,
}

impl Assembler {
    /// For a generation of at most this many tokens.
    pub(crate) fn new(max_tokens: u32) -> Self {
        Self {
            max_tokens: u64::from(max_tokens),
            prompt: PromptSize::Unknown,
            told: 0,
            empty: 0,
            text: None,
            end: None,
        }
    }

    /// The next event, if there is one. All are taken before the next frame is given.
    pub(crate) fn next_event(&mut self) -> Option<GenerationEvent> {
        if let PromptSize::Fresh(tokens) = self.prompt {
            self.prompt = PromptSize::Passed;
            return Some(GenerationEvent::Prompt { tokens });
        }
        if self.empty > 0 {
            self.empty -= 1;
            return Some(GenerationEvent::Token(String::new()));
        }
        self.text
            .take()
            .map(GenerationEvent::Token)
            .or_else(|| self.end.take())
    }

    /// Takes a frame's data.
    pub(crate) fn accept(&mut self, data: &str) -> Result<(), AdapterError> {
        let frame: Frame = serde_json::from_str(data)
            .map_err(|error| failure::not_the_protocol("a frame", &error, data.as_bytes()))?;
        if let Some(error) = &frame.error {
            return Err(failure::from_frame(error));
        }
        let broken = |what: &str| {
            let quoted = failure::quote(data.as_bytes());
            AdapterError::Protocol(format!("{what} in the frame {quoted}"))
        };
        let count = frame
            .tokens_predicted
            .ok_or_else(|| broken("no tokens_predicted"))?;
        let fresh = count
            .checked_sub(self.told)
            .ok_or_else(|| broken("tokens_predicted went back"))?;
        if count > self.max_tokens {
            return Err(broken("more tokens than were asked for"));
        }
        if fresh == 0 && !frame.content.is_empty() {
            return Err(broken("text without a token"));
        }
        if frame.stop {
            self.end = Some(end(&frame, count).map_err(broken)?);
        }
        if let (PromptSize::Unknown, Some(tokens)) = (self.prompt, frame.tokens_evaluated) {
            self.prompt = PromptSize::Fresh(tokens);
        }
        self.told = count;
        if fresh > 0 {
            // After a token it is too late for the prompt's size: the end tells it.
            if self.prompt == PromptSize::Unknown {
                self.prompt = PromptSize::Passed;
            }
            self.empty = fresh - 1;
            self.text = Some(frame.content);
        }
        Ok(())
    }
}

fn end(frame: &Frame, tokens_out: u64) -> Result<GenerationEvent, &'static str> {
    let finish = match frame.stop_type {
        Some(StopType::Eos | StopType::Word) => Finish::Stop,
        Some(StopType::Limit) => Finish::Length,
        Some(StopType::Unknown) | None => return Err("no stop_type of eos, word or limit"),
    };
    Ok(GenerationEvent::End {
        finish,
        tokens_in: frame.tokens_evaluated.ok_or("no tokens_evaluated")?,
        tokens_out,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(frames: &[&str]) -> Result<Vec<GenerationEvent>, AdapterError> {
        let mut assembler = Assembler::new(8);
        let mut events = Vec::new();
        for frame in frames {
            assembler.accept(frame)?;
            events.extend(std::iter::from_fn(|| assembler.next_event()));
        }
        Ok(events)
    }

    fn token(text: &str) -> GenerationEvent {
        GenerationEvent::Token(text.to_owned())
    }

    #[test]
    fn tokens_whose_text_was_held_back_are_counted() {
        let events = run(&[
            r#"{"content":"a","stop":false,"tokens_predicted":1,"tokens_evaluated":9}"#,
            r#"{"content":"","stop":false,"tokens_predicted":1}"#,
            r#"{"content":"🌧","stop":false,"tokens_predicted":4}"#,
            r#"{"content":"","stop":false,"tokens_predicted":5}"#,
            r#"{"content":"","stop":true,"stop_type":"eos","tokens_predicted":7,"tokens_evaluated":9}"#,
        ]);
        let end = GenerationEvent::End {
            finish: Finish::Stop,
            tokens_in: 9,
            tokens_out: 7,
        };
        let texts = ["a", "", "", "🌧", "", "", ""];
        let prompt = GenerationEvent::Prompt { tokens: 9 };
        let tokens = texts.iter().map(|text| token(text));
        let expected: Vec<_> = [prompt].into_iter().chain(tokens).chain([end]).collect();
        assert_eq!(events, Ok(expected));
    }

    #[test]
    fn the_prompt_is_told_once_and_never_after_a_token() {
        let prompt = GenerationEvent::Prompt { tokens: 9 };
        let frame = |predicted: u64, evaluated: &str| {
            format!(r#"{{"content":"a","tokens_predicted":{predicted}{evaluated}}}"#)
        };
        let told = r#","tokens_evaluated":9"#;
        let early = run(&[&frame(1, told), &frame(2, told)]);
        assert_eq!(early, Ok(vec![prompt.clone(), token("a"), token("a")]));
        let late = run(&[&frame(1, ""), &frame(2, told)]);
        assert_eq!(late, Ok(vec![token("a"), token("a")]));
        let before = r#"{"content":"","tokens_predicted":0,"tokens_evaluated":9}"#;
        assert_eq!(
            run(&[before, &frame(1, told)]),
            Ok(vec![prompt, token("a")])
        );
    }

    #[test]
    fn frames_that_contradict_the_protocol_are_errors() {
        let cases: &[&[&str]] = &[
            &["[DONE]"],
            &[r#"{"content":"a","stop":false}"#],
            &[r#"{"content":7,"tokens_predicted":1}"#],
            &[r#"{"content":"a","tokens_predicted":-1}"#],
            &[r#"{"content":"a","tokens_predicted":9}"#],
            &[
                r#"{"content":"a","tokens_predicted":2}"#,
                r#"{"content":"b","tokens_predicted":1}"#,
            ],
            &[r#"{"content":"a","tokens_predicted":0}"#],
            &[r#"{"stop":true,"tokens_predicted":0,"tokens_evaluated":1}"#],
            &[r#"{"stop":true,"stop_type":"none","tokens_predicted":0,"tokens_evaluated":1}"#],
            &[r#"{"stop":true,"stop_type":"eos","tokens_predicted":0}"#],
            &[r#"{"error":{"code":500,"message":"broke","type":"server_error"}}"#],
            &[r#"{"error":{"code":400,"message":"no"}}"#],
            &[r#"{"error":{"message":"no code"}}"#],
        ];
        let table: Vec<String> = cases
            .iter()
            .map(|frames| match run(frames) {
                Ok(events) => format!("taken: {events:?}"),
                Err(error) => error.to_string(),
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"), @r#"
        the engine does not speak its protocol: a frame: expected value at line 1 column 2; it begins: [DONE]
        the engine does not speak its protocol: no tokens_predicted in the frame {"content":"a","stop":false}
        the engine does not speak its protocol: a frame: invalid type: integer `7`, expected a string at line 1 column 12; it begins: {"content":7,"tokens_predicted":1}
        the engine does not speak its protocol: a frame: invalid value: integer `-1`, expected u64 at line 1 column 36; it begins: {"content":"a","tokens_predicted":-1}
        the engine does not speak its protocol: more tokens than were asked for in the frame {"content":"a","tokens_predicted":9}
        the engine does not speak its protocol: tokens_predicted went back in the frame {"content":"b","tokens_predicted":1}
        the engine does not speak its protocol: text without a token in the frame {"content":"a","tokens_predicted":0}
        the engine does not speak its protocol: no stop_type of eos, word or limit in the frame {"stop":true,"tokens_predicted":0,"tokens_evaluated":1}
        the engine does not speak its protocol: no stop_type of eos, word or limit in the frame {"stop":true,"stop_type":"none","tokens_predicted":0,"tokens_evaluated":1}
        the engine does not speak its protocol: no tokens_evaluated in the frame {"stop":true,"stop_type":"eos","tokens_predicted":0}
        the engine broke off: status 500: broke
        the engine refused the request: status 400: no
        the engine broke off: status 500: no code
        "#);
    }
}
