# Sourced by scripts/evaluate and scripts/test: installs what is missing, builds, and has an engine running.
# Each step looks first whether there is anything to do, so that a second run costs seconds.

workspace=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache="$workspace/.cache"
engine_pid=

say() { printf '%s\n' "== $*"; }
fail() { # message, hint
  printf 'error: %s\n  hint: %s\n' "$1" "$2" >&2
  exit 5
}

# Installs the distribution's package when the command, or the file, is not there: COMMAND=PACKAGE… or /FILE=PACKAGE…
install_commands() {
  local missing=() pair
  for pair in "$@"; do
    case ${pair%%=*} in
      /*) [ -e "${pair%%=*}" ] ;;
      # Some users' PATH lacks the administrator's directory.
      *) command -v "${pair%%=*}" >/dev/null || [ -x "/usr/sbin/${pair%%=*}" ] ;;
    esac || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  [ "$(id -u)" = 0 ] || fail "packages are missing: ${missing[*]}" "run this as root, or install them yourself"
  command -v apt-get >/dev/null || fail "packages are missing: ${missing[*]}" "this is neither Debian nor Ubuntu: install them yourself"
  mkdir -p "$cache"
  local log="$cache/apt.log"
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "the packages could not be installed" "see $log"
  fi
}

# Node's packages as the lock file has them, and the built code.
build_workspace() {
  local stamp="$workspace/node_modules/.installed-from" lock
  command -v node >/dev/null || fail "there is no node" "install Node.js 20 or newer, with npm"
  node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)' ||
    fail "node is $(node --version)" "install Node.js 20 or newer, with npm"
  lock=$(sha256sum "$workspace/package-lock.json" | cut -d' ' -f1)-$(node -p process.versions.modules)
  mkdir -p "$cache"
  if [ "$(cat "$stamp" 2>/dev/null)" != "$lock" ]; then
    say "installing node packages"
    (cd "$workspace" && npm ci --no-audit --no-fund) >"$cache/npm.log" 2>&1 ||
      { tail -n 20 "$cache/npm.log" >&2; fail "npm ci failed" "see $cache/npm.log"; }
    printf '%s' "$lock" >"$stamp"
  fi
  say "building"
  (cd "$workspace" && NX_DAEMON=false npm run --silent build) >"$cache/build.log" 2>&1 ||
    { tail -n 40 "$cache/build.log" >&2; fail "the build failed" "see $cache/build.log"; }
}

# An engine that answers: the one that runs, else one of our own until this script ends.
start_engine() {
  # Since Debian 13 the client is a package of its own.
  command -v docker >/dev/null || install_commands docker=docker-cli
  docker info >/dev/null 2>&1 && return 0
  say "starting a Docker engine"
  [ "$(id -u)" = 0 ] || fail "no Docker engine answers" "start one, or run this as root"
  mkdir -p "$cache"
  # In its own session, so that Ctrl-C reaches this script first and containers can still be removed.
  setsid dockerd >"$cache/dockerd.log" 2>&1 &
  engine_pid=$!
  for _ in $(seq 60); do
    docker info >/dev/null 2>&1 && return 0
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 0.5
  done
  tail -n 20 "$cache/dockerd.log" >&2
  fail "the Docker engine did not start" "see $cache/dockerd.log"
}

# The kernel's tracing directory, which bpftrace reads and small machines do not mount.
mount_tracing() {
  mountpoint -q /sys/kernel/tracing && return 0
  mount -t tracefs tracefs /sys/kernel/tracing ||
    fail "the kernel's tracing directory is not mounted" "as root: mount -t tracefs tracefs /sys/kernel/tracing"
}

stop_engine() {
  [ -n "$engine_pid" ] || return 0
  say "stopping the Docker engine that was started"
  kill "$engine_pid" 2>/dev/null
  wait "$engine_pid" 2>/dev/null || true
}
trap stop_engine EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# What both commands need: engine, tracer, image builder, and the compiler for better-sqlite3.
common_commands=(
  dockerd=docker.io docker=docker.io bpftrace=bpftrace mmdebstrap=mmdebstrap
  /usr/share/keyrings/debian-archive-keyring.gpg=debian-archive-keyring
  make=make g++=g++ python3=python3 setsid=util-linux mountpoint=util-linux iptables=iptables
)
