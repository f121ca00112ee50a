"""Classifying image-text pairs: paper B's network, and the ensemble."""
