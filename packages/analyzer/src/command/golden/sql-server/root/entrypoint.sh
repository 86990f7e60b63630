#!/bin/bash
# In the manner of an SQL server's image: the server is asked for its settings before it starts.
set -eo pipefail
shopt -s nullglob
get_config() {
	local conf="$1"; shift
	"$@" --verbose --help 2>/dev/null | awk -v conf="$conf" '$1 == conf { print $2; exit }'
}
start_temporary() {
	"$@" --skip-networking & 
	MYSQL_PID=$!
	for i in {30..0}; do
		if mysqladmin ping >/dev/null 2>&1; then break; fi
		sleep 1
	done
}
args=( --defaults-extra-file=/dev/null )
args+=( --user=mysql )
DATADIR="$(get_config datadir "$@")"
if [ ! -d "$DATADIR/mysql" ]; then
	"$@" --initialize-insecure "${args[@]}"
	start_temporary "$@" "${args[@]}"
	mysql "${args[@]}" <<-EOSQL
		SELECT '$(hostname)';
	EOSQL
	kill "$MYSQL_PID"
fi
case "$1" in
	mysqld|mariadbd) set -- "$@" --console ;;
	*) exec unreachable-program ;;
esac
trap 'rm -f /run/lock' EXIT
exec "$@"
