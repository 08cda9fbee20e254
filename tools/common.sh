#   common.sh: what the scripts of this folder share: words, clocks, Debian's packages, builds.
#   Sourced, after 'set -u'; nothing here changes the host but install_packages.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=$(basename "$0")
jobs=$(nproc 2>/dev/null || echo 2)
logs=$top/build/logs
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

build_packages=(gcc libc6-dev cmake ninja-build pkg-config libzmq3-dev libczmq-dev libmsgpack-dev
    libxml2-dev libnl-route-3-dev libcap-dev libjansson-dev libcmocka-dev
    libnftables-dev libseccomp-dev libblkid-dev libudev-dev)
guest_packages=(qemu-system-x86 qemu-utils)
test_packages=(binutils busybox-static clang-format dnsmasq-base e2fsprogs iproute2
    isc-dhcp-client libsys-virt-perl libvirt-clients nftables python3 python3-libvirt
    python3-zmq python3-msgpack udev virtinst)

if [ -t 1 ]; then
    bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
    bold='' dim='' red='' green='' plain=''
fi

title () { printf '\n%s== %s ==%s\n' "$bold" "$*" "$plain"; }
say () { printf '%s\n' "$*"; }
complain () { printf '%s: %s\n' "$program" "$*" >&2; }
die () { complain "$*"; exit 1; }

#   Milliseconds of a clock; good for differences.
now_ms () { local now=${EPOCHREALTIME/[^0-9]/}; echo "${now%???}"; }
seconds () { printf '%d.%01d s' "$(($1 / 1000))" "$(($1 % 1000 / 100))"; }

#   The end of a log, to explain a failure.
show_tail () {
    [ -s "$1" ] || return 0
    printf '%s-- the last lines of %s --%s\n' "$dim" "$1" "$plain" >&2
    tail -n "${2:-30}" "$1" >&2
}

#   Those of the given packages that are not installed.
missing_packages () {
    local package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            echo "$package"
    done
}

apt () { apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null; }

#   Installs what is missing of the given packages; nothing is asked of apt if nothing is. The
#   package lists are fetched only if apt can't do it with those that it has. Fails, having said
#   what to do, if something stays missing.
install_packages () {
    local missing log=$logs/packages.log
    command -v dpkg-query >/dev/null || {
        complain "this is not Debian: install what these packages of Debian have: $*"
        return 1
    }
    read -r -d '' -a missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        complain "not installed, and only root can; please run:"
        complain "    apt-get install --no-install-recommends ${missing[*]}"
        return 1
    fi
    say "installing ${missing[*]}"
    mkdir -p "$logs"
    apt install --no-install-recommends "${missing[@]}" >"$log" 2>&1 && return 0
    apt update >>"$log" 2>&1
    apt install --no-install-recommends "${missing[@]}" >>"$log" 2>&1 && return 0
    show_tail "$log"
    complain "apt-get could not install ${missing[*]}"
    return 1
}

#   unpack_packages FOLDER [APT OPTION...] -- PACKAGE...: downloads them and unpacks them into FOLDER;
#   nothing is installed, so any user can do it.
unpack_packages () {
    local folder=$1 options=() package
    shift
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    mkdir -p "$folder" && cd "$folder" || return 1
    apt-get -q "${options[@]}" -o APT::Sandbox::User=root download "$@" || return 1
    for package in *.deb; do
        dpkg -x "$package" . && rm "$package" || return 1
    done
}

#   make_own_lists FOLDER: sets own_lists to options with which apt has lists and a cache of its own in
#   FOLDER, so that the host's stay as they are.
make_own_lists () {
    own_lists=(-o Dir::State::Lists="$1/lists" -o Dir::Cache="$1/cache")
    mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
}

#   build PRESET [CMAKE OPTION...] [-- TARGET...]: configures if needed, builds, and shows what
#   went wrong.
build () {
    local preset=$1 options=() log=$logs/build-$1.log
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    [ $# -eq 0 ] || shift
    mkdir -p "$logs"
    (
        cd "$top" || exit
        cmake --preset "$preset" "${options[@]}" || exit
        cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"}
    ) >"$log" 2>&1 </dev/null && return 0
    #   ninja prints what else it was doing between the errors.
    grep -vE '^\[[0-9]+/[0-9]+\] ' "$log" | tail -n 60 >&2
    complain "the build failed; all that it said is in $log"
    return 1
}
