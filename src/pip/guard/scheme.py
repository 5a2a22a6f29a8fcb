"""The scheme: the directories that pip installs into, as `scheme.rs` reads them."""


def _note_path(path):
    """Returns an absolute path as the text of a note; bytes that are no UTF-8 are replaced."""
    return os.fsencode(os.path.abspath(path)).decode("utf-8", "replace")


def _install_scheme(options):
    """Returns the scheme for the options of a `pip install`, by pip's own function."""
    import sysconfig

    import pip
    from pip._internal.locations import get_scheme

    def option(name):
        return getattr(options, name, None)

    target = option("target_dir")
    found = get_scheme(
        "{name}",
        user=bool(option("use_user_site")),
        # For a target, pip installs into a home of its own first and moves the result.
        home=os.path.abspath(target) if target else None,
        root=option("root_path"),
        isolated=bool(option("isolated_mode")),
        prefix=option("prefix_path"),
    )
    keys = ("purelib", "platlib", "headers", "scripts", "data")
    scheme = {key: _note_path(getattr(found, key)) for key in keys}
    if target:
        # The contents of the home's libraries are moved into the target itself.
        scheme.update(purelib=_note_path(target), platlib=_note_path(target))
    library = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    # The standard library may also lie in an archive on the path, which comes first.
    library.update(path for path in sys.path if path.endswith(".zip"))
    interpreters = {sys.executable, getattr(sys, "_base_executable", None)}
    return dict(
        scheme,
        library_in_data=os.path.relpath(found.purelib, found.data) if target else "",
        replaces=bool(target and option("upgrade")),
        configuration=sorted(_note_path(path) for path in _configuration_files()),
        library=sorted(_note_path(path) for path in library if path),
        interpreters=sorted(_note_path(path) for path in interpreters if path),
        pip=_note_path(os.path.dirname(pip.__file__)),
    )


def _configuration_files():
    """Returns the paths of all configuration files that this pip would read, there or not."""
    from pip._internal.configuration import get_configuration_files

    return [path for paths in get_configuration_files().values() for path in paths]


def _default_scheme():
    """Returns the scheme for a `pip lock`, which has no options that say where to install."""
    import types

    from pip._internal.commands import install

    options = types.SimpleNamespace(use_user_site=install.decide_user_install(None))
    return _install_scheme(options)
