"""The entry: the part of this module that runs when `site` imports it, before any code of pip."""


def _take_notes_directory():
    """Returns the directory of notes, or `None` if this process is not to be guarded.

    Takes the guard's own directory off `sys.path`, but leaves it in `PYTHONPATH`: another Python
    that pip starts (`pip --python X`) is guarded through it.
    """
    directory = os.environ.get("PYPI_VERIFY_NOW_GUARD")
    if directory:
        sys.path[:] = _path_without_guard()
    return directory


def _path_without_guard():
    """Returns `sys.path` without the directory of this file."""
    own_directory = os.path.dirname(os.path.abspath(__file__))
    return [path for path in sys.path if os.path.abspath(path or ".") != own_directory]


def _guard(directory):
    """Puts this process under the guard, which notes its observations in `directory`."""
    import atexit
    import json

    notes = _Notes(directory)
    stated_origins = os.environ.get("PYPI_VERIFY_NOW_GUARD_BUILDING")
    is_building = stated_origins is not None
    kept_path = os.environ.get("PYPI_VERIFY_NOW_GUARD_LOCK")
    address = os.environ.get("PYPI_VERIFY_NOW_GUARD_ASKING")

    keyring_calls = _KeyringCalls()
    policy = (
        _BuildingPolicy(notes, keyring_calls, json.loads(stated_origins))
        if is_building
        else _ResolvingPolicy(notes, keyring_calls)
    )
    kept_lock = _KeptLock(kept_path, notes) if kept_path else None
    _AuditHook(policy, kept_lock).arm(notes)
    if kept_lock is not None:
        kept_lock.divert()

    credentials, failures = _Credentials(), _Failures()
    installing = _Installing(_InstallQuestion(address) if address else None)
    imports = _ImportObserver()
    # A build could read the credentials.
    patches = [keyring_calls.patch] if is_building else [keyring_calls.patch, credentials.patch]
    imports.observe("pip._internal.network.auth", *patches)
    if os.environ.get("PYPI_VERIFY_NOW_GUARD_INDEXES"):
        imports.observe("pip._internal.req.req_file", _pass_over_index_lines)
    if not is_building:
        unpacking = _Unpacking(notes)
        imports.observe("pip._internal.utils.unpacking", unpacking.patch)
        # A standby has imported it already.
        imports.observe("pip._internal.operations.prepare", unpacking.patch)
    imports.observe("pip._internal.cli.base_command", failures.patch)
    report_path = os.environ.get("PYPI_VERIFY_NOW_GUARD_REPORT")
    if report_path:
        imports.observe("pip._internal.cli.req_command", _KeptReport(report_path).patch)
    if os.environ.get("PYPI_VERIFY_NOW_GUARD_AS_INSTALL"):
        imports.observe("pip._internal.cli.cmdoptions", _check_as_install)
    imports.observe("pip._internal.commands.install", installing.patch_command)
    if address:
        imports.observe("pip._internal.req", installing.patch_install)
    # Registered last: if anything above fails, there are no facts, and their absence is an error.
    atexit.register(_note_facts, notes, is_building, credentials, failures, installing)


def _run_hidden_sitecustomize():
    """Runs the `sitecustomize` of the environment, which this module hides."""
    import importlib.machinery

    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", _path_without_guard())
    if spec is not None and spec.loader is not None:
        import importlib.util

        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # `site` too reports it and goes on.
            sys.stderr.write("Error in sitecustomize: %s\n" % error)


def _remove_bytecode():
    """Removes the byte code of this file where the user has one directory for all byte code.

    Elsewhere it lies beside this file and is removed with it.
    """
    prefix, cached = getattr(sys, "pycache_prefix", None), getattr(__spec__, "cached", None)
    if not prefix or not cached:
        return
    prefix, cached = os.path.abspath(prefix), os.path.abspath(cached)
    try:
        os.remove(cached)
        directory = os.path.dirname(cached)
        while directory.startswith(prefix + os.sep):
            os.rmdir(directory)
            directory = os.path.dirname(directory)
    except OSError:
        pass  # The directory holds byte code of other files.


def _begin():
    """Arms the guard before the hidden `sitecustomize` and any code of pip run.

    `site` has run the environment's `.pth` files by then; one that hides the audit events is found
    out. A standby runs the hidden `sitecustomize` once, before its first fork, for all its forks.
    """
    _remove_bytecode()
    directory = _take_notes_directory()
    standby = os.environ.pop("PYPI_VERIFY_NOW_STANDBY", None)
    if directory and standby:
        _run_hidden_sitecustomize()
        if _Standby([int(number) for number in standby.split(",")]).serve():
            _guard(directory)
        return
    if directory:
        _guard(directory)
    _run_hidden_sitecustomize()


_begin()

# The rest is needed as long as pip runs.
del _begin, _guard, _preload_pip, _remove_bytecode, _run_hidden_sitecustomize, _Standby
del _path_without_guard, _take_notes_directory
