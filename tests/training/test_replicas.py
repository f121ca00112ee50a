"""Several devices and several processes against one."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from kerasgan.config.settings import DataConfig
from kerasgan.data import load_data
from kerasgan.errors import UserError
from kerasgan.runs import open_run
from kerasgan.training.replicas import even_batch_size
from kerasgan.training.worker_agreement import disagreements
from kerasgan.training.workers import read_tf_config

ROOT = Path(__file__).parents[2]
TINY = [
    *("--set=data.num_images=40", "--set=data.image_size=32", "--stage=images"),
    *(
        "--set=gan.discriminator=conv",
        "--set=gan.max_filters=4",
        "--set=gan.text_dim=4",
    ),
    *("--set=gan.generator_filters=4", "--set=gan.discriminator_filters=4"),
    *("--batch-size=8", "--set=training.grid=2", "--device=cpu"),
]


TINY_CAPTIONS = [
    *("--stage=both", "--set=captions.backbone=conv"),
    *("--set=captions.dual_encoder_members=1", "--set=captions.joint_dim=4"),
    *("--set=captions.dual_encoder_epochs=1", "--set=captions.likelihood_epochs=1"),
    *("--set=captions.adversarial_epochs=1", "--set=captions.sampled_captions=2"),
    *("--set=captions.dim=4", "--set=captions.batch_size=8"),
    "--set=captions.dual_encoder_batch_size=8",
]


@pytest.mark.parametrize(
    "what",
    [
        ["gan"],
        ["classifier", "dual-encoder", "captioner"],
        pytest.param(["transformer"], marks=pytest.mark.slow),
        pytest.param(["penalties"], marks=pytest.mark.slow),
        pytest.param(["image-dual-encoder", "adversarial"], marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_two_devices_equal_one(what):
    command = [sys.executable, "-m", "tests.training.two_devices", *what]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_batch_has_equal_shares():
    assert even_batch_size(64, 100, 3) == 63 and even_batch_size(64, 5, 2) == 4
    with pytest.raises(UserError, match="3 replicas.*size of 64, 2 training images"):
        even_batch_size(64, 2, 3)


@pytest.mark.slow
def test_both_stages_train_on_two_devices(tmp_path, prepared):
    options = [*TINY, *TINY_CAPTIONS, "--epochs=2", "--strategy=mirrored"]
    options += ["--set=gan.conditional=false"]  # which compiles faster
    place = ["--run-dir", str(tmp_path / "run"), "--data-dir", str(prepared)]
    command = [sys.executable, "-m", "tests.training.two_devices", "train-gan"]
    command += [*options, *place]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "replicas: 2" in done.stderr and "Errors in paper A:" in done.stdout
    assert_both_stages_are_trained(open_run(tmp_path / "run"))


def assert_both_stages_are_trained(run):
    assert len(run.metrics) == 2
    lines = (run.path / "captions.jsonl").read_text().splitlines()
    epochs = [json.loads(line) for line in lines]
    stages = [epoch["stage"] for epoch in epochs]
    assert stages == ["dual_encoder", "likelihood", "adversarial"]
    assert all(np.isfinite(np.ravel(epochs[1][key])) for key in ("loss", "val_loss"))
    assert (run.results / "captions.json").is_file()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("", "it is not set"),
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        ('{"cluster": {"worker": ["a:1"]}}', "KeyError: 'task'"),
        (["a:1"], "index 1 with 1 workers"),
        (["a:1", "a:1"], "names a worker twice"),
        (["a:1", "b"], "no host:port: 'b'"),
        (["a:1", 7], "no host:port: 7"),
        ([], "no list of workers"),
        ({"chief": ["a:1"], "worker": ["b:1", "c:1"]}, "workers alone"),
    ],
)
def test_a_malformed_tf_config_is_an_error(monkeypatch, config, message):
    if not isinstance(config, str):
        cluster = config if isinstance(config, dict) else {"worker": config}
        task = {"type": "worker", "index": 1}
        config = json.dumps({"cluster": cluster, "task": task})
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(UserError, match=message):
        read_tf_config()


def test_the_chief_is_worker_zero(monkeypatch):
    config = {"cluster": {"worker": ["a:1", "b:2"]}}
    monkeypatch.setenv(
        "TF_CONFIG", json.dumps(config | {"task": {"type": "worker", "index": 1}})
    )
    assert read_tf_config() == (["a:1", "b:2"], 1)


def test_disagreements_are_named():
    same = {"gan.loss": '"hinge"', "training.batch_size": "8"}
    assert disagreements([same, same]) == []
    assert disagreements([same, same | {"training.batch_size": "16"}]) == [
        "worker 1 has training.batch_size=16, worker 0 has 8"
    ]


# Real processes on loopback ----------------------------------------------------


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(run_dir, data_dir, options, index=None, ports=()):
    place = ["--run-dir", str(run_dir), "--data-dir", str(data_dir)]
    command = ["kerasgan", "train-gan", *TINY, *place, *options]
    return start_module(command, index, ports)


def start_module(command, index=None, ports=()):
    environment = dict(os.environ)
    environment.pop("TF_CONFIG", None)
    if index is not None:
        workers = [f"127.0.0.1:{port}" for port in ports]
        task = {"type": "worker", "index": index}
        environment["TF_CONFIG"] = json.dumps(
            {"cluster": {"worker": workers}, "task": task}
        )
    command = [sys.executable, "-m", *command]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **streams)


def start_two(run_dir, data_dir, options, others=()):
    ports = free_ports(2)
    options = ["--strategy=multi-worker", *options]
    return [
        start(run_dir, data_dir, options, 0, ports),
        start(run_dir, data_dir, [*options, *others], 1, ports),
    ]


@pytest.fixture(scope="module")
def prepared(data_dir):
    """Data that the workers need not prepare at the same time."""
    load_data(DataConfig(num_images=40, image_size=32, data_dir=str(data_dir)))
    return data_dir


@pytest.mark.slow
def test_two_workers_train_classifiers_and_captions_as_one_process():
    networks = ["classifier", "dual-encoder", "captioner", "adversarial"]
    command, ports = ["tests.training.two_devices", *networks], free_ports(2)
    two = [start_module(command, index, ports) for index in range(2)]
    outputs = [process.communicate(timeout=900)[0] for process in two]
    assert [process.returncode for process in two] == [0, 0], outputs


@pytest.mark.slow
def test_two_workers_equal_one_process_and_disagreements_are_refused(
    tmp_path, prepared
):
    one = start(tmp_path / "one", prepared, ["--epochs=2"])
    output = one.communicate(timeout=900)[0]
    assert one.returncode == 0, output
    two = start_two(tmp_path / "two", prepared, [*TINY_CAPTIONS, "--epochs=2"])
    outputs = [process.communicate(timeout=900)[0] for process in two]
    assert [process.returncode for process in two] == [0, 0], outputs
    assert "This worker writes nothing" in outputs[1]
    assert_both_stages_are_trained(open_run(tmp_path / "two"))
    expected, metrics = (open_run(tmp_path / name).metrics for name in ("one", "two"))
    assert len(metrics) == 2
    for one, other in zip(expected, metrics, strict=True):
        for name in ("g_loss", "d_loss", "value"):
            np.testing.assert_allclose(np.ravel(other[name])[0], one[name], rtol=1e-4)

    two = start_two(tmp_path / "three", prepared, ["--epochs=2"], ["--set=gan.r1=3.0"])
    outputs = [process.communicate(timeout=900)[0] for process in two]
    assert [process.returncode for process in two] == [2, 2], outputs
    assert "worker 1 has gan.r1=3.0, worker 0 has null" in outputs[0]


@pytest.mark.slow
def test_a_worker_killed_ends_the_job_and_resume_goes_on(tmp_path, prepared):
    two = start_two(
        tmp_path / "run", prepared, ["--epochs=100000", "--set=training.minutes=60"]
    )
    deadline = time.monotonic() + 600
    while not list(tmp_path.glob("run/checkpoints/*.npz")):
        assert time.monotonic() < deadline and two[0].poll() is None
        time.sleep(0.5)
    two[1].send_signal(signal.SIGKILL)
    output = two[0].communicate(timeout=600)[0]
    two[1].communicate()
    assert two[0].returncode == 1, output
    assert "A worker stopped or cannot be reached" in output and "--resume" in output
    epochs = len(open_run(tmp_path / "run").metrics)
    two = start_two(tmp_path / "run", prepared, ["--resume", f"--epochs={epochs + 2}"])
    outputs = [process.communicate(timeout=900)[0] for process in two]
    assert [process.returncode for process in two] == [0, 0], outputs
    assert open_run(tmp_path / "run").metrics[-1]["epoch"] == epochs + 2
