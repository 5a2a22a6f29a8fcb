"""The import of pip's modules, observed so that some of their functions can be patched.

Modules are patched when pip imports them. An import of our own would come too early: pip's modules
may be at another place on `sys.path` by then.
"""


class _ImportObserver:
    """Finder on `sys.meta_path` that calls functions with each observed module, once executed."""

    def __init__(self):
        self._patches = {}

    def observe(self, name, *patches):
        """Calls `patches` with a module, now if it is imported already (by a standby)."""
        if name in sys.modules:
            for patch in patches:
                patch(sys.modules[name])
            return
        if not self._patches:
            sys.meta_path.insert(0, self)
        self._patches[name] = patches

    def find_spec(self, name, path=None, target=None):
        """Returns the spec of an observed module, or `None` (the next finder is asked)."""
        patches = self._patches.pop(name, None)
        if patches is None:
            return None
        import importlib.machinery

        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        execute = getattr(getattr(spec, "loader", None), "exec_module", None)
        if execute is None:
            return None

        def exec_module(module):
            execute(module)
            for patch in patches:
                patch(module)

        spec.loader.exec_module = exec_module
        return spec
