//! Every refusal has a status, a type and a message that says which field and what it takes.

use serde_json::{Value, json};

use crate::engine::{Engine, sorted};

async fn refusal(engine: &Engine, path: &str, body: String) -> String {
    let response = engine
        .request("POST", path)
        .body(body)
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    let error: Value = response.json().await.unwrap();
    assert_eq!(error["error"]["code"], status);
    format!(
        "{status} {} {}",
        error["error"]["type"].as_str().unwrap(),
        error["error"]["message"].as_str().unwrap()
    )
}

#[tokio::test]
async fn a_completion_that_cannot_be_is_refused() {
    let engine = Engine::start(&[]).await;
    let mut refusals = Vec::new();
    for body in ["{\"prompt\": ", "", "[]", "{}", "{\"prompt\":null}"] {
        let refused = refusal(&engine, "/completion", body.to_owned()).await;
        refusals.push(format!("{body}\n  {refused}"));
    }
    for (field, value) in [
        ("grammar", json!("root ::= \"a\"")),
        ("prompt", json!(7)),
        ("prompt", json!([])),
        ("prompt", json!([1, "moon"])),
        ("prompt", json!([1, 99_999])),
        ("n_predict", json!(-2)),
        ("n_predict", json!("5")),
        ("temperature", json!(-0.1)),
        ("temperature", json!(100.5)),
        ("top_k", json!(1.5)),
        ("top_p", json!(1.01)),
        ("min_p", json!(-0.5)),
        ("repeat_penalty", json!(0)),
        ("repeat_last_n", json!(-2)),
        ("seed", json!(-2)),
        ("seed", json!(4_294_967_296_i64)),
        ("ignore_eos", json!("yes")),
        ("stop", json!(7)),
        ("stop", json!("")),
        ("stop", json!([""])),
        ("stop", json!(vec!["x"; 33])),
        ("stream", json!(1)),
        ("return_tokens", json!(1)),
        ("cache_prompt", json!(0)),
        ("frequency_penalty", json!(101)),
        ("presence_penalty", json!("much")),
        ("n_probs", json!(-1)),
        ("n_probs", json!(101)),
    ] {
        let mut body = json!({ "prompt": "moon" });
        body[field] = value.clone();
        let refused = refusal(&engine, "/completion", body.to_string()).await;
        refusals.push(format!("{field}: {value}\n  {refused}"));
    }
    insta::assert_snapshot!(refusals.join("\n"));
    assert_eq!(
        engine.metric("prompt_tokens_total").await,
        0.0,
        "none was begun"
    );
}

#[tokio::test]
async fn the_widest_values_are_taken() {
    let engine = Engine::start(&[]).await;
    for (field, values) in [
        ("n_predict", json!([1, null])),
        ("temperature", json!([0, 100])),
        ("top_k", json!([-1, 0, 2_147_483_647])),
        ("top_p", json!([0, 1])),
        ("min_p", json!([0, 1])),
        ("repeat_penalty", json!([0.01, 100])),
        ("repeat_last_n", json!([-1, 0, 2_147_483_647])),
        ("seed", json!([-1, 0, 4_294_967_295_i64])),
        ("stop", json!([[], ["x"], "x"])),
        ("frequency_penalty", json!([-100, 100])),
        ("presence_penalty", json!([-100, 100])),
        ("n_probs", json!([0, 1, 100])),
        ("cache_prompt", json!([true, false])),
    ] {
        for value in values.as_array().unwrap() {
            let mut body = json!({ "prompt": "moon", "n_predict": 2 });
            body[field] = value.clone();
            engine.complete(&body).await;
        }
    }
}

#[tokio::test]
async fn what_the_openai_paths_cannot_do_is_refused() {
    let engine = Engine::start(&[]).await;
    let mut refusals = Vec::new();
    let message = json!([{ "role": "user", "content": "hi" }]);
    for (path, field, value) in [
        ("/v1/completions", "n", json!(2)),
        ("/v1/completions", "best_of", json!(2)),
        ("/v1/completions", "echo", json!(true)),
        ("/v1/completions", "suffix", json!("x")),
        ("/v1/completions", "logprobs", json!(21)),
        ("/v1/completions", "prompt", json!(["a", "b"])),
        ("/v1/completions", "stream_options", json!({ "more": 1 })),
        ("/v1/completions", "model", json!(1)),
        ("/v1/chat/completions", "messages", json!("hi")),
        ("/v1/chat/completions", "n", json!(2)),
        ("/v1/chat/completions", "tools", json!([])),
        ("/v1/chat/completions", "top_logprobs", json!(2)),
        (
            "/v1/chat/completions",
            "response_format",
            json!({ "type": "json_object" }),
        ),
    ] {
        let mut body = match path {
            "/v1/completions" => json!({ "prompt": "moon" }),
            _ => json!({ "messages": message }),
        };
        body[field] = value.clone();
        let refused = refusal(&engine, path, body.to_string()).await;
        refusals.push(format!("{path} {field}: {value}\n  {refused}"));
    }
    insta::assert_snapshot!(refusals.join("\n"));
}

#[tokio::test]
async fn a_prompt_beyond_the_context_is_refused_with_the_figures() {
    let engine = Engine::start(&["--ctx-size", "32"]).await;
    let of_length = |n: usize| json!({ "prompt": vec![5; n], "n_predict": 4 });
    let refused = engine.post("/completion", &of_length(32)).await;
    assert_eq!(refused.status(), 400);
    let error: Value = refused.json().await.unwrap();
    insta::assert_snapshot!(sorted(error), @r#"{"error":{"code":400,"message":"the prompt has 32 tokens; a context of 32 holds at most 31 and one of the reply","n_ctx":32,"n_prompt_tokens":32,"type":"exceed_context_size_error"}}"#);
    let streamed = json!({ "prompt": vec![5; 33], "stream": true });
    let refused = engine.post("/completion", &streamed).await;
    assert_eq!(refused.status(), 400);
    assert_eq!(refused.headers()["content-type"], "application/json");
    let longest = engine.complete(&of_length(31)).await;
    assert_eq!(longest["tokens_predicted"], 1);
    assert_eq!(longest["truncated"], true);
}

#[tokio::test]
async fn a_prompt_beyond_the_context_is_refused_on_every_path_whole_and_streamed() {
    let engine = Engine::start(&["--ctx-size", "32"]).await;
    let chat = json!({ "messages": [{ "role": "user", "content": "rain ".repeat(40) }] });
    let text = json!({ "prompt": "rain ".repeat(40) });
    for (path, body) in [
        ("/completion", &text),
        ("/completions", &text),
        ("/v1/completions", &text),
        ("/chat/completions", &chat),
        ("/v1/chat/completions", &chat),
    ] {
        for stream in [false, true] {
            let mut body = body.clone();
            body["stream"] = json!(stream);
            let refused = engine.post(path, &body).await;
            assert_eq!(refused.status(), 400, "{path}");
            assert_eq!(refused.headers()["content-type"], "application/json");
            let error: Value = refused.json().await.unwrap();
            let error = &error["error"];
            assert_eq!(error["type"], "exceed_context_size_error", "{path}");
            assert_eq!(error["n_ctx"], 32, "{path}");
            assert!(error["n_prompt_tokens"].as_u64() > Some(32), "{path}");
        }
    }
    assert_eq!(engine.metric("prompt_tokens_total").await, 0.0);
}

#[tokio::test]
async fn messages_and_texts_that_cannot_be_are_refused() {
    let engine = Engine::start(&[]).await;
    let mut refusals = Vec::new();
    for (path, body) in [
        ("/apply-template", r#"{}"#),
        ("/apply-template", r#"{"messages":"hi"}"#),
        ("/apply-template", r#"{"messages":["hi"]}"#),
        ("/apply-template", r#"{"messages":[{"role":"user"}]}"#),
        (
            "/apply-template",
            r#"{"messages":[{"role":"user","content":["hi"]}]}"#,
        ),
        (
            "/apply-template",
            r#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]}"#,
        ),
        (
            "/apply-template",
            r#"{"messages":[{"role":"user","content":"","name":7}]}"#,
        ),
        (
            "/apply-template",
            r#"{"messages":[{"role":"user","content":"","tool_calls":[]}]}"#,
        ),
        (
            "/apply-template",
            r#"{"messages":[],"chat_template_kwargs":[]}"#,
        ),
        ("/apply-template", r#"{"messages":[],"tools":[]}"#),
        (
            "/apply-template",
            r#"{"messages":[],"add_generation_prompt":1}"#,
        ),
        ("/tokenize", r#"{}"#),
        ("/tokenize", r#"{"content":1}"#),
        ("/tokenize", r#"{"content":"","name":"x"}"#),
        ("/detokenize", r#"{"tokens":["x"]}"#),
        ("/detokenize", r#"{"tokens":[99999]}"#),
    ] {
        let refused = refusal(&engine, path, body.to_owned()).await;
        refusals.push(format!("{path} {body}\n  {refused}"));
    }
    insta::assert_snapshot!(refusals.join("\n"));
}

#[tokio::test]
async fn paths_methods_and_sizes_that_cannot_be_are_refused() {
    let engine = Engine::start(&[]).await;
    let reply = async |method: &str, path: &str, body: String| {
        let response = engine
            .request(method, path)
            .body(body)
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        let allow = response
            .headers()
            .get("allow")
            .map(|v| v.to_str().unwrap().to_owned());
        format!(
            "{method} {path} {status} {allow:?} {}",
            response.text().await.unwrap()
        )
    };
    let replies = [
        reply("GET", "/v1/nothing", String::new()).await,
        reply("POST", "/", String::new()).await,
        reply("GET", "/completion", String::new()).await,
        reply("DELETE", "/slots", String::new()).await,
        reply("POST", "/completion", " ".repeat((1 << 20) + 1)).await,
    ];
    insta::assert_snapshot!(replies.join("\n"), @r#"
    GET /v1/nothing 404 None {"error":{"code":404,"message":"there is nothing at /v1/nothing","type":"not_found_error"}}
    POST / 404 None {"error":{"code":404,"message":"there is nothing at /","type":"not_found_error"}}
    GET /completion 405 Some("POST") {"error":{"code":405,"message":"this path does not answer this method; the Allow header says which it does","type":"invalid_request_error"}}
    DELETE /slots 405 Some("GET,HEAD") {"error":{"code":405,"message":"this path does not answer this method; the Allow header says which it does","type":"invalid_request_error"}}
    POST /completion 413 None {"error":{"code":413,"message":"the body has more than 1048576 bytes","type":"invalid_request_error"}}
    "#);
}
