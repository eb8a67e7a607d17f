# sabre/dav as a server, and other people's libraries as readers of what calsync writes.
# Sourced by `run`, which gives `check`, `have`, `apt_brings` and $work.

# installed PACKAGE...: they are here, or apt brings them. Units that this enables are disabled again: nothing is to
# listen on this machine because of a test.
installed() {
    dpkg-query -W -f='${db:Status-Status}\n' "$@" 2>/dev/null | grep -cx installed | grep -qx $# && return
    local wants=/etc/systemd/system/multi-user.target.wants before unit
    before=" $(ls "$wants" 2>/dev/null | tr '\n' ' ') "
    RUNLEVEL=1 apt_brings "$@" || return
    for unit in $(ls "$wants" 2>/dev/null); do
        [[ $before = *" $unit "* ]] || systemctl disable --quiet "$unit"
    done
}

export ICAL_JS=$work/ical.js
ical_js() {
    mkdir -p "$ICAL_JS" && timeout 60 npm install --prefix "$ICAL_JS" --no-audit --no-fund --silent ical.js@2.2.1
}

# tests FILE: these tests pass. They need root (Apache gives it up for www-data).
tests() { timeout 240 .venv/bin/python -m pytest -q "$1"; }

check "sabre/dav, Apache and PHP are here" installed php-sabre-dav libapache2-mod-php apache2 php-sqlite3 php-mbstring php-xml
check "sabre/dav keeps the promises of a target and of a sync, with Basic and with Digest" tests tests/system/sabre/test_sabre.py
check "node is here" have npm npm
check "ical.js is here" ical_js
check "libical and sabre/vobject are here" installed libical3 php-cli php-sabre-vobject
check "ical.js, libical and sabre/vobject read what calsync writes" tests tests/system/readers/test_readers.py
