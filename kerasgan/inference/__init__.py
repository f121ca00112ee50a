"""Batch inference: a trained run on any number of images."""
