"""The kept lock: a `pip lock` of the user's writes to our file, and not to the file it names.

The lock gets to its place after every entry has its verdict; `resolve.rs` reads our file.
"""


class _KeptLock:
    """Diverts the lock that pip writes, and refuses to let pip write it in any other way."""

    _MODULE = "pip._internal.commands.lock"

    def __init__(self, path, notes):
        self._path = path
        self._notes = notes

    def divert(self):
        """Patches `Path.write_text`, by which pip's module writes the lock at its very end."""
        import json
        import pathlib

        write = pathlib.Path.write_text
        kept, module = self._path, self._MODULE

        def write_text(self, data, *args, **kwargs):
            if sys._getframe(1).f_globals.get("__name__") != module:
                return write(self, data, *args, **kwargs)
            # A path may be no UTF-8, so its bytes are noted.
            place = os.fsencode(os.path.join(os.getcwd(), self))
            with open(kept, "w", encoding="utf-8") as f:
                json.dump({"place": list(place), "text": data}, f)
            return len(data)

        pathlib.Path.write_text = write_text

    def check(self, event, args):
        """Refuses a file that is opened for writing by the module which writes locks.

        Must be called by the audit hook directly: frame 0 is this function, 1 the hook, and 2 the
        caller of `open`. The search ends at a frame of this file (the note or the kept lock is
        written) and at any other module of pip (its cache, its downloads).
        """
        if event != "open" or not set(str(args[1])) & set("wax+"):
            return
        frame = sys._getframe(2)
        while frame is not None and frame.f_globals is not globals():
            name = str(frame.f_globals.get("__name__"))
            if name == self._MODULE:
                _refuse(self._notes, "open", "", ["write", _text(args[0])])
            if name.startswith("pip."):
                return
            frame = frame.f_back
