#!/bin/sh
if [ "${1#-}" != "$1" ]; then
	set -- redis-server "$@"
fi
exec setpriv --reuid=redis --regid=redis --init-groups --nnp -- "$@"
