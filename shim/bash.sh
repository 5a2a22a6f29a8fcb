# pypi-verify-now: keeps its pip first on PATH in this bash.
# Made by `pypi-verify-now shellenv bash`.

__pypi_verify_now_shims=@SHIMS@

# Moves the shims to the front of PATH, if they are not there. Empty entries, which stand for the
# working directory, are neither lost nor made.
function __pypi_verify_now_first {
    local rest=${PATH-} kept='' entry
    [ "${rest%%:*}" != "$__pypi_verify_now_shims" ] || return 0
    if [ -n "$rest" ]; then
        rest=$rest:
        while [ -n "$rest" ]; do
            entry=${rest%%:*}
            rest=${rest#*:}
            [ "$entry" = "$__pypi_verify_now_shims" ] || kept=$kept:$entry
        done
    fi
    # `hash` forgets nothing else: an assignment to PATH makes bash look all commands up again.
    export PATH="$__pypi_verify_now_shims$kept"
}

# Whoever puts a directory in front of the others tells the shell so with `hash -r`: the scripts of
# venv, virtualenv and uv on activation and deactivation, and conda. So the shims are first before
# the next command, on the same line, in a function, a script or a subshell.
if ! declare -F hash >/dev/null; then
    function hash {
        local status=0
        builtin hash "$@" || status=$?
        __pypi_verify_now_first
        return "$status"
    }
fi

# At a prompt, for whoever does not.
__pypi_verify_now_prompt='__pypi_verify_now_first; eval "$__pypi_verify_now_once"'
# And before each command of a line, if nobody else uses that trap. Whether anybody does cannot be
# seen in a file that is sourced, so it is asked at the first prompt.
__pypi_verify_now_once='__pypi_verify_now_once=
[ -n "$(trap -p DEBUG)" ] || trap '\''__pypi_verify_now_first "$_"'\'' DEBUG'

case "$- ${PROMPT_COMMAND[*]-}" in
*__pypi_verify_now_first*) ;;
*i*' '*)
    case "${BASH_VERSINFO[0]}.${BASH_VERSINFO[1]} $(declare -p PROMPT_COMMAND 2>/dev/null)" in
    5.[1-9]*' declare -a'* | [6-9]*' declare -a'* | [1-9][0-9]*' declare -a'*)
        PROMPT_COMMAND+=("$__pypi_verify_now_prompt")
        ;;
    *)
        # A new line, not a `;`: what is there may end in one.
        PROMPT_COMMAND=${PROMPT_COMMAND:+$PROMPT_COMMAND$'\n'}$__pypi_verify_now_prompt
        ;;
    esac
    ;;
esac

__pypi_verify_now_first
