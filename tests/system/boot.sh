# The units on a real systemd: booted in a throw-away systemd-nspawn overlay on a cached Debian, with the project's own
# wheel and Radicale inside, and no network. Sourced by `run` in a lane of its own; it gives `check`, `silent`, `have`, and
# the wheel in $work/dist. Debian 12 unless SUITE says otherwise (trixie is 13). It fails where it cannot boot; it skips nothing.
#
# NEVER boot systemd on a machine's own root: it empties /tmp and starts every enabled service. Only ever the overlay.

suite=${SUITE:-bookworm}
boot_cache=${BOOT_CACHE:-/var/cache/calsync-test}
packages=systemd,systemd-sysv,libpam-systemd,dbus,dbus-user-session,procps,passwd,python3,python3-venv
needs=$(.venv/bin/python - <<'PY'
import tomllib
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
print("\n".join(sorted(project["dependencies"] + project["optional-dependencies"]["server"])))
PY
)
root=$boot_cache/boot-$suite-$(sha256sum <<<"$packages $needs" | cut -c1-8)
boot=$(mktemp -d /tmp/calsync-boot.XXXXXX)
R=$boot/t/root
nspawn_pid=
leader_pid=

boot_cleanup() {
    [ -n "$leader_pid" ] && kill -KILL "$leader_pid" 2>/dev/null # the container's init takes all of it along
    if [ -n "$nspawn_pid" ]; then
        waitfor 2 gone "$nspawn_pid" || kill -KILL "$nspawn_pid" 2>/dev/null
    fi
    mountpoint -q "$R" && umount "$R"
    mountpoint -q "$boot/t" && umount "$boot/t"
    rmdir "$boot/t" 2>/dev/null
    rm -f "$boot/console"
    rmdir "$boot" 2>/dev/null
}
trap boot_cleanup EXIT

waitfor() { # SECONDS COMMAND...: until the command ends well
    local left=$(($1 * 10))
    shift
    while [ "$left" -gt 0 ]; do
        "$@" >/dev/null 2>&1 && return
        sleep .1
        left=$((left - 1))
    done
    echo "not within the time: $*"
    return 1
}
gone() { ! kill -0 "$1" 2>/dev/null; }
lacks() { ! grep -q -- "$1" <<<"$2" || { echo "$1 is in it"; return 1; }; }
equal() { [ "$1" = "$2" ] || { echo "want '$1', got '$2'"; return 1; }; }
# No pipes into `grep -q`: it leaves early, and with pipefail the writer's broken pipe counts.
matches() { grep -qE -- "$1" <<<"$2" || { echo "no /$1/ in: $(tail -n 5 <<<"$2")"; return 1; }; }

# The root, made once: Debian, and an environment with what calsync depends on.

make_root() {
    [ -e "$root.done" ] && return
    rm -rf "$boot_cache/boot-$suite-"* && mkdir -p "$boot_cache" || return # those of earlier dependencies go
    mmdebstrap -q --variant=minbase --include="$packages" \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$suite" "$root" "$(apt-get indextargets --format '$(SITE)' | head -n 1)" || return
    local python
    python=$(chroot "$root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])') || return
    mapfile -t wanted <<<"$needs"
    .venv/bin/python -m pip download --quiet --disable-pip-version-check --only-binary=:all: \
        --python-version "$python" --dest "$root/opt/wheels" "${wanted[@]}" || return
    chroot "$root" python3 -m venv /opt/calsync &&
        chroot "$root" /opt/calsync/bin/pip install --quiet --no-index --find-links /opt/wheels "${wanted[@]}" &&
        rm -r "$root/opt/wheels" && touch "$root.done"
}

mount_overlay() {
    mkdir "$boot/t" && mount -t tmpfs -o mode=755 tmpfs "$boot/t" && mkdir "$boot"/t/{up,wk,root} &&
        mount -t overlay overlay -o "lowerdir=$root,upperdir=$boot/t/up,workdir=$boot/t/wk" "$R"
}

# What is installed: the wheel, the units by the command itself, two people's files, a user, Radicale.

install_calsync() {
    cp "$work"/dist/calsync-*.whl "$R/opt/" &&
        chroot "$R" sh -c '/opt/calsync/bin/pip install --quiet --no-index --no-deps /opt/calsync-*.whl'
}

install_units() {
    chroot "$R" /opt/calsync/bin/calsync install-service --name work &&
        chroot "$R" /opt/calsync/bin/calsync install-service --name home &&
        cp systemd/calsync-sync@.* "$R/etc/systemd/system/" &&
        systemctl --root="$R" enable -q calsync@work.service
}

journal() { # COMPANY: an offer with a term far ahead, so there is a window in any year
    printf 'applications:\n  - company: %s\n    events:\n      - applied: 2020-11-19\n      - offer: 2020-12-01\n' "$1"
    printf '        respond_by: 2199-12-10\n'
}

settings() { # NAME SECRET STATE
    printf 'name: %s\ntimezone: Europe/Berlin\napplications: applications.yaml\nanswers: %s/answers.yaml\n' "$1" "$3"
    printf 'etiquette: {horizon_days: 0}\n'
    printf 'caldav: {url: "http://127.0.0.1:5232/", username: alice, %s, calendar: %s, timeout: 5}\n' "$2" "$1"
}

person() { # NAME
    local folder=$R/etc/calsync/$1
    settings "$1" "credential: password" "/var/lib/calsync/$1" >"$folder/config.yaml"
    journal "Acme of $1" >"$folder/applications.yaml"
    chmod 640 "$folder"/*.yaml
    (umask 077 && echo zinnober-quartz-otter >"$folder/password")
}

two_people() { person work && person home; }

user() {
    printf 'tester:x:1000:1000::/home/tester:/bin/bash\n' >>"$R/etc/passwd"
    printf 'tester:x:1000:\n' >>"$R/etc/group"
    printf 'tester:!:19000::::::\n' >>"$R/etc/shadow"
    mkdir -p "$R/home/tester/.config/calsync" "$R/var/lib/systemd/linger" && touch "$R/var/lib/systemd/linger/tester"
    settings me "password_file: password" /home/tester >"$R/home/tester/.config/calsync/config.yaml"
    journal "Acme of me" >"$R/home/tester/.config/calsync/applications.yaml"
    (umask 077 && echo zinnober-quartz-otter >"$R/home/tester/.config/calsync/password")
    chown -R 1000:1000 "$R/home/tester" && chmod 700 "$R/home/tester"
    chroot "$R" setpriv --reuid=1000 --regid=1000 --clear-groups env HOME=/home/tester \
        /opt/calsync/bin/calsync install-service --user
}

radicale() {
    mkdir -p "$R/etc/radicale" "$R/srv/radicale"
    echo alice:zinnober-quartz-otter >"$R/etc/radicale/users"
    cat >"$R/etc/radicale/config" <<'END'
[server]
hosts = 127.0.0.1:5232
[auth]
type = htpasswd
htpasswd_filename = /etc/radicale/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = /srv/radicale
[web]
type = none
END
    cat >"$R/etc/systemd/system/radicale.service" <<'END'
[Service]
ExecStart=/opt/calsync/bin/python -m radicale --config /etc/radicale/config
[Install]
WantedBy=multi-user.target
END
    systemctl --root="$R" enable -q radicale.service
    local timer
    for timer in apt-daily apt-daily-upgrade; do ln -sf /dev/null "$R/etc/systemd/system/$timer.timer"; done
}

verified() { # UNIT...: what `verify` of the root's own systemd says of them is nothing
    silent chroot "$R" systemd-analyze verify --man=no --recursive-errors=yes "$@"
}

exposure() {
    systemd-analyze security --offline=true --no-pager --threshold=12 "$R/etc/systemd/system/calsync@.service"
}

# Boot. The container's init is the child of nspawn whose innermost pid is 1; a helper comes and goes before it.

find_leader() {
    local child
    for child in $(cat "/proc/$nspawn_pid/task/$nspawn_pid/children" 2>/dev/null); do
        awk '/^NSpid:/ && NF>2 && $NF==1 {f=1} END{exit !f}' "/proc/$child/status" 2>/dev/null &&
            leader_pid=$child && return
    done
    return 1
}
start_container() {
    systemd-nspawn -q -D "$R" --boot --machine="calsync-$$" --register=no --keep-unit --private-network \
        --link-journal=no --console=pipe --kill-signal=SIGRTMIN+4 </dev/null >"$boot/console" 2>&1 &
    nspawn_pid=$!
    for _ in $(seq 200); do find_leader && return; sleep .05; done
    tail -n 20 "$boot/console"
}
in_() {
    nsenter -t "$leader_pid" -a env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 SYSTEMD_COLORS=0 \
        SYSTEMD_PAGER=cat timeout 60 "$@"
}
is_up() { in_ systemctl is-system-running --quiet; }
booted() { waitfor 30 is_up || { in_ systemctl --failed --no-legend; tail -n 20 "$boot/console"; return 1; }; }

# Looking at it.

W=calsync@work.service
H=calsync@home.service
prop() { in_ systemctl show -P "$2" "$1"; }
is_prop() { [ "$(prop "$1" "$2")" = "$3" ]; }
log() { in_ journalctl --sync >/dev/null 2>&1; in_ journalctl -q --no-pager -o cat "$@"; }
logged() { # PATTERN OPTIONS...: a line of the log
    local pattern=$1
    shift
    matches "$pattern" "$(log "$@")"
}
events_with() { # TEXT: the files of Radicale that have it
    grep -rls --include='*.ics' --exclude-dir=.Radicale.cache -- "$1" "$R/srv/radicale/collection-root/alice"
}
on_server() { [ -n "$(events_with "$1")" ]; }
on_the_server_in() { # SECONDS TEXT
    waitfor "$1" on_server "$2" || { log -u "$W" | tail -n 5; return 1; }
}
one_event() { equal 1 "$(events_with "of $1" | wc -l)"; }
active() { equal active "$(in_ systemctl is-active "$1")"; }
edit() { journal "$2" >"$R/etc/calsync/$1/new" && chmod 640 "$R/etc/calsync/$1/new" &&
    in_ mv "/etc/calsync/$1/new" "/etc/calsync/$1/applications.yaml"; }
status() { in_ env STATE_DIRECTORY="/var/lib/calsync/$1" /opt/calsync/bin/calsync status --daemon; }

started_by_the_boot() { waitfor 20 is_prop $W ActiveState active && is_prop $W Type notify; }
status_text() {
    waitfor 10 status_text_now || { prop $W StatusText; return 1; }
}
status_text_now() { matches '^last good sync [-0-9]+ [:0-9]+; next window [-0-9]+; next sync [:0-9]+$' "$(prop $W StatusText)"; }
seen_in_two_seconds() {
    local begin
    begin=$(date +%s%N)
    edit work "Bolt of work" && on_the_server_in 10 "Bolt of work" || return
    local took=$((($(date +%s%N) - begin) / 1000000))
    echo "     $took ms from the edit to the server" >&3
    [ "$took" -lt 2000 ] || { echo "it took $took ms"; return 1; }
}

sandboxed() {
    local pid
    pid=$(prop $W MainPID)
    matches '^Uid:\s+6[1-5][0-9]{3}' "$(in_ cat "/proc/$pid/status")" || return
    equal work "$(in_ nsenter -t "$pid" -m ls /etc/calsync)" || return
    ! in_ nsenter -t "$pid" -m ls /home/tester 2>/dev/null || { echo "it sees /home"; return 1; }
    lacks zinnober "$(in_ cat "/proc/$pid/environ" | tr '\0' '\n')" || return
    equal ../private/calsync/work "$(in_ readlink /var/lib/calsync/work)"
}

# Reload.

reload_keeps_the_process() {
    local pid
    pid=$(prop $W MainPID)
    in_ systemctl reload $W && waitfor 5 logged 'Synced \(reload\)' -u $W && equal "$pid" "$(prop $W MainPID)"
}
a_bad_config_is_refused() {
    cp "$R/etc/calsync/work/config.yaml" "$work/config.good"
    echo 'nope: 1' >>"$R/etc/calsync/work/config.yaml"
    in_ systemctl reload $W
    waitfor 5 logged 'config: refused' -u $W -p err && active $W && waitfor 5 is_failing work
}
is_failing() { ! status "$1" >/dev/null; }
is_fine() { matches 'daemon: fine' "$(status "$1")"; }
a_good_one_is_taken() {
    cat "$work/config.good" >"$R/etc/calsync/work/config.yaml"
    in_ systemctl reload $W
    waitfor 5 logged 'config is fine again' -u $W && waitfor 5 is_fine work
}

# Crash, hang.

up_again() { [ "$(prop $W NRestarts)" -gt "$(cat "$work/restarts")" ] && is_prop $W ActiveState active; }
restarted_after_a_kill() {
    prop $W NRestarts >"$work/restarts"
    in_ systemctl kill --kill-whom=main -s KILL $W && waitfor 20 up_again && waitfor 10 is_fine work && one_event work
}
a_hang_is_noticed() { # the journal becomes a pipe: whoever reads it waits for ever
    in_ mkdir -p /run/systemd/system/$W.d
    printf '[Service]\nWatchdogSec=4s\n' | in_ tee "/run/systemd/system/$W.d/t.conf" >/dev/null
    in_ systemctl daemon-reload && in_ systemctl restart $W && waitfor 10 is_fine work || return
    prop $W NRestarts >"$work/restarts"
    in_ mkfifo -m 644 /etc/calsync/work/pipe && in_ mv /etc/calsync/work/pipe /etc/calsync/work/applications.yaml
    waitfor 20 logged 'Watchdog timeout' -u $W
    local code=$?
    edit work "Bolt of work"
    return $code
}
restarted_after_the_hang() {
    waitfor 20 up_again && in_ rm -r "/run/systemd/system/$W.d" && in_ systemctl daemon-reload && waitfor 10 is_fine work
}

# The server.

told_once_that_it_is_away() {
    in_ systemctl stop radicale && edit work "Comet of work" && waitfor 10 logged 'The server is away' -u $W -p warning ||
        return
    in_ systemctl kill --kill-whom=main -s USR1 $W
    sleep 1
    equal 1 "$(grep -c 'The server is away' <<<"$(log -u $W)")" && waitfor 5 is_failing work
}
told_that_it_is_back() {
    in_ systemctl start radicale && sleep 2 && in_ systemctl kill --kill-whom=main -s USR1 $W
    waitfor 10 logged 'The server is back after' -u $W && on_the_server_in 5 "Comet of work"
}
a_refused_login_is_loud() {
    echo wrong >"$R/etc/calsync/home/password"
    in_ systemctl start $H && waitfor 10 logged '^login: ' -u $H -p crit || return
    in_ systemctl kill --kill-whom=main -s USR1 $H
    waitfor 5 logged 'Synced \(asked by signal\).* 0 requests' -u $H
    echo zinnober-quartz-otter >"$R/etc/calsync/home/password"
    in_ systemctl restart $H && on_the_server_in 10 "Acme of home"
}

# The log.

priorities() {
    lacks '^Synced' "$(log -u $W -p warning)" || return
    local line
    line=$(in_ journalctl -q -u $W -g '^Synced' -o json | tail -n 1)
    matches '"PRIORITY":"6"' "$line" && matches '"SYSLOG_IDENTIFIER":"calsync"' "$line" &&
        matches "\"_SYSTEMD_UNIT\":\"$W\"" "$line"
}
no_secrets() { lacks zinnober "$(in_ journalctl -q --no-pager -o cat)"; }

# Several, a missing credential, the timer, the user, the end.

two_instances() { active $W && active $H && waitfor 5 is_fine home && one_event work && one_event home; }
each_sees_its_own() { equal home "$(in_ nsenter -t "$(prop $H MainPID)" -m ls /etc/calsync)"; }
missing_credential() {
    in_ systemctl stop $H && in_ mv /etc/calsync/home/password /etc/calsync/home/away
    ! in_ systemctl start $H 2>/dev/null || { echo "it started"; return 1; }
    equal 243 "$(prop $H ExecMainStatus)" && sleep 6 && equal failed "$(in_ systemctl is-failed $H)"
    local code=$?
    in_ mv /etc/calsync/home/away /etc/calsync/home/password
    in_ systemctl reset-failed $H
    return $code
}
stops_whole() {
    local begin
    begin=$(date +%s)
    in_ systemctl stop $W
    local took=$(($(date +%s) - begin))
    [ $took -le 5 ] || { echo "it took $took s"; return 1; }
    equal success "$(prop $W Result)" && equal 0 "$(prop $W ExecMainStatus)" && logged '^Stopped\.$' -u $W &&
        matches 'daemon: stopped' "$(status work)"
}
starts_again_with_nothing_to_do() {
    in_ systemctl start $W && waitfor 10 logged 'Synced \(start\).* 0 created, 0 updated, 0 deleted, 1 unchanged' -u $W \
        --since="$(prop $W ActiveEnterTimestamp | cut -d' ' -f2,3)" || { log -u $W | tail -n 5; return 1; }
    one_event work
}
by_timer() {
    in_ systemctl stop $H
    in_ mkdir -p /run/systemd/system/calsync-sync@home.timer.d
    printf '[Timer]\nOnActiveSec=1s\nAccuracySec=100ms\nRandomizedDelaySec=0\n' |
        in_ tee /run/systemd/system/calsync-sync@home.timer.d/t.conf >/dev/null
    in_ systemctl daemon-reload && edit home "Bolt of home" && in_ systemctl start calsync-sync@home.timer &&
        on_the_server_in 15 "Bolt of home" && waitfor 10 is_prop calsync-sync@home.service ActiveState inactive &&
        is_prop calsync-sync@home.service Result success
}
as_user() {
    in_ setpriv --reuid=1000 --regid=1000 --clear-groups env HOME=/home/tester XDG_RUNTIME_DIR=/run/user/1000 "$@"
}
of_the_user() {
    waitfor 10 active user@1000.service && as_user systemctl --user start calsync.service || { log _UID=1000 | tail; return 1; }
    on_the_server_in 10 "Acme of me" && equal active "$(as_user systemctl --user is-active calsync.service)" &&
        as_user systemctl --user stop calsync.service
}
ends_by_itself() {
    in_ systemctl exit >/dev/null 2>&1
    waitfor 15 gone "$leader_pid"
}

exec 3>&1
check "systemd-nspawn is here" have systemd-nspawn systemd-container
check "mmdebstrap is here" have mmdebstrap mmdebstrap
check "a Debian root ($suite)" make_root
check "a throw-away overlay on it" mount_overlay
check "the wheel in it" install_calsync
check "calsync install-service writes the units" install_units
check "two people's files" two_people
check "calsync install-service --user, for a user" user
check "Radicale in it" radicale
check "its own systemd finds nothing to say of the units" verified calsync@work.service calsync-sync@work.timer
check "exposure of the installed unit is 1.2 or less" exposure
start_container # not within a check, which is a process of its own
check "it boots" test -n "$leader_pid"
check "all is up" booted
check "the daemon was started by the boot, READY honoured" started_by_the_boot
check "first sync seen on the server" on_the_server_in 20 "Acme of work"
check "STATUS tells last sync, next window, next sync" status_text
check "calsync status says fine" waitfor 5 is_fine work
check "it runs in its sandbox" sandboxed
check "a journal edit is on the server within 2 s" seen_in_two_seconds
check "SIGHUP: same process" reload_keeps_the_process
check "SIGHUP: a bad config is refused, and told" a_bad_config_is_refused
check "SIGHUP: a good config is taken" a_good_one_is_taken
check "kill -9: restarted, nothing twice" restarted_after_a_kill
check "a hang: the watchdog notices" a_hang_is_noticed
check "a hang: restarted" restarted_after_the_hang
check "server down: told once, status fails" told_once_that_it_is_away
check "server back: told, and the edit is there" told_that_it_is_back
check "a refused login is critical, and not tried again" a_refused_login_is_loud
check "two template instances" two_instances
check "each instance sees its own folder alone" each_sees_its_own
check "priorities in the journal" priorities
check "a missing credential is 243, and final" missing_credential
check "stop: within 5 s, cleanly" stops_whole
check "started again there is nothing to do" starts_again_with_nothing_to_do
check "the timer syncs without a daemon" by_timer
check "the user's unit" of_the_user
check "the password is nowhere in the log" no_secrets
check "the container ends by itself" ends_by_itself
boot_cleanup
