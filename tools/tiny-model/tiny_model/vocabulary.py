"""The token table, made by hand in the manner of SentencePiece.

Three special tokens, 256 bytes, the printable ASCII characters, the blank, and for every known
word the whole chain of its beginnings (blank + first letter, blank + two letters, and so on), so
that an engine which merges pairs by score arrives at the whole word. Every token of several
characters begins with the blank: what stands directly behind a quotation mark is therefore one
token a character, and copying it is a matter of looking back.
"""

from dataclasses import dataclass
from enum import IntEnum

from tiny_model.words import KNOWN_WORDS

BLANK = "\u2581"
"""How the table writes a blank."""


class TokenType(IntEnum):
    """Types of tokens as GGUF numbers them."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    BYTE = 6


@dataclass(frozen=True)
class Token:
    """One row of the table. The higher of two scores is merged first."""

    text: str
    score: float
    kind: TokenType


def _build() -> tuple[Token, ...]:
    table = [Token("<unk>", 0.0, TokenType.UNKNOWN)]
    table += [Token(mark, 0.0, TokenType.CONTROL) for mark in ("<s>", "</s>")]
    table += [Token(f"<0x{byte:02X}>", 0.0, TokenType.BYTE) for byte in range(256)]
    single = [chr(code) for code in range(33, 127)] + [BLANK]
    table += [Token(character, -1000.0, TokenType.NORMAL) for character in single]
    beginnings = {BLANK + word[:end] for word in KNOWN_WORDS for end in range(1, len(word) + 1)}
    for text in sorted(beginnings, key=lambda text: (len(text), text)):
        table.append(Token(text, -float(len(text)), TokenType.NORMAL))
    return tuple(table)


TOKENS = _build()
IDS = {token.text: number for number, token in enumerate(TOKENS)}

UNKNOWN_ID = IDS["<unk>"]
BEGIN_ID = IDS["<s>"]
END_ID = IDS["</s>"]
FIRST_BYTE_ID = IDS["<0x00>"]
LINE_END_ID = IDS["<0x0A>"]
BLANK_ID = IDS[BLANK]
