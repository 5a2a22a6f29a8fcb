"""The names that a source tree states for its project, read without running any of it.

A tree that states no name, or another one than its build reports, is found out after the build,
when the name of the wheel is compared with the projects on record.
"""


def _normalized(name):
    """Returns a project's name as PEP 503 normalizes it."""
    import re

    return re.sub(r"[-_.]+", "-", name).strip().lower()


def _names_in_metadata(text):
    """Yields the names in the header of a `PKG-INFO`."""
    for line in text.partition("\n\n")[0].splitlines():
        if line.lower().startswith("name:"):
            yield line[len("name:") :].strip()


def _names_in_pyproject(text):
    """Yields the names in a `pyproject.toml`: that of PEP 621 and that of Poetry."""
    try:
        from tomllib import loads
    except ImportError:
        from pip._vendor.tomli import loads
    project = loads(text)
    for table in (project.get("project"), project.get("tool", {}).get("poetry")):
        if isinstance(table, dict):
            yield str(table.get("name", ""))


def _names_in_setup_cfg(text):
    """Yields the name in a `setup.cfg`."""
    import configparser

    config = configparser.ConfigParser(interpolation=None)
    config.read_string(text)
    yield config.get("metadata", "name", fallback="")


def _names_in_setup_py(text):
    """Yields each constant that a `setup.py` passes to any call as `name=`."""
    import ast

    for call in ast.walk(ast.parse(text)):
        for keyword in call.keywords if isinstance(call, ast.Call) else ():
            if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                yield str(keyword.value.value)


_READERS_OF_NAMES = (
    ("PKG-INFO", _names_in_metadata),
    ("pyproject.toml", _names_in_pyproject),
    ("setup.cfg", _names_in_setup_cfg),
    ("setup.py", _names_in_setup_py),
)


def _stated_names(directory):
    """Yields every name that the files of a source tree state."""
    for file_name, names_in in _READERS_OF_NAMES:
        try:
            with open(os.path.join(directory, file_name), encoding="utf-8") as f:
                text = f.read(1 << 20)
        except (OSError, ValueError):
            text = ""
        try:
            for name in names_in(text):
                yield name
        except Exception:
            pass  # The file is malformed; pip or the build reports that.
