//! Adapter for engines that speak the llama.cpp server dialect.
