"""The origins that a building pip may take files from: a model of `Origins` in `mod.rs`."""

_VCS_PROGRAMS = frozenset(("git", "hg", "svn", "bzr"))


def _split_url(url):
    """Returns scheme, host without credentials, unquoted path and query of a URL."""
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(url.split("#")[0])
    host = parts.netloc.rpartition("@")[2]
    return parts.scheme.lower(), host, unquote(parts.path), parts.query


def _is_within(url, directories):
    """Tells whether a URL is that of a file below one of these directories."""
    scheme, _, path, _ = _split_url(url)
    # Only its directory is resolved: the file may be a link to one of the user's own files.
    directory = os.path.realpath(os.path.dirname(path)) + os.sep
    return scheme == "file" and any(directory.startswith(it + os.sep) for it in directories)


def _url_of(requirement):
    """Returns the URL that pip takes a requirement from, or `None`."""
    link = getattr(requirement, "original_link", None) or getattr(requirement, "link", None)
    return None if link is None else link.url


class _Origins:
    """Origins in three grades: judged by the gateway, named by the user, made by this pip."""

    def __init__(self, stated):
        self._start = os.getcwd()
        self._gateways = {_split_url(url)[1] for url in stated.get("indexes", ())}
        self._indexes = [url.rstrip("/") + "/" for url in stated.get("indexes", ())]
        self._run_directories = [os.path.realpath(it) for it in stated.get("directories", ())]
        self._named = {self._location(url) for url in stated.get("places", ())}
        self._has_named_vcs = any(
            isinstance(it, tuple) and it[0].split("+")[0] in _VCS_PROGRAMS for it in self._named
        )
        # pip's own builds lie in the cache of the run, or in directories that pip makes itself.
        self._pip_directories = [os.path.realpath(os.environ.get("PIP_CACHE_DIR", os.devnull))]

    def _location(self, url):
        """Returns one spelling for all URLs of an origin: a real path, or a tuple without
        credentials."""
        scheme, host, path, query = _split_url(url)
        if scheme == "file":
            return os.path.realpath(os.path.join(self._start, path))
        return (scheme, host, path, query)

    def is_gateway(self, host, port):
        """Tells whether an address is that of the gateway."""
        return "%s:%s" % (host, port) in self._gateways

    def is_judged(self, url):
        """Tells whether a file has its verdict: the gateway serves it, or this run put it there."""
        return any(url.startswith(index) for index in self._indexes) or _is_within(
            url, self._run_directories
        )

    def is_named(self, requirement):
        """Tells whether the user named a requirement's URL, or the project that asks for it."""
        url = _url_of(requirement)
        if url is None:
            return False
        if self._location(url) in self._named:
            return True
        # A URL in the dependencies of the user's own project (a directory, not an archive, which
        # could be somebody else's) counts as named by the user.
        parent = _url_of(getattr(requirement, "comes_from", None))
        directory = None if parent is None else self._location(parent)
        is_path = isinstance(directory, str)
        return is_path and directory in self._named and os.path.isdir(directory)

    def is_made_by_pip(self, url):
        """Tells whether a file lies in a directory that this pip made for itself."""
        return _is_within(url, self._pip_directories)

    def add_directory_of_pip(self, path):
        """Records a temporary directory that pip makes."""
        self._pip_directories.append(os.path.realpath(path))

    def may_start_vcs(self, program):
        """Tells whether a program is a version control system and the user named a repository."""
        return self._has_named_vcs and os.path.basename(program) in _VCS_PROGRAMS
