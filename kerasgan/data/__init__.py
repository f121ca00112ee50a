"""Data sets: read, checked, sampled, split, prepared once, and loaded as arrays."""


def __getattr__(name: str):
    if name in __all__:
        from kerasgan.data import pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["Pairs", "Split", "load_data"]
