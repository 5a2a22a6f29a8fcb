"""The target: the Python that a pip would choose wheels for, as `Target` in `target.rs` reads it.

pip itself reads its configuration, the variables and the stated options, and lists the tags.
"""


def _target_options(words):
    """Returns the options for the target in the words `SUBCOMMAND OPTION...`, as pip reads them."""
    from pip._internal.cli import cmdoptions
    from pip._internal.cli.parser import ConfigOptionParser

    class _Parser(ConfigOptionParser):
        def error(self, msg):
            raise ValueError(msg)  # The subcommand will report it.

    parser = _Parser(usage="", prog="pip", add_help_option=False, name=words[0])
    cmdoptions.add_target_python_options(parser)
    return parser.parse_args(words[1:])[0]


def _grouped(tags):
    """Returns a sorted list of tags without repetitions: some 900 tags have few platforms.

    The first item lists the platforms of each group, the second one has a triple for each run of
    tags with the same interpreter and ABI: interpreter, ABI, number of its group of platforms.
    """
    import itertools

    groups, runs = {}, []
    for key, run in itertools.groupby(tags, lambda tag: (tag.interpreter, tag.abi)):
        platforms = tuple(tag.platform for tag in run)
        runs.append(key + (groups.setdefault(platforms, len(groups)),))
    return list(groups), runs


def _noted_target():
    """Returns the target, or `None` if no one has asked for it or this pip does not tell."""
    words = os.environ.get("PYPI_VERIFY_NOW_GUARD_TARGET")
    if not words:
        return None
    try:
        import json

        from pip._internal.cli import cmdoptions
        from pip._internal.models.target_python import TargetPython
        from pip._vendor.packaging.markers import default_environment

        words = json.loads(words)
        # `pip lock` has no options for the target, and ignores configured ones.
        if words[0] == "lock":
            target = TargetPython()
        else:
            target = cmdoptions.make_target_python(_target_options(words))
        # pip 23.2 renamed the method.
        tags = getattr(target, "get_sorted_tags", None) or target.get_tags
        platforms, runs = _grouped(tags())
        return {
            "python": ".".join(str(number) for number in target.py_version_info),
            "platforms": platforms,
            "tags": runs,
            # Of the running Python, whatever the target is: so does pip.
            "markers": dict(default_environment()),
        }
    except (Exception, SystemExit):
        return None
