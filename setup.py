"""What setup.cfg cannot describe: the recipes of `configs/` are part of the wheel."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["kerasgan*"]), "kerasgan.configs"],
    package_dir={"kerasgan.configs": "configs"},
    package_data={
        "kerasgan": ["py.typed", "*.pyi", "search/*.jinja"],
        "kerasgan.configs": ["*.yaml"],
        "kerasgan.report": ["templates/*"],
    },
)
