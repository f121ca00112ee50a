"""Captions and classes in files, in all formats, and what cannot be compared."""

import csv
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasgan.config.settings import DataConfig
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError
from kerasgan.evaluation.annotation_files import image_key, read_annotated_file
from kerasgan.evaluation.caption_metrics import score_captions
from kerasgan.evaluation.evaluate_files import evaluate_files, score_predictions
from kerasgan.evaluation.pair_protocol import evaluate_at_threshold
from kerasgan.evaluation.tfidf_similarity import fit_tfidf, similarity_matrix
from kerasgan.inference.prediction_writer import save_csv

THINGS = ["dog", "boat", "tree", "car", "cat", "horse", "house", "man", "bird", "kite"]
IDS = [str(100 + index) for index in range(len(THINGS))]
REFERENCES = {
    name: [f"a {thing} on the left", f"the {thing}, running", f"{thing} and sky"]
    for name, thing in zip(IDS, THINGS, strict=True)
}
CAPTIONS = {
    name: f"a {thing} and a {other}"
    for name, thing, other in zip(IDS, THINGS, THINGS[1:] + THINGS[:1], strict=True)
}
TABLE = DataConfig(dataset="table")


def write_json(path, content):
    path.write_text(json.dumps(content))
    return path


def write_table(path, rows):
    with open(path, "w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def coco(folder):
    return write_json(
        folder / "captions_val.json",
        {
            "images": [{"id": int(i), "file_name": f"{int(i):012}.jpg"} for i in IDS],
            "annotations": [
                {"id": 10 * int(i) + n, "image_id": int(i), "caption": text}
                for i, texts in REFERENCES.items()
                for n, text in enumerate(texts)
            ],
        },
    )


def karpathy(folder):
    images = [
        {
            "filename": f"COCO_val2014_{int(i):012}.jpg",
            "split": "test",
            "sentences": [{"raw": text} for text in texts],
        }
        for i, texts in REFERENCES.items()
    ]
    return write_json(folder / "dataset_coco.json", {"images": images})


def token(folder):
    path = folder / "results.token"
    path.write_text(
        "".join(
            f"{i}.jpg#{n}\t{text}\n"
            for i, texts in REFERENCES.items()
            for n, text in enumerate(texts)
        )
    )
    return path


def pipes(folder):
    path = folder / "results.csv"
    lines = ["image_name| comment_number| comment"]
    for i, texts in REFERENCES.items():
        lines += [f"{i}.jpg| {n}| {text}" for n, text in enumerate(texts)]
    path.write_text("\n".join(lines))
    return path


def commas(folder):
    path = folder / "captions.txt"
    lines = ["image,caption"]
    for i, texts in REFERENCES.items():
        lines += [f'{i}.jpg,"{text}"' for text in texts]
    path.write_text("\n".join(lines))
    return path


def table(folder):
    rows = [
        {"image": f"photos/{i}.png", "caption_1": a, "caption_2": b, "caption_3": c}
        for i, (a, b, c) in REFERENCES.items()
    ]
    return write_table(folder / "references.csv", rows)


def json_lines(folder):
    path = folder / "references.jsonl"
    path.write_text(
        "".join(
            json.dumps({"image_id": i, "captions": texts}) + "\n"
            for i, texts in REFERENCES.items()
        )
    )
    return path


def mapping(folder):
    return write_json(folder / "references.json", REFERENCES)


FORMATS = [coco, karpathy, token, pipes, commas, table, json_lines, mapping]


def results_json(folder, captions=CAPTIONS):
    content = [{"image_id": int(i), "caption": text} for i, text in captions.items()]
    return write_json(folder / "captions_results.json", content)


@pytest.mark.parametrize("reference_format", FORMATS)
def test_every_format_gives_the_same_figures(reference_format, tmp_path):
    references = reference_format(tmp_path)
    results = evaluate_files(results_json(tmp_path), references, threshold=0.3)
    assert results["left_out"] == {}
    expected = score_predictions(
        list(CAPTIONS.values()), list(REFERENCES.values()), threshold=0.3
    )
    assert results["similarity"] == expected["similarity"]
    assert results["captions"] == expected["captions"]


def test_figures_are_those_of_the_protocol():
    pair = list(CAPTIONS.values()), list(REFERENCES.values())
    train = ["a dog and a tree", "the left sky"]
    results = score_predictions(*pair, train, threshold=0.3)
    matrix = similarity_matrix(fit_tfidf(train), *pair)
    row = results["similarity"]["rows"]["predictions"]
    assert row == evaluate_at_threshold(matrix, 0.3) | {"threshold_images": 0}
    scores = results["captions"]["rows"]["predictions"]
    assert scores == score_captions(*pair, train)
    human = results["captions"]["rows"]["human"]
    others = [texts[1:] for texts in pair[1]]
    assert human == score_captions([texts[0] for texts in pair[1]], others, train)


def test_the_threshold_is_chosen_on_images_that_do_not_count():
    results = score_predictions(list(CAPTIONS.values()), list(REFERENCES.values()))
    row = results["similarity"]["rows"]["predictions"]
    assert row["threshold_images"] == 5
    at_validated, at_half = row["at_validated"], row["at_half"]
    cells = "tp", "fp", "fn", "tn"
    assert sum(at_validated[cell] for cell in cells) == 10 * 2 * 5
    assert sum(at_half[cell] for cell in cells) == 10 * 2 * 10
    assert "half of the images" in results["similarity"]["threshold"]
    assert "novel" not in results["captions"]["rows"]["predictions"]


def test_what_is_left_out_is_counted_and_named(tmp_path):
    captions = {"999": "a whale", "100": "", **{i: "a dog" for i in IDS[1:8]}}
    predictions = results_json(tmp_path, captions)
    content = json.loads(predictions.read_text())
    content += [{"image_id": 101, "caption": "another"}, {"caption": "no id"}, 7]
    write_json(predictions, content)
    results = evaluate_files(predictions, karpathy(tmp_path), threshold=0.5)
    assert results["left_out"] == {
        "malformed row": 1,
        "missing file name": 1,
        "unknown image": 1,
        "no prediction": 2,
        "further caption": 1,
    }
    assert results["similarity"]["rows"]["predictions"]["images"] == 8
    named = {e["value"] for e in results["examples"] if e["reason"] == "no prediction"}
    assert named == {f"COCO_val2014_{i:012}.jpg" for i in (108, 109)}
    assert any("Empty captions" in note for note in results["notes"])


def test_the_published_training_split_fits_tfidf(tmp_path):
    references = karpathy(tmp_path)
    content = json.loads(references.read_text())
    for image in content["images"][6:]:
        image["split"] = "train"
    write_json(references, content)
    captions = {i: CAPTIONS[i] for i in IDS[:6]}
    results = evaluate_files(results_json(tmp_path, captions), references)
    assert results["left_out"] == {}  # training images need no prediction
    train = [text for i in IDS[6:] for text in REFERENCES[i]]
    expected = score_predictions(
        list(captions.values()), [REFERENCES[i] for i in captions], train
    )
    assert results["similarity"] == expected["similarity"]
    assert "training split" in results["notes"][-1]
    named = evaluate_files(
        results_json(tmp_path, captions), references, train_captions=token(tmp_path)
    )
    assert "results.token" in named["notes"][-1]
    assert named["similarity"] != results["similarity"]


def test_classes(tmp_path):
    references = write_table(
        tmp_path / "labels.csv",
        [
            {"image": f"{n}.jpg", "title": "text", "label": label}
            for n, label in enumerate(["a", "a", "b", "b", ""])
        ],
    )
    predictions = tmp_path / "classes.jsonl"
    lines = [
        {"image": f"/data/{n}.jpg", "text": "text", "class": name}
        for n, name in enumerate(["a", "c", "b", None])
    ]
    predictions.write_text("".join(json.dumps(line) + "\n" for line in lines))
    results = evaluate_files(predictions, references)
    assert results["pairs"] == 3 and results["accuracy"] == pytest.approx(2 / 3)
    assert results["left_out"] == {"no predicted class": 1}
    assert list(results["classes"]) == ["a", "b", "c"]
    assert results["confusion"] == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert results["notes"] == ["Predicted, but in no reference: c"]
    with pytest.raises(UserError, match="labels.csv has classes, but .* has none"):
        evaluate_files(references, token(tmp_path))


def test_classes_of_a_csv_are_read_back(tmp_path):
    """`classify --out x.csv` writes an apostrophe before what looks like a formula."""
    pairs = {"-1.jpg": "-1", "+1.jpg": "+1", "=.jpg": "-1", "'tis.jpg": "+1"}
    rows = [{"image": name, "label": label} for name, label in pairs.items()]
    references = write_table(tmp_path / "labels.csv", rows)
    predictions = tmp_path / "classes.csv"
    rows = [{"image": name, "class": label} for name, label in pairs.items()]
    save_csv(rows, {"image": str, "class": str}, predictions)
    assert "'-1" in predictions.read_text()
    results = evaluate_files(predictions, references)
    assert results["accuracy"] == 1.0 and results["pairs"] == 4
    assert set(results["classes"]) == {"-1", "+1"} and not results["left_out"]


def test_a_cell_without_a_value_is_no_class(tmp_path):
    labels = {"0.jpg": "a", "1.jpg": "b", "2.jpg": "NaN", "3.jpg": "a"}
    rows = [{"image": name, "label": label} for name, label in labels.items()]
    references = write_table(tmp_path / "labels.csv", rows)
    predicted = zip(labels, ["a", "b", "a", "None"], strict=True)
    rows = [{"image": name, "class": label} for name, label in predicted]
    results = evaluate_files(write_table(tmp_path / "classes.csv", rows), references)
    assert list(results["classes"]) == ["a", "b"] and results["pairs"] == 2
    assert results["left_out"] == {"unknown image": 1, "no predicted class": 1}


def test_a_table_with_its_own_predictions(tmp_path):
    rows = [
        {"image": f"{n}.jpg", "label": n % 2, "prediction": n % 2 or n % 4}
        for n in range(8)
    ]
    path = write_table(tmp_path / "both.csv", rows)
    results = evaluate_files(path, path)
    assert results["accuracy"] == 0.75


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("3", "must hold a JSON list or object"),
        ("[]", "cannot infer the column of image ids"),
        ('[{"image_id": 1}]', "captions or of classes"),
        ('{"images": []}', "no row that can be used"),
        ('{"annotations": [{"id": 1}]}', "no row that can be used"),
    ],
)
def test_files_that_cannot_be_read(content, message, tmp_path):
    path = tmp_path / "file.json"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        read_annotated_file(path, TABLE, ReadReport())


def test_other_ids_are_shown(tmp_path):
    predictions = results_json(tmp_path, {"7": "a dog", "8": "a\x1b[31m cat"})
    with pytest.raises(UserError, match="'7', '8' and '100.jpg', '101.jpg'"):
        evaluate_files(predictions, token(tmp_path))
    with pytest.raises(UserError, match="At least 4 images .* two with --threshold"):
        evaluate_files(results_json(tmp_path, {"100": "a"}), token(tmp_path))
    with pytest.raises(UserError, match="Cannot read .*absent.json: No such file"):
        evaluate_files(tmp_path / "absent.json", token(tmp_path))


def test_ids_that_two_references_share_are_not_guessed(tmp_path):
    rows = [
        {"image": f"{folder}/{n}.jpg", "caption": f"a {folder} {THINGS[n]}"}
        for folder in ("train", "test")
        for n in range(4)
    ]
    references = write_table(tmp_path / "references.csv", rows)
    rows = [{"image": "0.jpg", "caption": "x"}, *rows[:4]]
    predictions = write_table(tmp_path / "predictions.csv", rows)
    results = evaluate_files(predictions, references, threshold=0.5)
    assert results["left_out"] == {"unknown image": 1, "no prediction": 4}


def test_keys_of_images():
    assert image_key("COCO_val2014_000000391895.jpg") == "391895"
    assert image_key("photos\\holiday/000000391895.PNG") == "391895"
    assert image_key("1000268201_693b08cb0e.jpg") == "1000268201_693b08cb0e"
    assert image_key("version 1.2") == "version 1.2"


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NAMES = st.sampled_from(
    ["images", "annotations", "image_id", "caption", "sentences", "raw", "filename"]
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(document=DOCUMENTS)
@settings(max_examples=200, deadline=None)
def test_any_json_is_read_or_rejected(document, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(document))
    try:
        file = read_annotated_file(path, TABLE, ReadReport())
    except UserError:
        return
    assert file.images


@given(content=st.binary(max_size=60), suffix=st.sampled_from(["txt", "csv", "jsonl"]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_rejected(content, suffix, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / f"any.{suffix}"
    path.write_bytes(content)
    try:
        file = read_annotated_file(path, TABLE, ReadReport())
    except UserError:
        return
    assert file.images
