"""Training small vocabularies: byte-level BPE, and SentencePiece by the same merges."""

from collections import Counter
from dataclasses import dataclass

import regex

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6

CONTRACTION = "'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])"
LLAMA_3 = CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN_2 = CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


@dataclass
class Vocabulary:
    """What a GGUF file says of a tokenizer."""

    tokens: list[str]
    kinds: list[int]
    scores: list[float]
    merges: list[str]

    def add(self, token: str, kind: int, score: float = 0.0) -> int:
        """Appends a token; gives its id."""
        self.tokens.append(token)
        self.kinds.append(kind)
        self.scores.append(score)
        return len(self.tokens) - 1


def byte_alphabet() -> list[str]:
    """The printable character that stands for each byte."""
    itself = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in itself else chr(next(others)) for byte in range(256)]


def train(text: str, pattern: str, count: int) -> list[tuple[str, str]]:
    """The merges of the most frequent neighbours, ties by their text."""
    alphabet = byte_alphabet()
    words = Counter(regex.findall(pattern, text))
    spelt = [(["" + alphabet[b] for b in word.encode()], n) for word, n in sorted(words.items())]
    return _merges(spelt, count)


def _merges(words: list[tuple[list[str], int]], count: int) -> list[tuple[str, str]]:
    merges: list[tuple[str, str]] = []
    while len(merges) < count:
        pairs: Counter[tuple[str, str]] = Counter()
        for symbols, n in words:
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += n
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        for symbols, _ in words:
            _merge(symbols, best)
    return merges


def _merge(symbols: list[str], pair: tuple[str, str]) -> None:
    i = 0
    while i + 1 < len(symbols):
        if (symbols[i], symbols[i + 1]) == pair:
            symbols[i : i + 2] = ["".join(pair)]
        i += 1


def byte_pairs(text: str, pattern: str, count: int) -> Vocabulary:
    """A byte-level vocabulary without special tokens."""
    merges = train(text, pattern, count)
    vocabulary = Vocabulary([], [], [], [" ".join(pair) for pair in merges])
    for token in dict.fromkeys([*byte_alphabet(), *map("".join, merges)]):
        vocabulary.add(token, NORMAL)
    return vocabulary


def sentence_piece(text: str, count: int) -> Vocabulary:
    """A SentencePiece vocabulary: unknown, begin, end, all bytes, then characters and what merges make."""
    vocabulary = Vocabulary([], [], [], [])
    vocabulary.add("<unk>", UNKNOWN)
    vocabulary.add("<s>", CONTROL)
    vocabulary.add("</s>", CONTROL)
    for byte in range(256):
        vocabulary.add(f"<0x{byte:02X}>", BYTE)
    words = Counter(regex.findall(r" ?[^ ]+| +", text))
    spelt = [(list(word.replace(" ", "▁")), n) for word, n in sorted(words.items())]
    frequent = Counter(character for symbols, n in spelt for character in symbols * n)
    # Rare characters are left to the bytes.
    characters = sorted(c for c, n in frequent.items() if n > 3 and c != "\n")
    merges = [pair for pair in _merges(spelt, count) if all(c in characters for c in "".join(pair))]
    for rank, token in enumerate(dict.fromkeys([*map("".join, merges), *characters])):
        # Ranks in steps of three, so that equal scores are met.
        vocabulary.add(token, NORMAL, -float(rank // 3))
    vocabulary.add("<tool_call>", USER_DEFINED)
    return vocabulary
