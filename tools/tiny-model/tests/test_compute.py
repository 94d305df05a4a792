import hashlib
import tempfile
import unittest
from importlib.util import find_spec
from pathlib import Path
from random import Random

HAS_PARTS = all(find_spec(part) for part in ("torch", "numpy", "gguf", "safetensors"))


if HAS_PARTS:
    import gguf
    import numpy as np
    import torch
    from safetensors.numpy import load_file

    from tiny_model.batches import IGNORED, batch
    from tiny_model.curriculum import Curriculum, Stage
    from tiny_model.examples import Mix
    from tiny_model.export import export
    from tiny_model.gguf_file import tensor_names
    from tiny_model.hf_folder import halves_from_pairs
    from tiny_model.network import Network
    from tiny_model.progress import greedy_replies
    from tiny_model.shape import SHAPE
    from tiny_model.training import save_weights, train
    from tiny_model.vocabulary import LINE_END_ID, TOKENS

    SHORT = Curriculum((Stage(Mix.COPY, steps=4, batch=4, longest=64),), warm_up=2)


@unittest.skipUnless(HAS_PARTS, "needs the packages of requirements.txt")
class ComputeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def trained(self, name: str, seed: int) -> Path:
        torch.manual_seed(seed)
        weights = self.folder / name
        save_weights(train(SHORT, seed, 4, lambda *_: None), weights)
        return weights

    def test_the_same_seed_gives_the_same_bytes(self) -> None:
        digests = [
            hashlib.sha256(self.trained(name, seed).read_bytes()).hexdigest()
            for name, seed in (("a", 1), ("b", 1), ("c", 2))
        ]
        self.assertEqual(digests[0], digests[1])
        self.assertNotEqual(digests[0], digests[2])

    def test_only_the_reply_is_learnt(self) -> None:
        ids, targets = batch(Random(1), Stage(Mix.ALL, steps=1, batch=16, longest=128))
        for row, wanted in zip(ids, targets, strict=True):
            places = (wanted != IGNORED).nonzero().flatten().tolist()
            self.assertEqual(places, list(range(places[0], places[-1] + 1)))
            self.assertEqual(wanted[places[0]].item(), LINE_END_ID)
            self.assertEqual(
                wanted[places[:-1]].tolist(), row[places[0] + 1 : places[-1] + 1].tolist()
            )

    def test_no_position_sees_what_comes_after_it(self) -> None:
        network = Network(SHAPE)
        ids = torch.randint(
            0, SHAPE.vocabulary, (1, 20), generator=torch.Generator().manual_seed(1)
        )
        changed = ids.clone()
        changed[0, 12] = (changed[0, 12] + 1) % SHAPE.vocabulary
        with torch.no_grad():
            before, after = network(ids)[0], network(changed)[0]
        self.assertTrue(torch.equal(before[:12], after[:12]))
        self.assertFalse(torch.equal(before[12], after[12]))

    def test_a_reply_does_not_depend_on_its_neighbours(self) -> None:
        torch.manual_seed(5)
        network = Network(SHAPE)
        prompts = [[1, 70, 80], [1, *range(300, 340)]]
        together = greedy_replies(network, prompts, 10)
        apart = [greedy_replies(network, [one], 10)[0] for one in prompts]
        self.assertEqual(together, apart)
        self.assertTrue(all(together))

    def test_an_export_holds_the_weights(self) -> None:
        weights_file = self.trained("weights", 1)
        first = export(weights_file, self.folder / "one")
        self.assertEqual(first, export(weights_file, self.folder / "two"))
        weights = load_file(weights_file)
        self.assertEqual(sorted(weights), sorted(tensor_names(SHAPE)))
        for precision, bound in (("f16", 1e-3), ("q8_0", 1e-2)):
            reader = gguf.GGUFReader(self.folder / "one" / f"haiku-tiny-{precision}.gguf")
            self.assertEqual([one.name for one in reader.tensors], tensor_names(SHAPE))
            for tensor in reader.tensors:
                stored = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
                wanted = weights[tensor.name]
                difference = np.abs(stored.reshape(wanted.shape) - wanted).max()
                self.assertLessEqual(difference, bound * np.abs(wanted).max(), tensor.name)
            tokens = reader.fields["tokenizer.ggml.tokens"].contents()
            self.assertEqual(tokens, [token.text for token in TOKENS])

    def test_rotating_halves_after_reordering_is_rotating_pairs(self) -> None:
        values = np.arange(2 * 8 * 3, dtype=np.float32).reshape(16, 3)
        reordered = halves_from_pairs(values, heads=2)
        for head in range(2):
            ours, theirs = values[head * 8 :][:8], reordered[head * 8 :][:8]
            for pair in range(4):
                self.assertTrue(np.array_equal(ours[2 * pair], theirs[pair]))
                self.assertTrue(np.array_equal(ours[2 * pair + 1], theirs[pair + 4]))
