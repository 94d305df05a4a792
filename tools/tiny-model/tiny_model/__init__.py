"""Makes haiku-tiny: grammar, tokenizer, training, export and evaluation of a small model."""
