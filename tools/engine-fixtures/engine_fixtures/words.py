"""What texts are made of: words, signs and blanks of many kinds."""

import random

ENGLISH = (
    "the of and to in is you that it he was for on are as with his they at be this have from or one had "
    "by word but not what all were we when your can said there use an each which she do how their if will "
    "up other about out many then them these so some her would make like him into time has look two more "
    "write go see number no way could people my than first water been call who oil its now find long down "
    "day did get come made may part river mountain morning quiet engine token stream orchestrator"
).split()
FOREIGN = (
    "über straße größe mädchen für nicht französisch déjà élève naïve garçon où cœur mañana señor corazón "
    "não coração ação привет мир слово время человек работа Ελλάδα λόγος θάλασσα שלום עולם مرحبا بالعالم "
    "नमस्ते दुनिया สวัสดี ภาษาไทย 日本語 東京 こんにちは カタカナ 中文 你好 世界 한국어 안녕하세요 Việt nước "
    "İstanbul ışık ǅungla ﬁnal Ⅻ ½ ª º ſ"
).split()
# Capitals inside of words, where some pre-tokenizers cut.
MIXED = (
    "camelCase HelloWorld XMLHttpRequest iPhone getElementById parseJSON McDonald eBay NaN TokenStream myVar "
    "ÉtatMajor straßeNummer HTTPServer aB Ab ABc x1Y2 vLLM orchEngine ΑθήναΑ приветМир"
).split()
EMOJI = "😀 🎉 👍🏽 👩‍💻 🏳️‍🌈 🇫🇷 ❤️ ☃ ✈️ 🫠 1️⃣ 🧑🏿‍🚀".split()
SIGNS = list("!\"#$%&()*+,-./:;<=>?@[]^_`{|}~") + "… — – « » “ ” ‘ ’ ‚ § ¶ € £ ¥ © ® ™ ° ± × ÷ ∑ √ ≠ ≤ → ← ∀ ∃ 。 、 「 」 ！ ？".split()
CONTRACTIONS = [
    "it's", "I'm", "don't", "we'll", "they've", "you're", "she'd", "IT'S", "I'LL", "We'Ve", "o'clock", "'tis",
    "rock'n'roll", "it’s", "l'été", "'", "''", "'s", "'S", "'lL", "'re ", "a'b", "'ſ", "''s", " 's", "\n't",
]
BLANKS = [" ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", " \n", "\n ", "\t \n  ", "\u00a0", "\u3000", "\u2003", "\u2028", "\u0085", "\u000b\u000c", "        ", "\r", "\n\r\n \r"]
CODE = [
    "fn main() { println!(\"{}\", 1 + 2); }", "def f(x: int) -> int:\n    return x * 2\n", "for (int i=0;i<10;++i){a[i]=b[i]&0xFF;}",
    "SELECT * FROM t WHERE id = 42;", "https://example.org/a/b?c=d&e=f#g", "{\"key\": [1, 2.5, null]}", "<div class=\"a\">x</div>",
    "x/=y//z", "a/\n/b", "/**/\n", "--flag=value", "C:\\path\\file.txt", "user@example.org", "$HOME/.config", "0x1F600", "1e-9",
]
ODD = [
    "", "\u0000", "\ufffd", "\ufffd\ufffd", "\ufeff", "e\u0301", "\u0301", "\u200d", "\u200b", "\u2060", "\ue000", "\uffff",
    "\U0010ffff", "\U000e0001", "\u202ertl", "ᄀ", "각", "क्षि", "ﷺ", "Z̸͑ͫ̓a̷l̶g̴o̵", "\u0007\u001b[31m", "\x7f", "Ġ", "ĠĊ", "▁", "▁▁a", "<0x0A>",
]
SPECIAL = [
    "<s>", "</s>", "<unk>", "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
    "<|eot_id|>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>", "<think>", "</think>", "<|fim_prefix|>", "<|repo_name|>",
    "<|im_start", "im_end|>", "<|<|im_end|>|>", "<|im_start|>user\nhi<|im_end|>\n",
]


def sentence(rng: random.Random, count: int) -> str:
    """Words as a person would write them, mostly English."""
    words = []
    for _ in range(count):
        drawn = rng.random()
        word = rng.choice(ENGLISH if drawn < 0.8 else FOREIGN if drawn < 0.93 else MIXED)
        if rng.random() < 0.1:
            word = word.capitalize() if rng.random() < 0.7 else word.upper()
        words.append(word)
    return " ".join(words) + rng.choice([".", "!", "?", "", ",", ":\n", " …"])


def digits(rng: random.Random) -> str:
    """A run of digits, of several scripts; some runs are frequent."""
    if rng.random() < 0.4:
        return rng.choice(["2024", "100", "1000", "12", "1234567", "365", "007", "000"])
    zero = rng.choice(["0"] * 6 + ["٠", "०", "０", "𝟎"])
    return "".join(chr(ord(zero) + rng.randrange(10)) for _ in range(rng.randrange(1, 12)))


def corpus() -> str:
    """The text on which vocabularies are trained."""
    rng = random.Random(1)
    parts: list[str] = []
    for _ in range(1500):
        kind = rng.random()
        if kind < 0.7:
            parts.append(sentence(rng, rng.randrange(3, 14)))
        elif kind < 0.8:
            parts.append(rng.choice(CODE))
        elif kind < 0.9:
            parts.append(digits(rng))
        elif kind < 0.94:
            parts.append(rng.choice(CONTRACTIONS))
        else:
            parts.append(rng.choice(EMOJI))
        parts.append(rng.choice(BLANKS) if rng.random() < 0.3 else " ")
    return "".join(parts)
