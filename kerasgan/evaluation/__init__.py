"""Evaluation of a run: images, captions, retrieval, and classes."""
