//! The fields that say how the next token is chosen: the same on every path that generates.

use std::hash::{BuildHasher, RandomState};

use serde_json::{Map, Value, json};

use super::fields::{Field, Fields};
use crate::http::reply::ApiError;
use crate::sampling::Sampling;

/// The seed that stands for "any", as llama.cpp has it.
const ANY_SEED: i64 = u32::MAX as i64;

/// Every field about sampling.
pub(crate) const SAMPLING: [Field; 11] = [
    Field {
        name: "temperature",
        accepts: "number, 0 to 100",
    },
    Field {
        name: "top_k",
        accepts: "integer, -1 to 2147483647",
    },
    Field {
        name: "top_p",
        accepts: "number, 0 to 1",
    },
    Field {
        name: "min_p",
        accepts: "number, 0 to 1",
    },
    Field {
        name: "repeat_penalty",
        accepts: "number, 0.01 to 100",
    },
    Field {
        name: "frequency_penalty",
        accepts: "number, -100 to 100",
    },
    Field {
        name: "presence_penalty",
        accepts: "number, -100 to 100",
    },
    Field {
        name: "repeat_last_n",
        accepts: "integer, -1 to 2147483647",
    },
    Field {
        name: "seed",
        accepts: "integer, -1 to 4294967295",
    },
    Field {
        name: "ignore_eos",
        accepts: "true or false",
    },
    Field {
        name: "cache_prompt",
        accepts: "true or false",
    },
];

/// The settings that a request asks for, with defaults where it is silent.
pub(super) fn sampling(fields: &Fields) -> Result<Sampling, ApiError> {
    let most = i64::from(i32::MAX);
    fields.bool("cache_prompt", true)?;
    let repeat_last_n = fields.integer("repeat_last_n", -1..=most, 64)?;
    Ok(Sampling {
        temperature: fields.number("temperature", 0.0..=100.0, 0.8)? as f32,
        top_k: usize::try_from(fields.integer("top_k", -1..=most, 40)?)
            .ok()
            .filter(|&k| k > 0),
        top_p: fields.number("top_p", 0.0..=1.0, 0.95)? as f32,
        min_p: fields.number("min_p", 0.0..=1.0, 0.05)? as f32,
        repeat_penalty: fields.number("repeat_penalty", 0.01..=100.0, 1.0)? as f32,
        frequency_penalty: fields.number("frequency_penalty", -100.0..=100.0, 0.0)? as f32,
        presence_penalty: fields.number("presence_penalty", -100.0..=100.0, 0.0)? as f32,
        repeat_last_n: usize::try_from(repeat_last_n).unwrap_or(usize::MAX),
        seed: seed(fields)?,
        ignore_eos: fields.bool("ignore_eos", false)?,
    })
}

/// The settings as a reply gives them: every field with the value that was used.
pub(super) fn told(sampling: &Sampling) -> Map<String, Value> {
    let repeat_last_n = match sampling.repeat_last_n {
        usize::MAX => json!(-1),
        n => json!(n),
    };
    let told = json!({
        "seed": sampling.seed,
        "temperature": sampling.temperature,
        "top_k": sampling.top_k.unwrap_or(0),
        "top_p": sampling.top_p,
        "min_p": sampling.min_p,
        "repeat_last_n": repeat_last_n,
        "repeat_penalty": sampling.repeat_penalty,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "ignore_eos": sampling.ignore_eos,
        "samplers": ["penalties", "top_k", "top_p", "min_p", "temperature"],
    });
    match told {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// What stands for a seed where none was drawn yet.
pub(super) fn any_seed() -> Value {
    json!(ANY_SEED)
}

fn seed(fields: &Fields) -> Result<u32, ApiError> {
    let asked = fields.integer("seed", -1..=ANY_SEED, -1)?;
    Ok(match u32::try_from(asked) {
        Ok(seed) if asked != ANY_SEED => seed,
        // The standard library seeds its hash maps from the operating system. The lower half of the
        // range only, so that what is reported can be asked for anywhere as a positive i32.
        _ => RandomState::new().hash_one(()) as u32 >> 1,
    })
}
