# Sourced: Debian's and Ubuntu's packages. shellcheck shell=sh

as_root() {
    if is_root; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        return 1
    fi
}

apt_update() {
    say "apt-get update"
    as_root apt-get update -qq >&2 || die "apt-get update failed: see above."
}

# Package lists may never have been fetched, or be so old that their files are gone from the mirror.
apt_lists_exist() {
    find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' 2>/dev/null | grep -q .
}

not_installed() {
    for package in "$@"; do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            printf '%s ' "$package"
        fi
    done
}

# Installs the packages named, none of which brings a service. NEEDRESTART_SUSPEND: no service of the machine is
# restarted because a library is new.
apt_install() {
    have apt-get || die "Missing: $*. There is no apt-get here, so please install what these Debian packages hold."
    if ! is_root && ! have sudo; then
        die "Missing: $*. Installing them needs root or sudo: apt-get install --no-install-recommends $*"
    fi
    apt_lists_exist || apt_update
    say "apt-get install $*"
    apt_install_now "$@" && return
    apt_update
    apt_install_now "$@" || die "Missing: $*. apt-get could not install them: see above."
}

apt_install_now() {
    as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get install -qq -y --no-install-recommends "$@" >"$build/apt.log"
}

# Unpacks packages into a new folder without installing them: apt_unpack FOLDER PACKAGES…
apt_unpack() {
    folder=$1
    shift
    rm -rf "$folder.new"
    mkdir -p "$folder.new/debs"
    say "unpacking $*"
    (cd "$folder.new/debs" && apt-get -qq -o APT::Sandbox::User=root download "$@" >&2) || return 1
    for deb in "$folder.new"/debs/*.deb; do
        dpkg -x "$deb" "$folder.new" || return 1
    done
    rm -rf "$folder.new/debs"
    mv "$folder.new" "$folder"
}
