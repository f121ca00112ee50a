"""Batches that come from the workers of tf.data service, on the loopback device."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.config.settings import DataConfig
from kerasgan.data import decoding_service
from kerasgan.data.pipeline import Pairs, load_data
from kerasgan.errors import JobError, UserError
from kerasgan.gan.train_gan import _pair_dataset
from kerasgan.layers.text_vectorization import build_vectorizer


@pytest.fixture(scope="module")
def address():
    """The address of a dispatcher with two workers."""
    service = tf.data.experimental.service
    dispatcher = service.DispatchServer(service.DispatcherConfig(port=0))
    target = dispatcher.target.removeprefix("grpc://")
    config = service.WorkerConfig(dispatcher_address=target, heartbeat_interval_ms=100)
    workers = [service.WorkerServer(config) for _ in range(2)]
    yield dispatcher.target
    workers.clear()


def test_batches_of_two_workers_are_those_of_this_process(tiny, address):
    gan = tiny.gan.model_copy(update={"channels": "grayscale"})
    path = load_data(tiny.data, progress=False).path
    batches = []
    for data in (DataConfig(keep_in_memory="never"), DataConfig(service=address)):
        split = Pairs(path, config=data).train
        vectorizer = build_vectorizer(itertools.chain(*split.captions))
        settings = tiny.model_copy(update={"gan": gan, "data": data})
        rows = np.flatnonzero(np.arange(32) % 5)
        dataset = _pair_dataset(settings, split, vectorizer, rows)
        count = 3 * dataset.steps(4)
        iterator = dataset.batches(4, seed=5, first_epoch=2).as_numpy_iterator()
        batches.append(list(itertools.islice(iterator, count)))
    for here, served in zip(*batches, strict=True):
        assert here.keys() == served.keys()
        for name, values in here.items():
            np.testing.assert_array_equal(values, served[name])


def test_batches_are_sorted():
    numbers = [2, 0, 1, 3]
    batches = ({"number": number, "image": 10 * number} for number in numbers)
    result = decoding_service._in_order(batches, 4)
    assert [batch["image"] for batch in result] == [0, 10, 20, 30]


@pytest.mark.parametrize("numbers", [[0, 2, 3], [1, 2, 3], [0, 1, 2]])
def test_a_lost_batch_is_an_error(numbers):
    batches = decoding_service._in_order(({"number": n} for n in numbers), 4)
    with pytest.raises(JobError, match=r"did not return batch . of 4.*--resume"):
        list(batches)


def test_without_a_dispatcher_the_address_is_named():
    with pytest.raises(UserError, match="data.service=grpc://localhost:1$"):
        decoding_service.require_service("grpc://localhost:1")
