"""The keyring: its backend may start programs while pip asks it for credentials, and only then.

A backend for a cloud starts that cloud's own program: `dotnet`, `gcloud`, `aws`. Such a program is
none of a package's, and may itself be written in Python, so it runs without the guard.
"""


def _environments_keyring(path):
    """Returns the beginning of the file names of the code of the environment's `keyring`, or `None`
    if it has none. `path` is the `sys.path` before any code of pip ran."""
    import importlib.machinery

    spec = importlib.machinery.PathFinder.find_spec("keyring", path)
    origin = getattr(spec, "origin", None)
    if not origin or not os.path.isabs(origin):
        return None
    is_package = os.path.basename(origin) == "__init__.py"
    return os.path.dirname(origin) + os.sep if is_package else origin


class _KeyringCalls:
    """The calls in which pip asks the keyring, by thread.

    A start belongs to such a call if, seen from the start outwards,

    1. it happens in the thread of the call,
    2. no other code of pip is between the start and the call: a backend that has pip install
       something is not asked for credentials,
    3. the code that the call enters is that of the environment's `keyring`, not that of a module
       which has taken its name.
    """

    def __init__(self):
        self._codes = {}
        self._path = [path for path in sys.path if os.path.isabs(path)]
        self._pip = None

    def patch(self, module):
        """Patches the functions of `pip._internal.network.auth` that ask the keyring."""
        # `.../pip/_internal/network/auth.py`
        self._pip = os.path.dirname(os.path.dirname(os.path.dirname(module.__file__))) + os.sep
        for owner, names in (
            ("KeyRingPythonProvider", ("__init__", "get_auth_info", "save_auth_info")),
            ("KeyRingCliProvider", ("get_auth_info", "save_auth_info")),
        ):
            provider = getattr(module, owner, None)
            for name in names if provider is not None else ():
                setattr(provider, name, self._observed(getattr(provider, name)))
        if hasattr(module, "get_keyring_auth"):  # Before pip 23.1.
            module.get_keyring_auth = self._observed(module.get_keyring_auth)
            handler = module.MultiDomainBasicAuth
            handler.save_credentials = self._observed(handler.save_credentials)

    def _observed(self, function):
        """Returns a function of pip that is known to ask the keyring while it runs."""
        import threading

        def observed_call(*args, **kwargs):
            codes = self._codes.setdefault(threading.get_ident(), [])
            codes.append(function.__code__)
            taken = _take_guard_off_environment()
            try:
                return function(*args, **kwargs)
            finally:
                os.environ.update(taken)
                codes.pop()

        return observed_call

    def has_started(self):
        """Tells whether the start that is about to happen belongs to a call."""
        import threading

        codes = self._codes.get(threading.get_ident())
        if not codes:
            return False
        frame, entered = sys._getframe(), None
        while frame is not None and frame.f_code is not codes[-1]:
            name = frame.f_code.co_filename
            if name.startswith(self._pip):
                return False
            if not name.startswith("<frozen importlib"):
                entered = name
            frame = frame.f_back
        keyring = _environments_keyring(self._path)
        return frame is not None and bool(keyring and entered and entered.startswith(keyring))


def _take_guard_off_environment():
    """Gives the environment the variables that the user's programs would have without the guard.

    Returns the variables that have to be put back.
    """
    names = [name for name in os.environ if name.startswith("PYPI_VERIFY_NOW_GUARD")]
    taken = {name: os.environ.pop(name) for name in names + ["PYTHONPATH"] if name in os.environ}
    own_directory = os.path.dirname(os.path.abspath(__file__))
    paths = taken.get("PYTHONPATH", "").split(os.pathsep)
    users = [path for path in paths if os.path.abspath(path or ".") != own_directory]
    if any(users):
        os.environ["PYTHONPATH"] = os.pathsep.join(users)
    return taken
