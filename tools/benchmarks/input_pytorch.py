"""From JPEG files to batches with PyTorch's DataLoader."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.utils.data import DataLoader, Dataset

from benchmarks.input_sizes import BATCH_SIZE, IMAGE_SIZE
from benchmarks.photographs import photographs


class ImageFiles(Dataset):
    """Square images of files, float32 `(3, size, size)` in [0, 1].

    Args:
        files: the paths.
    """

    def __init__(self, files: Sequence[Path]):
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> torch.Tensor:
        with Image.open(self.files[index]) as image:
            size = IMAGE_SIZE, IMAGE_SIZE
            image = ImageOps.fit(image.convert("RGB"), size, Image.Resampling.BILINEAR)
        return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def pytorch_epoch(options: SimpleNamespace) -> Callable[[], int]:
    """Reads an epoch with a worker process for each core.

    Args:
        options: of `bench.py`.
    """
    files = photographs(options)[1]
    workers = len(os.sched_getaffinity(0))

    def run():
        dataset = ImageFiles(files)
        for _ in DataLoader(dataset, BATCH_SIZE, shuffle=True, num_workers=workers):
            pass
        return len(files)

    return run
