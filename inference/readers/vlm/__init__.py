"""The vision Reader: page images read by a model that vLLM serves; every value grounded on the page."""
