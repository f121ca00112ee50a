"""The builders of data sets in the usual file formats."""

from kerasgan.data.builders.base import PairBuilder


class Table(PairBuilder):
    """Images with captions and labels from a CSV, TSV, JSONL or Parquet file."""

    name = "table"
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Pass the path of the table as `source`."


class Folder(PairBuilder):
    """Images in class folders, beside texts, or with Hugging Face's metadata."""

    name = "folder"
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Pass the path of the folder as `source`."


class WebDataset(PairBuilder):
    """Tar files of images, texts, JSON and classes."""

    name = "webdataset"
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Pass the path of the tar files as `source`."


class Coco(PairBuilder):
    """Photographs of everyday scenes, each with five captions."""

    name = "coco"
    HOMEPAGE = "https://cocodataset.org"
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
Pass a folder with the unpacked images as `source`, and in it captions_*.json (COCO) or
dataset_coco.json (Karpathy).
"""
    CITATION = """\
@article{chen2015microsoft,
  title={Microsoft COCO captions: Data collection and evaluation server},
  author={Chen, Xinlei and Fang, Hao and Lin, Tsung-Yi and Vedantam, Ramakrishna and
    Gupta, Saurabh and Doll{\\'a}r, Piotr and Zitnick, C. Lawrence},
  journal={arXiv:1504.00325}, year={2015}
}"""
