"""The starts of processes: which are refused, and which a resolving pip may make nevertheless.

A start is how a source distribution gets to run its code: a build backend, a `setup.py`, or the
hooks of a repository under version control.
"""


class _Unverified(PermissionError):
    """Raised into pip in place of an act that the guard refuses."""


# Audit events (PEP 578) that come before the start of a process.
_START_EVENTS = frozenset(
    (
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "os.system",
        "subprocess.Popen",
    )
)

# Programs that pip asks for its User-Agent. It does without an answer, so their refusal is silent.
_USER_AGENT_PROGRAMS = frozenset(("lsb_release", "uname", "rustc"))


def _text(value):
    """Returns an argument of an audit event as text."""
    return os.fsdecode(value) if isinstance(value, (bytes, os.PathLike)) else str(value)


def _popen_command(args):
    """Returns program and words of a `subprocess.Popen`, from the arguments of its event."""
    argv = args[1] if isinstance(args[1], (list, tuple)) else [args[1]]
    words = [_text(word) for word in argv]
    return _text(args[0] or words[0]), words


def _is_allowed_start(program, words):
    """Tells whether a process may start that runs no code of a package."""
    # `pip --python X` starts itself again under X, with its own arguments; that process loads the
    # guard too.
    if len(words) > 2 and words[2:] == sys.argv[1:]:
        if os.path.basename(words[1]) in ("__pip-runner__.py", "pip", "__main__.py"):
            return True
    # The user's credential helper, and the loader that `packaging` asks for the version of musl.
    name = os.path.basename(program)
    return name == "keyring" or (name.startswith("ld-musl-") and len(words) == 1)


def _refuse(notes, event, program, words, cwd=None, **details):
    """Notes a refused act and raises `_Unverified`."""
    if os.path.basename(program) not in _USER_AGENT_PROGRAMS:
        note = {"event": event, "words": words, "cwd": _text(cwd or os.getcwd())}
        notes.write("blocked", dict(note, **details))
    raise _Unverified("not run before it is verified: " + (" ".join(words) or event))


class _ResolvingPolicy:
    """The rules for a pip that resolves wheels only: no process starts, with few exceptions."""

    def __init__(self, notes, keyring_calls):
        self._notes = notes
        self._keyring_calls = keyring_calls
        # By thread: the program of the last allowed `Popen`. CPython 3.13 implements that `Popen`
        # by `os.posix_spawn`, which raises an event of its own for the same program.
        self._spawning = {}

    def check(self, event, args):
        """Raises `_Unverified` if the act that an audit event announces is not allowed."""
        if event not in _START_EVENTS or self._keyring_calls.has_started():
            return
        import threading

        thread = threading.get_ident()
        program, words, cwd = "", [], None
        if event == "subprocess.Popen":
            program, words = _popen_command(args)
            cwd = args[2]
            if _is_allowed_start(program, words):
                self._spawning[thread] = program
                return
        elif event == "os.posix_spawn":
            program, words = _text(args[0]), [_text(word) for word in args[1]]
            if self._spawning.pop(thread, None) == program:
                return
        _refuse(self._notes, event, program, words, cwd)
