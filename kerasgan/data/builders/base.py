"""The common base class of the builders."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow_datasets as tfds
from tensorflow_datasets.core.dataset_builder import FileReaderBuilder

from kerasgan.data.dataset_spec import DATA_JSON, VERSION, DatasetSpec, dataset_config
from kerasgan.data.features import pair_features
from kerasgan.data.preparation import collect_images
from kerasgan.data.selection import Selection, dataset_info, select_sample
from kerasgan.errors import UserError
from kerasgan.files import write_json

# The other modules that import TFDS are imported when they are needed: each of them may
# be the first one, which makes TFDS import this module.
if TYPE_CHECKING:
    from kerasgan.data.beam_workers import BeamWorkers
    from kerasgan.data.thread_workers import ThreadWorkers


class PairBuilder(FileReaderBuilder, skip_registration=True):  # type: ignore[call-arg]
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
            download_config: must not contain a manual directory. With `beam_runner`
                or `beam_options`, Apache Beam prepares the same files.
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
        super().download_and_prepare(download_config=download_config, **kwargs)

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=type(self).__doc__,
            features=pair_features(*self._feature_arguments()),
            homepage=self.HOMEPAGE,
            citation=self.CITATION,
            disable_shuffling=True,  # keeps the order of train_ids and test_ids
        )

    def _feature_arguments(self) -> tuple[int | None, list[str] | None, bool]:
        if self._spec is None:
            return None, None, False
        config = self._spec.config
        multi_label = config.several_labels == "all"
        return config.image_size, self._spec.label_names, multi_label

    def _download_and_prepare(self, dl_manager, download_config=None) -> None:
        from kerasgan.data.shard_writing import plan_shards, split_info

        config = download_config or tfds.download.DownloadConfig()
        workers = self._workers(config)
        shards, templates = {}, {}
        # TFDS renames `data_path` when it is complete.
        with tempfile.TemporaryDirectory(dir=self.data_path) as scratch:
            selection = self._select(workers, Path(scratch))
            for name in ("train", "test"):
                templates[name] = self._get_filename_template(name)
                shards[name] = plan_shards(
                    getattr(selection, name),
                    templates[name],
                    config.get_shard_config(),
                    *self._feature_arguments(),
                )
            workers.write_shards([*shards["train"], *shards["test"]], Path(scratch))
        splits = [split_info(shards[name], templates[name]) for name in shards]
        self.info.set_splits(tfds.core.splits.SplitDict(splits))

    def _workers(
        self, config: tfds.download.DownloadConfig
    ) -> "BeamWorkers | ThreadWorkers":
        from kerasgan.data.beam_workers import BeamWorkers
        from kerasgan.data.thread_workers import ThreadWorkers

        if config.beam_runner is None and config.beam_options is None:
            return ThreadWorkers(self._progress)
        return BeamWorkers(config.beam_runner, config.beam_options)

    def _select(
        self, workers: "BeamWorkers | ThreadWorkers", folder: Path
    ) -> Selection:
        """Prepares and samples the images, and writes `data.json`."""
        spec, report = self._spec, self._spec.new_report()
        outcomes = workers.store_images(spec, folder)
        images = collect_images(spec, outcomes, report)
        report.check_bad_rows(spec.config.max_bad)
        selection = select_sample(spec.config, images, report)
        info = dataset_info(spec, images, selection, report)
        write_json(Path(self.data_path) / DATA_JSON, info, checksum=True)
        return selection
