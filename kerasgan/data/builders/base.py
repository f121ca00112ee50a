"""The common base class of the builders."""

import contextlib
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import tensorflow_datasets as tfds

from kerasgan.data.dataset_spec import DATA_JSON, VERSION, DatasetSpec, dataset_config
from kerasgan.data.preparation import PreparedImage, prepare_images
from kerasgan.data.selection import dataset_info, select_sample
from kerasgan.errors import UserError


class PairBuilder(  # type: ignore[call-arg]
    tfds.core.GeneratorBasedBuilder, skip_registration=True
):
    """Builds data sets of images with captions and optional labels.

    Every attribute of `DataConfig` can be passed by its name, also as in
    `tfds.load("flickr30k", builder_kwargs={"source": "/data/flickr30k"})`. Without a
    `source`, TFDS's manual directory is read. The name of the builder config contains
    a fingerprint of everything that the data depend on, so that different inputs give
    different data sets.

    Args:
        data_dir: root of the prepared data sets.
        config: a TFDS builder config, see `tfds.core.DatasetBuilder`.
        version: see `tfds.core.DatasetBuilder`.
        file_format: see `tfds.core.DatasetBuilder`.
        spec: the data set, if it is known already.
        progress: whether a progress bar is shown while preparing.
        **settings: attributes of `DataConfig`.
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
        spec: DatasetSpec | None = None,
        progress: bool = True,
        **settings: Any,
    ):
        self._progress, self._spec_error = progress, None
        try:
            if spec is None:
                settings_config = dataset_config(self.name, data_dir, settings)
                spec = DatasetSpec.from_config(settings_config)
            self._spec = spec.load_annotations()
        except UserError as error:
            # TFDS also creates builders only to describe them, so the error is raised
            # when the data set is prepared.
            self._spec, self._spec_error = None, error
        name = self._spec.config_name if self._spec else "unavailable"
        super().__init__(
            data_dir=str(self._spec.data_dir) if self._spec else data_dir,
            config=config or tfds.core.BuilderConfig(name=name),
            version=version,
            file_format=file_format,
        )
        self._original_state.update(
            config=None, spec=self._spec, progress=progress, **settings
        )

    def download_and_prepare(
        self,
        *,
        download_config: tfds.download.DownloadConfig | None = None,
        **kwargs: Any,
    ) -> None:
        """Prepares the data set unless it is prepared already.

        Args:
            download_config: must not contain a manual directory.
            **kwargs: see `tfds.core.DatasetBuilder.download_and_prepare`.

        Raises:
            UserError: If the source is missing or cannot be used.
        """
        manual_dir = getattr(download_config, "manual_dir", None)
        if manual_dir is not None:
            # Features and directory are fixed when TFDS creates the builder.
            raise UserError(
                f"The manual directory {manual_dir} must be known earlier: pass it to "
                f"{self.name} as builder_kwargs={{'source': {str(manual_dir)!r}}}"
            )
        if self._spec_error is not None:
            raise self._spec_error
        with contextlib.ExitStack() as self._open_files:
            super().download_and_prepare(download_config=download_config, **kwargs)

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image_id": tfds.features.Text(),
            "image": tfds.features.Image(shape=self._image_shape()),
            "captions": tfds.features.Sequence(tfds.features.Text()),
        }
        if self._spec and self._spec.label_names:
            names = self._spec.label_names
            features["label"] = tfds.features.ClassLabel(names=names)
        return tfds.core.DatasetInfo(
            builder=self,
            description=type(self).__doc__,
            features=tfds.features.FeaturesDict(features),
            homepage=self.HOMEPAGE,
            citation=self.CITATION,
            disable_shuffling=True,  # keeps the order of train_ids and test_ids
        )

    def _image_shape(self) -> tuple[int | None, int | None, int]:
        size = self._spec.config.image_size if self._spec else None
        return size, size, 3

    def _split_generators(self, dl_manager) -> dict[str, Iterator]:
        spec, report = self._spec, self._spec.new_report()
        directory = Path(self.data_path)  # TFDS renames it when it is complete
        # The file has no name on the disk, so it disappears however this ends.
        scratch_file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115
        self._open_files.enter_context(scratch_file)
        images = prepare_images(spec, report, scratch_file, self._progress)
        report.check_bad_rows(spec.config.max_bad)
        selection = select_sample(spec.config, images, report)
        info = dataset_info(spec, images, selection, report)
        text = json.dumps(info, indent=1, ensure_ascii=False)
        (directory / DATA_JSON).write_text(text, encoding="utf-8")
        return {
            "train": self._generate_examples(selection.train, scratch_file),
            "test": self._generate_examples(selection.test, scratch_file),
        }

    def _generate_examples(
        self, images: list[PreparedImage], scratch_file: BinaryIO
    ) -> Iterator[tuple[int, dict]]:
        for index, image in enumerate(images):
            example = {
                "image_id": image.id,
                "image": io.BytesIO(image.read(scratch_file)),
                "captions": list(image.captions),
            }
            if self._spec.label_names:
                example["label"] = image.label
            yield index, example
