"""How an epoch of training steps is driven: one module for each way."""
