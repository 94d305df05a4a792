//! `POST /completion`, streamed and whole.

use serde_json::{Value, json};

use crate::engine::{Engine, Events, sorted};

/// What differs from run to run or from one processor to another is replaced by its type's name.
fn masked(mut frame: Value, members: &[&str]) -> Value {
    for member in members {
        let value = frame.pointer_mut(member).unwrap();
        *value = match value {
            Value::Number(_) => json!("<number>"),
            Value::String(_) => json!("<string>"),
            Value::Array(_) => json!("<array>"),
            other => panic!("{member} is {other}"),
        };
    }
    sorted(frame)
}

const TIMES: [&str; 6] = [
    "/timings/prompt_ms",
    "/timings/prompt_per_token_ms",
    "/timings/prompt_per_second",
    "/timings/predicted_ms",
    "/timings/predicted_per_token_ms",
    "/timings/predicted_per_second",
];

#[tokio::test]
async fn a_streamed_reply_has_llama_cpps_frames() {
    let engine = Engine::start(&[]).await;
    let body = json!({
        "prompt": "Write a haiku", "n_predict": 2, "temperature": 0, "seed": 7, "stream": true,
    });
    let frames = Events::of(engine.post("/completion", &body).await)
        .all()
        .await;
    assert_eq!(frames.len(), 3);
    insta::assert_json_snapshot!(
        "token_frame",
        masked(frames[1].clone(), &["/content", "/tokens"])
    );
    insta::assert_json_snapshot!("final_frame", masked(frames[2].clone(), &TIMES));
}

#[tokio::test]
async fn a_whole_reply_is_the_last_frame_with_the_text() {
    let engine = Engine::start(&[]).await;
    let mut body = json!({ "prompt": "Write a haiku", "n_predict": 30, "seed": 7, "stream": true });
    let frames = Events::of(engine.post("/completion", &body).await)
        .all()
        .await;
    let (last, tokens) = frames.split_last().unwrap();
    let text: String = tokens
        .iter()
        .map(|f| f["content"].as_str().unwrap())
        .collect();
    let ids: Vec<&Value> = tokens
        .iter()
        .flat_map(|f| f["tokens"].as_array().unwrap())
        .collect();

    body["stream"] = json!(false);
    let whole = engine.complete(&body).await;
    let mut expected = last.clone();
    expected["content"] = json!(text);
    expected["generation_settings"]["stream"] = json!(false);
    assert_eq!(masked(whole, &TIMES), masked(expected.clone(), &TIMES));

    body["return_tokens"] = json!(true);
    expected["tokens"] = json!(ids);
    let whole = engine.complete(&body).await;
    assert_eq!(masked(whole, &TIMES), masked(expected, &TIMES));
}

#[tokio::test]
async fn every_way_to_end_is_told() {
    let engine = Engine::start(&[]).await;
    let prompt = crate::haiku::prompt("forty-two", "Ab3dE9xZ");
    let end = async |settings: Value| {
        let mut body = json!({ "prompt": prompt, "temperature": 0, "stream": true });
        body.as_object_mut()
            .unwrap()
            .extend(settings.as_object().unwrap().clone());
        let frames = Events::of(engine.post("/completion", &body).await)
            .all()
            .await;
        let text: String = frames
            .iter()
            .map(|f| f["content"].as_str().unwrap())
            .collect();
        let last = frames.last().unwrap();
        let n = last["tokens_predicted"].as_u64().unwrap();
        let ends = ["stop_type", "truncated", "stopping_word"].map(|name| last[name].clone());
        (json!(ends), text, n)
    };

    let (ended, text, n) = end(json!({})).await;
    assert_eq!(ended, json!(["eos", false, ""]));
    let (ended, _, limit) = end(json!({ "n_predict": n - 2 })).await;
    assert_eq!((ended, limit), (json!(["limit", false, ""]), n - 2));
    let (ended, nothing, limit) = end(json!({ "n_predict": 0 })).await;
    assert_eq!(
        (ended, nothing.as_str(), limit),
        (json!(["limit", false, ""]), "", 0)
    );
    let (ended, _, full) = end(json!({ "ignore_eos": true })).await;
    assert_eq!(ended, json!(["limit", true, ""]));
    assert_eq!(full + 57, 512, "prompt and reply fill the context");
    let (ended, stopped, _) = end(json!({ "stop": ["never", "y-tw"] })).await;
    assert_eq!(ended, json!(["word", false, "y-tw"]));
    assert_eq!(stopped, text[..text.find("y-tw").unwrap()]);
}

#[tokio::test]
async fn a_prompt_of_token_ids_is_taken_as_it_is() {
    let engine = Engine::start(&[]).await;
    let ids = json!({ "content": "Write a haiku", "add_special": true });
    let ids = engine.post_json("/tokenize", &ids).await["tokens"].clone();
    let reply = async |prompt: Value| {
        let reply = engine
            .complete(&json!({ "prompt": prompt, "seed": 3, "n_predict": 20 }))
            .await;
        (reply["content"].clone(), reply["prompt"].clone())
    };
    assert_eq!(reply(ids).await, reply(json!("Write a haiku")).await);
}

#[tokio::test]
async fn a_reply_of_single_bytes_is_still_text() {
    let engine = Engine::start(&[]).await;
    // At this temperature every token is equally likely, and a fifth of them are bytes.
    let body = json!({
        "prompt": "moon", "seed": 5, "temperature": 100, "top_k": 0, "top_p": 1, "min_p": 0,
        "ignore_eos": true, "stream": true,
    });
    let frames = Events::of(engine.post("/completion", &body).await)
        .all()
        .await;
    let text: String = frames
        .iter()
        .map(|f| f["content"].as_str().unwrap())
        .collect();
    assert!(text.contains('\u{FFFD}'), "{text}");
    let last = frames.last().unwrap();
    let shown: usize = frames
        .iter()
        .map(|f| f["tokens"].as_array().unwrap().len())
        .sum();
    assert_eq!(
        last["tokens_predicted"], shown,
        "every token is in some frame"
    );
}
