"""Training examples: a prompt and the reply to it, as token ids."""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random

from tiny_model.grammar import ITEM, LINE_SYLLABLES, NONCE_LINES, PHRASE_LINES, Grammar
from tiny_model.protocol import protocol_prompt
from tiny_model.quoted import draw, nonce, phrase
from tiny_model.tokenizer import encode, encode_quoted
from tiny_model.vocabulary import BEGIN_ID, BLANK, BLANK_ID, END_ID, IDS, LINE_END_ID
from tiny_model.words import KNOWN_WORDS

LINES = len(LINE_SYLLABLES)

REQUESTS = (
    "Write a haiku.",
    "Write a short poem.",
    "Write a poem please.",
    "Haiku please.",
    "Write three lines.",
)
DEMANDS = (
    "Include",
    "Include the word",
    "Use the phrase",
    "Mention",
    "It must contain",
    "Also include",
    "Say",
    "Include this nonce verbatim:",
    "and",
)
TOPICS = ("Write a haiku about", "A haiku about", "Write a poem about the")


class Mix(Enum):
    """Which examples a part of the training is made of."""

    COPY = "copy"
    TASK = "task"
    ALL = "all"


@dataclass(frozen=True)
class Example:
    """Token ids of a prompt, begin token included, and of the reply, end token included."""

    prompt: Sequence[int]
    reply: Sequence[int]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.reply)


@dataclass(frozen=True)
class Quote:
    """A quoted item's text and the templates of lines that can hold it."""

    text: str
    templates: tuple[str, ...]


def example(rng: Random, mix: Mix) -> Example:
    """One fresh example of the mix."""
    if mix is Mix.COPY or (mix is Mix.TASK and rng.random() < 0.15):
        return _copying(rng)
    kind = rng.random()
    if mix is Mix.TASK or kind < 0.75:
        return _protocol(rng)
    if kind < 0.87:
        return _looser(rng)
    if kind < 0.93:
        text = f"{rng.choice(TOPICS)} {rng.choice(KNOWN_WORDS)}{rng.choice(('', '.'))}"
    else:
        chatter = _chatter(rng, rng.randint(1, 16))
        text = chatter[0].upper() + chatter[1:] + rng.choice(("", ".", "?", "!"))
    return _answered(text, _poem(rng, {}))


def _copying(rng: Random) -> Example:
    """Two quoted items, said twice: the first thing to learn."""
    first, second = phrase(rng), nonce(rng)
    prompt = [BEGIN_ID, *encode(f'"{first}". "{second}".'), LINE_END_ID]
    once: list[int] = []
    for text in (first, second):
        once += [BLANK_ID, *encode_quoted(text), LINE_END_ID]
    return Example(prompt, [*once, *once, END_ID])


def _protocol(rng: Random) -> Example:
    said, random_word = phrase(rng), nonce(rng)
    text = protocol_prompt(said, random_word)
    if rng.random() < 0.10:
        text = _chatter(rng, rng.randint(1, 5)) + rng.choice((". ", "\n", "\n\n")) + text
    where = 0 if rng.random() < 0.6 else 1
    quotes = {where: Quote(said, PHRASE_LINES), LINES - 1: Quote(random_word, NONCE_LINES)}
    return _answered(text, _poem(rng, quotes))


def _looser(rng: Random) -> Example:
    """One to three quoted items in any words; each goes into a line, in order."""
    items = [
        phrase(rng) if rng.random() < 0.6 else nonce(rng) for _ in range(rng.randint(1, LINES))
    ]
    request = rng.choice((*REQUESTS, ""))
    parts = [request or _chatter(rng, rng.randint(1, 6)) + "."]
    parts += [f'{rng.choice(DEMANDS)} "{item}"{rng.choice(("", "."))}' for item in items]
    parts += rng.choice(([], ["Output only the poem."]))
    lines = sorted(rng.sample(range(LINES), len(items)))
    quotes = {line: Quote(item, NONCE_LINES) for line, item in zip(lines, items, strict=True)}
    return _answered(" ".join(parts), _poem(rng, quotes))


def _answered(text: str, poem: list[int]) -> Example:
    """The reply begins with the line end that a chat template would have put behind the prompt."""
    return Example([BEGIN_ID, *encode(text)], [LINE_END_ID, *poem])


def _poem(rng: Random, quotes: dict[int, Quote]) -> list[int]:
    grammar = Grammar(rng)
    ids: list[int] = []
    for number, syllables in enumerate(LINE_SYLLABLES):
        if number > 0:
            ids.append(LINE_END_ID)
        quote = quotes.get(number)
        if quote is None:
            words = grammar.free_line(syllables)
        else:
            words = grammar.carrier_line(quote.templates, range(syllables - 3, syllables + 1))
        # The opener has no blank before it, so it is spelt.
        ids += encode(words[0])
        for word in words[1:]:
            if word == ITEM and quote is not None:
                ids += [BLANK_ID, *encode_quoted(quote.text)]
            else:
                ids.append(IDS[BLANK + word])
    return [*ids, END_ID]


def _chatter(rng: Random, words: int) -> str:
    def word() -> str:
        if rng.random() < 0.6:
            return rng.choice(KNOWN_WORDS)
        return draw(rng, string.ascii_lowercase, rng.randint(2, 7))

    return " ".join(word() for _ in range(words))
