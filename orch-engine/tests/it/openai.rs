//! The OpenAI paths, whole and streamed, seen without any client library.

use serde_json::{Value, json};

use crate::engine::{Engine, sorted};

/// The chunks of a stream that ends as the dialect has it.
async fn chunks(engine: &Engine, path: &str, body: &Value) -> Vec<Value> {
    let response = engine.post(path, body).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = response.text().await.unwrap();
    let mut events: Vec<&str> = text.split("\n\n").collect();
    assert_eq!(events.pop(), Some(""));
    assert_eq!(events.pop(), Some("data: [DONE]"));
    events
        .iter()
        .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
        .collect()
}

/// What differs from run to run, or from one processor to another, is replaced by its name.
fn masked(mut reply: Value) -> Value {
    for member in ["id", "created", "system_fingerprint"] {
        reply[member] = json!(format!("<{member}>"));
    }
    if let Some(timings) = reply.get_mut("timings") {
        *timings = json!("<timings>");
    }
    sorted(reply)
}

fn chat(settings: Value) -> Value {
    let mut body = json!({
        "messages": [{ "role": "user", "content": "Write a haiku" }],
        "temperature": 0, "max_tokens": 3,
    });
    merge(&mut body, settings);
    body
}

fn completion(settings: Value) -> Value {
    let mut body = json!({ "prompt": "Write a haiku", "temperature": 0, "max_tokens": 3 });
    merge(&mut body, settings);
    body
}

fn merge(body: &mut Value, settings: Value) {
    let members = body.as_object_mut().unwrap();
    members.extend(settings.as_object().unwrap().clone());
}

/// The text of a stream's chunks.
fn text(chunks: &[Value], pointer: &str) -> String {
    let texts = chunks.iter().filter_map(|chunk| chunk.pointer(pointer));
    texts.filter_map(Value::as_str).collect()
}

#[tokio::test]
async fn a_chat_is_answered_whole_and_in_chunks_with_the_same_text() {
    let engine = Engine::start(&[]).await;
    let whole = engine
        .post_json("/v1/chat/completions", &chat(json!({})))
        .await;
    let content = whole["choices"][0]["message"]["content"].clone();
    insta::assert_json_snapshot!("chat", {
        let mut shown = masked(whole);
        shown["choices"][0]["message"]["content"] = json!("<text>");
        shown
    });
    let stream = chat(json!({ "stream": true, "stream_options": { "include_usage": true } }));
    let chunks = chunks(&engine, "/v1/chat/completions", &stream).await;
    assert_eq!(
        text(&chunks, "/choices/0/delta/content"),
        content.as_str().unwrap()
    );
    insta::assert_json_snapshot!(
        "chat_chunks",
        [
            &chunks[0],
            &chunks[chunks.len() - 2],
            &chunks[chunks.len() - 1]
        ]
        .map(|c| masked(c.clone()))
    );
}

#[tokio::test]
async fn a_completion_is_answered_whole_and_in_chunks_with_the_same_text() {
    let engine = Engine::start(&[]).await;
    let whole = engine
        .post_json("/v1/completions", &completion(json!({})))
        .await;
    let content = whole["choices"][0]["text"].clone();
    insta::assert_json_snapshot!("text_completion", {
        let mut shown = masked(whole);
        shown["choices"][0]["text"] = json!("<text>");
        shown
    });
    let stream = completion(json!({ "stream": true, "stream_options": { "include_usage": true } }));
    let chunks = chunks(&engine, "/v1/completions", &stream).await;
    assert_eq!(text(&chunks, "/choices/0/text"), content.as_str().unwrap());
    insta::assert_json_snapshot!(
        "text_completion_chunks",
        [&chunks[chunks.len() - 2], &chunks[chunks.len() - 1]].map(|c| masked(c.clone()))
    );
    // A prompt in a list of its own, and one of tokens, are the same prompt.
    let ids = json!({ "content": "Write a haiku", "add_special": true });
    let ids = engine.post_json("/tokenize", &ids).await["tokens"].clone();
    for prompt in [json!(["Write a haiku"]), ids] {
        let same = completion(json!({ "prompt": prompt }));
        let reply = engine.post_json("/v1/completions", &same).await;
        assert_eq!(reply["choices"][0]["text"], content);
    }
}

#[tokio::test]
async fn a_chat_is_the_completion_of_its_template() {
    let engine = Engine::start(&[]).await;
    let messages = json!([
        { "role": "developer", "content": "Be brief." },
        { "role": "user", "content": [{ "type": "text", "text": "Write" }, { "type": "text", "text": "a haiku" }] },
    ]);
    let prompt = engine
        .post_json("/apply-template", &json!({ "messages": messages }))
        .await["prompt"]
        .clone();
    let same = json!([
        { "role": "system", "content": "Be brief." },
        { "role": "user", "content": "Write\na haiku" },
    ]);
    let of_same = engine
        .post_json("/apply-template", &json!({ "messages": same }))
        .await;
    assert_eq!(of_same["prompt"], prompt);
    let settings = json!({ "seed": 5, "max_tokens": 20, "temperature": 0.8 });
    let reply = engine
        .post_json("/v1/chat/completions", &{
            let mut body = chat(settings.clone());
            body["messages"] = messages;
            body
        })
        .await;
    let mut body = json!({ "prompt": prompt, "n_predict": 20, "seed": 5, "temperature": 0.8 });
    let raw = engine.complete(&body).await;
    assert_eq!(reply["choices"][0]["message"]["content"], raw["content"]);
    assert_eq!(reply["usage"]["prompt_tokens"], raw["tokens_evaluated"]);
    body["seed"] = json!(6);
    assert_ne!(engine.complete(&body).await["content"], raw["content"]);
}

#[tokio::test]
async fn log_probabilities_are_the_same_on_every_path() {
    let engine = Engine::start(&[]).await;
    let prompt = engine
        .post_json(
            "/apply-template",
            &chat(json!({ "temperature": null, "max_tokens": null })),
        )
        .await;
    let raw = engine
        .complete(
            &json!({ "prompt": prompt["prompt"], "n_predict": 3, "temperature": 0, "n_probs": 2 }),
        )
        .await;
    let told = raw["completion_probabilities"].clone();
    assert_eq!(told.as_array().unwrap().len(), 3);
    for entry in told.as_array().unwrap() {
        let top = &entry["top_logprobs"];
        assert_eq!(top.as_array().unwrap().len(), 2);
        // The likeliest token was taken.
        for member in ["id", "token", "bytes", "logprob"] {
            assert_eq!(entry[member], top[0][member]);
        }
        assert!(top[0]["logprob"].as_f64().unwrap() >= top[1]["logprob"].as_f64().unwrap());
    }
    let asked = chat(json!({ "logprobs": true, "top_logprobs": 2 }));
    let whole = engine.post_json("/v1/chat/completions", &asked).await;
    assert_eq!(whole["choices"][0]["logprobs"]["content"], told);
    let mut streamed = asked.clone();
    streamed["stream"] = json!(true);
    let of_chunks: Vec<Value> = chunks(&engine, "/v1/chat/completions", &streamed)
        .await
        .iter()
        .filter_map(|chunk| {
            chunk["choices"][0]["logprobs"]["content"]
                .as_array()
                .cloned()
        })
        .flatten()
        .collect();
    assert_eq!(json!(of_chunks), told);
    let body = completion(json!({ "prompt": prompt["prompt"], "logprobs": 2 }));
    let classic =
        engine.post_json("/v1/completions", &body).await["choices"][0]["logprobs"].clone();
    assert_eq!(classic["content"], told);
    let column = |name: &str| -> Value {
        told.as_array()
            .unwrap()
            .iter()
            .map(|entry| entry[name].clone())
            .collect()
    };
    assert_eq!(classic["tokens"], column("token"));
    assert_eq!(classic["token_logprobs"], column("logprob"));
    assert_eq!(classic["text_offset"][0], 0);
}

#[tokio::test]
async fn a_stop_text_and_the_context_are_told_as_reasons() {
    let engine = Engine::start(&["--ctx-size", "32"]).await;
    let free = engine
        .post_json("/v1/completions", &completion(json!({ "max_tokens": 12 })))
        .await;
    let text = free["choices"][0]["text"].as_str().unwrap();
    let word: String = text.chars().skip(4).take(3).collect();
    let stopped = engine
        .post_json(
            "/v1/completions",
            &completion(json!({ "max_tokens": 12, "stop": word })),
        )
        .await;
    assert_eq!(stopped["choices"][0]["finish_reason"], "stop");
    assert_eq!(
        stopped["choices"][0]["text"].as_str().unwrap(),
        &text[..text.find(&word).unwrap()]
    );
    let full = completion(json!({ "max_tokens": null, "ignore_eos": true }));
    let full = engine.post_json("/v1/completions", &full).await;
    assert_eq!(full["choices"][0]["finish_reason"], "length");
    assert_eq!(full["usage"]["total_tokens"], 32);
}
