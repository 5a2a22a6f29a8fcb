"""Loaded by the interpreter that runs pip while it resolves, as `sitecustomize`.

It keeps pip from what would get around a verdict: while only wheels are resolved it refuses to
start processes, so that no build backend and no `setup.py` runs; while sources are built it refuses
to take or build anything but what the gateway handed over, what lies in this run's own directories,
and what the user named by its place, or the user's own project by its. It writes down, when pip is
done, what pip and which environment that was, what that pip's defaults are, as whom its indexes
knew it and which exception ended it. It keeps back the lock that a `pip lock` writes, until
everything in it has its verdict. And it can have one interpreter wait for orders (`_stand_by`), so
that Python starts once. Nothing else of pip's own behaviour is touched, but that a log that nobody
keeps is not written.
"""

import sys


def _ours():
    # The directory of notes; nothing where this process is not to be guarded. Children that pip may
    # start itself (`pip --python X`) are guarded too: PYTHONPATH stays in the environment, but this
    # process goes on with the path the user gave it.
    import os

    here = os.path.dirname(os.path.abspath(__file__))
    out = os.environ.get("PYPI_VERIFY_NOW_GUARD")
    if out:
        sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != here]
    return out


def _guard(out):
    import atexit
    import importlib.machinery
    import json
    import os
    import subprocess
    import threading

    def note(kind, value):
        name = "%s-%d-%s.json" % (kind, os.getpid(), os.urandom(4).hex())
        partial = os.path.join(out, "." + name)
        with open(partial, "w", encoding="utf-8", errors="surrogateescape") as f:
            json.dump(value, f)
        os.rename(partial, os.path.join(out, name))

    class Unverified(PermissionError):
        pass

    def text(value):
        return os.fsdecode(value) if isinstance(value, (bytes, os.PathLike)) else str(value)

    def allowed(program, words):
        # `pip --python X` starts itself again under X, with the very same arguments.
        if len(words) > 2 and words[2:] == sys.argv[1:]:
            if os.path.basename(words[1]) in ("__pip-runner__.py", "pip", "__main__.py"):
                return True
        # The user's own credential helper, and how packaging tells musl from glibc.
        name = os.path.basename(program)
        return name == "keyring" or (name.startswith("ld-musl-") and len(words) == 1)

    # Asked by pip for its User-Agent; it does without them, so a refusal of these is no news.
    harmless = {"lsb_release", "uname", "rustc"}
    starts = {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "os.system",
        "subprocess.Popen",
    }
    armed = []
    # An allowed Popen may go on to `os.posix_spawn` the same program (CPython 3.13).
    granted = {}

    # In a pass that builds: the gateway's indexes, this run's directories of files, the places that
    # the user named, and the projects on record. None in a pass that does not build.
    building = os.environ.get("PYPI_VERIFY_NOW_GUARD_BUILDING")
    may = json.loads(building) if building is not None else {}
    start = os.getcwd()

    def split(url):
        from urllib.parse import unquote, urlsplit

        parts = urlsplit(url.split("#")[0])
        host = parts.netloc.rpartition("@")[2]
        return parts.scheme.lower(), host, unquote(parts.path), parts.query

    def place(url):
        # The same place in one spelling: a path as it is on the disk, a URL without credentials.
        scheme, host, path, query = split(url)
        if scheme == "file":
            return os.path.realpath(os.path.join(start, path))
        return (scheme, host, path, query)

    gateways = {split(url)[1] for url in may.get("indexes", ())}
    indexes = [url.rstrip("/") + "/" for url in may.get("indexes", ())]
    named = {place(url) for url in may.get("places", ())}
    recorded = frozenset(may.get("recorded", ()))
    vcs = {"git", "hg", "svn", "bzr"}
    by_vcs = any(isinstance(it, tuple) and it[0].split("+")[0] in vcs for it in named)
    # What this very pip builds lies in the run's cache, or in directories that it makes itself.
    ours = [os.path.realpath(path) for path in may.get("directories", ())]
    made = [os.path.realpath(os.environ.get("PIP_CACHE_DIR", os.devnull))]

    def is_within(url, directories):
        scheme, _, path, _ = split(url)
        # The file itself is not resolved: it may be a link to one of the user's own files.
        directory = os.path.realpath(os.path.dirname(path)) + os.sep
        return scheme == "file" and any(directory.startswith(it + os.sep) for it in directories)

    def url_of(requirement):
        link = getattr(requirement, "original_link", None) or getattr(requirement, "link", None)
        return None if link is None else link.url

    def is_judged(url):
        return any(url.startswith(index) for index in indexes) or is_within(url, ours)

    def is_named(requirement):
        url = url_of(requirement)
        if url is None:
            return False
        if place(url) in named:
            return True
        # What the user's own project names by its place is the user's word too.
        parent = url_of(getattr(requirement, "comes_from", None))
        where = None if parent is None else place(parent)
        return isinstance(where, str) and where in named and os.path.isdir(where)

    def requirements_at_hand():
        # pip does nothing for a requirement but within calls that have it at hand.
        frame = sys._getframe()
        while frame is not None:
            for value in list(frame.f_locals.values()):
                if type(value).__name__ == "InstallRequirement":
                    yield value
            frame = frame.f_back

    def stop(event, program, words, cwd=None, **more):
        if os.path.basename(program) not in harmless:
            what = {"event": event, "words": words, "cwd": text(cwd or os.getcwd())}
            note("blocked", dict(what, **more))
        raise Unverified("not run before it is verified: " + (" ".join(words) or event))

    def normal(name):
        import re

        return re.sub(r"[-_.]+", "-", name).strip().lower()

    def stop_recorded(event, names, url):
        for name in names:
            if normal(name) in recorded:
                stop(event, "", ["build", name], recorded=normal(name), place=url)

    def stop_unjudged(event):
        # Whatever has a place must have been judged, and not only what is built: a wheel that a
        # build requires is imported without any process of pip's own.
        for it in requirements_at_hand():
            url = url_of(it)
            if url is None or is_judged(url):
                continue
            if is_named(it):
                stop_recorded(event, [str(getattr(it, "name", None) or "")], url)
            elif not is_within(url, made):
                stop(event, "", ["take", url])

    def stated_names(directory):
        # What the project's files say without being run. Whoever says nothing here, or something
        # else than the build does, is found out once it is built.
        import ast
        import configparser

        def read(name):
            try:
                with open(os.path.join(directory, name), encoding="utf-8") as f:
                    return f.read(1 << 20)
            except (OSError, ValueError):
                return ""

        for line in read("PKG-INFO").partition("\n\n")[0].splitlines():
            if line.lower().startswith("name:"):
                yield line[len("name:") :].strip()
        try:
            try:
                from tomllib import loads
            except ImportError:
                from pip._vendor.tomli import loads
            project = loads(read("pyproject.toml"))
            for table in (project.get("project"), project.get("tool", {}).get("poetry")):
                if isinstance(table, dict):
                    yield str(table.get("name", ""))
        except Exception:
            pass  # No TOML: pip will say so.
        try:
            config = configparser.ConfigParser(interpolation=None)
            config.read_string(read("setup.cfg"))
            yield config.get("metadata", "name", fallback="")
        except Exception:
            pass
        try:
            for call in ast.walk(ast.parse(read("setup.py"))):
                for word in call.keywords if isinstance(call, ast.Call) else ():
                    if word.arg == "name" and isinstance(word.value, ast.Constant):
                        yield str(word.value.value)
        except Exception:
            pass

    def stop_build(event, program, words, cwd):
        it = next(requirements_at_hand(), None)
        url = url_of(it)
        if it is None:
            # But for version control, which pip asks about a place before it has it at hand.
            if not by_vcs or os.path.basename(program) not in vcs:
                stop(event, program, words, cwd)
        elif url is None or not (is_judged(url) or is_named(it)):
            stop(event, program, words, cwd)
        elif not is_judged(url):
            directory = getattr(it, "source_dir", None) and it.unpacked_source_directory
            stop_recorded(event, stated_names(directory) if directory else (), url)

    def while_building(event, args):
        # Build backends are no pip: their files have been verified, and what they do is theirs.
        if "pip._internal" not in sys.modules:
            return
        if event == "tempfile.mkdtemp":
            stop_unjudged(event)
            made.append(os.path.realpath(args[0]))
        elif event == "open" and text(args[0]).endswith(".whl"):
            stop_unjudged(event)
        elif event == "socket.getaddrinfo":
            host, port = text(args[0] or ""), text(args[1])
            stop_unjudged(event)
            it = next(requirements_at_hand(), None)
            if "%s:%s" % (host, port) not in gateways and (it is None or not is_named(it)):
                stop(event, "", ["connect", host])
        elif event == "subprocess.Popen":
            argv = args[1] if isinstance(args[1], (list, tuple)) else [args[1]]
            program, words = text(args[0] or argv[0]), [text(a) for a in argv]
            if not allowed(program, words):
                stop_build(event, program, words, args[2])

    # The file that a `pip lock` writes to in place of the one that the user wants.
    kept = os.environ.get("PYPI_VERIFY_NOW_GUARD_LOCK")
    locking = "pip._internal.commands.lock"

    def keep_lock():
        # pip writes it by this method, from that module, at the very end.
        import pathlib

        write = pathlib.Path.write_text

        def write_text(self, data, *args, **kwargs):
            if sys._getframe(1).f_globals.get("__name__") != locking:
                return write(self, data, *args, **kwargs)
            place = os.fsencode(os.path.join(os.getcwd(), self))
            with open(kept, "w", encoding="utf-8") as f:
                json.dump({"place": list(place), "text": data}, f)
            return len(data)

        pathlib.Path.write_text = write_text

    def stop_own_writing(path):
        # A pip that writes it by itself in another way must not.
        frame = sys._getframe(2)
        while frame is not None and frame.f_globals is not globals():
            name = str(frame.f_globals.get("__name__"))
            if name == locking:
                stop("open", "", ["write", text(path)])
            if name.startswith("pip."):
                return
            frame = frame.f_back

    def hook(event, args):
        if not armed:
            if event in starts:
                raise Unverified()
            return
        if kept and event == "open" and set(str(args[1])) & set("wax+"):
            stop_own_writing(args[0])
        if building is not None:
            return while_building(event, args)
        if event not in starts:
            return
        thread = threading.get_ident()
        program, words, cwd = "", [], None
        if event == "subprocess.Popen":
            argv = args[1] if isinstance(args[1], (list, tuple)) else [args[1]]
            words = [text(a) for a in argv]
            program, cwd = text(args[0] or words[0]), args[2]
            if allowed(program, words):
                granted[thread] = program
                return
        elif event == "os.posix_spawn":
            program, words = text(args[0]), [text(a) for a in args[1]]
            if granted.pop(thread, None) == program:
                return
        stop(event, program, words, cwd)

    sys.addaudithook(hook)
    # An interpreter whose audit events do not reach the hook (PEP 578 leaves that to it) must not
    # go on: without events there is no guard.
    for attempt in (lambda: subprocess.Popen([""]), lambda: os.system("")):
        try:
            attempt()
        except Unverified:
            continue
        except OSError:
            pass
        note("deaf", {})
        sys.stderr.write("this interpreter cannot be guarded\n")
        sys.stderr.flush()
        os._exit(69)
    armed.append(True)
    if kept:
        keep_lock()

    # The credentials that pip obtained from the user or a keyring: only pip can ask for them.
    sessions = []

    def remember(module):
        kept = module.MultiDomainBasicAuth
        init = kept.__init__

        def remembered(self, *args, **kwargs):
            init(self, *args, **kwargs)
            sessions.append(self)

        kept.__init__ = remembered

    # Why pip failed, if it did: what it prints, others have a say in.
    attended = []
    failures = []

    def failed(error):
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        # How pip judged the link of a lock, where it was not to its liking.
        result = None if place is None else place.tb_frame.f_locals.get("result")
        link = getattr(result, "name", None)
        classes = [kind.__name__ for kind in type(error).__mro__]
        failures.append({"classes": classes, "link": link if isinstance(link, str) else None})

    def attend(module):
        set_up, command = getattr(module, "setup_logging", None), module.Command
        main = getattr(command, "_main", None)
        if set_up is None or main is None:
            return  # A pip that is built otherwise tells less.

        def setup_logging(*args, **kwargs):
            # With a log, pip says less on the terminal: it leaves the output of builds to the log.
            if kwargs.get("user_log_file") == os.devnull:
                kwargs["user_log_file"] = None
            return set_up(*args, **kwargs)

        def _main(self, args):
            run = self.run

            def noted(*args, **kwargs):
                try:
                    return run(*args, **kwargs)
                except BaseException as error:
                    failed(error)
                    raise

            self.run = noted
            attended.append(self)
            return main(self, args)

        module.setup_logging, command._main = setup_logging, _main

    # The scheme that pip installs by, and the wheels that it is about to install.
    schemes = []

    def full(path):
        # Notes are text; bytes that are none are replaced, as whoever reads them does.
        return os.fsencode(os.path.abspath(path)).decode("utf-8", "replace")

    def scheme(options):
        import sysconfig

        import pip
        from pip._internal.locations import get_scheme

        def option(name):
            return getattr(options, name, None)

        keys = ("purelib", "platlib", "headers", "scripts", "data")
        target = option("target_dir")
        found = get_scheme(
            "{name}",
            user=bool(option("use_user_site")),
            # Where pip installs before it moves everything to the target.
            home=os.path.abspath(target) if target else None,
            root=option("root_path"),
            isolated=bool(option("isolated_mode")),
            prefix=option("prefix_path"),
        )
        paths = {key: full(getattr(found, key)) for key in keys}
        if target:
            # pip moves what is in these directories, and not the directories.
            paths.update(purelib=full(target), platlib=full(target))
        library = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
        library.update(path for path in sys.path if path.endswith(".zip"))
        programs = {sys.executable, getattr(sys, "_base_executable", None)}
        return dict(
            paths,
            library_in_data=os.path.relpath(found.purelib, found.data) if target else "",
            replaces=bool(target and option("upgrade")),
            configuration=sorted(full(path) for path in configuration_files()),
            library=sorted(full(path) for path in library if path),
            interpreters=sorted(full(path) for path in programs if path),
            pip=full(os.path.dirname(pip.__file__)),
        )

    def configuration_files():
        from pip._internal.configuration import get_configuration_files

        return [path for paths in get_configuration_files().values() for path in paths]

    def ask(options, wheels):
        # Whoever started this pip looks into the wheels, the built ones too, before any of them is
        # unpacked.
        import socket

        port, secret = asking.split(",")
        question = {"scheme": scheme(options), "wheels": wheels}
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
            connection.connect(("127.0.0.1", int(port)))
            connection.sendall(("%s\n%s\n" % (secret, json.dumps(question))).encode())
            answer = connection.makefile("rb").readline()
        if answer != b"install\n":
            from pip._internal.exceptions import InstallationError

            raise InstallationError("pypi-verify-now does not let these wheels be installed")

    # The address of who is asked before something is installed. Empty in a run that only resolves.
    asking = os.environ.get("PYPI_VERIFY_NOW_GUARD_ASKING", "")

    # The options of the command that runs.
    commands = []

    def see_command(module):
        command = module.InstallCommand
        run = command.run

        def seen(self, options, args):
            # pip decides in its run whether the user's own directories are meant.
            commands.append(options)
            try:
                return run(self, options, args)
            finally:
                try:
                    schemes.append(scheme(options))
                except Exception:
                    schemes.append(None)  # What pip ends with is told; a success needs a scheme.

        command.run = seen

    def see_installing(module):
        # Every way of pip to install: the command's own, and that of build requirements within
        # this process.
        import inspect

        install = module.install_given_reqs
        parameters = inspect.signature(install)

        class Within:
            """The options of an install that is not the command's."""

            def __init__(self, root, prefix, use_user_site):
                self.root_path, self.prefix_path = root, prefix
                self.use_user_site = use_user_site

        def asked(*args, **kwargs):
            bound = parameters.bind(*args, **kwargs).arguments
            if bound.get("home") is not None and commands:
                options = commands[-1]
            else:
                keys = ("root", "prefix", "use_user_site")
                options = Within(*(bound.get(key) for key in keys))
            files = [(it.name, it.local_file_path) for it in bound["requirements"]]
            wheels = [{"name": name, "path": path} for name, path in files if path]
            ask(options, wheels)
            return install(*args, **kwargs)

        module.install_given_reqs = asked

    watched = {}

    class Watch:
        """Sees modules of pip when pip imports them."""

        @staticmethod
        def find_spec(name, path=None, target=None):
            see = watched.pop(name, None)
            if see is None:
                return None
            spec = importlib.machinery.PathFinder.find_spec(name, path, target)
            run = getattr(getattr(spec, "loader", None), "exec_module", None)
            if run is None:
                return None

            def exec_module(module):
                run(module)
                see(module)

            spec.loader.exec_module = exec_module
            return spec

    def watch(name, see):
        if name in sys.modules:
            see(sys.modules[name])
            return
        if not watched:
            sys.meta_path.insert(0, Watch)
        watched[name] = see

    if building is None:
        watch("pip._internal.network.auth", remember)
    watch("pip._internal.cli.base_command", attend)
    watch("pip._internal.commands.install", see_command)
    if asking:
        watch("pip._internal.req", see_installing)

    def scheme_of_lock():
        # `pip lock` has no option that says where to install, and tells as `pip install` would.
        from pip._internal.commands import install

        class Options:
            use_user_site = install.decide_user_install(None)

        return scheme(Options)

    def logins():
        known = [it for auth in sessions for it in getattr(auth, "passwords", {}).items()]
        whole = [(place, *it) for place, it in known if None not in it]
        return [{"place": p, "user": u, "password": w} for p, u, w in whole]

    def facts():
        pip = sys.modules.get("pip")
        if building is not None and pip is None:
            return
        locations = sys.modules.get("pip._internal.locations")
        try:
            from pip._internal.models.index import PyPI

            index = PyPI.simple_url
        except Exception:
            index = None
        try:
            from pip._internal.commands import commands_dict

            commands = sorted(commands_dict)
        except Exception:
            commands = None
        installed = []
        for place in sys.path:
            try:
                names = os.listdir(place or ".")
            except OSError:
                continue
            endings = (".dist-info", ".egg-info", ".egg-link", ".egg")
            installed += [n for n in names if n.endswith(endings)]
        note(
            "facts",
            {
                "pip": getattr(pip, "__version__", None),
                "python": "%d.%d" % sys.version_info[:2],
                "executable": sys.executable,
                "restarted": "_PIP_RUNNING_IN_SUBPROCESS" in os.environ,
                "cache": getattr(locations, "USER_CACHE_DIR", None),
                "index": index,
                "commands": commands,
                "installed": installed,
                "logins": logins(),
                "scheme": told_scheme(),
                "attended": bool(attended),
                "failure": failures[-1] if failures else None,
            },
        )

    def told_scheme():
        if schemes:
            return schemes[-1]
        is_lock = building is None and "pip._internal.commands.lock" in sys.modules
        return scheme_of_lock() if is_lock else None

    atexit.register(facts)


def _next():
    # The environment's own `sitecustomize`, which this module hides, is run as if it did not.
    import importlib.machinery
    import os

    here = os.path.dirname(os.path.abspath(__file__))
    path = [p for p in sys.path if os.path.abspath(p or ".") != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        import importlib.util

        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # as `site` treats it: reported, never fatal
            sys.stderr.write("Error in sitecustomize: %s\n" % error)


def _preload():
    # What every pip that installs imports anyway. Nobody's customisation may come too late for it.
    import importlib.util

    if importlib.util.find_spec("usercustomize") is not None:
        return
    try:
        import pip._internal.cli.main
        import pip._internal.commands.install
    except Exception:
        pass  # the pip that follows says it in its own words


def _stand_by(numbers):
    """One interpreter for all that is asked of pip, so that it starts once.

    It waits for orders. What resolves is a fork under the guard; the last order makes this very
    process the pip that installs, which has run nothing before and is not guarded.
    """
    import json
    import os
    import signal
    import socket

    control, streams = socket.socket(fileno=numbers[0]), numbers[1:]
    orders = control.makefile("rb")
    # Whoever gives the orders is told of signals; this process ends when they end.
    ending = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]
    handlers = [(number, signal.signal(number, signal.SIG_IGN)) for number in ending]

    def say(number):
        control.sendall(b"%d\n" % number)

    def go_on(order):
        for number, handler in handlers:
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        # Only now: from here on a signal is not lost.
        say(os.getpid())
        orders.close()
        control.close()
        for name in order["remove"]:
            os.environ.pop(name, None)
        for name, value in order["set"]:
            os.environb[bytes(name)] = bytes(value)
        sys.argv[1:] = [os.fsdecode(bytes(word)) for word in order["argv"]]
        return order["fork"]

    say(os.getpid())
    preloaded = False
    while True:
        line = orders.readline()
        if not line:
            os._exit(0)
        order = json.loads(line)
        if not order["fork"]:
            for stream in streams:
                os.close(stream)
            return go_on(order)
        child = os.fork()
        if child == 0:
            for number, path in zip((1, 2), order["files"]):
                kept = os.open(bytes(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                os.dup2(kept, number)
                os.close(kept)
            if not order["files"]:
                for number, stream in zip((1, 2), streams):
                    os.dup2(stream, number)
            for stream in streams:
                os.close(stream)
            return go_on(order)
        if not order["files"]:
            for stream in streams:
                os.close(stream)
            streams = []
        if not preloaded:
            preloaded = True
            _preload()
        say(os.waitpid(child, 0)[1])


def _leave_no_bytecode():
    # Beside this file it goes with the file; but the user may have a place for all byte code.
    import os

    prefix, cached = getattr(sys, "pycache_prefix", None), getattr(__spec__, "cached", None)
    if not prefix or not cached:
        return
    prefix, cached = os.path.abspath(prefix), os.path.abspath(cached)
    try:
        os.remove(cached)
        directory = os.path.dirname(cached)
        while directory.startswith(prefix + os.sep):
            os.rmdir(directory)
            directory = os.path.dirname(directory)
    except OSError:
        pass  # somebody else's byte code lies there


def _begin():
    import os

    _leave_no_bytecode()
    out = _ours()
    numbers = os.environ.pop("PYPI_VERIFY_NOW_STANDBY", None)
    if out and numbers:
        _next()
        if _stand_by([int(number) for number in numbers.split(",")]):
            _guard(out)
        return
    if out:
        _guard(out)
    _next()


_begin()
