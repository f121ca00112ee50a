import re
from html.parser import HTMLParser

from kerasgan.search import page as page_module
from kerasgan.search.page import make_thumbnail, save_page
from tests.data import makers

SCRIPT = "<script>alert('x')</script>\x1b[31m\u202e{{ 7 * 7 }}"


class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.tags, self.texts, self.attributes = [], [], []
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.texts.append(data)


def fail(message):
    raise AssertionError(message)


def test_images_are_shown_and_texts_are_escaped(tmp_path):
    makers.write_images(tmp_path, ['a"><img src=x onerror=alert(1)>.jpg'])
    image = next(str(path) for path in tmp_path.iterdir())
    (tmp_path / "broken.jpg").write_text("no image")
    results = [
        {
            "rank": 1,
            "score": 0.5,
            "image": image,
            "caption": SCRIPT,
            "state": "changed",
        },
        {"image": str(tmp_path / "broken.jpg")},
        {"image": "/absent\x00.jpg"},
        {"image": "/dev/zero"},
    ]
    sections = [{"title": SCRIPT, "note": SCRIPT, "results": results}]
    save_page(tmp_path / "page.html", SCRIPT, sections, fail)
    page = Page(tmp_path / "page.html")
    assert "script" not in page.tags and page.tags.count("img") == 1
    assert not {name for name, _ in page.attributes if name.startswith("on")}
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", page.text)
    text = "".join(page.texts)
    assert text.count("<script>alert('x')</script>\\u001b[31m\\u202e{{ 7 * 7 }}") == 5
    assert "changed since it was indexed" in text and text.count("no image") == 3
    sources = [value for name, value in page.attributes if name == "src"]
    assert sources[0].startswith("data:image/jpeg;base64,")
    assert "http" not in page.text.replace("http-equiv", "")


def test_files_are_named_from_their_common_folder(tmp_path):
    names = ["one/a.jpg", "one/b.jpg", "two/a.jpg"]
    for folder in ("one", "two"):
        makers.write_images(tmp_path / "in" / folder, ["a.jpg", "b.jpg"])
    sections = [
        {
            "title": f"query {number}",
            "note": None,
            "results": [{"image": str(tmp_path / "in" / name), "caption": "a dog"}],
        }
        for number, name in enumerate(names)
    ]
    save_page(tmp_path / "page.html", "Search", sections, fail)
    page = Page(tmp_path / "page.html")
    text = "".join(page.texts)
    assert f"Images in {tmp_path / 'in'}. Their captions are generated." in text
    assert all(text.split().count(name) == 1 for name in names)
    links = [value for name, value in page.attributes if name == "href"]
    assert links[:3] == [f"#section-{n}" for n in (1, 2, 3)]  # the contents
    empty = sections[0] | {"results": []}
    save_page(tmp_path / "page.html", "Search", [empty], fail)
    assert "Nothing was found." in Page(tmp_path / "page.html").texts


def test_a_page_has_as_many_images_as_fit(tmp_path, monkeypatch):
    makers.write_images(tmp_path, ["a.jpg", "b.jpg"])
    results = [{"image": str(tmp_path / name)} for name in ("a.jpg", "a.jpg", "b.jpg")]
    size = 2 * len(make_thumbnail(results[0]["image"]))
    sections, messages = [{"title": "x", "note": None, "results": results}], []
    monkeypatch.setattr(page_module, "MAX_BYTES", size)
    save_page(tmp_path / "page.html", "Search", sections, messages.append)
    assert messages[0].startswith("Only the first 1 of 2 images are shown")
    page = Page(tmp_path / "page.html")
    assert page.tags.count("img") == 2 and page.texts.count("not shown") == 1
    assert any(text.endswith(messages[0]) for text in page.texts)
