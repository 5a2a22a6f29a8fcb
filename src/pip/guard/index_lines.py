"""Lines of requirements files that name an index, while the gateway stands in for all indexes.

pip lets such a line replace the options and variables that lead it to the gateway. The gateway has
the indexes of these lines, in pip's order, so the lines themselves are passed over.
"""


def _pass_over_index_lines(module):
    """Patches the reader of option lines of `pip._internal.req.req_file`."""
    handle = getattr(module, "handle_option_line", None)
    if handle is None:
        return  # This pip asks the indexes itself.

    def handle_option_line(opts, *args, **kwargs):
        opts.index_url, opts.extra_index_urls = None, []
        return handle(opts, *args, **kwargs)

    module.handle_option_line = handle_option_line
