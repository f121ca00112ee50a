"""Self-contained HTML pages: what they consist of, and how they are rendered.

A page loads nothing: images and charts are data URIs, and its content security policy
forbids everything else. All texts are escaped by jinja2.
"""

import base64
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from kerasgan.data.annotations import clean_text
from kerasgan.errors import UserError
from kerasgan.files import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Chart

MAX_BYTES = 30_000_000  # of a page
JPEG_QUALITY = 88
MAX_IMAGE_WIDTH = 1200  # pixels
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class HtmlTable:
    """A table.

    Attributes:
        columns: heads of the columns.
        rows: cells of each row; the first one names the row.
        notes: sentences below the table.
        text_columns: columns besides the first one that contain words.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    notes: Sequence[str] = ()
    text_columns: Sequence[int] = ()


@dataclass(frozen=True)
class HtmlFigure:
    """An image or a chart.

    Attributes:
        source: data URI.
        title: what it shows; also the text for those who cannot see it.
        lines: texts below it.
    """

    source: str
    title: str
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class Section:
    """A part of a page under its own heading.

    Attributes:
        title: the heading.
        tables: tables.
        charts: figures in the full width.
        gallery: figures beside each other.
        width: least width of its figures where the page is wide enough, in CSS.
        notes: sentences.
    """

    title: str
    tables: Sequence[HtmlTable] = ()
    charts: Sequence[HtmlFigure] = ()
    gallery: Sequence[HtmlFigure] = ()
    width: str = "9.5rem"
    notes: Sequence[str] = ()


@dataclass
class Chapter:
    """The sections of one run.

    Attributes:
        title: name of the run.
        sections: its sections.
    """

    title: str
    sections: list[Section] = field(default_factory=list)


def image_uri(image: np.ndarray | Image.Image, max_width: int = MAX_IMAGE_WIDTH) -> str:
    """Encodes an image as a data URI of a JPEG.

    Args:
        image: uint8 `(height, width, 3)`, or an image of Pillow.
        max_width: wider images are reduced, in pixels.
    """
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image)
    image = image.convert("RGB")
    if image.width > max_width:
        height = max(1, round(image.height * max_width / image.width))
        image = image.resize((max_width, height), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return _data_uri(buffer, "image/jpeg")


def chart_uri(chart: "Chart") -> str:
    """Encodes a chart as a data URI of an SVG.

    Args:
        chart: a figure of matplotlib.
    """
    import matplotlib

    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "kerasgan"}):
        chart.savefig(buffer, format="svg", metadata={"Date": None})
    return _data_uri(buffer, "image/svg+xml")


def _data_uri(buffer, media_type):
    return f"data:{media_type};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def render_page(
    template: str, script: str = "", policy: str = POLICY, **content: Any
) -> str:
    """Renders a template of `kerasgan/report/templates`.

    Args:
        template: file name of the template.
        script: JavaScript of the page, the only one that its policy allows.
        policy: content security policy of a page without scripts.
        **content: variables of the template.

    Returns:
        HTML.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: clean_text(value) if type(value) is str else value,
    )
    environment.filters["breakable"] = _breakable
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        policy += f"; script-src 'sha256-{digest}'"
    return environment.get_template(template).render(
        policy=policy, script=script, **content
    )


def _breakable(text):
    """Returns HTML whose names of settings may be broken after a dot or underscore."""
    import markupsafe

    html = str(markupsafe.escape(clean_text(str(text))))
    return markupsafe.Markup(re.sub(r"(?<=[a-z])([._])(?=[a-z])", r"\1<wbr>", html))


def save_page(html: str, path: Path) -> Path:
    """Writes a page.

    Args:
        html: the page.
        path: its path.

    Returns:
        The path.

    Raises:
        UserError: it is larger than `MAX_BYTES`.
    """
    size = len(html.encode())
    if size > MAX_BYTES:
        raise UserError(
            f"The page would have {size / 1e6:.0f} MB, more than {MAX_BYTES / 1e6:.0f}."
            " Show fewer runs or images."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, html)
    return path


def figures_text(values: Mapping[str, Any], metrics: Sequence[tuple]) -> list[str]:
    """Formats figures, an empty text for a missing one.

    Args:
        values: figures by key.
        metrics: key, title and format of each.

    Returns:
        A text for each metric.
    """
    return [
        style.format(values[key]) if key in values else "" for key, _, style in metrics
    ]
