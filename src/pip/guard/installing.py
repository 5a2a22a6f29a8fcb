"""The question before an install: may these wheels be unpacked? (`preinstall.rs` answers it.)

A pip that builds has its wheels only moments before it installs them, so their contents can only
be judged between its last build and its first unpacking.
"""


class _InstallQuestion:
    """The address of who answers: a port of this machine, and a secret that names this run."""

    def __init__(self, address):
        port, self._secret = address.split(",")
        self._port = int(port)

    def ask(self, scheme, wheels):
        """Returns if the wheels may be installed, and ends pip with an error of its own if not."""
        import json
        import socket

        question = json.dumps({"scheme": scheme, "wheels": wheels})
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
            connection.connect(("127.0.0.1", self._port))
            connection.sendall(("%s\n%s\n" % (self._secret, question)).encode())
            answer = connection.makefile("rb").readline()
        if answer != b"install\n":
            from pip._internal.exceptions import InstallationError

            raise InstallationError("pypi-verify-now does not let these wheels be installed")


class _Installing:
    """Observes a `pip install`: its scheme, and the wheels that it is about to unpack."""

    def __init__(self, question):
        self._question = question
        self._options = None
        self._has_run = False
        self._scheme = None

    def patch_command(self, module):
        """Patches `pip._internal.commands.install`."""
        command = module.InstallCommand
        run = command.run
        installing = self

        def observed_run(self, options, args):
            installing._options, installing._has_run = options, True
            try:
                return run(self, options, args)
            finally:
                # Only now: pip decides while it runs whether to install for the user alone.
                installing._note_scheme()

        command.run = observed_run

    def patch_install(self, module):
        """Patches `pip._internal.req`, from which every part of pip takes the function to install:
        the command, and the builds whose requirements are installed in this process.
        """
        import inspect

        install = module.install_given_reqs
        parameters = inspect.signature(install)

        def install_if_allowed(*args, **kwargs):
            self._ask(parameters.bind(*args, **kwargs).arguments)
            return install(*args, **kwargs)

        module.install_given_reqs = install_if_allowed

    def _note_scheme(self):
        try:
            self._scheme = _install_scheme(self._options)
        except Exception:
            self._scheme = None  # pip's own failure is reported; a success without it is refused.

    def _ask(self, arguments):
        import types

        # Only the command itself has a home: that of a `--target`, which its options name.
        options = self._options
        if arguments.get("home") is None or options is None:
            options = types.SimpleNamespace(
                root_path=arguments.get("root"),
                prefix_path=arguments.get("prefix"),
                use_user_site=arguments.get("use_user_site"),
            )
        files = [(it.name, it.local_file_path) for it in arguments["requirements"]]
        wheels = [{"name": name, "path": path} for name, path in files if path]
        self._question.ask(_install_scheme(options), wheels)

    def noted_scheme(self, is_building):
        """Returns the scheme of this pip, or `None` if it neither installs nor locks."""
        if self._has_run:
            return self._scheme
        is_lock = not is_building and "pip._internal.commands.lock" in sys.modules
        return _default_scheme() if is_lock else None
