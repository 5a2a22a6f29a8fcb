"""The standby: one interpreter for everything that an install asks of pip (`standby.rs`).

It waits for orders, one line of JSON each. A pip that resolves is a fork of it, under the guard.
The last order makes this very process the pip that installs; it has run no pip before and is not
guarded.
"""


def _preload_pip():
    """Imports the modules that every `pip install` imports, so that the next fork has them.

    A `usercustomize` of the user's runs after this file and may change the imports; then they are
    left to pip.
    """
    import importlib.util

    if importlib.util.find_spec("usercustomize") is not None:
        return
    try:
        importlib.import_module("pip._internal.cli.main")
        importlib.import_module("pip._internal.commands.install")
    except Exception:
        pass  # The pip that is run next reports it.


class _Standby:
    """The process that waits: its socket for orders and answers, and the pipes of the output."""

    def __init__(self, numbers):
        import signal
        import socket

        self._control = socket.socket(fileno=numbers[0])
        self._orders = self._control.makefile("rb")
        self._pipes = numbers[1:]
        # The process that gives the orders handles these signals; this one ends when it ends.
        ignored = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
        self._handlers = [(number, signal.signal(number, signal.SIG_IGN)) for number in ignored]

    def serve(self):
        """Carries out orders. Returns in a process that is to be pip: `True` in a guarded fork,
        `False` in this process itself."""
        import json

        self._answer(os.getpid())
        is_preloaded = False
        while True:
            line = self._orders.readline()
            if not line:
                os._exit(0)
            order = json.loads(line)
            if not order["fork"]:
                self._close_pipes()
                self._become(order)
                return False
            child = os.fork()
            if child == 0:
                self._redirect_output(order["files"])
                self._become(order)
                return True
            if not order["files"]:
                self._close_pipes()
            if not is_preloaded:
                # While the fork runs; it is not held up.
                is_preloaded = True
                _preload_pip()
            self._answer(os.waitpid(child, 0)[1])

    def _answer(self, number):
        self._control.sendall(b"%d\n" % number)

    def _close_pipes(self):
        for pipe in self._pipes:
            os.close(pipe)
        self._pipes = []

    def _redirect_output(self, files):
        """Makes two files, or the pipes if there are none, standard output and standard error."""
        for number, path in zip((1, 2), files):
            file = os.open(bytes(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(file, number)
            os.close(file)
        if not files:
            for number, pipe in zip((1, 2), self._pipes):
                os.dup2(pipe, number)
        self._close_pipes()

    def _become(self, order):
        """Gives this process the signals, environment and command line of the ordered pip."""
        import signal

        for number, handler in self._handlers:
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        # After that, so that a signal which is sent to this process once it has answered is seen.
        self._answer(os.getpid())
        self._orders.close()
        self._control.close()
        for name in order["remove"]:
            os.environ.pop(name, None)
        for name, value in order["set"]:
            os.environb[bytes(name)] = bytes(value)
        sys.argv[1:] = [os.fsdecode(bytes(word)) for word in order["argv"]]
