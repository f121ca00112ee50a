"""Makes runs with written results, which nothing was trained for."""

import csv
import json
from html.parser import HTMLParser

import numpy as np

from kerasgan.config.settings import DataConfig, Settings
from kerasgan.evaluation.caption_rows import TITLES
from kerasgan.evaluation.pair_protocol import confusion_counts
from kerasgan.inference.prediction_writer import escape_formula
from kerasgan.runs import new_run
from kerasgan.training.image_grids import save_image_grid

SCRIPT = "<script>alert(1)</script> & \x1b\u202e[31m <b>dog</b>"


class PageReader(HTMLParser):
    """Collects tags and their attributes, and the text of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open_tags, self.texts = [], [], []
        self.feed(html.replace("<wbr>", ""))
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "br", "input"):
            self.open_tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open_tags.pop() == tag

    def handle_data(self, data):
        if self.open_tags and self.open_tags[-1] not in ("style", "script"):
            self.texts.append(data.strip())

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def write_json(path, content):
    path.write_text(json.dumps(content), encoding="utf-8")


def make_run(path, data_dir, num_images=8, **gan):
    """A run of train-gan with the results of its evaluation."""
    data = DataConfig(num_images=16, image_size=32, data_dir=str(data_dir))
    settings = Settings(data=data).model_copy(
        update={"gan": Settings().gan.model_copy(update=gan)}
    )
    run = new_run("train-gan", settings, path)
    info = {"dataset": "scenes", "source": None, "images": 1016, "captions": 80}
    info |= {"train": 12, "test": 4, "skipped": {SCRIPT: 2}, "label_names": ["cat"]}
    write_json(run.path / "data.json", info)
    lines = [{"epoch": n, "g_loss": 1 / n, "val_g_loss": n, "kid": 2} for n in (1, 2)]
    (run.path / "metrics.jsonl").write_text(
        "".join(json.dumps(x) + "\n" for x in lines)
    )
    lines = [{"stage": "likelihood", "epoch": n, "loss": n} for n in (1, 2)]
    text = "".join(json.dumps(line) + "\n" for line in lines) + '{"stage": '
    (run.path / "captions.jsonl").write_text(text)
    for epoch in range(1, 10):
        grid = np.full((1, 2, 8, 8, 3), epoch, np.uint8)
        save_image_grid(run.images / f"epoch-{epoch:04}.png", grid)
    _write_scores(run, num_images)
    return run


def _write_scores(run, num_images):
    random = np.random.default_rng(0)
    rows, scores = {}, {}
    with open(run.results / "predictions.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            ["row", "image_id", "caption", "matched", "mismatched", "threshold"]
        )
        for name in ("reranked", "human"):
            matched, mismatched = random.uniform(0, 1, (2, num_images))
            for n, pair in enumerate(zip(matched, mismatched, strict=True)):
                caption = f"{SCRIPT} {n}" if n else "=1+1"
                texts = name, f"scene-{n:06}", escape_formula(caption)
                table.writerow([*texts, *pair, 0.3])
            rows[name] = {
                "images": num_images,
                "derangements": 10,
                **{"auc": 0.625, "auc_low": 0.5, "auc_high": 0.75},
                "at_half": confusion_counts(matched, mismatched, 0.5),
                "at_validated": confusion_counts(matched, mismatched, 0.3),
            }
            scores[name] = {"bleu_1": 51.25, "bleu_4": 7.5, "rouge_l": 0.5}
            scores[name] |= {"cider_d": 0.75, "unique": 0.5, "novel": 1.0}
            scores[name]["vocabulary"] = 77
    content = {"rows": rows, "titles": TITLES, "left_out": ["random"]}
    write_json(run.results / "similarity.json", content)
    write_json(run.results / "captions.json", {"rows": scores})
    recall = {"r1": 1.5, "r5": 2.5, "r10": 3.5, "median_rank": 4.0}
    directions = {"image_to_text": recall, "text_to_image": recall}
    content = {**directions, "images": 8, "captions": 40, "chance": directions}
    content |= {"by_cosine": directions, "reranked": directions | {"matches": 30}}
    write_json(run.results / "retrieval.json", content)
