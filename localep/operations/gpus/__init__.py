"""GPUs: which a deployment has, and how the engine is asked for them."""
