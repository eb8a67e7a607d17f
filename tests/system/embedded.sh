# The embedded server, as other people's programs see it: vdirsyncer with khal and todoman, and GNOME's
# evolution-data-server without a screen. Sourced by `run`, which gives `check`, `have`, `environment` and $work; `wheel.sh`
# gives $calsync and $wheel_env with the extra.

there=$work/embedded
mkdir -p "$there/local"
port=$(.venv/bin/python -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
cp applications.example.yaml "$there/"
cat >"$there/config.yaml" <<EOF
timezone: Europe/Berlin
applications: applications.example.yaml
caldav: {url: embedded, listen: 127.0.0.1:$port}
EOF

on_embedded() {
    STATE_DIRECTORY=$there/state XDG_CACHE_HOME=$work/cache "$calsync" "$@" --config "$there/config.yaml"
}

synced() { # SENTENCE: a sync, in whose report this stands
    on_embedded sync --today 2026-11-20 >"$there/report" && grep "$1" "$there/report" || { cat "$there/report"; return 1; }
}

check "a sync starts the embedded server for its own time" synced "15 created"
check "calsync password shows its login" on_embedded password

password=$(on_embedded password --json | .venv/bin/python -c 'import json, sys; print(json.load(sys.stdin)["password"])')
coproc server {
    STATE_DIRECTORY=$there/state exec "$wheel_env/bin/python" tests/system/serve_embedded.py "$there/config.yaml" 2>&1
}
serving=$server_PID
stays_up() { read -r -t 20 said <&"${server[0]}" && [ "$said" = ready ]; }
if stays_up; then stays=true; else stays=false; fi
check "it stays up for a daemon" "$stays"
check "a sync finds it running" synced "15 unchanged"

# vdirsyncer, khal, todoman

clients=$work/clients
install_clients() {
    environment "$clients" && pip_into "$clients" vdirsyncer khal todoman
}

cat >"$there/vdirsyncer" <<EOF
[general]
status_path = "$there/status/"
[pair jobs]
a = "here"
b = "there"
collections = ["from b"]
conflict_resolution = "b wins"
[storage here]
type = "filesystem"
path = "$there/local"
fileext = ".ics"
[storage there]
type = "caldav"
url = "http://127.0.0.1:$port/"
username = "calsync"
password = "$password"
EOF
cat >"$there/khal" <<EOF
[calendars]
[[jobs]]
path = $there/local/job-search
[locale]
local_timezone = Europe/Berlin
default_timezone = Europe/Berlin
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
timeformat = %H:%M
[sqlite]
path = $there/khal.db
EOF
cat >"$there/todoman.py" <<EOF
path = "$there/local/*"
date_format = "%Y-%m-%d"
time_format = "%H:%M"
cache_path = "$there/todoman.sqlite3"
EOF

vdir() { "$clients/bin/vdirsyncer" --config "$there/vdirsyncer" "$@" <<<y; } # it asks once if it may make the folder
in_khal() { # PATTERN: an event that khal lists
    "$clients/bin/khal" --config "$there/khal" list 2026-11-20 60d >"$there/list" && grep "$1" "$there/list" ||
        { cat "$there/list"; return 1; }
}
all_here() { [ "$(find "$there/local/job-search" -name '*.ics' | wc -l)" -eq 15 ]; }
no_todos() { [ -z "$("$clients/bin/todo" --config "$there/todoman.py" list --status ANY)" ]; }
one_event() { grep -l '^SUMMARY:Call ' "$there"/local/job-search/*.ics | sort | head -n 1; }

check "vdirsyncer, khal and todoman are here" install_clients
check "vdirsyncer discovers the calendar" vdir discover
check "vdirsyncer syncs it" vdir sync
check "all 15 events came" all_here
check "khal lists what is to be done" in_khal "Call .* (by "
check "todoman reads the same folder and finds no tasks" no_todos

changed_by_hand() { sed -i 's/^SUMMARY:Call /SUMMARY:Ring /' "$(one_event)" && vdir sync; }
check "a title changed in khal's files goes up by vdirsyncer" changed_by_hand
check "calsync sees it and leaves it alone" synced "left alone, changed by hand: summary"

# GNOME: evolution-data-server, with its own discovery, over D-Bus and without a screen.

have_gnome() {
    have /usr/libexec/evolution-calendar-factory evolution-data-server && have gnome-keyring-daemon gnome-keyring &&
        have dbus-run-session dbus-daemon || return
    sees='import gi; gi.require_version("ECal", "2.0"); gi.require_version("EDataServer", "1.2")'
    /usr/bin/python3 -c "$sees" && return
    apt_brings python3-gi gir1.2-ecal-2.0 gir1.2-edataserver-1.2 && /usr/bin/python3 -c "$sees"
}

# The session ends with its services. The keyring holds the password, as on a desktop.
in_gnome() {
    mkdir -p "$there/home" && chmod 700 "$there/home" &&
        HOME=$there/home XDG_RUNTIME_DIR=$there/home GSETTINGS_BACKEND=memory dbus-run-session -- sh -c '
            echo x | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
            timeout 120 /usr/bin/python3 tests/system/gnome.py "$@" 2>&1' sh "http://127.0.0.1:$port/" calsync "$password" 15 \
            >"$there/gnome"
    cat "$there/gnome"
    [ "$(grep -c -E '^[0-9a-f-]{36} ' "$there/gnome")" -eq 15 ]
}

check "evolution-data-server is here" have_gnome
check "it finds the calendar from the server's address, lists 15 events and deletes one" in_gnome
check "calsync sees that and does not bring it back" synced "deleted, cancelled or put away: it is skipped"

# The end: the way out, and the server's.

taken_out() {
    on_embedded remove --yes >"$there/report" && grep -E "[1-9][0-9]* deleted" "$there/report" &&
        vdir sync --force-delete && [ -z "$(ls "$there/local/job-search")" ]
}
check "calsync remove leaves nothing, which vdirsyncer sees" taken_out

exec {server[1]}>&-
ended() {
    for _ in $(seq 100); do
        kill -0 "$serving" 2>&- || break
        sleep 0.1
    done
    [ ! -e "$there/state/server/address" ] && ! grep Traceback "$there/state/server/log"
}
check "the server ends when it is told to" ended
