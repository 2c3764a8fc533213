#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Installs the Debian packages that are needed and missing: to build, and with "test" also to run the tests.
# Without root it tells what is missing.
set -eu

build="gcc libc6-dev make pkg-config binutils clang bpftool
	libbpf-dev libelf-dev libdw-dev liblzma-dev libcapstone-dev libjansson-dev libcyaml-dev libyaml-dev libiberty-dev"
demo="redis-server redis-tools"
test="g++ bats jq perl libcmocka-dev libsqlite3-dev shellcheck procps util-linux"

wanted=$build
case ${1:-build} in
build) ;;
demo) wanted="$build $demo" ;;
test) wanted="$build $demo $test" ;;
*)
	echo "usage: tools/setup.sh [build|demo|test]" >&2
	exit 2
	;;
esac

missing=
for package in $wanted; do
	case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
	installed) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "these packages are missing: apt-get install$missing" >&2
	exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# Servers that are installed for demo and tests must not be started as system services by that.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod +x $policy
	trap 'rm -f $policy' EXIT
fi
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null || {
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
