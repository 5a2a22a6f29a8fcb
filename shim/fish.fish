# pypi-verify-now: keeps its pip first on PATH in this fish.
# Made by `pypi-verify-now shellenv fish`.

set -g __pypi_verify_now_shims @SHIMS@

# Moves the shims to the front of PATH whenever PATH changes. No scope is named in `set`, so it is
# the variable that changed which changes again; the second time there is nothing to do.
function __pypi_verify_now_first --on-variable PATH
    if test "$PATH[1]" != "$__pypi_verify_now_shims"
        set -l rest
        for entry in $PATH
            if test "$entry" != "$__pypi_verify_now_shims"
                set rest $rest $entry
            end
        end
        set PATH $__pypi_verify_now_shims $rest
    end
end

__pypi_verify_now_first
