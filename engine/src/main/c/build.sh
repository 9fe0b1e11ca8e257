#!/bin/sh
# Compiles the native kernels once per instruction set and links them into one library, as Maven's process-classes step.
# usage: build.sh OUTPUT_DIRECTORY. Without a compiler it says so and succeeds: the Java kernels give the same results.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1

cc=${CC:-}
for candidate in cc gcc clang; do
  [ -n "$cc" ] || { command -v "$candidate" >/dev/null 2>&1 && cc=$candidate; } || true
done
if [ -z "$cc" ]; then
  echo "native kernels: no C compiler found (looked for \$CC, cc, gcc, clang); the Java kernels will be used"
  exit 0
fi

case $("$cc" -dumpmachine) in
  x86_64*linux*) platform=linux-x86_64 extension=so
    isas='amx:-march=sapphirerapids avx512bf16:-march=cooperlake avx512vnni:-march=cascadelake avx512:-march=skylake-avx512 avx2:-march=haswell' ;;
  aarch64*linux*) platform=linux-aarch64 extension=so
    isas='i8mm:-march=armv8.2-a+dotprod+i8mm dotprod:-march=armv8.2-a+dotprod neon:-march=armv8-a' ;;
  arm64*darwin* | aarch64*darwin*) platform=macos-aarch64 extension=dylib
    isas='dotprod:-mcpu=apple-m1 neon:-march=armv8-a' ;;
  *) echo "native kernels: none for $("$cc" -dumpmachine); the Java kernels will be used"; exit 0 ;;
esac

library=$out/$platform/libbaton-kernels.$extension
newest=$(ls -t "$here"/* | head -n 1)
if [ -f "$library" ] && [ ! "$newest" -nt "$library" ]; then
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# No contraction, no fast math, no errno: each C operation is the IEEE operation it says.
flags='-std=gnu11 -O3 -fPIC -fvisibility=default -ffp-contract=off -fno-math-errno -fno-trapping-math -Wall -Wextra -Werror'
compilers=
for isa in $isas; do
  (
    for source in matrix quantised rows attention limits; do
      "$cc" $flags "${isa#*:}" "-DBATON_ISA=${isa%%:*}" -c "$here/$source.c" -o "$work/${isa%%:*}-$source.o"
    done
  ) &
  compilers="$compilers $!"
done
for compiler in $compilers; do
  wait "$compiler"
done
"$cc" $flags -c "$here/levels.c" -o "$work/levels.o"
mkdir -p "$(dirname "$library")"
"$cc" -shared "$work"/*.o -o "$library"
echo "native kernels: built $platform with $cc for $(for isa in $isas; do printf '%s ' "${isa%%:*}"; done)"
