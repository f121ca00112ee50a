"""`kerasgan serve`."""

import click

from kerasgan.errors import UserError


@click.command("serve")
@click.argument("paths", metavar="RUN|INDEX|EXPORT...", nargs=-1, required=True)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address on which the page is served. The default is reached from this"
    " machine only.",
)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
def command(paths: tuple[str, ...], host: str, port: int) -> None:
    """Serve a web page that draws images, describes photographs and searches.

    It shows what was named: a run of train-gan draws images of a caption and captions
    photographs, a run of train-classifier classifies them, and an index is searched by
    words and by photographs. A directory that kerasgan export wrote stands for its run;
    its graph can read and write files, so name only exports that you trust. Needs pip
    install 'kerasgan[serve]'.

    \b
    Examples:
      kerasgan serve runs/00000-train-gan-scenes
      kerasgan serve RUN photographs.index --port 8080
      kerasgan serve exported photographs.index
    """
    from pathlib import Path

    try:
        import flask  # noqa: F401
        import waitress
    except ImportError:
        raise UserError(
            "Flask and waitress are not installed: pip install 'kerasgan[serve]'"
        ) from None
    from kerasgan.cli.options import import_tensorflow

    import_tensorflow()
    from kerasgan.serve.app import LOOPBACK, MAX_UPLOAD_BYTES, create_app
    from kerasgan.serve.loading import load_models

    def message(text):
        click.echo(text, err=True)

    models = load_models(
        [Path(path).expanduser().absolute() for path in paths], message
    )
    # A larger body is cut off; the application answers those that are a little larger.
    limit = 2 * MAX_UPLOAD_BYTES
    app = create_app(models, host)
    server = waitress.create_server(
        app, host=host, port=port, max_request_body_size=limit, ident=None
    )
    if host not in LOOPBACK:
        message("There is no password: everyone who reaches this address can use it.")
    name = f"[{host}]" if ":" in host else host
    click.echo(f"http://{name}:{port} (Ctrl-C stops)")
    server.run()
