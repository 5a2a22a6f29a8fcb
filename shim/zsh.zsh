# pypi-verify-now: keeps its pip first on PATH in this zsh.
# Made by `pypi-verify-now shellenv zsh`.

typeset -g __pypi_verify_now_shims=@SHIMS@

# Moves the shims to the front of PATH, if they are not there.
function __pypi_verify_now_first {
    emulate -L zsh
    [[ ${path[1]-} != "$__pypi_verify_now_shims" ]] || return 0
    # An empty PATH is one empty entry to zsh, which would come to mean the working directory.
    [[ -n ${PATH-} ]] || path=()
    path=("$__pypi_verify_now_shims" "${(@)path:#$__pypi_verify_now_shims}")
    export PATH
}

# Whoever puts a directory in front of the others tells the shell so with `hash -r` or `rehash`: the
# scripts of venv, virtualenv and uv on activation and deactivation, and conda. So the shims are
# first before the next command, on the same line, in a function, a script or a subshell.
if (( ! ${+functions[hash]} )); then
    function hash {
        builtin hash "$@"
        local result=$?
        __pypi_verify_now_first
        return $result
    }
fi
if (( ! ${+functions[rehash]} )); then
    function rehash {
        builtin rehash "$@"
        local result=$?
        __pypi_verify_now_first
        return $result
    }
fi

# At a prompt, before each line, and in a directory that brings its environment along (direnv,
# mise), for whoever does not.
typeset -ga precmd_functions preexec_functions chpwd_functions
if (( ! ${precmd_functions[(Ie)__pypi_verify_now_first]} )); then
    precmd_functions+=(__pypi_verify_now_first)
    preexec_functions+=(__pypi_verify_now_first)
    chpwd_functions+=(__pypi_verify_now_first)
fi

__pypi_verify_now_first
