"""Batch inference: predictions of a trained run for any number of images."""
