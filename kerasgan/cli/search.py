"""`kerasgan search`."""

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from kerasgan.cli.options import import_tensorflow
from kerasgan.cli.search_results import write_results
from kerasgan.errors import UserError

if TYPE_CHECKING:
    from kerasgan.search.search_index import SearchIndex

RANKINGS = {  # as a page calls them
    "words": "the words of the captions",
    "embedding": "vectors of the images",
    "blend": "the words of the captions, and vectors of the images",
}


@click.command("search")
@click.argument("index", metavar="INDEX")
@click.argument("query", required=False)
@click.option(
    "--queries", metavar="FILE", help="Search for each line or row of a file."
)
@click.option("--image", metavar="FILE", help="Find images that are similar to a file.")
@click.option(
    "--duplicates", is_flag=True, help="List groups of images that are nearly equal."
)
@click.option(
    "--by",
    type=click.Choice(["words", "embedding", "blend"]),
    help="Ranking: TF-IDF of the generated captions, vectors of the dual encoder, or"
    " both.  [default: the best on validation images]",
)
@click.option(
    "--top",
    type=click.IntRange(1, 10_000),
    default=10,
    show_default=True,
    help="Number of images of each query.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.9,
    show_default=True,
    help="Least cosine of --duplicates.",
)
@click.option(
    "--engine",
    type=click.Choice(["exact", "usearch"]),
    default="exact",
    show_default=True,
    help="usearch is approximate, for --by embedding or --image, and many millions of"
    " images (pip install 'kerasgan[ann]').",
)
@click.option(
    "--rerank",
    type=click.IntRange(1, 200),
    help="Number of the best images that the captioner looks at and ranks again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
@click.option("--out", metavar="FILE", help="Write the results to a .jsonl or .csv.")
@click.option("--html", metavar="PAGE", help="Write a page with thumbnails.")
def command(index: str, **options: Any) -> None:
    """Find images of an index by a sentence, or images that are alike.

    The exit status is 1 if no query has a result.

    \b
    Examples:
      kerasgan search photographs.index "two dogs on a beach"
      kerasgan search photographs.index --queries queries.txt --html results.html
      kerasgan search photographs.index "two dogs" --rerank 30
      kerasgan search photographs.index --image dog.jpg --json
      kerasgan search photographs.index --duplicates
    """
    from pathlib import Path

    _check_options(options)
    path = Path(index).expanduser().absolute()
    sections = _search(_open(path), options)
    if options["html"]:
        from kerasgan.search.page import save_page

        page, title = Path(options["html"]), f"Search of {path.name}"
        save_page(page, title, sections, lambda text: click.echo(text, err=True))
        click.echo(f"Page: {options['html']}", err=True)
    write_results(sections, options["out"], options["as_json"])
    if not any(section["results"] for section in sections):
        raise SystemExit(1)


def _check_options(options):
    kinds = ("query", "queries", "image", "duplicates")
    # An empty query is a query, and is rejected as such.
    given = [name for name in kinds if options[name] not in (None, False)]
    if len(given) != 1:
        raise UserError("Pass one of QUERY, --queries, --image and --duplicates.")
    if options["engine"] != "exact" and options["by"] not in (None, "embedding"):
        raise UserError("--engine usearch needs --by embedding.")
    if given[0] == "duplicates" and options["engine"] != "exact":
        raise UserError("--duplicates needs --engine exact.")
    if given[0] == "image" and options["by"] == "blend":
        raise UserError("--image needs --by embedding or words.")
    is_alike = given[0] in ("image", "duplicates")
    if options["rerank"] and (is_alike or options["by"] == "words"):
        raise UserError("--rerank needs a query, and --by embedding or blend.")
    out = options["out"]
    if out and not out.lower().endswith((".jsonl", ".csv")):
        raise UserError(f"--out must end in .jsonl or .csv. Received: {out}")


def _open(path):
    from kerasgan.search.search_index import SearchIndex

    def load():
        import_tensorflow()
        from kerasgan.search.models import load_pipeline

        return load_pipeline(index)

    index = SearchIndex(path, load)
    if index.is_being_updated:
        click.echo(
            f"An update of {path} is running or was interrupted; the results are those"
            " before it.",
            err=True,
        )
    return index


def _search(index: "SearchIndex", options: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns a section of results for each query, image or group."""
    if options["duplicates"]:
        return list(_duplicate_sections(index, options["threshold"]))
    if options["image"] is not None:
        return [_image_section(index, options)]
    if options["queries"] is None:
        return [_query_section(index, options["query"], options)]
    from kerasgan.inference.caption_files import read_captions

    if options["rerank"]:
        _open_reranker(index)  # raises here what concerns all queries
    sections = []
    for query in read_captions(options["queries"]):
        try:
            sections.append(_query_section(index, query, options))
        except UserError as error:
            sections.append({"title": query, "note": str(error), "results": []})
    return sections


@functools.lru_cache(maxsize=1)
def _open_engine(index):
    """Opens the approximate index, once for all queries."""
    from kerasgan.search.approximate import ApproximateIndex

    return ApproximateIndex(index, lambda text: click.echo(text, err=True))


@functools.lru_cache(maxsize=1)
def _open_reranker(index):
    """Loads the captioner, once for all queries."""
    import_tensorflow()
    from kerasgan.search.reranking import load_reranker

    return load_reranker(index)


def _query_section(index, query, options):
    from kerasgan.inference.prediction_writer import escape_unprintable

    unknown = index.check_query(query)
    rows, scores, note = _rank(index, query, options)
    if unknown:
        note += f"; unknown words are ignored: {', '.join(unknown[:10])}"
        click.echo(escape_unprintable(note), err=True)
    if not len(rows):
        note += "; no caption in the index has one of these words"
    return {"title": query, "note": note, "results": index.results(rows, scores)}


def _rank(index, query, options):
    """Returns the best rows, their scores, and a sentence on the ranking."""
    by = options["by"] or index.manifest["ranking"]["default"]
    top, depth = options["top"], options["rerank"] or 0
    if depth and by == "words":  # where most images have the same score, 0
        by = "blend"
    if options["engine"] == "usearch":
        by = "embedding"
        rows, scores = _open_engine(index).rank(query, max(top, depth))
    else:
        rows, scores = index.rank(query, by, max(top, depth))
    note = f"ranked by {RANKINGS[by]}"
    if depth:
        depth = min(depth, len(rows))
        reranker = _open_reranker(index)
        rows, scores, count = reranker.rerank(query, rows, scores, depth)
        note += f", and {count} of the first {depth} by the captioner"
        if count < depth:
            lost = f"{depth - count} of the first {depth} images"
            click.echo(f"{lost} are deleted, changed or damaged.", err=True)
    return rows[:top], scores[:top], note


def _image_section(index, options):
    from pathlib import Path

    image = Path(options["image"])
    row = index.find_file(image)
    if row is not None:
        vector = index.data.vectors([row])[0]
        caption = index.data.records([row])[0]["caption"]
    else:
        vector, caption = _embed_file(index, image, options["by"] == "words")
    if options["by"] == "words":
        section = _query_section(index, caption, options)
        return section | {"title": f"{image}: {caption}"}
    engine = index if options["engine"] == "exact" else _open_engine(index)
    rows, scores = engine.rank_alike(vector, options["top"])
    results = index.results(rows, scores)
    return {"title": str(image), "note": "ranked by likeness", "results": results}


def _embed_file(index, image, needs_caption):
    """Returns the vector of a file that is not in the index, and its caption."""
    from kerasgan.data.images import (
        BadImage,
        read_image_file,
        read_square_image,
        strict_pillow,
    )
    from kerasgan.runs import open_run

    pipeline = index.load_pipeline()
    fit = open_run(index.manifest["run"]).settings.data.fit
    try:
        with strict_pillow():
            data = read_image_file(image)
            pixels = read_square_image(data, pipeline.image_size, fit)
    except BadImage as error:
        raise UserError(f"{image} cannot be used: {error}") from error
    features = pipeline.encode_images(pixels[None])
    vectors = pipeline.embed_images(pixels[None], features)
    caption = None
    if needs_caption:
        decoding = index.manifest["decoding"]
        caption = pipeline.caption(features, vectors, decoding)[0][0][0]
    return vectors[0] @ index.rotation, caption


def _duplicate_sections(index, threshold) -> Iterator[dict[str, Any]]:
    from kerasgan.search.duplicates import find_duplicates

    for number, rows in enumerate(find_duplicates(index.data, threshold), start=1):
        vectors = index.data.vectors(rows)
        results = index.results(rows, vectors @ vectors[0])
        title = f"{len(rows)} similar images"
        yield {"title": title, "note": None, "results": results, "group": number}
