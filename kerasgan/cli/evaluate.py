"""`kerasgan evaluate`."""

import json

import click

from kerasgan.cli.options import import_tensorflow, json_option


@click.command("evaluate")
@click.argument("run", metavar="RUN")
@json_option
def command(run, as_json):
    """Judge a run's captions by paper A's protocol, beside what they must be better
    than, and its matcher by retrieval both ways.

    Thresholds are chosen on validation pictures, figures are of the test pictures.
    RUN/results holds all of them: similarity.json, captions.json, retrieval.json,
    predictions.csv with every caption's scores, images.json where the run generates
    pictures, and examples.png with the best, middle and worst captions.

    \b
    Example:
      kerasgan evaluate runs/00000-train-gan-scenes
    """
    from kerasgan.runs import open_run

    judge(open_run(run), as_json)


def judge(run, as_json=False):
    """Judges an opened run and prints what came of it."""
    import_tensorflow()
    from kerasgan.evaluation.protocol import evaluate_captions
    from kerasgan.report.examples import save_run_examples
    from kerasgan.report.tables import protocol_tables

    results = evaluate_captions(run, lambda line: click.echo(line, err=True))
    if "reranked" in results["similarity"]["rows"]:
        save_run_examples(run)
    if as_json:
        return click.echo(json.dumps(results, ensure_ascii=False))
    click.echo(protocol_tables(results))
    click.echo(f"\nResults: {run.results}")
