"""The unpacking of source archives, which a pip that resolves wheels has no need of.

pip reads a wheel without unpacking it. It unpacks an archive to have its metadata built, also one
that the METADATA of an unverified wheel names by a URL. Python's own checks of an archive have had
faults by which it writes outside of its directory, so the refusal of the build backend would come
too late.
"""


class _Unpacking:
    """Patch that refuses to unpack an archive, and notes the refusal."""

    def __init__(self, notes):
        self._notes = notes

    def patch(self, module):
        """Replaces `unpack_file` in a module of pip that defines or imports it."""
        if hasattr(module, "unpack_file"):
            module.unpack_file = self._refuse

    def _refuse(self, filename, *_, **__):
        _refuse(self._notes, "pip.unpack", "unpack", ["unpack", _text(filename)])
