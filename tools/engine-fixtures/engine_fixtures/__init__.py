"""Small models with random weights, texts, and what a real llama-server makes of them."""
