"""COYO-700M."""

from kerasgan.data.builders.base import PairBuilder


class Coyo(PairBuilder):
    """Images from the web with the text that stood for them, and a class."""

    name = "coyo"
    HOMEPAGE = "https://github.com/kakaobrain/coyo-dataset"
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
Download the images with img2dataset, as docs/coyo.md tells, and give its output
folder as `source`: tars, folders, or Parquet files with images.
"""
    CITATION = """\
@misc{kakaobrain2022coyo-700m,
  title={COYO-700M: Image-Text Pair Dataset},
  author={Byeon, Minwoo and Park, Beomhee and Kim, Haecheon and Lee, Sungjun and
    Baek, Woonhyuk and Kim, Saehoon},
  year={2022},
  howpublished={\\url{https://github.com/kakaobrain/coyo-dataset}}
}"""
