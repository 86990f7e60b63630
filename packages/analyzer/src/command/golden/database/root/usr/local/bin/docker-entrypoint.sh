#!/usr/bin/env bash
# In the manner of a database's image: functions, a temporary server, scripts of the user.
set -Eeo pipefail

file_env() {
	local var="$1"
	local fileVar="${var}_FILE"
	local def="${2:-}"
	if [ "${!fileVar:-}" ]; then
		def="$(< "${!fileVar}")"
	fi
	export "$var"="$def"
	unset "$fileVar"
}

was_sourced() {
	[ "${#FUNCNAME[@]}" -ge 2 ] && [ "${FUNCNAME[0]}" = 'was_sourced' ]
}

create_directories() {
	local user; user="$(id -u)"
	mkdir -p "$PGDATA"
	chmod 00700 "$PGDATA" || :
	if [ "$user" = '0' ]; then
		find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
	fi
}

init_database() {
	eval 'initdb --username=admin --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD")'
}

run_sql() {
	local query_runner=( psql -v ON_ERROR_STOP=1 --no-password )
	PGHOST= "${query_runner[@]}" "$@"
}

process_files() {
	printf '\n'
	local f
	for f; do
		case "$f" in
			*.sh)
				if [ -x "$f" ]; then
					"$f"
				else
					. "$f"
				fi
				;;
			*.sql) run_sql -f "$f" ;;
			*.sql.gz) gunzip -c "$f" | run_sql ;;
			*) echo "ignoring $f" ;;
		esac
	done
}

want_help() {
	local arg
	for arg; do
		case "$arg" in
			-'?'|--help|-V|--version) return 0 ;;
		esac
	done
	return 1
}

main() {
	if [ "${1:0:1}" = '-' ]; then
		set -- postgres "$@"
	fi
	if [ "$1" = 'postgres' ] && ! want_help "$@"; then
		file_env POSTGRES_PASSWORD
		create_directories
		if [ "$(id -u)" = '0' ]; then
			exec gosu postgres "$BASH_SOURCE" "$@"
		fi
		init_database
		pg_ctl -D "$PGDATA" -o "$(printf '%q ' "$@")" -w start
		process_files /docker-entrypoint-initdb.d/*
		pg_ctl -D "$PGDATA" -m fast -w stop
	fi
	exec "$@"
}

if ! was_sourced; then
	main "$@"
fi
