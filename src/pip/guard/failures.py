"""The exception that ended pip, if one did.

The reason of a failure is taken from the exception, since an index can choose the words that pip
prints.
"""


class _Failures:
    """Observes how the command of this pip ends."""

    def __init__(self):
        self._is_observing = False
        self._last = None

    def patch(self, module):
        """Patches the commands of `pip._internal.cli.base_command`."""
        set_up_logging = getattr(module, "setup_logging", None)
        command = module.Command
        main = getattr(command, "_main", None)
        if set_up_logging is None or main is None:
            return  # A pip with other internals reports no cause of its failures.
        failures = self

        def setup_logging(*args, **kwargs):
            # With a log, pip leaves the output of builds to it and prints less on the terminal.
            if kwargs.get("user_log_file") == os.devnull:
                kwargs["user_log_file"] = None
            return set_up_logging(*args, **kwargs)

        def _main(self, args):
            run = self.run

            def observed_run(*args, **kwargs):
                try:
                    return run(*args, **kwargs)
                except _Resolved:
                    return 0
                except BaseException as error:
                    failures._record(error)
                    raise

            self.run = observed_run
            failures._is_observing = True
            return main(self, args)

        module.setup_logging, command._main = setup_logging, _main

    def _record(self, error):
        """Records the classes of an exception, and how pip judged a link that it did not use."""
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        # Where an entry of a lock is not usable, `result` is a `LinkType` of pip.
        result = None if place is None else place.tb_frame.f_locals.get("result")
        link = getattr(result, "name", None)
        classes = [kind.__name__ for kind in type(error).__mro__]
        self._last = {"classes": classes, "link": link if isinstance(link, str) else None}

    def noted(self):
        """Returns the two entries of the facts."""
        return {"attended": self._is_observing, "failure": self._last}
