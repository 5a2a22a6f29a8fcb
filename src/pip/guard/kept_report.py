"""The report of a `pip download` or `pip wheel` that only resolves: these two have no dry run.

pip resolves by the options and the section of its own subcommand. It ends before it saves or builds
a file for the user.
"""


class _Resolved(BaseException):
    """Ends a pip that has written its report; the command succeeds."""


class _KeptReport:
    """Writes the set that a pip resolves to a file, and ends that pip."""

    def __init__(self, path):
        self._path = path
        self._has_resolver = False

    def patch(self, module):
        """Patches `RequirementCommand` of `pip._internal.cli.req_command`."""
        command = module.RequirementCommand
        make = command.make_resolver.__func__

        def make_resolver(cls, *args, **kwargs):
            resolver = make(cls, *args, **kwargs)
            if not self._has_resolver:
                self._has_resolver = True
                # The pips that a build starts do not end early.
                os.environ.pop("PYPI_VERIFY_NOW_GUARD_REPORT", None)
                resolver.resolve = self._ending(resolver.resolve)
            return resolver

        command.make_resolver = classmethod(make_resolver)

    def _ending(self, resolve):
        def resolve_and_end(*args, **kwargs):
            self._write(resolve(*args, **kwargs))
            raise _Resolved()

        return resolve_and_end

    def _write(self, requirement_set):
        import json

        from pip._internal.models.installation_report import InstallationReport

        report = InstallationReport(requirement_set.requirements_to_install)
        with open(self._path, "w", encoding="utf-8") as f:
            json.dump(report.to_dict(), f, ensure_ascii=False)


def _check_as_install(module):
    """Has a dry run refuse the options that pip refuses for an install.

    Patches `pip._internal.cli.cmdoptions`.
    """
    check = module.check_dist_restriction

    def check_dist_restriction(options, *args, **kwargs):
        import copy

        options = copy.copy(options)
        options.dry_run = False
        return check(options, *args, **kwargs)

    module.check_dist_restriction = check_dist_restriction
