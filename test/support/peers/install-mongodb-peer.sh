#!/bin/sh
# Installs the server that stands in for MongoDB in the tests: a program the tests start, no part of the product.
# Running it again changes nothing.
set -eu
version=0.7.0b3
# Debian's is built with optimizations, which others on the path need not be: half of a test's time is this server's.
python=/usr/bin/python3
"$python" -c 'import ensurepip' 2>/dev/null || python=python3
folder="$(cd "$(dirname "$0")/../../.." && pwd)/node_modules/.cache/mongodb-peer"
if [ -x "$folder/bin/secantusd-py" ] && [ "$(cat "$folder/.version" 2>/dev/null)" = "$version $python" ]; then
  echo "MongoDB test peer $version is installed"
  exit 0
fi
mkdir -p "$(dirname "$folder")"
rm -rf "$folder"
"$python" -m venv "$folder"
"$folder/bin/pip" install --quiet "SecantusDB==$version"
echo "$version $python" >"$folder/.version"
echo "MongoDB test peer $version is now installed"
