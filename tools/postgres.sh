#!/bin/sh
# A PostgreSQL server for the tests: its own folder, a free port of the loopback address, thrown away afterwards.
#   postgres.sh install      puts Debian's package in place when no server program is found (as root)
#   postgres.sh start DIR    makes a server in DIR (must not exist) and prints its address for WHENCE_DATABASE_URL
#   postgres.sh stop DIR     ends it and removes DIR
# Exit status 3: no server can be started here; the reason is on the last line of standard error.
set -eu

program() { # initdb and pg_ctl are in no PATH on Debian
    command -v "$1" 2>/dev/null && return
    for found in /usr/lib/postgresql/*/bin/"$1" /usr/pgsql-*/bin/"$1"; do
        test -x "$found" && echo "$found" && return
    done
    echo "no PostgreSQL server program ($1) on this machine" >&2
    exit 3
}

as_owner() { # PostgreSQL refuses to run as root
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=postgres --regid=postgres --clear-groups env HOME=/tmp "$@"
    else
        "$@"
    fi
}

case "${1:-}" in
install)
    (program initdb >/dev/null 2>&1) && exit 0
    [ "$(id -u)" = 0 ] || { echo "install PostgreSQL as root: apt-get install postgresql" >&2; exit 3; }
    apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql >/dev/null
    ;;
start)
    initdb=$(program initdb) || exit 3
    pg_ctl=$(program pg_ctl) || exit 3
    dir=$2
    mkdir -m 700 "$dir"
    if [ "$(id -u)" = 0 ]; then
        id postgres >/dev/null 2>&1 || { echo "PostgreSQL cannot run as root and there is no user postgres" >&2; exit 3; }
        chown postgres "$dir"
    fi
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    cd /
    as_owner "$initdb" -D "$dir/data" -U whence -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir.log" 2>&1 ||
        { tail -n 1 "$dir.log" >&2; exit 3; }
    as_owner "$pg_ctl" -D "$dir/data" -w -t 60 -l "$dir/server.log" \
        -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories='' -c fsync=off" start >>"$dir.log" 2>&1 ||
        { tail -n 1 "$dir.log" >&2; exit 3; }
    echo "postgresql://whence@127.0.0.1:$port/postgres"
    ;;
stop)
    pg_ctl=$(program pg_ctl) || exit 3
    cd /
    as_owner "$pg_ctl" -D "$2/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$2" "$2.log"
    ;;
*)
    sed -n '2,6p' "$0" >&2
    exit 2
    ;;
esac
