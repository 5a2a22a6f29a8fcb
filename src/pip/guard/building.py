"""The rules for a pip that builds: it may take and build from the allowed origins only.

The rules apply to pip's own process. The build backends that it starts are free in what they do:
their files have been verified before.
"""


def _requirements_at_hand():
    """Yields the requirements that pip is at work on, the innermost first.

    pip does nothing for a requirement except in calls that have it among their local variables.
    """
    frame = sys._getframe()
    while frame is not None:
        for value in list(frame.f_locals.values()):
            if type(value).__name__ == "InstallRequirement":
                yield value
        frame = frame.f_back


class _BuildingPolicy:
    """Checks each file that pip takes, each connection, and each process it starts to build."""

    def __init__(self, notes, keyring_calls, stated):
        self._notes = notes
        self._keyring_calls = keyring_calls
        self._origins = _Origins(stated)
        self._recorded = frozenset(stated.get("recorded", ()))

    def check(self, event, args):
        """Raises `_Unverified` if the act that an audit event announces is not allowed."""
        if "pip._internal" not in sys.modules:
            return  # A build backend.
        if event == "tempfile.mkdtemp":
            # pip makes one directly before it unpacks or builds.
            self._check_origins_at_hand(event)
            self._origins.add_directory_of_pip(args[0])
        elif event == "open" and _text(args[0]).endswith(".whl"):
            # Taken without a directory and without a process of its own.
            self._check_origins_at_hand(event)
        elif event == "socket.getaddrinfo":
            self._check_connection(event, _text(args[0] or ""), _text(args[1]))
        elif event == "subprocess.Popen":
            program, words = _popen_command(args)
            if not (_is_allowed_start(program, words) or self._keyring_calls.has_started()):
                self._check_build(event, program, words, args[2])

    def _check_origins_at_hand(self, event):
        """Refuses a requirement at hand whose URL is neither judged, nor named, nor pip's own.

        This holds for all files, not only for those that are built: a wheel that a build requires
        is imported by the build, which needs no process that the guard could see.
        """
        for requirement in _requirements_at_hand():
            url = _url_of(requirement)
            if url is None or self._origins.is_judged(url):
                continue
            if self._origins.is_named(requirement):
                self._check_record(event, [str(getattr(requirement, "name", None) or "")], url)
            elif not self._origins.is_made_by_pip(url):
                _refuse(self._notes, event, "", ["take", url])

    def _check_connection(self, event, host, port):
        """Refuses an address that is not the gateway's, unless for a URL that the user named."""
        self._check_origins_at_hand(event)
        requirement = next(_requirements_at_hand(), None)
        if not self._origins.is_gateway(host, port) and (
            requirement is None or not self._origins.is_named(requirement)
        ):
            _refuse(self._notes, event, "", ["connect", host])

    def _check_build(self, event, program, words, cwd):
        """Refuses a process that is started for a requirement of another origin."""
        requirement = next(_requirements_at_hand(), None)
        url = _url_of(requirement)
        if requirement is None:
            # pip asks a version control system about a repository before it has a requirement.
            if not self._origins.may_start_vcs(program):
                _refuse(self._notes, event, program, words, cwd)
        elif url is None:
            _refuse(self._notes, event, program, words, cwd)
        elif not self._origins.is_judged(url):
            if not self._origins.is_named(requirement):
                _refuse(self._notes, event, program, words, cwd)
            has_source = getattr(requirement, "source_dir", None)
            directory = has_source and requirement.unpacked_source_directory
            self._check_record(event, _stated_names(directory) if directory else (), url)

    def _check_record(self, event, names, url):
        """Refuses an origin that the user named for a project on record.

        A project with a publisher on record comes with an attestation or not at all; a URL has
        none.
        """
        for name in names:
            project = _normalized(name)
            if project in self._recorded:
                words = ["build", name]
                _refuse(self._notes, event, "", words, recorded=project, place=url)
