"""What an index takes from its run once: its models in a form for queries."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from kerasgan.captioning.hubness import query_bank
from kerasgan.captioning.pipeline import CaptioningPipeline, load_captioner
from kerasgan.captioning.tokens import END, UNKNOWN
from kerasgan.errors import UserError
from kerasgan.evaluation.tfidf_similarity import fit_tfidf
from kerasgan.files import replace
from kerasgan.runs import Run, open_run
from kerasgan.runs.model_files import models_digest
from kerasgan.search.checksums import write_checksums
from kerasgan.search.index_files import save_array
from kerasgan.search.nearest import fit_rotation
from kerasgan.search.search_index import SearchIndex
from kerasgan.search.text_embedding import save_text_embedding
from kerasgan.search.word_index import save_word_model


def training_captions(pipeline: CaptioningPipeline) -> list[str]:
    """Returns the captions of the training images, without unknown words.

    Args:
        pipeline: a trained pipeline, whose store has the captions as token ids.
    """
    start_id, words = pipeline.captioner.start_id, pipeline.words
    token_ids = pipeline.store.token_ids.reshape(-1, pipeline.store.token_ids.shape[-1])
    is_word = (token_ids != END) & (token_ids != UNKNOWN) & (token_ids != start_id)
    captions = (
        " ".join(words[ids[known]])
        for ids, known in zip(token_ids, is_word, strict=True)
    )
    return [caption for caption in captions if caption]


def caption_bank(pipeline: CaptioningPipeline) -> np.ndarray:
    """Returns vectors of training captions, from which the hubness of images follows.

    Args:
        pipeline: a trained pipeline.

    Returns:
        Unit vectors `(m, d)`, as in `CaptioningPipeline.relevance`.
    """
    token_ids = query_bank(pipeline.store.token_ids[:, 0])
    return pipeline.dual_encoder.embed_token_ids(token_ids)


def save_models(path: Path, pipeline: CaptioningPipeline) -> dict[str, Any]:
    """Writes what queries need, completely or not at all.

    Args:
        path: the directory, which is replaced if it exists.
        pipeline: a trained pipeline.

    Returns:
        `dim`, the size of vectors; `caption_length`, the tokens of a caption; and
        `needs_tensorflow`, whether queries by vectors do.
    """
    partial = path.with_name(path.name + ".partial")
    for leftover in (partial, path):
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir()
    save_word_model(partial, fit_tfidf(training_captions(pipeline)))
    save_array(partial / "rotation.npy", fit_rotation(pipeline.store.vectors))
    save_array(partial / "caption-bank.npy", caption_bank(pipeline))
    has_text_branch = save_text_embedding(partial, pipeline)
    write_checksums(partial)
    replace(partial, path)
    return {
        "dim": pipeline.store.vectors.shape[1],
        "caption_length": pipeline.dual_encoder.text_encoder.input_shape[1],
        "needs_tensorflow": not has_text_branch,
    }


def open_index_run(index: SearchIndex) -> Run:
    """Opens the run of an index.

    Args:
        index: an index.

    Raises:
        UserError: the run is gone, or has other models now.
    """
    run = open_run(index.manifest["run"])
    if models_digest(run.models) != index.manifest["models"]:
        raise UserError(
            f"{index.path} was built with other models than those of {run.path} now."
        )
    return run


def load_pipeline(index: SearchIndex) -> CaptioningPipeline:
    """Loads the models that an index was built with, from its run.

    Args:
        index: an index.

    Raises:
        UserError: see `open_index_run`.
    """
    return load_captioner(open_index_run(index))
