#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The keyspace of a real server: cachetrace's counts against the server's own statistics.

load lib

PORT=${PORT:-16390}

ask() {
	redis-cli -h 127.0.0.1 -p "$PORT" "$@"
}

start_server() {
	redis-server --port "$PORT" --bind 127.0.0.1 --save '' --dir "$work" --maxmemory 20mb \
		--maxmemory-policy allkeys-lru --logfile "$work/server.log" &
	server=$!
	started+=("$server")
	until [ "$(ask ping 2>/dev/null)" = PONG ]; do
		kill -0 "$server" || return 1
	done
}

statistic() {
	ask info stats | tr -d '\r' | sed -n "s/^$1://p"
}

mixed_load() {
	redis-benchmark -h 127.0.0.1 -p "$PORT" -q -n 40000 -r 20000 -c 20 \
		-t set,get,incr,lpush,lpop,sadd,hset,mset >/dev/null
	# Commands that look keys up without being counted by the server, and some that are.
	local i

	for i in $(seq 50); do
		printf 'EXISTS key:%d\nTTL k%d\nOBJECT ENCODING key:%d\nEXPIRE key:%d 1\nGET nokey%d\nTYPE key:%d\n' \
			"$i" "$i" "$i" "$i" "$i" "$i"
	done | ask >/dev/null
}

@test "hits and misses are those that the server reports" {
	need "there is no redis-server here" command -v redis-server
	start_server
	hits=$(statistic keyspace_hits)
	misses=$(statistic keyspace_misses)
	start_trace -p "$server"
	mixed_load
	end_trace
	hits=$(($(statistic keyspace_hits) - hits))
	misses=$(($(statistic keyspace_misses) - misses))
	echo "# server: $hits hits, $misses misses" >&2
	[ "$hits" -gt 10000 ] && [ "$misses" -gt 1000 ]
	[ "$(jq '.caches | length' "$work/final.json")" = 1 ]
	[ "$(jq '.caches[0].hits' "$work/final.json")" = "$hits" ]
	[ "$(jq '.caches[0].misses' "$work/final.json")" = "$misses" ]
	[ "$(jq '.caches[0].lookup_latency.count' "$work/final.json")" = $((hits + misses)) ]
	nothing_lost
}

@test "memory in use and its limit are those that the server reports" {
	need "there is no redis-server here" command -v redis-server
	start_server
	start_trace -p "$server"
	end_trace
	[ "$(jq '.caches[0].capacity' "$work/final.json")" = $((20 * 1024 * 1024)) ]
	[ "$(jq -r '.caches[0].unit' "$work/final.json")" = bytes ]
	used=$(ask info memory | tr -d '\r' | sed -n 's/^used_memory://p')
	entries=$(jq '.caches[0].entries' "$work/final.json")
	echo "# server: $used bytes, read: $entries" >&2
	# The server's own connections and buffers come and go.
	[ $((entries - used)) -lt 300000 ] && [ $((used - entries)) -lt 300000 ]
}

@test "without a limit the capacity is unknown" {
	need "there is no redis-server here" command -v redis-server
	start_server
	ask config set maxmemory 0 >/dev/null
	start_trace -p "$server"
	end_trace
	[ "$(jq '.caches[0].capacity' "$work/final.json")" = null ]
	[ "$(jq '.caches[0].utilization_percent' "$work/final.json")" = null ]
}
