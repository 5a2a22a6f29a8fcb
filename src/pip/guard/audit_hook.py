"""The audit hook (PEP 578) that puts the rules into force.

Python offers no way to remove a hook again.
"""


class _AuditHook:
    """Hands the interpreter's audit events to the rules, once it is known to receive them."""

    def __init__(self, policy, kept_lock):
        self._policy = policy
        self._kept_lock = kept_lock
        self._is_armed = False

    def see(self, event, args):
        """Called by the interpreter before each audited act; an exception prevents the act."""
        if not self._is_armed:
            if event in _START_EVENTS:
                raise _Unverified()
            return
        if self._kept_lock is not None:
            self._kept_lock.check(event, args)
        self._policy.check(event, args)

    def arm(self, notes):
        """Adds the hook. Ends the process if the interpreter does not call it.

        PEP 578 lets an interpreter leave events out, and without events there is no guard. Two
        starts are tried, one raised by Python code and one by C code; both must be stopped.
        """
        import subprocess

        sys.addaudithook(self.see)
        for start in (lambda: subprocess.Popen([""]), lambda: os.system("")):
            try:
                start()
            except _Unverified:
                continue
            except OSError:
                pass
            notes.write("deaf", {})
            sys.stderr.write("this interpreter cannot be guarded\n")
            sys.stderr.flush()
            os._exit(69)
        self._is_armed = True
