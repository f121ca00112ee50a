"""The page of `kerasgan serve`, asked by Flask's test client and by a real browser."""

import io
import re
import shutil
import sys
import threading
from types import SimpleNamespace

import keras
import pytest
import waitress
from click.testing import CliRunner

from kerasgan.cli import main
from kerasgan.errors import UserError
from kerasgan.search.index_files import models_digest
from kerasgan.serve.app import MAX_TEXT, MAX_UPLOAD_BYTES, create_app
from kerasgan.serve.models import Models, load_models
from tests.data.makers import encoded, pixels, write_images
from tests.export.classifier_makers import LABELS, make_classifier_run
from tests.export.makers import make_run
from tests.report.makers import SCRIPT, PageReader
from tests.search.makers import make_index

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CAPTIONS = ["a red dog runs", "the blue boat", f"a dog on the beach {SCRIPT}"]
JPEG = encoded(pixels(7))


def ignore(message):
    raise AssertionError(message)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """A run of each command, and an index of the first; its last image is gone."""
    folder = tmp_path_factory.mktemp("serve")
    run = make_run(folder / "gan")
    write_images(folder / "in", ["0.jpg", "1.jpg"])
    names = [str(folder / "in" / f"{number}.jpg") for number in range(3)]
    digest = models_digest(run.models)
    make_index(
        folder / "index", CAPTIONS, names=names, run=str(run.path), models=digest
    )
    make_classifier_run(folder / "classifier")
    return SimpleNamespace(
        gan=run.path, index=folder / "index", classifier=folder / "classifier"
    )


@pytest.fixture(scope="module")
def models(paths):
    return load_models([paths.gan, paths.classifier, paths.index], ignore)


@pytest.fixture(scope="module")
def client(models):
    return create_app(models).test_client()


def read(response, status=200):
    assert response.status_code == status
    page = PageReader(response.text)
    assert not page.open_tags and not page.all("script")
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", response.text)
    return page


def upload(data, **fields):
    return {"image": (io.BytesIO(data), "../../etc/passwd"), **fields}


def test_a_caption_is_drawn(client):
    page = read(client.post("/draw", data={"caption": f"a zebra {SCRIPT}", "seed": 3}))
    sources = [image["src"] for image in page.all("img")]
    assert len(set(sources)) == 8
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert any(
        text.startswith("Unknown words are ignored: zebra") for text in page.texts
    )
    (field,) = (tag for tag in page.all("input") if tag.get("name") == "caption")
    assert (
        field["value"].startswith("a zebra <script>") and "\x1b" not in field["value"]
    )
    page = read(client.post("/draw", data={"caption": "a zebra", "seed": "9e9"}))
    assert page.all("img")[0]["src"] not in sources
    page = read(client.post("/draw", data={"caption": " ?! "}), status=400)
    assert "The caption has no words." in page.texts


def test_a_photograph_is_described(client, models):
    page = read(client.post("/describe", data=upload(JPEG, text="red on water")))
    description = models.describe(JPEG, "red on water")
    assert description.caption in page.texts and set(LABELS) <= set(page.texts)
    assert sum(probability for _, probability in description.classes) == pytest.approx(
        1
    )
    sources = [image["src"] for image in page.all("img")]
    assert sources == [f"/images/{row}" for row in description.nearest.rows]
    page = read(client.post("/describe", data={"text": "red on water"}))
    assert "probability" in page.texts and not page.all("img")
    assert models.describe(None, "red on water").caption is None


def test_the_index_is_searched(client):
    page = read(client.get("/search", query_string={"query": "dog zebra"}))
    assert "Unknown words are ignored: zebra" in page.texts
    assert len(page.all("img")) == 3
    assert any("<script>alert(1)</script>" in text for text in page.texts)
    assert any("deleted" in text for text in page.texts)
    page = read(client.get("/similar/1"))
    assert page.all("img")[0]["src"] == "/images/1"
    for query, message in (("", "no words"), ("zebra", "none of the words zebra")):
        page = read(client.get("/search", query_string={"query": query}), status=400)
        assert any(message in text for text in page.texts)


def test_images_are_served_by_number_only(client, paths):
    response = client.get("/images/1")
    assert response.mimetype == "image/jpeg" and response.data.startswith(
        b"\xff\xd8\xff"
    )
    wrong = ("2", "3", "-1", "9" * 30, "1.jpg", "../../etc/passwd", str(paths.gan))
    for name in wrong:  # the file of row 2 is gone
        read(client.get(f"/images/{name}"), status=404)
    read(client.get("/similar/3"), status=404)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (JPEG[:200], "truncated or damaged"),
        (b"P6 10000 10000 255\n", "too many pixels"),
        (b"<svg onload='alert(1)'>", "unsupported format"),
        (b"/etc/passwd", "not an image"),
        (b"", "Choose a photograph, or type a text."),
    ],
)
def test_bad_uploads_are_named(client, data, message):
    page = read(client.post("/describe", data=upload(data)), status=400)
    assert any(message in text for text in page.texts)


def test_sizes_are_limited(client):
    form = "multipart/form-data; boundary=x"
    body = bytes(MAX_UPLOAD_BYTES + 1)
    response = client.post("/describe", data=body, content_type=form)
    assert response.status_code == 413 and response.mimetype == "text/plain"
    caption = "dog " * MAX_TEXT
    page = read(client.post("/draw", data={"caption": caption}), status=400)
    assert "Type at most 1,000 characters." in page.texts


def test_other_web_sites_cannot_use_the_page(client, models):
    response = client.get("/")
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "script-src" not in policy
    for name in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert client.get("/", headers={"Host": name}).status_code == 200
    for name in ("evil.example", "localhost.evil.example:80", "[::1"):
        response = client.get("/", headers={"Host": name})
        assert response.status_code in (400, 403) and "<form" not in response.text
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert client.get("/", headers=headers).status_code == 200
    for path in ("/images/1", "/search?query=dog"):
        assert client.get(path, headers=headers).status_code == 403
    anywhere = create_app(models, "0.0.0.0").test_client()
    assert anywhere.get("/", headers={"Host": "server.lan"}).status_code == 200


@pytest.mark.parametrize("part", ["classifier", "index", "generator"])
def test_what_a_run_does_not_have_is_not_shown(models, part):
    client = create_app(Models(**{part: getattr(models, part)})).test_client()
    actions = [form["action"] for form in read(client.get("/")).all("form")]
    routes = {"generator": "/draw", "classifier": "/describe", "index": "/search"}
    assert actions == [routes.pop(part)]
    for route in routes.values():
        read(client.post(route), status=404)


def test_models_that_cannot_be_served(paths, models, tmp_path):
    with pytest.raises(UserError, match="Two of a kind: .*gan and .*gan"):
        load_models([paths.gan, paths.gan], ignore)
    with pytest.raises(UserError, match="There is no index at"):
        load_models([tmp_path], ignore)
    make_index(tmp_path / "other", CAPTIONS)
    with pytest.raises(UserError, match="built with other models"):
        load_models([paths.gan, tmp_path / "other"], ignore)
    messages = []
    alone = load_models([tmp_path / "other"], messages.append)
    assert alone.captioner is None and alone.search("red dog").rows
    assert "There is no run at /no/run" in messages[0]
    (tmp_path / "saved_model.pb").touch()
    with pytest.raises(UserError, match="is an export"):
        load_models([tmp_path], ignore)
    make_run(tmp_path / "untrained", stages=())
    with pytest.raises(UserError, match="has not finished a stage"):
        load_models([tmp_path / "untrained"], ignore)


def test_no_code_of_a_model_file_is_run(tmp_path):
    run, inputs = make_run(tmp_path / "run", stages=()), keras.Input((2,))
    code = keras.layers.Lambda(lambda x: x)
    run.save_network("generator", keras.Model(inputs, code(inputs)))
    with pytest.raises(UserError, match="Lambda"):
        load_models([run.path], ignore)


def test_the_command(paths, monkeypatch):
    served = []

    def create_server(app, **options):
        return SimpleNamespace(run=lambda: served.append((app, options)))

    monkeypatch.setattr(waitress, "create_server", create_server)
    result = CliRunner().invoke(main, ["serve", str(paths.classifier), "--port=8080"])
    assert result.stdout.startswith("http://127.0.0.1:8080") and not result.stderr
    arguments = ["serve", str(paths.classifier), "--host=::"]
    result = CliRunner().invoke(main, arguments)
    assert "http://[::]:8000" in result.stdout and "no password" in result.stderr
    assert [options["host"] for _, options in served] == ["127.0.0.1", "::"]
    monkeypatch.setitem(sys.modules, "flask", None)
    result = CliRunner().invoke(main, ["serve", str(paths.gan)])
    assert result.exit_code == 2 and "pip install 'kerasgan[serve]'" in result.stderr


@pytest.fixture
def address(models):
    """Where the page is served."""
    server = waitress.create_server(create_app(models), host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(5)


def test_the_page_in_a_browser(address, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("There is no Chromium or Chrome.")
    (tmp_path / "photograph.jpg").write_bytes(JPEG)
    errors = []
    with playwright.sync_playwright() as driver:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=options)
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.set_default_timeout(300_000)  # ms; the first answers compile graphs
        page.on("console", lambda message: errors.append(message.text))
        page.goto(address)
        page.fill("[name=caption]", "a red boat")
        page.click("text=Draw >> nth=-1")
        assert page.locator(".pixels img").count() == 8
        width = "document.images[0].naturalWidth"
        assert page.evaluate(width) == 32
        page.set_input_files("[name=image]", tmp_path / "photograph.jpg")
        page.click("button:text('Describe')")
        assert page.inner_text("table").startswith("class")
        page.fill("[name=query]", "blue boat")
        page.click("button:text('Search')")
        page.click("a[href='/similar/1']")
        page.wait_for_url("**/similar/1")
        page.evaluate("document.images[0].decode()")  # waits until it is loaded
        assert page.evaluate(width) > 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()
    # The file of the last image is gone.
    assert all("404" in error for error in errors), errors
