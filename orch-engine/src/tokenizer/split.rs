//! Pre-tokenizers: how a text is cut into words before the characters of each are merged.
//!
//! A file names its own in `tokenizer.ggml.pre`. The patterns are those of the models' publishers as
//! llama.cpp applies them: one after the other, each to the pieces that the one before has left, and
//! what lies between two matches is a piece too.

use regex::Regex;

use crate::gguf::Fault;

/// Contractions, in either case.
macro_rules! contraction {
    () => {
        "'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])"
    };
}

const GPT_2: Stage = Stage {
    pattern: r"'(?:[stmd]|re|ve|ll)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+",
    blanks: Blanks::LeaveOne,
};
const LLAMA_3: Stage = Stage {
    pattern: concat!(
        contraction!(),
        r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+"
    ),
    blanks: Blanks::LeaveOneOfALine,
};
const QWEN_2: Stage = Stage {
    pattern: concat!(
        contraction!(),
        r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+"
    ),
    blanks: Blanks::LeaveOneOfALine,
};
/// Words begin with what is no small ASCII letter, and end with what is no capital one.
const TEKKEN: Stage = Stage {
    pattern: concat!(
        r"[^\r\n\p{L}\p{N}]?[\p{L}&&[^a-z]]*[\p{L}&&[^A-Z]]+",
        r"|[^\r\n\p{L}\p{N}]?[\p{L}&&[^a-z]]+[\p{L}&&[^A-Z]]*",
        r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+"
    ),
    blanks: Blanks::LeaveOneOfALine,
};

/// A pre-tokenizer as the table below describes it.
struct Scheme {
    /// Its names in `tokenizer.ggml.pre`.
    names: &'static [&'static str],
    stages: &'static [Stage],
    /// A word that is a token as a whole is taken as it is, whatever merging would make of it.
    whole_words: bool,
    /// Whether a prompt begins with the begin token where the file does not say.
    adds_bos: bool,
}

/// One pattern.
#[derive(Clone, Copy)]
struct Stage {
    pattern: &'static str,
    blanks: Blanks,
}

/// What becomes of a match that is blanks and nothing else.
///
/// Publishers write `\s+(?!\S)`: of the blanks before a word, the last is left to the word. The
/// library that matches (in linear time, whatever the text) does not look ahead, so it is done here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blanks {
    /// They are taken whole.
    TakeAll,
    /// The last is left, if there is another and a word follows.
    LeaveOne,
    /// The same, but not where the blanks end with their line: that was another alternative.
    LeaveOneOfALine,
}

const fn plain(pattern: &'static str) -> Stage {
    Stage {
        pattern,
        blanks: Blanks::TakeAll,
    }
}

const SCHEMES: [Scheme; 8] = [
    Scheme {
        names: &["default"],
        stages: &[
            plain(r"[\p{P}$+<=>^~|]+"),
            GPT_2,
            plain(r"\p{N}+"),
            plain("[0-9][0-9][0-9]"),
        ],
        whole_words: false,
        adds_bos: false,
    },
    Scheme {
        names: &["gpt-2", "mellum"],
        stages: &[GPT_2],
        whole_words: false,
        adds_bos: false,
    },
    Scheme {
        names: &[
            "llama-bpe",
            "llama3",
            "llama-v3",
            "falcon3",
            "midm-2.0",
            "pixtral",
        ],
        stages: &[LLAMA_3],
        whole_words: true,
        adds_bos: true,
    },
    Scheme {
        names: &["smaug-bpe"],
        stages: &[LLAMA_3],
        whole_words: false,
        adds_bos: false,
    },
    Scheme {
        names: &["qwen2", "deepseek-r1-qwen", "megrez"],
        stages: &[QWEN_2],
        whole_words: false,
        adds_bos: false,
    },
    Scheme {
        names: &["smollm", "starcoder", "refact", "minerva-7b"],
        stages: &[plain(r"\p{N}"), GPT_2],
        whole_words: false,
        adds_bos: false,
    },
    Scheme {
        names: &["tekken"],
        stages: &[TEKKEN],
        whole_words: true,
        adds_bos: true,
    },
    Scheme {
        names: &["deepseek-coder"],
        stages: &[
            plain(r"[\r\n]"),
            plain(r"\s?\p{L}+"),
            plain(r"\s?\p{P}+"),
            plain("[一-龥ࠀ-一가-\u{d7ff}]+"),
            plain(r"\p{N}"),
        ],
        whole_words: false,
        adds_bos: false,
    },
];

/// The pre-tokenizer of a file, ready to cut.
pub(super) struct Splitter {
    stages: Vec<(Regex, Blanks)>,
    /// A word that is a token as a whole is taken as it is.
    pub(super) whole_words: bool,
    /// Whether a prompt begins with the begin token where the file does not say.
    pub(super) adds_bos: bool,
}

impl Splitter {
    /// The pre-tokenizer of this name. An unknown one is refused: with another one the model would
    /// read words that it has never seen.
    pub(super) fn named(name: &str) -> Result<Self, Fault> {
        let scheme = SCHEMES
            .iter()
            .find(|scheme| scheme.names.contains(&name))
            .ok_or_else(|| {
                let known: Vec<&str> = SCHEMES.iter().flat_map(|s| s.names).copied().collect();
                Fault::Unsupported(format!(
                    "pre-tokenizer {name:?}; this engine has {}",
                    known.join(", ")
                ))
            })?;
        let stages = scheme.stages.iter().map(|stage| {
            let regex = Regex::new(stage.pattern).expect("the patterns above are sound");
            (regex, stage.blanks)
        });
        Ok(Self {
            stages: stages.collect(),
            whole_words: scheme.whole_words,
            adds_bos: scheme.adds_bos,
        })
    }

    /// The words of a text, in order; together they are the text.
    pub(super) fn split<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let mut pieces = vec![text];
        for (regex, blanks) in &self.stages {
            let mut cut = Vec::new();
            for piece in pieces {
                cut_at_matches(regex, *blanks, piece, &mut cut);
            }
            pieces = cut;
        }
        pieces
    }
}

/// Cuts `piece` at every match. Matches and what lies between them are pieces alike.
fn cut_at_matches<'t>(regex: &Regex, blanks: Blanks, piece: &'t str, cut: &mut Vec<&'t str>) {
    let mut done = 0;
    while let Some(found) = regex.find_at(piece, done) {
        let end = match last_blank(found.as_str(), blanks) {
            Some(last) if found.end() < piece.len() => found.start() + last,
            _ => found.end(),
        };
        if found.start() > done {
            cut.push(&piece[done..found.start()]);
        }
        cut.push(&piece[found.start()..end]);
        done = end;
    }
    if done < piece.len() {
        cut.push(&piece[done..]);
    }
}

/// Where the last of several blanks begins, if the match is nothing but blanks and must leave it.
fn last_blank(found: &str, blanks: Blanks) -> Option<usize> {
    let (at, last) = found.char_indices().next_back()?;
    let leaves = match blanks {
        Blanks::TakeAll => false,
        Blanks::LeaveOne => true,
        Blanks::LeaveOneOfALine => !matches!(last, '\r' | '\n'),
    };
    (leaves && at > 0 && found.chars().all(char::is_whitespace)).then_some(at)
}
