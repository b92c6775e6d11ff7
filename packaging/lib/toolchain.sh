# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # `checkout` is the caller's
# Compiler and libraries: the distribution's own where they are new enough, else a cached Debian 13
# root that bwrap enters with the checkout, the home directory, /tmp, /run and the network bound in.

declare -r toolchain_suite=trixie

# native or root. ISOL8_TOOLCHAIN decides where the distribution is not one of those known here.
toolchain_kind() {
    if [[ -n ${ISOL8_TOOLCHAIN:-} ]]; then
        printf '%s' "$ISOL8_TOOLCHAIN"
        return
    fi
    (
        ID='' VERSION_ID=''
        # shellcheck source=/dev/null
        . /etc/os-release
        case $ID in
            debian) # testing and unstable have no number
                if ((${VERSION_ID:-99} >= 13)); then echo native; else echo root; fi ;;
            ubuntu)
                if dpkg --compare-versions "$VERSION_ID" ge 25.04; then echo native; else echo root; fi ;;
            *)
                if command -v apt-get >/dev/null; then echo root; else echo native; fi ;;
        esac
    )
}

# toolchain_lists build|test: the package lists of that purpose.
toolchain_lists() {
    printf '%s\n' "$checkout/packaging/toolchain/build.list"
    if [[ $1 == test ]]; then
        printf '%s\n' "$checkout/packaging/toolchain/test.list"
    fi
}

# The root of a purpose. Its name carries what it is made of: a changed list makes a new root.
toolchain_root_of() {
    local lists hash
    mapfile -t lists < <(toolchain_lists "$1")
    hash=$({ echo "$toolchain_suite"; packages_of "${lists[@]}" | sort -u; } | sha256sum)
    printf '%s/root-%s-%s' "$(cache_directory)" "$toolchain_suite" "${hash:0:12}"
}

# The root to enter: the tests' one can do all that the build's one can.
toolchain_root() {
    local root
    root=$(toolchain_root_of test)
    [[ -d $root ]] || root=$(toolchain_root_of build)
    printf '%s' "$root"
}

# toolchain_prepare build|test
toolchain_prepare() {
    local lists packages
    mapfile -t lists < <(toolchain_lists "$1")
    mapfile -t packages < <(packages_of "${lists[@]}")
    mkdir -p "$(cache_directory)/ccache"
    if [[ $(toolchain_kind) == native ]]; then
        if command -v dpkg-query >/dev/null; then
            ensure_packages "${packages[@]}"
        fi
        return
    fi
    ensure_packages bubblewrap ca-certificates
    [[ -d $(toolchain_root_of test) || -d $(toolchain_root_of "$1") ]] ||
        toolchain_make_root "$(toolchain_root_of "$1")" "${packages[@]}"
}

# For the EXIT trap: removes the root that was being made.
toolchain_clean_up() {
    [[ -z ${toolchain_unfinished:-} ]] || toolchain_discard "$toolchain_unfinished"
}

# Removes a half-made root, but nothing that is mounted in it.
toolchain_discard() {
    local mounted
    mounted=$(grep -F " $1/" /proc/self/mountinfo || true)
    if [[ -n $mounted ]]; then
        say WARN "$1 is left over from an interrupted call and has mounts in it: not removed."
        return
    fi
    as_root rm -rf --one-file-system -- "$1"
}

# Debian's mirror as this machine's apt knows it; nothing on other distributions, where mmdebstrap
# has its own default.
toolchain_mirror() {
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(SITE)' 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 !~ /-/ && $3 ~ /^https?:/ { print $3; exit }'
}

toolchain_make_root() {
    local root=$1 partial mirror proxy='' options=() leftover
    shift
    ensure_packages mmdebstrap debian-archive-keyring
    exec {lock}>"$(cache_directory)/root.lock"
    flock "$lock" # Two calls at a time would make two.
    if [[ -d $root ]]; then
        exec {lock}>&-
        return
    fi
    for leftover in "$(cache_directory)"/root-*.partial; do
        [[ ! -d $leftover ]] || toolchain_discard "$leftover"
    done
    update_package_lists
    mirror=$(toolchain_mirror)
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    [[ -z $proxy ]] || options+=(--aptopt="Acquire::http::Proxy \"$proxy\"")
    partial=$root.partial
    toolchain_unfinished=$partial
    quietly as_root mmdebstrap --mode=root --variant=minbase --include="$(printf '%s\n' "$@" | paste -sd,)" \
        --aptopt='Acquire::Retries "5"' "${options[@]}" \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        "$toolchain_suite" "$partial" ${mirror:+"$mirror"}
    as_root mv -T "$partial" "$root"
    toolchain_unfinished=''
    exec {lock}>&- # What is started later must not keep it.
}

# enter CMD…: runs CMD in the toolchain, in the current directory.
enter() {
    local cache
    cache=$(cache_directory)
    export CCACHE_DIR="$cache/ccache" CCACHE_MAXSIZE="${CCACHE_MAXSIZE:-3G}"
    if [[ $(toolchain_kind) == native ]]; then
        ! command -v ccache >/dev/null || export CMAKE_CXX_COMPILER_LAUNCHER=ccache
        "$@"
        return
    fi
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache
    local root path arguments
    root=$(toolchain_root)
    arguments=(--bind "$root" / --dev-bind /dev /dev --bind /proc /proc --bind /sys /sys)
    for path in /run /tmp "$HOME" "$cache/ccache" "$checkout"; do
        arguments+=(--bind "$path" "$path")
    done
    for path in /etc/resolv.conf /etc/hosts /etc/passwd /etc/group /etc/ssl/certs; do
        [[ ! -e $path ]] || arguments+=(--ro-bind "$path" "$path")
    done
    # Inside, /usr/local and the like are the root's.
    arguments+=(--setenv PATH /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
    arguments+=(--chdir "$PWD" --die-with-parent --cap-add ALL)
    if ((EUID == 0)); then
        bwrap "${arguments[@]}" "$@"
        return
    fi
    # The tree is root's; the program runs as the user, so that what it writes belongs to the user.
    local as_user
    mapfile -t as_user < <(with_docker_group)
    sudo_keeping bwrap "${arguments[@]}" "${as_user[@]}" "$@"
}
