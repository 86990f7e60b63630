#!/bin/sh
defined=$(printf '${%s} ' $(awk 'END { for (name in ENVIRON) print name }' < /dev/null))
envsubst "$defined" < /etc/nginx/templates/a > /etc/nginx/conf.d/a
