#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Shows cachetrace on a real server: starts one on a loopback port, loads it, traces it, and stops all it started.
set -eu

cachetrace=${CACHETRACE:-build/cachetrace}
port=${PORT:-16399}
seconds=${SECONDS_TRACED:-5}
json=${JSON:-build/demo.json}
folder=$(mktemp -d)
pids=()

finish() {
	local pid

	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	rm -rf "$folder"
}
trap finish EXIT

ask() {
	redis-cli -h 127.0.0.1 -p "$port" "$@"
}

redis-server --port "$port" --bind 127.0.0.1 --save '' --dir "$folder" --maxmemory 8mb \
	--maxmemory-policy allkeys-lru --logfile "$folder/log" &
server=$!
pids+=("$server")
until [ "$(ask ping 2>/dev/null)" = PONG ]; do
	kill -0 "$server" || { cat "$folder/log"; exit 1; }
done

# More keys than fit, so that some are evicted and asked for in vain.
load() {
	redis-benchmark -h 127.0.0.1 -p "$port" -q -r 60000 -d 200 -c 20 "$@" >/dev/null 2>&1
}
load -t set -n 100000
load -l -t get,set -n 20000 &
pids=("$!" "${pids[@]}")

echo "\$ cachetrace -p $server -n $seconds"
"$cachetrace" -p "$server" -n "$seconds"
echo
echo "\$ cachetrace -p $server -n 1 --json >$json"
"$cachetrace" -p "$server" -n 1 --json >"$json"
cut -c 1-400 "$json"
echo "... is in $json"
