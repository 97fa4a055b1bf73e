#!/bin/bash
# Does what the official image does for a server whose data is new, as far as docker-compose.yml uses it.
set -euo pipefail

if [ "${1:-}" = postgres ]; then
    install --directory --mode 0700 "$PGDATA"
    if [ ! -s "$PGDATA/PG_VERSION" ]; then
        initdb --username=postgres --pgdata="$PGDATA" --pwfile="$POSTGRES_PASSWORD_FILE"
        echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
        # The official one runs the given server once, without TCP, for its scripts.
        pg_ctl --pgdata="$PGDATA" --wait --options="$(printf '%q ' "${@:2}" -c listen_addresses=)" start
        pg_ctl --pgdata="$PGDATA" --wait --mode=fast stop
    fi
fi
exec "$@"
