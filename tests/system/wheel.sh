# The wheel, as a user gets it: installed with its own dependencies alone, and run.
# Sourced by `run`, which builds it, and gives `check`, `environment` and $work.

wheel_env=$work/env
calsync=$wheel_env/bin/calsync

install_wheel() {
    environment "$wheel_env" && pip_into "$wheel_env" "$work"/dist/calsync-*.whl
}

# The examples in a folder of their own, so that nothing comes from the source tree.
on_examples() {
    mkdir -p "$work/examples" && cp config.example.yaml applications.example.yaml "$work/examples/" || return
    (cd "$work/examples" && XDG_STATE_HOME=$work/state XDG_CACHE_HOME=$work/cache \
        "$calsync" --config config.example.yaml --today 2026-11-20 "$@")
}

windows_are_json() {
    on_examples windows --json >"$work/windows.json" &&
        "$wheel_env/bin/python" -c 'import json, sys; assert json.load(open(sys.argv[1]))' "$work/windows.json"
}

says_its_version() {
    [ "$("$calsync" --version)" = "calsync $(sed -n 's/^__version__ = "\(.*\)"$/\1/p' calsync/__init__.py)" ]
}

check "it installs with its runtime dependencies alone" install_wheel
check "its dependencies agree with each other" .venv/bin/python -m pip --python "$wheel_env/bin/python" check
check "calsync --help" "$calsync" --help
check "calsync --version is that of the source" says_its_version
check "calsync check, on the example files" on_examples check
check "calsync windows, on the example files" on_examples windows
check "calsync windows --json, on the example files" windows_are_json
# The demo needs the extra: it says so, and works once it is there.
asks_for_the_extra() {
    ! "$calsync" demo --once >"$work/demo" 2>&1 && grep -q 'calsync\[server\]' "$work/demo" && ! grep -q Traceback "$work/demo"
}

with_the_extra() {
    pip_into "$wheel_env" "$(ls "$work"/dist/calsync-*.whl)[server]" &&
        (cd "$work" && "$calsync" demo --once)
}

check "calsync demo without the extra says what to install" asks_for_the_extra
check "calsync demo --once, with the extra" with_the_extra
check "the man page comes with it" test -f "$wheel_env/share/man/man1/calsync.1"
