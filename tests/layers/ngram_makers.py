"""Texts of many scripts, models that scikit-learn fitted to them, and the layers."""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from kerasgan.layers.ngram_logits import NgramLogits

TEXTS = [
    "A red dress, a RED shoe!",
    "Robe d'été rouge — ÉTÉ",
    "赤い ドレス 赤い",
    "Красное ПЛАТЬЕ ΟΔΟΣ οδός",
    "blue shoe_s x\t12 ²½ Ⅷ \U00010400",
    "a 👟 blue\n\nshoe 👗👗 e\u0301te\u0301",
    "कमीज़ नीली قميص أزرق",
    "nul\0in a word, and İstanbul",
]
COLORS = [0, 0, 0, 0, 1, 1, 1, 2]
KINDS = {
    "word": dict(analyzer="word", ngram_range=(1, 2)),
    "word-sublinear": dict(analyzer="word", ngram_range=(1, 2), sublinear_tf=True),
    "char_wb": dict(analyzer="char_wb", ngram_range=(2, 5)),
    "char_wb-sublinear": dict(
        analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True
    ),
    "char_wb-long": dict(analyzer="char_wb", ngram_range=(4, 6)),
    "word-bigrams": dict(analyzer="word", ngram_range=(2, 2)),
}


def fitted(kind, labels=COLORS):
    vectorizer = TfidfVectorizer(**KINDS[kind])
    regression = LogisticRegression(C=100.0)
    regression.fit(vectorizer.fit_transform(TEXTS), labels)
    return vectorizer, regression


MODELS = {kind: fitted(kind) for kind in KINDS}
LAYERS = {kind: NgramLogits.from_sklearn(*model) for kind, model in MODELS.items()}
