import json
import unittest
from importlib.util import find_spec
from random import Random

from tests.test_tokenizer import any_text
from tiny_model.tokenizer import encode
from tiny_model.vocabulary import BEGIN_ID

HAS_PARTS = all(find_spec(part) for part in ("numpy", "safetensors", "tokenizers"))


@unittest.skipUnless(HAS_PARTS, "needs the packages of requirements-dev.txt")
class HfTokenizerTest(unittest.TestCase):
    def test_ids_are_equal(self) -> None:
        from tokenizers import Tokenizer

        from tiny_model.hf_folder import tokenizer

        theirs = Tokenizer.from_str(json.dumps(tokenizer()))
        rng = Random(1)
        for _ in range(2000):
            # Names of special tokens are read as such there; here they are text.
            text = any_text(rng).replace("<s>", "")
            self.assertEqual(theirs.encode(text).ids, [BEGIN_ID, *encode(text)], text)
            self.assertEqual(theirs.decode(encode(text)), text)
