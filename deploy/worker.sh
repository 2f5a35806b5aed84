#!/bin/bash
# A worker on a throw-away machine (ubuntu-22-04-x64), run once as root at its first start by cloud-init.
#
# Reads /etc/fold-worker.env, which `fold-worker spawn` writes; installs Node, checked by its SHA-256, and the pinned version
# of the package with its prebuilt binary; lets the worker do its work; and shuts the machine down whatever happens.
# A machine that is off is billed on: `fold-worker reap` destroys it.
set -u
umask 077

ENV_FILE=${FOLD_ENV_FILE:-/etc/fold-worker.env}
ROOT=${FOLD_ROOT:-/opt/fold-worker}
LOG=${FOLD_LOG:-/var/log/fold-worker.log}
NODE_VERSION=22.12.0
NODE_SHA256=22982235e1b71fa8850f82edd09cdae7e3f32df1764a9ec298c72d25ef2c164f
DEFAULT_LIFETIME=21600
# Exit codes that another start can mend: a crash, a kill by the system, a storage that was away.
AGAIN=' 1 26 134 137 139 '
TRIES=3

say() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$*"; }

# shellcheck disable=SC2317 # called by the trap
end() {
  local code=$?
  trap - EXIT
  say "worker.sh ends with code $code; shutting down"
  sync
  shutdown -h now
  exit "$code"
}
trap end EXIT
trap 'exit 143' TERM INT HUP

# To the console of the machine as well, where there is one.
if [ -w /dev/console ] && [ -z "${FOLD_LOG:-}" ]; then
  exec > >(tee -a "$LOG" /dev/console) 2>&1
else
  exec >>"$LOG" 2>&1
fi

set -a
# shellcheck source=/dev/null
. "$ENV_FILE" || { say "there is no $ENV_FILE"; exit 1; }
set +a
LIFETIME=${FOLD_LIFETIME:-$DEFAULT_LIFETIME}
case $LIFETIME in
  '' | *[!0-9]*) LIFETIME=$DEFAULT_LIFETIME ;;
esac
export LOCAL_STATE_DIR=${LOCAL_STATE_DIR:-/fold_state}

# Even if everything below hangs. The worker is asked a little earlier, so that it can store what it has.
shutdown -h "+$(((LIFETIME + 59) / 60 + 2))"
BEGAN=$(date +%s)

# Nothing needs to reach this machine.
block_inbound() {
  "$1" -A INPUT -i lo -j ACCEPT &&
    "$1" -A INPUT -p "$2" -j ACCEPT &&
    "$1" -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT &&
    "$1" -P INPUT DROP
}
block_inbound iptables icmp || say 'iptables failed; inbound traffic is not blocked by it'
# Without its control messages there is no IPv6 at all.
block_inbound ip6tables ipv6-icmp || say 'ip6tables failed; inbound traffic is not blocked by it'

install_node() {
  local name=node-v$NODE_VERSION-linux-x64
  mkdir -p "$ROOT" && cd "$ROOT" || return 1
  [ -x "$ROOT/$name/bin/node" ] && return 0
  curl --fail --silent --show-error --location --proto '=https' --retry 8 --retry-connrefused --max-time 600 \
    --output node.tar.xz "https://nodejs.org/dist/v$NODE_VERSION/$name.tar.xz" || return 1
  printf '%s  node.tar.xz\n' "$NODE_SHA256" | sha256sum --check --quiet || return 1
  tar -xJf node.tar.xz && rm node.tar.xz
}
if [ -n "${FOLD_NODE_BIN:-}" ]; then
  PATH=$FOLD_NODE_BIN:$PATH
else
  install_node || { say 'Node could not be installed, or is not what it should be'; exit 1; }
  PATH=$ROOT/node-v$NODE_VERSION-linux-x64/bin:$PATH
fi
export PATH

# No script of any package runs, so nothing is built and nothing else is downloaded.
installed=no
for pause in 0 5 20 60; do
  sleep "$pause"
  if npm install --prefix "$ROOT" --ignore-scripts --no-audit --no-fund --omit=dev "${FOLD_PACKAGE:-fold-worker}"; then
    installed=yes
    break
  fi
done
[ "$installed" = yes ] || { say "${FOLD_PACKAGE:-fold-worker} could not be installed"; exit 1; }

mkdir -p "$LOCAL_STATE_DIR"
code=1
for try in $(seq "$TRIES"); do
  left=$((LIFETIME - ($(date +%s) - BEGAN)))
  [ "$left" -gt 0 ] || break
  timeout --signal=TERM --kill-after=60 "$left" "$ROOT/node_modules/.bin/fold-worker" --mode cloud-worker
  code=$?
  say "the worker ended with code $code (start $try of $TRIES)"
  case $AGAIN in
    *" $code "*) sleep 5 ;;
    *) break ;;
  esac
done
exit "$code"
