"""Sizes of the input path, in every framework."""

IMAGE_SIZE, BATCH_SIZE = 64, 64
