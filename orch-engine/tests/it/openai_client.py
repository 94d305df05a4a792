"""Drives an engine with the unmodified `openai` client. Argument: the engine's address."""

import sys

import openai

client = openai.OpenAI(base_url=f"{sys.argv[1]}/v1", api_key="none", max_retries=0)
MESSAGES = [{"role": "user", "content": "Write a haiku about rain."}]


def models() -> str:
    (model,) = client.models.list().data
    assert model.object == "model" and model.created > 0, model
    return model.id


def chat(model: str) -> None:
    asked = {"model": model, "messages": MESSAGES, "seed": 7, "max_tokens": 40, "temperature": 0.8}
    whole = client.chat.completions.create(**asked)
    (choice,) = whole.choices
    assert choice.message.role == "assistant" and choice.message.content, whole
    assert choice.finish_reason in ("stop", "length"), whole
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens, whole
    assert whole.id.startswith("chatcmpl-") and whole.object == "chat.completion", whole

    chunks = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == choice.message.content, (text, choice.message.content)
    assert chunks[0].choices[0].delta.role == "assistant", chunks[0]
    assert chunks[-2].choices[0].finish_reason == choice.finish_reason, chunks[-2]
    assert chunks[-1].choices == [] and chunks[-1].usage == whole.usage, chunks[-1]
    assert len({c.id for c in chunks}) == 1, chunks

    other = client.chat.completions.create(**{**asked, "seed": 8})
    assert other.choices[0].message.content != text
    # A conversation goes on with the reply as the client gives it back.
    follow_up = [*MESSAGES, choice.message, {"role": "user", "content": "Another one."}]
    assert client.chat.completions.create(**{**asked, "messages": follow_up}).choices[0].message.content


def completions(model: str) -> None:
    asked = {"model": model, "prompt": "Write a haiku", "seed": 3, "max_tokens": 30}
    whole = client.completions.create(**asked)
    chunks = list(client.completions.create(**asked, stream=True))
    assert "".join(c.choices[0].text for c in chunks) == whole.choices[0].text, chunks
    assert chunks[-1].choices[0].finish_reason == whole.choices[0].finish_reason
    word = whole.choices[0].text[3:6]
    stopped = client.completions.create(**asked, stop=[word]).choices[0]
    assert stopped.finish_reason == "stop" and word not in stopped.text, stopped


def likelihoods(model: str) -> None:
    told = client.chat.completions.create(
        model=model, messages=MESSAGES, max_tokens=4, temperature=0, logprobs=True, top_logprobs=3
    ).choices[0]
    assert len(told.logprobs.content) == 4
    for token in told.logprobs.content:
        assert len(token.top_logprobs) == 3 and token.logprob == token.top_logprobs[0].logprob <= 0, token
    assert "".join(token.token for token in told.logprobs.content) == told.message.content
    classic = client.completions.create(model=model, prompt="rain", max_tokens=4, temperature=0, logprobs=2).choices[0]
    assert "".join(classic.logprobs.tokens) == classic.text, classic
    assert [max(top.values()) for top in classic.logprobs.top_logprobs] == classic.logprobs.token_logprobs, classic


def errors(model: str) -> None:
    def refused(kind: type[openai.APIStatusError], **asked: object) -> openai.APIStatusError:
        try:
            client.chat.completions.create(**{"model": model, "messages": MESSAGES, **asked})
        except kind as error:
            return error
        raise AssertionError(f"{asked} was taken")

    assert refused(openai.BadRequestError, temperature=-1).body["type"] == "invalid_request_error"
    assert "`n` is 2" in refused(openai.BadRequestError, n=2).message
    assert "`tools`" in refused(openai.BadRequestError, tools=[{"type": "function", "function": {"name": "f"}}]).message
    long = [{"role": "user", "content": "rain " * 2000}]
    too_long = refused(openai.BadRequestError, messages=long).body
    assert too_long["type"] == "exceed_context_size_error" and too_long["n_prompt_tokens"] > too_long["n_ctx"], too_long
    try:
        client.embeddings.create(model=model, input="rain")
    except openai.NotFoundError:
        return
    raise AssertionError("there are embeddings")


def leaving(model: str) -> None:
    """Whoever leaves a stream gives the slot back: the next request is served."""
    with client.chat.completions.create(
        model=model, messages=MESSAGES, stream=True, extra_body={"ignore_eos": True}
    ) as stream:
        next(iter(stream))
    assert client.chat.completions.create(model=model, messages=MESSAGES, max_tokens=2).choices


def around(model: str) -> None:
    """The paths that are llama.cpp's own, which the same client reaches at the address itself."""
    server = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
    assert server.get("/health", cast_to=object) == {"status": "ok"}
    props = server.get("/props", cast_to=object)
    assert props["total_slots"] == 1 and props["model_alias"] == model, props
    context = props["default_generation_settings"]["n_ctx"]
    (slot,) = server.get("/slots", cast_to=object)
    assert slot["n_ctx"] == context and not slot["is_processing"], slot
    with client.completions.create(
        model=model, prompt="rain", stream=True, max_tokens=400, extra_body={"ignore_eos": True}
    ) as stream:
        next(iter(stream))
        (slot,) = server.get("/slots", cast_to=object)
        assert slot["is_processing"] and slot["next_token"][0]["n_decoded"] >= 1, slot
    text = "a quiet pond"
    tokens = server.post("/tokenize", cast_to=object, body={"content": text})["tokens"]
    assert server.post("/detokenize", cast_to=object, body={"tokens": tokens}) == {"content": text}, tokens
    whole = client.completions.create(model=model, prompt=text, max_tokens=1)
    # The begin token comes on top.
    assert whole.usage.prompt_tokens == len(tokens) + 1, (whole.usage, tokens)
    try:
        server.get("/slots/nowhere", cast_to=object)
    except openai.NotFoundError as error:
        assert error.body["type"] == "not_found_error", error.body
        return
    raise AssertionError("there is something at /slots/nowhere")


name = models()
for check in (chat, completions, likelihoods, errors, leaving, around):
    check(name)
    print(f"{check.__name__}: as it should be")
