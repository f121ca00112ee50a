"""What all builders share: settings in, one shape of example out."""

import contextlib
import io
import json
import tempfile
from pathlib import Path

import tensorflow_datasets as tfds

from kerasgan.data.dataset_spec import DATA_JSON, VERSION, DatasetSpec, dataset_config
from kerasgan.data.preparation import PreparedImage, prepare_images
from kerasgan.data.selection import dataset_info, select_sample
from kerasgan.errors import UserError


class PairBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Images with captions and, where there are any, labels.

    Every attribute of `DataConfig` may be given by its name, also as in
    `tfds.load("flickr30k", builder_kwargs={"source": "/data/flickr30k"})`. Without
    a `source` TFDS's manual directory is read. The builder config is named after
    all that the data depend on, so that other input is another data set.

    Args:
        plan: what is prepared, where it is known already.
        progress: whether a bar is shown while preparing.
    """

    VERSION = tfds.core.Version(VERSION)
    HOMEPAGE: str | None = None
    CITATION: str | None = None

    def __init__(
        self,
        *,
        data_dir=None,
        config=None,
        version=None,
        file_format=None,
        plan: DatasetSpec | None = None,
        progress: bool = True,
        **settings,
    ):
        self._progress, self._missing = progress, None
        try:
            plan = plan or DatasetSpec.of(dataset_config(self.name, data_dir, settings))
            self._plan = plan.read()
        except UserError as error:
            # TFDS makes builders only to describe them: complain when preparing.
            self._plan, self._missing = None, error
        name = self._plan.config_name if self._plan else "nothing-found"
        super().__init__(
            data_dir=str(self._plan.data_dir) if self._plan else data_dir,
            config=config or tfds.core.BuilderConfig(name=name),
            version=version,
            file_format=file_format,
        )
        self._original_state.update(
            config=None, plan=self._plan, progress=progress, **settings
        )

    def download_and_prepare(self, *, download_config=None, **kwargs) -> None:
        """Prepares what is not prepared; UserError if there is nothing to read."""
        manual = getattr(download_config, "manual_dir", None)
        if manual is not None:
            # Features and directory are settled when TFDS makes the builder.
            raise UserError(
                f"The manual directory {manual} must be known earlier: give it to "
                f"{self.name} as builder_kwargs={{'source': {str(manual)!r}}}"
            )
        if self._missing is not None:
            raise self._missing
        with contextlib.ExitStack() as self._open_files:
            super().download_and_prepare(download_config=download_config, **kwargs)

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image_id": tfds.features.Text(),
            "image": tfds.features.Image(shape=self._shape()),
            "captions": tfds.features.Sequence(tfds.features.Text()),
        }
        if self._plan and self._plan.label_names:
            names = self._plan.label_names
            features["label"] = tfds.features.ClassLabel(names=names)
        return tfds.core.DatasetInfo(
            builder=self,
            description=type(self).__doc__,
            features=tfds.features.FeaturesDict(features),
            homepage=self.HOMEPAGE,
            citation=self.CITATION,
            disable_shuffling=True,  # the order is that of train_ids and test_ids
        )

    def _shape(self) -> tuple[int | None, int | None, int]:
        size = self._plan.config.image_size if self._plan else None
        return size, size, 3

    def _split_generators(self, dl_manager):
        plan, ledger = self._plan, self._plan.ledger()
        directory = Path(self.data_path)  # TFDS's, renamed when all is whole
        # Without a name on the disk, nothing is left of it however this ends.
        scratch = tempfile.TemporaryFile(dir=directory)
        self._open_files.enter_context(scratch)
        entries = prepare_images(plan, ledger, scratch, self._progress)
        ledger.refuse_beyond(plan.config.max_bad)
        selection = select_sample(plan.config, entries, ledger)
        info = dataset_info(plan, entries, selection, ledger)
        text = json.dumps(info, indent=1, ensure_ascii=False)
        (directory / DATA_JSON).write_text(text, encoding="utf-8")
        return {
            "train": self._generate_examples(selection.train, scratch),
            "test": self._generate_examples(selection.test, scratch),
        }

    def _generate_examples(self, entries: list[PreparedImage], scratch):
        for index, entry in enumerate(entries):
            example = {
                "image_id": entry.id,
                "image": io.BytesIO(entry.read(scratch)),
                "captions": list(entry.captions),
            }
            if self._plan.label_names:
                example["label"] = entry.label
            yield index, example
