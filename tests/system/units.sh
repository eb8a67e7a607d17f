# The units: true to systemd's own eye, and as closed as they say.
# Sourced by `run`, which gives `check`, `silent`, `have` and $work; `wheel.sh` gives $calsync.

# `verify` wants to see the programs that a unit starts: the paths of the wheel just installed stand in.
units=$work/units
mkdir -p "$units/user"
for unit in systemd/*.* systemd/user/*.*; do
    sed "s|^ExecStart=[^ ]*/bin/calsync|ExecStart=$calsync|" "$unit" >"$units/${unit#systemd/}"
done

check "systemd-analyze is here" have systemd-analyze systemd
for unit in systemd/*.*; do
    check "verify $unit" silent systemd-analyze verify --man=no --recursive-errors=yes "$units/${unit#systemd/}"
done
for unit in systemd/user/*.*; do
    check "verify $unit" \
        silent env XDG_RUNTIME_DIR="$work" systemd-analyze verify --user --man=no --recursive-errors=yes "$units/${unit#systemd/}"
done
for unit in systemd/*.service; do
    check "exposure of $unit is 1.2 or less" \
        systemd-analyze security --offline=true --no-pager --threshold=12 "$unit"
done
