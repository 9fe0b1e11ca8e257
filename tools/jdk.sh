# Sourced: find_jdk sets jdk to the folder of a JDK that is new enough, or says where it looked and exits.

needed=25

# Prints the major version of a JDK folder, from the file every JDK has since 9; prints nothing when it is none.
major() {
  [ -x "$1/bin/java" ] && [ -f "$1/release" ] || return 0
  sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}

# Prints the folder a java executable belongs to, links followed.
home_of() {
  local path=$1 target
  while [ -L "$path" ]; do
    target=$(readlink "$path")
    case $target in
      /*) path=$target ;;
      *) path=$(dirname "$path")/$target ;;
    esac
  done
  (cd "$(dirname "$path")/.." 2>/dev/null && pwd -P) || true
}

# Tries one folder; remembers what was found there for the error.
looked=()
jdk=
try() {
  [ -z "$jdk" ] || return 0
  local version
  version=$(major "$2")
  if [ -n "$version" ] && [ "$version" -ge "$needed" ]; then
    jdk=$2
  elif [ -n "$version" ]; then
    looked+=("$1: $2 is Java $version")
  else
    looked+=("$1: ${3:-no JDK at $2}")
  fi
}

find_jdk() {
  local java folder
  if [ -n "${JAVA_HOME:-}" ]; then
    try JAVA_HOME "$JAVA_HOME"
  else
    looked+=("JAVA_HOME: not set")
  fi
  if java=$(command -v java); then
    try PATH "$(home_of "$java")" "$java belongs to no JDK"
  else
    looked+=("PATH: no java")
  fi
  while IFS= read -r folder; do
    [ -L "${folder%/}" ] || try "${folder%/*/}" "${folder%/}"
  done < <(ls -d /usr/lib/jvm/*/ /usr/java/*/ /opt/java/*/ /opt/jdk*/ "$HOME"/.jdks/*/ \
    "$HOME"/.sdkman/candidates/java/*/ 2>/dev/null | sort -r)
  if [ -x /usr/libexec/java_home ]; then
    try "/usr/libexec/java_home -v $needed+" \
      "$(/usr/libexec/java_home -v "$needed+" 2>/dev/null || true)" "found none"
  fi
  for folder in "${HOMEBREW_PREFIX:-/opt/homebrew}" /usr/local /home/linuxbrew/.linuxbrew; do
    for folder in "$folder/opt/openjdk@$needed" "$folder/opt/openjdk"; do
      [ -d "$folder" ] || continue
      if [ -d "$folder/libexec/openjdk.jdk/Contents/Home" ]; then
        try Homebrew "$folder/libexec/openjdk.jdk/Contents/Home"
      else
        try Homebrew "$folder/libexec"
      fi
    done
  done
  [ -n "$jdk" ] && return 0
  {
    echo "$(basename "$0"): needs a JDK $needed or newer and found none. Looked at:"
    printf '  %s\n' "${looked[@]}"
    echo "  /usr/lib/jvm, /usr/java, /opt/java, ~/.jdks, SDKMAN, macOS's java_home, Homebrew"
    echo "Install one (for example Temurin $needed, https://adoptium.net) or set JAVA_HOME to where it is."
  } >&2
  exit 1
}
