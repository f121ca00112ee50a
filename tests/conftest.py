"""What all tests share. The package draws the data; `real/` has real images."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As `import kerasgan` does, but Keras is imported first here.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import pytest

from kerasgan.config.settings import DataConfig, GanConfig, Settings, TrainingConfig


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    """Prepared data sets, shared by the tests of one session."""
    return tmp_path_factory.mktemp("prepared")


@pytest.fixture(scope="session")
def tiny(data_dir):
    """Settings of a GAN that trains in seconds."""
    return Settings(
        data=DataConfig(num_images=40, image_size=32, data_dir=str(data_dir)),
        gan=GanConfig(
            discriminator="conv",
            latent_dim=8,
            generator_filters=4,
            discriminator_filters=4,
            max_filters=8,
            text_dim=8,
            caption_length=8,
            r1_interval=2,
            augmentation=[],
        ),
        training=TrainingConfig(epochs=2, batch_size=8, grid=2),
    )
