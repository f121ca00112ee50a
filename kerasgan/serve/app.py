"""The page as a WSGI application of Flask.

A request names no file: images of an index are asked for by row number, and the name of
an upload is ignored. Nothing of a request is kept.
"""

import base64
import io
import re

from flask import Flask, Response, abort, request
from werkzeug.exceptions import HTTPException

from kerasgan.data.annotations import clean_text
from kerasgan.data.images import BadImage
from kerasgan.errors import UserError
from kerasgan.report.pages import render_page
from kerasgan.serve.models import Models

LOOPBACK = ("127.0.0.1", "localhost", "::1")
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")  # in the header Host
MAX_UPLOAD_BYTES = 20_000_000  # the limit of pixels is that of `decode_image`
MAX_TEXT = 1000  # characters
MAX_SEED = 2**32 - 1
POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline';"
    " form-action 'self'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_app(models: Models, host: str = LOOPBACK[0]) -> Flask:
    """Makes the application.

    Args:
        models: what the page can do.
        host: the address on which it is served. On a loopback address only requests
            to a name of this machine are answered, so that no web site can reach the
            page by a name of its own (DNS rebinding).

    Returns:
        A WSGI application. A request has at most `MAX_UPLOAD_BYTES`.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_UPLOAD_BYTES
    pages = _Pages(models, host in LOOPBACK)
    app.before_request(pages.check_request)
    app.after_request(_add_headers)
    for error in (HTTPException, UserError, BadImage):
        app.register_error_handler(error, pages.show_error)
    app.add_url_rule("/", "home", pages.show)
    if models.generator:
        app.add_url_rule("/draw", "draw", pages.draw, methods=["POST"])
    if models.takes_images or models.takes_text:
        app.add_url_rule("/describe", "describe", pages.describe, methods=["POST"])
    if models.index:
        app.add_url_rule("/search", "search", pages.search)
        app.add_url_rule("/similar/<int:row>", "similar", pages.similar)
        app.add_url_rule("/images/<int:row>", "image", pages.image)
    return app


class _Pages:
    """The views; each returns the whole page with its results."""

    def __init__(self, models, only_loopback):
        self.models, self.only_loopback = models, only_loopback

    def check_request(self):
        """Refuses requests that pages of other web sites make."""
        name = re.sub(r":\d+$", "", request.host)
        if self.only_loopback and name not in LOOPBACK_NAMES:
            abort(403, "Only this machine may use the page.")
        site = request.headers.get("Sec-Fetch-Site", "none")
        if request.path != "/" and site not in ("none", "same-origin"):
            abort(403, "Another web site may not use the page.")

    def show(self, **content):
        """The page with the forms, and with the results of one of them."""
        results = dict.fromkeys(("error", "drawn", "described", "found", "row"))
        models = self.models
        return render_page(
            "serve.html",
            policy=POLICY,
            title="kerasgan",
            models=models,
            conditional=bool(models.generator and models.generator.conditional),
            max_text=MAX_TEXT,
            max_seed=MAX_SEED,
            query=_text("query"),
            caption=_text("caption"),
            seed=_seed(),
            text=_text("text"),
            **results | content,
        )

    def show_error(self, error):
        """The page with a message."""
        status, message = 400, str(error)
        if isinstance(error, HTTPException):
            status, message = error.code, error.description
        if isinstance(error, BadImage):
            message = f"This image cannot be used: {error}."
        if status in (403, 413):  # the request is not read
            return Response(message, status, mimetype="text/plain")
        return self.show(error=message), status

    def draw(self):
        """Images of a caption."""
        images, note = self.models.draw(_checked_text("caption"), _seed())
        return self.show(drawn={"images": list(map(_png_uri, images)), "note": note})

    def describe(self):
        """What is in a photograph, or in a text."""
        file = request.files.get("image")
        data = (file.read() if file else b"") or None
        text = _checked_text("text") if self.models.takes_text else ""
        return self.show(described=self.models.describe(data, text))

    def search(self):
        """Images of the index that a sentence describes."""
        return self.show(found=self.models.search(_checked_text("query")))

    def similar(self, row):
        """Images of the index that are similar to one of them."""
        try:
            return self.show(found=self.models.similar(row), row=row)
        except IndexError:
            abort(404)

    def image(self, row):
        """A small image of the index."""
        try:
            return Response(self.models.thumbnail(row), mimetype="image/jpeg")
        except (IndexError, BadImage):
            abort(404)


def _add_headers(response):
    response.headers.update(HEADERS)
    return response


def _png_uri(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _text(name):
    return clean_text(request.values.get(name, ""))[:MAX_TEXT]


def _checked_text(name):
    text = request.values.get(name, "")
    if len(text) > MAX_TEXT:
        raise UserError(f"Type at most {MAX_TEXT:,} characters.")
    return clean_text(text)


def _seed():
    text = request.values.get("seed", "0")
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_SEED))
    return min(int(text), MAX_SEED) if is_number else 0
