"""The computations behind the lesson's pictures; `pasapas.figures` draws them."""
