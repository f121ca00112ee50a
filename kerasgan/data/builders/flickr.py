"""The builders of Flickr30k and Flickr8k."""

from kerasgan.data.builders.base import PairBuilder

INSTRUCTIONS = """\
Pass the directory as `source`, or put its files into <data_dir>/downloads/manual/{}.
Supported layouts: {}.
"""


class Flickr30k(PairBuilder):
    """31,783 photographs of everyday life, each with five captions."""

    name = "flickr30k"
    HOMEPAGE = "https://shannon.cs.illinois.edu/DenotationGraph/"
    MANUAL_DOWNLOAD_INSTRUCTIONS = INSTRUCTIONS.format(
        "flickr30k",
        "results.csv or captions.txt (Kaggle), results_20130124.token (original), "
        "dataset_flickr30k.json (Karpathy), flickr_annotations_30k.csv (Hugging "
        "Face), Sentences/*.txt (Entities), each with its images",
    )
    CITATION = """\
@article{young2014image,
  title={From image descriptions to visual denotations},
  author={Young, Peter and Lai, Alice and Hodosh, Micah and Hockenmaier, Julia},
  journal={Transactions of the Association for Computational Linguistics},
  volume={2}, pages={67--78}, year={2014}
}"""


class Flickr8k(PairBuilder):
    """8,091 photographs, each with five captions."""

    name = "flickr8k"
    HOMEPAGE = "https://www.jair.org/index.php/jair/article/view/10833"
    MANUAL_DOWNLOAD_INSTRUCTIONS = INSTRUCTIONS.format(
        "flickr8k",
        "Flickr8k.token.txt with its lists of images (original), captions.txt "
        "(Kaggle), each with its images",
    )
    CITATION = """\
@article{hodosh2013framing,
  title={Framing image description as a ranking task},
  author={Hodosh, Micah and Young, Peter and Hockenmaier, Julia},
  journal={Journal of Artificial Intelligence Research},
  volume={47}, pages={853--899}, year={2013}
}"""
