from types import SimpleNamespace

import numpy as np
import pytest

from kerasgan.captioning.dual_encoder import build_dual_encoder
from kerasgan.errors import UserError
from kerasgan.layers.text_vectorization import build_vectorizer, tokenize
from kerasgan.search.text_embedding import TextEmbedding, save_text_embedding

WORDS = ["[START]", "a", "red", "dog", "runs", "犬", "straße"]
CAPTIONS = ["", "A red dog.", "a dog " * 40, "zebra 犬 Straße", "RED, red, red!"]


def make_pipeline(text_branch):
    vectorizer = build_vectorizer(None, WORDS, 20, 6)
    dual_encoder = build_dual_encoder(
        20, 6, feature_dim=5, joint_dim=4, text_branch=text_branch, num_members=3
    )
    random = np.random.default_rng(0)
    encoder = dual_encoder.text_encoder
    encoder.set_weights([random.normal(size=w.shape) for w in encoder.get_weights()])

    def embed(captions):
        return dual_encoder.embed_token_ids(tokenize(vectorizer, captions))

    return SimpleNamespace(
        dual_encoder=dual_encoder, vectorizer=vectorizer, embed_captions=embed
    )


def test_vectors_are_those_of_the_dual_encoder(tmp_path):
    pipeline = make_pipeline("words")
    assert save_text_embedding(tmp_path, pipeline)
    embedding = TextEmbedding.load(tmp_path, 6)
    found = np.stack([embedding.embed(caption) for caption in CAPTIONS])
    np.testing.assert_allclose(found, pipeline.embed_captions(CAPTIONS), atol=1e-5)
    (tmp_path / "tokens.txt").write_text("".join(f"w{n}\n" for n in range(100)))
    with pytest.raises(UserError, match="more words than the text branch"):
        TextEmbedding.load(tmp_path, 6)


def test_other_branches_need_tensorflow(tmp_path):
    assert not save_text_embedding(tmp_path, make_pipeline("lstm-attention"))
    assert not list(tmp_path.glob("text-*"))


def test_a_branch_that_would_embed_otherwise_is_not_written(tmp_path):
    pipeline = make_pipeline("words")
    pipeline.embed_captions = lambda captions: np.zeros((len(captions), 12))
    assert not save_text_embedding(tmp_path, pipeline)
