"""The facts: the last note of a guarded pip, as `Facts` in `mod.rs` reads it.

Its absence means that the guard was not loaded.
"""


def _default_index():
    """Returns the URL of the index that this pip uses by default, or `None`."""
    try:
        from pip._internal.models.index import PyPI

        return PyPI.simple_url
    except Exception:
        return None


def _subcommands():
    """Returns the subcommands of this pip, or `None`."""
    try:
        from pip._internal.commands import commands_dict

        return sorted(commands_dict)
    except Exception:
        return None


def _own_options():
    """Returns the options of this pip for the subcommand that it was asked about, without dashes.

    Returns `None` if no option whose presence is in doubt is configured, or if this pip does not
    tell its options: the import of a subcommand takes long.
    """
    asked = os.environ.get("PYPI_VERIFY_NOW_GUARD_OPTIONS")
    if not asked:
        return None
    try:
        import json

        from pip._internal.commands import create_command
        from pip._internal.configuration import Configuration

        subcommand, doubtful = json.loads(asked)
        configuration = Configuration(isolated="--isolated" in sys.argv)
        configuration.load()
        configured = {}
        for key, value in configuration.items():
            # Newer pips have a dictionary for each file.
            configured.update(value if isinstance(value, dict) else {key: value})
        if not any(key.split(".", 1)[-1] in doubtful for key in configured):
            return None
        options = create_command(subcommand).parser.option_list_all
        return [name.lstrip("-") for option in options for name in option._long_opts]
    except (Exception, SystemExit):
        return None


def _noted_behind():
    """Returns how a wrapper started this pip, as `WrapperNote` in `behind.rs`, or `None`."""
    program = os.environb.get(b"PYPI_VERIFY_NOW_GUARD_BEHIND")
    if not program:
        return None
    return {
        "program": list(program),
        "words": [list(os.fsencode(word)) for word in sys.argv[1:]],
        "environment": [(list(name), list(value)) for name, value in os.environb.items()],
    }


def _installed_metadata():
    """Returns the names of the metadata directories of all packages on `sys.path`."""
    endings = (".dist-info", ".egg-info", ".egg-link", ".egg")
    installed = []
    for directory in sys.path:
        try:
            names = os.listdir(directory or ".")
        except OSError:
            continue
        installed += [name for name in names if name.endswith(endings)]
    return installed


def _note_facts(notes, is_building, credentials, failures, installing):
    """Writes the note."""
    pip = sys.modules.get("pip")
    if is_building and pip is None:
        return  # A build backend.
    locations = sys.modules.get("pip._internal.locations")
    facts = {
        "pip": getattr(pip, "__version__", None),
        "python": "%d.%d" % sys.version_info[:2],
        "executable": sys.executable,
        "restarted": "_PIP_RUNNING_IN_SUBPROCESS" in os.environ,
        "cache": getattr(locations, "USER_CACHE_DIR", None),
        "index": _default_index(),
        "behind": _noted_behind(),
        "commands": _subcommands(),
        "options": _own_options(),
        "installed": _installed_metadata(),
        "logins": credentials.noted(),
        "scheme": installing.noted_scheme(is_building),
        "target": _noted_target(),
        "network": _noted_network(),
    }
    notes.write("facts", dict(facts, **failures.noted()))
