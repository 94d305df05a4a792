//! A small embedded inference server for GGUF models, in the llama.cpp dialect.
