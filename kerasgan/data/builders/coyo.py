"""The builder of COYO-700M."""

from kerasgan.data.builders.base import PairBuilder


class Coyo(PairBuilder):
    """Images from the web with their alternative text and a class."""

    name = "coyo"
    HOMEPAGE = "https://github.com/kakaobrain/coyo-dataset"
    MANUAL_DOWNLOAD_INSTRUCTIONS = """\
Download the images with img2dataset, as described in docs/coyo.md, and pass its output
folder as `source`: tar files, folders, or Parquet files with images.
"""
    CITATION = """\
@misc{kakaobrain2022coyo-700m,
  title={COYO-700M: Image-Text Pair Dataset},
  author={Byeon, Minwoo and Park, Beomhee and Kim, Haecheon and Lee, Sungjun and
    Baek, Woonhyuk and Kim, Saehoon},
  year={2022},
  howpublished={\\url{https://github.com/kakaobrain/coyo-dataset}}
}"""
