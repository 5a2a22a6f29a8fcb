"""Finds faults in the source on standard input, as a linter would; prints one a line.

The syntax must be that of Python 3.7. Each name that is imported, assigned, or defined at the top
must be used, each name that is used must be defined, and the top may define private names only.
"""

import ast
import builtins
import sys

FUNCTIONS = (ast.FunctionDef, ast.Lambda)
IMPORTS = (ast.Import, ast.ImportFrom)


def bound(node):
    """Yields the names that a single node binds."""
    if isinstance(node, IMPORTS):
        for alias in node.names:
            yield alias.asname or alias.name.split(".")[0]
    elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg


def used(tree):
    """Returns the names that a tree reads. A `del` is no use."""
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Load)}


def faults(source):
    tree = ast.parse(source, feature_version=(3, 7))
    everywhere = {name for node in ast.walk(tree) for name in bound(node)}
    for name in sorted(used(tree) - everywhere - set(dir(builtins)) - {"__file__", "__spec__"}):
        yield "undefined: " + name
    for statement in tree.body:
        for name in bound(statement):
            if name not in used(tree):
                yield "unused at the top: " + name
            if not name.startswith("_") and name not in ("os", "sys"):
                yield "public: " + name
        for target in getattr(statement, "targets", ()):
            name = getattr(target, "id", None)
            if isinstance(statement, ast.Assign) and name not in used(tree):
                yield "unused at the top: " + str(name)
    for function in (node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)):
        for node in ast.walk(function):
            is_local = isinstance(node, (ast.Name, ast.ExceptHandler) + IMPORTS)
            for name in (set(bound(node)) if is_local else set()) - used(function) - {"_"}:
                yield "unused in line %d: %s" % (node.lineno, name)


for fault in faults(sys.stdin.read()):
    print(fault)
