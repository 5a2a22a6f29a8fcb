"""The credentials that pip used for its indexes.

Only pip can ask the user and the keyring for them; our own requests to the same indexes reuse them.
"""


class _Credentials:
    """Remembers pip's authentication handlers, whose credentials are noted at the end."""

    def __init__(self):
        self._handlers = []

    def patch(self, module):
        """Patches `MultiDomainBasicAuth` of `pip._internal.network.auth`."""
        handler_class = module.MultiDomainBasicAuth
        init = handler_class.__init__
        handlers = self._handlers

        def __init__(self, *args, **kwargs):
            init(self, *args, **kwargs)
            handlers.append(self)

        handler_class.__init__ = __init__

    def noted(self):
        """Returns the complete credentials, as `Login` in `http/settings.rs` reads them."""
        logins = []
        for handler in self._handlers:
            for place, login in getattr(handler, "passwords", {}).items():
                if None in login:
                    continue  # pip has asked the index without credentials.
                user, password = login
                logins.append({"place": place, "user": user, "password": password})
        return logins
