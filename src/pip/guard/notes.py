"""The guard of pypi-verify-now, loaded as `sitecustomize` by the Python that runs a resolving pip.

`mod.rs` joins the files of this folder into one module, in the order that it states. The module

1. refuses what would run or take code before that code has a verdict (`starts.py`, `keyring.py`,
   `origins.py`, `stated_names.py`, `building.py`, armed by `audit_hook.py`),
2. keeps a `pip lock` from writing its lock before the verdicts (`kept_lock.py`), and has a `pip
   download` or `pip wheel` resolve only (`kept_report.py`),
3. notes facts about this pip and its environment (`observed_imports.py`, `credentials.py`,
   `failures.py`, `scheme.py`, `target.py`, `network.py`, `installing.py`, `facts.py`),
4. leads a pip that resolves to the gateway alone (`index_lines.py`),
5. can keep one interpreter waiting for orders, so that Python starts once (`standby.py`).

pip behaves in everything else as it would alone, except that it writes no log to `os.devnull`.

All names begin with an underscore and the state lies in objects that only the audit hook and the
patched functions of pip can reach. The syntax is that of Python 3.7, the oldest that pip 22.2 runs
on. Modules other than `os` and `sys`, which `site` has imported by now, are imported where they are
needed: this file is also loaded by Pythons that have nothing to do with pip.
"""

import os
import sys


class _Notes:
    """The directory in which this process leaves its notes: one JSON file each."""

    def __init__(self, directory):
        self._directory = directory

    def write(self, kind, value):
        """Writes `KIND-PID-RANDOM.json`. A dot before the name marks a note that is unfinished."""
        import json

        name = "%s-%d-%s.json" % (kind, os.getpid(), os.urandom(4).hex())
        partial = os.path.join(self._directory, "." + name)
        with open(partial, "w", encoding="utf-8", errors="surrogateescape") as f:
            json.dump(value, f)
        os.rename(partial, os.path.join(self._directory, name))
