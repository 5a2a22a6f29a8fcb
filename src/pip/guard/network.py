"""The network of a pip: values of its own that its configuration does not list, as `Network` in
`network.rs` reads them."""


def _truststore(cmdoptions):
    """Returns when this pip asks the system for certificates, or `None` for never."""
    if sys.version_info < (3, 10):
        return None
    if "legacy-certs" in cmdoptions.use_deprecated_feature().choices:
        return "default"
    if "truststore" in cmdoptions.use_new_feature().choices:
        return "feature"
    return None


def _openssl_places():
    """Returns the file and the directories from which OpenSSL reads certificates by default.

    truststore has it read them, but asks the system itself on a Mac.
    """
    if sys.platform == "darwin":
        return []
    import _ssl

    file_variable, file, directory_variable, directory = _ssl.get_default_verify_paths()
    places = [os.environ.get(file_variable, file)]
    places += os.environ.get(directory_variable, directory).split(os.pathsep)
    return [list(os.fsencode(place)) for place in places if os.path.exists(place)]


def _noted_network():
    """Returns the values, or `None` if no one has asked for them or this pip does not tell."""
    if not os.environ.get("PYPI_VERIFY_NOW_GUARD_TARGET"):
        return None
    try:
        from pip._internal.cli import cmdoptions
        from pip._vendor import certifi

        # pip 25.1 introduced the option.
        resume_retries = getattr(cmdoptions, "resume_retries", None)
        return {
            # A distribution may have put the path of the system's bundle there.
            "certifi": list(os.fsencode(certifi.where())),
            "truststore": _truststore(cmdoptions),
            "openssl": _openssl_places(),
            "resume_retries": resume_retries().default if resume_retries else None,
        }
    except Exception:
        return None
