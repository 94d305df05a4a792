"""All forms of one set of weights, and their digests."""

import hashlib
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from tiny_model.gguf_file import Precision, write_gguf
from tiny_model.hf_folder import write_hf_folder
from tiny_model.shape import SHAPE

STEM = "haiku-tiny"


def export(weights_file: Path, folder: Path) -> list[str]:
    """Writes the GGUF files, `hf/` and `SHA256SUMS`; returns the lines of the latter."""
    weights = {
        name: np.asarray(values, dtype=np.float32)
        for name, values in load_file(weights_file).items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for precision in Precision:
        path = folder / f"{STEM}-{precision.value}.gguf"
        write_gguf(weights, SHAPE, precision, path)
        made.append(path)
    write_hf_folder(weights, SHAPE, folder / "hf")
    made += sorted((folder / "hf").iterdir())
    lines = [f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}" for path in made]
    (folder / "SHA256SUMS").write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return lines


def sha256_of(path: Path) -> str:
    """The digest of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
